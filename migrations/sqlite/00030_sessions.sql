-- Sign-ins of browsers, and the people whom a provider of identities signs in. Of the
-- cookie only the SHA-256 is kept. sign_in is the SHA-256 of what bound a sign-in at the
-- provider to the browser ('': signed in with a key), so that one is completed once.
-- The holder of a grant (grants.key_id) is a key or, from here on, a user.

-- +goose Up
CREATE TABLE sessions (
    hash       TEXT PRIMARY KEY,
    id         TEXT NOT NULL UNIQUE,
    tenant_id  TEXT NOT NULL,
    key_id     TEXT NOT NULL,
    user_id    TEXT NOT NULL,
    sign_in    TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    seen_at    INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    agent      TEXT NOT NULL,
    address    TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX sessions_list ON sessions (tenant_id, created_at, id);
CREATE INDEX sessions_key ON sessions (tenant_id, key_id);
CREATE INDEX sessions_user ON sessions (tenant_id, user_id);
CREATE INDEX sessions_expired ON sessions (expires_at);
CREATE UNIQUE INDEX sessions_sign_in ON sessions (sign_in) WHERE sign_in <> '';

CREATE TABLE users (
    id           TEXT PRIMARY KEY,
    tenant_id    TEXT NOT NULL,
    issuer       TEXT NOT NULL,
    subject      TEXT NOT NULL,
    email        TEXT NOT NULL,
    name         TEXT NOT NULL,
    role         TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    disabled_at  INTEGER NOT NULL
);
CREATE UNIQUE INDEX users_subject ON users (tenant_id, issuer, subject);
CREATE INDEX users_list ON users (tenant_id, created_at, id);
