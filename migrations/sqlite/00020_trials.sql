-- survived: how many of its windows alone in action the run outlived since a step
-- of it ended. counted, counted_alone: the term whose crash was counted last, and
-- whether as one alone, for a term that turns out to have ended in order.
-- phase: what was in action in the term: 0 anything, 1 suspects that are tried,
-- 2 nothing.

-- +goose Up
ALTER TABLE run_crashes ADD COLUMN survived BIGINT NOT NULL DEFAULT 0;
ALTER TABLE run_crashes ADD COLUMN counted BIGINT NOT NULL DEFAULT 0;
ALTER TABLE run_crashes ADD COLUMN counted_alone BIGINT NOT NULL DEFAULT 0;
ALTER TABLE executor_terms ADD COLUMN phase BIGINT NOT NULL DEFAULT 0;
