-- The queue by workflow: a tenant's workflows take turns. The index that it replaces
-- was by tenant alone; a tenant's queue as a whole is read by runs_state.

-- +goose Up
CREATE INDEX runs_queue ON runs (tenant_id, workflow_id, created_at, id) WHERE state = 'queued';
DROP INDEX runs_queued;
