-- A signal's request id, so that one that is delivered twice while no node
-- drives runs is stored once. Of an input that was taken the run's journal knows.

-- +goose Up
ALTER TABLE run_inbox ADD COLUMN request_id TEXT NOT NULL DEFAULT '';
CREATE UNIQUE INDEX run_inbox_request ON run_inbox (run_id, request_id) WHERE request_id <> '' AND taken_at = 0;
