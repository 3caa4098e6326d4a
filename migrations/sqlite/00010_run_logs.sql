-- What steps said while they were in action. It is no part of the journal.

-- +goose Up
CREATE TABLE run_logs (
    run_id    TEXT NOT NULL,
    id        TEXT NOT NULL,
    step_id   TEXT NOT NULL,
    iteration TEXT NOT NULL,
    attempt   INTEGER NOT NULL,
    level     TEXT NOT NULL,
    category  TEXT NOT NULL,
    message   TEXT NOT NULL,
    data      TEXT NOT NULL,
    at        INTEGER NOT NULL,
    PRIMARY KEY (run_id, id)
) WITHOUT ROWID;
CREATE INDEX run_logs_by_step ON run_logs (run_id, step_id, id);
