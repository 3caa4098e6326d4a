-- +goose Up
-- Who made a version, beside created_by, the name: '' where that is not known, as
-- of versions of earlier releases and of imported ones.
ALTER TABLE workflow_versions ADD COLUMN author_type TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE workflow_versions ADD COLUMN author_id TEXT COLLATE "C" NOT NULL DEFAULT '';
