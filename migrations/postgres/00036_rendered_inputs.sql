-- What the templates of an attempt's config rendered, without secrets, for the attempts
-- attempt to last_attempt of a step, which follow one another and had the same.

-- +goose Up
CREATE TABLE rendered_inputs (
    run_id       TEXT COLLATE "C" NOT NULL,
    step_id      TEXT COLLATE "C" NOT NULL,
    iteration    TEXT COLLATE "C" NOT NULL,
    attempt      BIGINT NOT NULL,
    last_attempt BIGINT NOT NULL,
    input        TEXT NOT NULL,
    PRIMARY KEY (run_id, step_id, iteration, attempt)
);
