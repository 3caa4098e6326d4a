-- +goose Up
-- The turn that a run has under way, on whatever node: whose it is, and until when
-- it holds unless it is renewed, by the database's clock.
CREATE TABLE turns (
    run_id     TEXT PRIMARY KEY,
    owner      TEXT NOT NULL,
    expires_at INTEGER NOT NULL
);
