-- Each list of runs is a merge of ranges, one for every state and trigger, by
-- creation or by start. Most runs start when they are created: these have one entry
-- for both orders. The others have one by creation and, once they have started, one
-- by start. They take the places of the indexes by workflow and by state alone, so
-- that a run which does not wait costs as many entries as before.

-- +goose Up
DROP INDEX runs_workflow;
DROP INDEX runs_state;
CREATE INDEX runs_by_state ON runs (tenant_id, state, trigger_kind, created_at, id) WHERE started_at - created_at = 0;
CREATE INDEX runs_by_state_late ON runs (tenant_id, state, trigger_kind, created_at, id) WHERE started_at - created_at <> 0;
CREATE INDEX runs_by_state_start ON runs (tenant_id, state, trigger_kind, started_at, id) WHERE started_at > 0 AND started_at - created_at <> 0;
CREATE INDEX runs_by_workflow ON runs (tenant_id, workflow_id, state, trigger_kind, created_at, id) WHERE started_at - created_at = 0;
CREATE INDEX runs_by_workflow_late ON runs (tenant_id, workflow_id, state, trigger_kind, created_at, id) WHERE started_at - created_at <> 0;
CREATE INDEX runs_by_workflow_start ON runs (tenant_id, workflow_id, state, trigger_kind, started_at, id) WHERE started_at > 0 AND started_at - created_at <> 0;

-- How many runs are in which of the partial indexes: without it the planner takes
-- them for a few.
CREATE STATISTICS runs_start_delay ON (started_at - created_at) FROM runs;
