-- Lists of schedules by status and by what is due next, and who paused one (an actor as
-- JSON, '' while it is not paused, or was by an earlier version) and when.

-- +goose Up
ALTER TABLE schedules ADD COLUMN paused_by TEXT NOT NULL DEFAULT '';
ALTER TABLE schedules ADD COLUMN paused_at BIGINT NOT NULL DEFAULT 0;
CREATE INDEX schedules_status ON schedules (tenant_id, status, created_at, id) WHERE deleted = 0;
CREATE INDEX schedules_next ON schedules (tenant_id, status, next_due, id) WHERE deleted = 0;
