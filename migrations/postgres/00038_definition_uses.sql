-- Which steps of the active and the latest version of a workflow name a secret or an
-- agent (kind). It is written with what changes those versions; workflows from before
-- this migration wait in uses_pending until a server has read their definitions. And
-- when a secret was last handed to a step, to the hour (0: never).

-- +goose Up
CREATE TABLE definition_uses (
    tenant_id   TEXT COLLATE "C" NOT NULL,
    kind        TEXT COLLATE "C" NOT NULL,
    name        TEXT COLLATE "C" NOT NULL,
    workflow_id TEXT COLLATE "C" NOT NULL,
    version     INTEGER NOT NULL,
    step_id     TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant_id, kind, name, workflow_id, version, step_id)
);
CREATE INDEX definition_uses_version ON definition_uses (workflow_id, version);
CREATE TABLE uses_pending (
    workflow_id TEXT COLLATE "C" PRIMARY KEY
);
INSERT INTO uses_pending (workflow_id) SELECT id FROM workflows WHERE deleted = 0;
ALTER TABLE secrets ADD COLUMN last_used_at BIGINT NOT NULL DEFAULT 0;
