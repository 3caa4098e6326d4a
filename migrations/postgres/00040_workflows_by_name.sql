-- Lists of workflows by name: the beginning of what is searched, which is the name in folded
-- case and then the slug.

-- +goose Up
CREATE INDEX workflows_by_name ON workflows (tenant_id, substr(folded, 1, 40), id) WHERE deleted = 0;
