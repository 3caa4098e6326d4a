-- +goose Up
-- What authors have not saved as a version yet: a text for each workflow and person
-- (owner: a key or a user), and texts of workflows that are not there yet, whose
-- workflow_id is ''.
CREATE TABLE drafts (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    tenant_id TEXT COLLATE "C" NOT NULL,
    workflow_id TEXT COLLATE "C" NOT NULL,
    owner_type TEXT COLLATE "C" NOT NULL,
    owner_id TEXT COLLATE "C" NOT NULL,
    owner_name TEXT COLLATE "C" NOT NULL,
    base_version BIGINT NOT NULL,
    source_format TEXT COLLATE "C" NOT NULL,
    source_text TEXT COLLATE "C" NOT NULL,
    note TEXT COLLATE "C" NOT NULL,
    revision BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX drafts_one ON drafts (tenant_id, workflow_id, owner_type, owner_id) WHERE workflow_id <> '';
CREATE INDEX drafts_own ON drafts (tenant_id, owner_type, owner_id, updated_at, id);
CREATE INDEX drafts_of_workflow ON drafts (tenant_id, workflow_id, updated_at, id) WHERE workflow_id <> '';
