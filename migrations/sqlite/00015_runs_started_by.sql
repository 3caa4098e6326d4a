-- +goose Up
-- started_by: who started the run, as JSON; '' where that is not known, as of runs
-- of earlier versions.
ALTER TABLE runs ADD COLUMN started_by TEXT NOT NULL DEFAULT '';
