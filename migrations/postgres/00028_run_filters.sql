-- Lists of runs of all workflows, by who or what started them, label, error, version,
-- end and duration. Runs without the thing have no entry in its index.
--
-- schedule_id, due_at: of a schedule's run. starter_id: who started it, unless a key or a
-- schedule did. labels: a JSON object. waiting, steps: what the run waits for and its
-- counts of steps, '' in rows of earlier versions until the run moves on.
--
-- A list by end or duration merges one range for every state and trigger, as the others
-- do. Runs that started and ended in the moment of their creation are in one index for
-- all orders, so that they cost no more entries than before; the indexes by state and
-- workflow are divided for that. runs_by_version takes the place of runs_list.

-- +goose Up
ALTER TABLE runs ADD COLUMN schedule_id TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE runs ADD COLUMN starter_id TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE runs ADD COLUMN error_code TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE runs ADD COLUMN labels TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE runs ADD COLUMN waiting TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE runs ADD COLUMN steps TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE runs ADD COLUMN due_at BIGINT NOT NULL DEFAULT 0;

UPDATE runs SET error_code = substring(error from '"code":"([^"]*)"') WHERE error LIKE '{"code":"%';
UPDATE runs AS r SET schedule_id = s.schedule_id, due_at = CASE WHEN s.origin LIKE 'trigger:%' THEN 0 ELSE s.due_at END FROM schedule_slots AS s WHERE r.id = s.run_id AND s.run_id <> '';
UPDATE runs SET schedule_id = substring(started_by from '"id":"([^"]*)"') WHERE schedule_id = '' AND started_by LIKE '{"type":"schedule","id":"%';
UPDATE runs SET starter_id = substring(started_by from '"id":"([^"]*)"') WHERE started_by LIKE '{"type":"user","id":"%' OR started_by LIKE '{"type":"run","id":"%';

DROP INDEX runs_by_state;
DROP INDEX runs_by_workflow;
CREATE INDEX runs_by_state ON runs (tenant_id, state, trigger_kind, created_at, id) WHERE started_at - created_at = 0 AND completed_at - created_at <> 0;
CREATE INDEX runs_by_state_instant ON runs (tenant_id, state, trigger_kind, created_at, id) WHERE started_at - created_at = 0 AND completed_at - created_at = 0;
CREATE INDEX runs_by_state_end ON runs (tenant_id, state, trigger_kind, completed_at, id) WHERE completed_at > 0 AND (started_at - created_at <> 0 OR completed_at - created_at <> 0);
CREATE INDEX runs_by_state_duration ON runs (tenant_id, state, trigger_kind, (completed_at - started_at), id) WHERE started_at > 0 AND completed_at <> 0 AND (started_at - created_at <> 0 OR completed_at - created_at <> 0);
CREATE INDEX runs_by_workflow ON runs (tenant_id, workflow_id, state, trigger_kind, created_at, id) WHERE started_at - created_at = 0 AND completed_at - created_at <> 0;
CREATE INDEX runs_by_workflow_instant ON runs (tenant_id, workflow_id, state, trigger_kind, created_at, id) WHERE started_at - created_at = 0 AND completed_at - created_at = 0;
CREATE INDEX runs_by_workflow_end ON runs (tenant_id, workflow_id, state, trigger_kind, completed_at, id) WHERE completed_at > 0 AND (started_at - created_at <> 0 OR completed_at - created_at <> 0);
CREATE INDEX runs_by_workflow_duration ON runs (tenant_id, workflow_id, state, trigger_kind, (completed_at - started_at), id) WHERE started_at > 0 AND completed_at <> 0 AND (started_at - created_at <> 0 OR completed_at - created_at <> 0);

DROP INDEX runs_list;
CREATE INDEX runs_by_version ON runs (tenant_id, workflow_id, version, created_at, id);
CREATE INDEX runs_by_schedule ON runs (tenant_id, schedule_id, created_at, id) WHERE schedule_id <> '';
CREATE INDEX runs_by_starter ON runs (tenant_id, starter_id, created_at, id) WHERE starter_id <> '';
CREATE INDEX runs_by_error ON runs (tenant_id, error_code, created_at, id) WHERE error_code <> '';

CREATE STATISTICS runs_end_delay ON (completed_at - created_at) FROM runs;

CREATE TABLE run_labels (
    tenant_id  TEXT COLLATE "C" NOT NULL,
    key        TEXT COLLATE "C" NOT NULL,
    value      TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    run_id     TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant_id, key, value, created_at, run_id)
);
CREATE INDEX run_labels_value ON run_labels (tenant_id, value, key, created_at, run_id);
CREATE INDEX run_labels_run ON run_labels (run_id);
CREATE INDEX run_series_name ON run_series (tenant_id, name, run_id);
