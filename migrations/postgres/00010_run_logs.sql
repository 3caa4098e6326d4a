-- What steps said while they were in action. It is no part of the journal.

-- +goose Up
CREATE TABLE run_logs (
    run_id    TEXT COLLATE "C" NOT NULL,
    id        TEXT COLLATE "C" NOT NULL,
    step_id   TEXT COLLATE "C" NOT NULL,
    iteration TEXT COLLATE "C" NOT NULL,
    attempt   BIGINT NOT NULL,
    level     TEXT COLLATE "C" NOT NULL,
    category  TEXT COLLATE "C" NOT NULL,
    message   TEXT NOT NULL,
    data      TEXT NOT NULL,
    at        BIGINT NOT NULL,
    PRIMARY KEY (run_id, id)
);
CREATE INDEX run_logs_by_step ON run_logs (run_id, step_id, id);
