-- Secrets are sealed; a tenant's revision tells every server that they changed.

-- +goose Up
CREATE TABLE secrets (
    tenant_id  TEXT COLLATE "C" NOT NULL,
    name       TEXT COLLATE "C" NOT NULL,
    box        BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, name)
);

CREATE TABLE secret_revisions (
    tenant_id TEXT COLLATE "C" PRIMARY KEY,
    revision  BIGINT NOT NULL
);

-- One row: a known text, sealed with the key that fits this database.
CREATE TABLE secret_check (
    id  INTEGER PRIMARY KEY,
    box BYTEA NOT NULL
);

CREATE TABLE agents (
    tenant_id  TEXT COLLATE "C" NOT NULL,
    id         TEXT COLLATE "C" NOT NULL,
    agent      TEXT NOT NULL,
    revision   BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
