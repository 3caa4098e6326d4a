-- Values too large for the journal, written in chunks before the event that
-- names them. kept: an event of the journal names the blob; the others are
-- swept.

-- +goose Up
CREATE TABLE blobs (
    id           TEXT PRIMARY KEY,
    tenant_id    TEXT NOT NULL,
    run_id       TEXT NOT NULL,
    size         INTEGER NOT NULL,
    sha256       TEXT NOT NULL,
    content_type TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    kept         INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX blobs_run ON blobs (run_id, id);
CREATE INDEX blobs_loose ON blobs (created_at, id) WHERE kept = 0;

CREATE TABLE blob_chunks (
    blob_id TEXT NOT NULL,
    n       INTEGER NOT NULL,
    data    BLOB NOT NULL,
    PRIMARY KEY (blob_id, n)
);
