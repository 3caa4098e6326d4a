-- What the templates of an attempt's config rendered, without secrets, for the attempts
-- attempt to last_attempt of a step, which follow one another and had the same.

-- +goose Up
CREATE TABLE rendered_inputs (
    run_id       TEXT NOT NULL,
    step_id      TEXT NOT NULL,
    iteration    TEXT NOT NULL,
    attempt      INTEGER NOT NULL,
    last_attempt INTEGER NOT NULL,
    input        TEXT NOT NULL,
    PRIMARY KEY (run_id, step_id, iteration, attempt)
) WITHOUT ROWID;
