-- Values too large for the journal, written in chunks before the event that
-- names them. kept: an event of the journal names the blob; the others are
-- swept.

-- +goose Up
CREATE TABLE blobs (
    id           TEXT COLLATE "C" PRIMARY KEY,
    tenant_id    TEXT COLLATE "C" NOT NULL,
    run_id       TEXT COLLATE "C" NOT NULL,
    size         BIGINT NOT NULL,
    sha256       TEXT NOT NULL,
    content_type TEXT NOT NULL,
    created_at   BIGINT NOT NULL,
    kept         INTEGER NOT NULL
);
CREATE INDEX blobs_run ON blobs (run_id, id);
CREATE INDEX blobs_loose ON blobs (created_at, id) WHERE kept = 0;

CREATE TABLE blob_chunks (
    blob_id TEXT COLLATE "C" NOT NULL,
    n       INTEGER NOT NULL,
    data    BYTEA NOT NULL,
    PRIMARY KEY (blob_id, n)
);
ALTER TABLE blob_chunks ALTER COLUMN data SET STORAGE EXTERNAL;
