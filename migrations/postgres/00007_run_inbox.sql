-- +goose Up
-- What a node that does not drive runs was asked to do to one: a row first, so
-- that it is durable; the node that drives takes it, together with what it did
-- to the run. state, effect and failure are the answer, once it is taken.
CREATE TABLE run_inbox (
    id         TEXT PRIMARY KEY,
    tenant_id  TEXT NOT NULL,
    run_id     TEXT NOT NULL,
    kind       TEXT NOT NULL,
    data       TEXT NOT NULL,
    posted_at  BIGINT NOT NULL,
    taken_at   BIGINT NOT NULL DEFAULT 0,
    state      TEXT NOT NULL DEFAULT '',
    effect     BIGINT NOT NULL DEFAULT 0,
    failure    TEXT NOT NULL DEFAULT ''
);
CREATE INDEX run_inbox_open ON run_inbox (id) WHERE taken_at = 0;
CREATE INDEX run_inbox_taken ON run_inbox (taken_at) WHERE taken_at > 0;
-- process: the operating system's process that holds the lease, as far as
-- others on the same machine can tell; '' unknown.
ALTER TABLE leases ADD COLUMN process TEXT NOT NULL DEFAULT '';
