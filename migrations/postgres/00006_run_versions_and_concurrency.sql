-- +goose Up
-- versions: the spans of a run that was resumed on another version, as JSON;
-- '' while it has had one only.
ALTER TABLE runs ADD COLUMN versions TEXT NOT NULL DEFAULT '';
-- concurrency_key: what the workflow's concurrency.key rendered to, after a
-- '='; '' for workflows without a limit.
ALTER TABLE runs ADD COLUMN concurrency_key TEXT NOT NULL DEFAULT '';
CREATE INDEX runs_concurrency ON runs (workflow_id, concurrency_key, created_at, id)
    WHERE concurrency_key <> '' AND state NOT IN ('completed', 'failed', 'cancelled');
