-- When a version last became the active one (0: never, or by an earlier release), and who
-- made it so (an actor as JSON, '': not known).

-- +goose Up
ALTER TABLE workflow_versions ADD COLUMN published_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE workflow_versions ADD COLUMN published_by TEXT NOT NULL DEFAULT '';
