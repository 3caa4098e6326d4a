-- How often the process died while a run was in action, since a step of the
-- run ended last. Written at recovery alone.

-- +goose Up
CREATE TABLE run_crashes (
    run_id    TEXT PRIMARY KEY,
    last_end  INTEGER NOT NULL, -- seq of that end, 0: none
    crashes   INTEGER NOT NULL,
    alone     INTEGER NOT NULL, -- of them, while nothing else was in action
    isolated  INTEGER NOT NULL  -- 1: it is alone in action right now
) WITHOUT ROWID;

-- The one row is the last term of an executor: whoever held the lease of that
-- epoch. in_order is 1 once the term ended without a crash.
CREATE TABLE executor_terms (
    name     TEXT PRIMARY KEY,
    epoch    INTEGER NOT NULL,
    in_order INTEGER NOT NULL
) WITHOUT ROWID;
