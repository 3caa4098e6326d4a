-- +goose Up
-- What authors have not saved as a version yet: a text for each workflow and person
-- (owner: a key or a user), and texts of workflows that are not there yet, whose
-- workflow_id is ''.
CREATE TABLE drafts (
    id TEXT NOT NULL PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    workflow_id TEXT NOT NULL,
    owner_type TEXT NOT NULL,
    owner_id TEXT NOT NULL,
    owner_name TEXT NOT NULL,
    base_version INTEGER NOT NULL,
    source_format TEXT NOT NULL,
    source_text TEXT NOT NULL,
    note TEXT NOT NULL,
    revision INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
);
CREATE UNIQUE INDEX drafts_one ON drafts (tenant_id, workflow_id, owner_type, owner_id) WHERE workflow_id <> '';
CREATE INDEX drafts_own ON drafts (tenant_id, owner_type, owner_id, updated_at, id);
CREATE INDEX drafts_of_workflow ON drafts (tenant_id, workflow_id, updated_at, id) WHERE workflow_id <> '';
