-- By which words the steps of the active version of a workflow are found: their ids and names,
-- folded, from each word of them on. It is written with what changes that version; workflows from
-- before this migration wait in uses_pending until a server has read their definitions.

-- +goose Up
CREATE TABLE definition_steps (
    tenant_id   TEXT NOT NULL,
    word        TEXT NOT NULL,
    workflow_id TEXT NOT NULL,
    step_id     TEXT NOT NULL,
    name        TEXT NOT NULL,
    PRIMARY KEY (tenant_id, word, workflow_id, step_id)
) WITHOUT ROWID;
CREATE INDEX definition_steps_workflow ON definition_steps (workflow_id, word, step_id);
INSERT INTO uses_pending (workflow_id) SELECT id FROM workflows WHERE deleted = 0 ON CONFLICT DO NOTHING;
