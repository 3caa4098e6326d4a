-- Sign-ins of browsers, and the people whom a provider of identities signs in. Of the
-- cookie only the SHA-256 is kept. sign_in is the SHA-256 of what bound a sign-in at the
-- provider to the browser ('': signed in with a key), so that one is completed once.
-- The holder of a grant (grants.key_id) is a key or, from here on, a user.

-- +goose Up
CREATE TABLE sessions (
    hash       TEXT COLLATE "C" PRIMARY KEY,
    id         TEXT COLLATE "C" NOT NULL UNIQUE,
    tenant_id  TEXT COLLATE "C" NOT NULL,
    key_id     TEXT COLLATE "C" NOT NULL,
    user_id    TEXT COLLATE "C" NOT NULL,
    sign_in    TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    seen_at    BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    agent      TEXT COLLATE "C" NOT NULL,
    address    TEXT COLLATE "C" NOT NULL
);
CREATE INDEX sessions_list ON sessions (tenant_id, created_at, id);
CREATE INDEX sessions_key ON sessions (tenant_id, key_id);
CREATE INDEX sessions_user ON sessions (tenant_id, user_id);
CREATE INDEX sessions_expired ON sessions (expires_at);
CREATE UNIQUE INDEX sessions_sign_in ON sessions (sign_in) WHERE sign_in <> '';

CREATE TABLE users (
    id           TEXT COLLATE "C" PRIMARY KEY,
    tenant_id    TEXT COLLATE "C" NOT NULL,
    issuer       TEXT COLLATE "C" NOT NULL,
    subject      TEXT COLLATE "C" NOT NULL,
    email        TEXT COLLATE "C" NOT NULL,
    name         TEXT COLLATE "C" NOT NULL,
    role         TEXT COLLATE "C" NOT NULL,
    created_at   BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    disabled_at  BIGINT NOT NULL
);
CREATE UNIQUE INDEX users_subject ON users (tenant_id, issuer, subject);
CREATE INDEX users_list ON users (tenant_id, created_at, id);
