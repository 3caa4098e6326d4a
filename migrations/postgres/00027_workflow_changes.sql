-- Searches by text read a tenant's texts from memory. Each change of a workflow has the
-- next number of its tenant, so that a node reads only what has changed since its last
-- look. 0: not changed since this migration.

-- +goose Up
CREATE TABLE workflow_changes (
    tenant_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    n         BIGINT NOT NULL
);
ALTER TABLE workflows ADD COLUMN change_number BIGINT NOT NULL DEFAULT 0;
CREATE INDEX workflows_changed ON workflows (tenant_id, change_number);
