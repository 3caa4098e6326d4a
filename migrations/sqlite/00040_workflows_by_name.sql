-- Lists of workflows by name: the beginning of what is searched, which is the name in folded
-- case and then the slug. A column for its index: SQLite bounds no pair that begins with an
-- expression.

-- +goose Up
ALTER TABLE workflows ADD COLUMN sort_name TEXT GENERATED ALWAYS AS (substr(folded, 1, 40)) VIRTUAL;
CREATE INDEX workflows_by_name ON workflows (tenant_id, sort_name, id) WHERE deleted = 0;
