-- Secrets are sealed; a tenant's revision tells every server that they changed.

-- +goose Up
CREATE TABLE secrets (
    tenant_id  TEXT NOT NULL,
    name       TEXT NOT NULL,
    box        BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, name)
);

CREATE TABLE secret_revisions (
    tenant_id TEXT PRIMARY KEY,
    revision  INTEGER NOT NULL
) WITHOUT ROWID;

-- One row: a known text, sealed with the key that fits this database.
CREATE TABLE secret_check (
    id  INTEGER PRIMARY KEY,
    box BLOB NOT NULL
);

CREATE TABLE agents (
    tenant_id  TEXT NOT NULL,
    id         TEXT NOT NULL,
    agent      TEXT NOT NULL,
    revision   INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
