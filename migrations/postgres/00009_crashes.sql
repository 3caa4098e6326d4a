-- How often the process died while a run was in action, since a step of the
-- run ended last. Written at recovery alone.

-- +goose Up
CREATE TABLE run_crashes (
    run_id    TEXT COLLATE "C" PRIMARY KEY,
    last_end  BIGINT NOT NULL, -- seq of that end, 0: none
    crashes   BIGINT NOT NULL,
    alone     BIGINT NOT NULL, -- of them, while nothing else was in action
    isolated  BIGINT NOT NULL  -- 1: it is alone in action right now
);

-- The one row is the last term of an executor: whoever held the lease of that
-- epoch. in_order is 1 once the term ended without a crash.
CREATE TABLE executor_terms (
    name     TEXT COLLATE "C" PRIMARY KEY,
    epoch    BIGINT NOT NULL,
    in_order BIGINT NOT NULL
);
