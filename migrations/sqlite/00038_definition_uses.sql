-- Which steps of the active and the latest version of a workflow name a secret or an
-- agent (kind). It is written with what changes those versions; workflows from before
-- this migration wait in uses_pending until a server has read their definitions. And
-- when a secret was last handed to a step, to the hour (0: never).

-- +goose Up
CREATE TABLE definition_uses (
    tenant_id   TEXT NOT NULL,
    kind        TEXT NOT NULL,
    name        TEXT NOT NULL,
    workflow_id TEXT NOT NULL,
    version     INTEGER NOT NULL,
    step_id     TEXT NOT NULL,
    PRIMARY KEY (tenant_id, kind, name, workflow_id, version, step_id)
) WITHOUT ROWID;
CREATE INDEX definition_uses_version ON definition_uses (workflow_id, version);
CREATE TABLE uses_pending (
    workflow_id TEXT PRIMARY KEY
) WITHOUT ROWID;
INSERT INTO uses_pending (workflow_id) SELECT id FROM workflows WHERE deleted = 0;
ALTER TABLE secrets ADD COLUMN last_used_at INTEGER NOT NULL DEFAULT 0;
