-- What a workflow is searched by: name, slug and description, case folded in
-- Unicode. Empty: not filled in yet; the program does that when it opens the
-- database. The default is a constant, so that no row is written again.

-- +goose Up
ALTER TABLE workflows ADD COLUMN folded TEXT COLLATE "C" NOT NULL DEFAULT '';
CREATE INDEX workflows_unfolded ON workflows (id) WHERE folded = '';
