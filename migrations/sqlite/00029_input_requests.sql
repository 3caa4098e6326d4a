-- Approvals: a row for each input request of a run, the open wait for a signal, written in
-- the transactions of its events. The rows of assignees index whom a request asks ('' where
-- it asks nobody by name). Requests of runs that wait when this is applied are read from
-- their journals: those after which nothing has ended the wait.

-- +goose Up
CREATE TABLE input_requests (
    id          TEXT NOT NULL PRIMARY KEY,
    tenant_id   TEXT NOT NULL,
    run_id      TEXT NOT NULL,
    seq         BIGINT NOT NULL,
    workflow_id TEXT NOT NULL,
    slug        TEXT NOT NULL,
    version     INTEGER NOT NULL,
    step_id     TEXT NOT NULL,
    step_name   TEXT NOT NULL,
    iteration   TEXT NOT NULL,
    signal      TEXT NOT NULL,
    prompt      TEXT NOT NULL,
    schema      TEXT NOT NULL,
    choices     TEXT NOT NULL,
    context     TEXT NOT NULL,
    assignees   TEXT NOT NULL,
    input_head  TEXT NOT NULL,
    started_by  TEXT NOT NULL,
    on_timeout  TEXT NOT NULL,
    state       TEXT NOT NULL,
    opened_at   BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    closed_at   BIGINT NOT NULL DEFAULT 0,
    answered_by TEXT NOT NULL DEFAULT '',
    comment     TEXT NOT NULL DEFAULT '',
    payload     TEXT NOT NULL DEFAULT '',
    answer_key  TEXT NOT NULL DEFAULT ''
);
CREATE INDEX input_requests_of_run ON input_requests (run_id);
CREATE INDEX input_requests_by_opened_at ON input_requests (tenant_id, state, opened_at, id);
CREATE INDEX input_requests_by_expires_at ON input_requests (tenant_id, state, expires_at, id);
CREATE INDEX input_requests_by_workflow_opened_at ON input_requests (tenant_id, workflow_id, state, opened_at, id);
CREATE INDEX input_requests_by_workflow_expires_at ON input_requests (tenant_id, workflow_id, state, expires_at, id);
CREATE INDEX input_requests_by_signal_opened_at ON input_requests (tenant_id, signal, state, opened_at, id);
CREATE INDEX input_requests_by_signal_expires_at ON input_requests (tenant_id, signal, state, expires_at, id);
CREATE TABLE input_request_assignees (
    id         TEXT NOT NULL,
    assignee   TEXT NOT NULL,
    tenant_id  TEXT NOT NULL,
    state      TEXT NOT NULL,
    opened_at  BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (id, assignee)
) WITHOUT ROWID;
CREATE INDEX input_request_assignees_by_opened_at ON input_request_assignees (tenant_id, assignee, state, opened_at, id);
CREATE INDEX input_request_assignees_by_expires_at ON input_request_assignees (tenant_id, assignee, state, expires_at, id);
CREATE TABLE input_request_counts (
    tenant_id   TEXT NOT NULL,
    workflow_id TEXT NOT NULL,
    shard       INTEGER NOT NULL,
    n           BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, workflow_id, shard)
) WITHOUT ROWID;
INSERT INTO input_requests (id, tenant_id, run_id, seq, workflow_id, slug, version, step_id, step_name, iteration, signal, prompt, schema, choices, context, assignees, input_head, started_by, on_timeout, state, opened_at, expires_at)
SELECT coalesce(json_extract(e.data, '$.request_id'), ''), r.tenant_id, r.id, e.seq, r.workflow_id, r.slug, r.version, e.step_id, '', e.iteration,
  coalesce(json_extract(e.data, '$.name'), ''), coalesce(json_extract(e.data, '$.prompt'), ''), coalesce(e.data -> '$.schema', ''), '', '', '',
  substr(r.input, 1, 250), r.started_by, '', 'open', e.at,
  coalesce((SELECT CAST(round((julianday(json_extract(w.data, '$.timeout_at')) - 2440587.5) * 86400000) AS INTEGER) FROM run_events AS w WHERE w.run_id = e.run_id AND w.seq = e.seq - 1 AND w.kind = 'step_waiting'), 9007199254740992)
FROM runs AS r JOIN run_events AS e ON e.run_id = r.id
WHERE r.state NOT IN ('completed', 'failed', 'cancelled') AND e.kind = 'input_requested'
  AND NOT EXISTS (SELECT 1 FROM run_events AS x WHERE x.run_id = e.run_id AND x.seq > e.seq AND (
    x.kind IN ('input_resolved', 'step_started', 'step_completed', 'step_failed', 'step_retrying', 'step_cancelled', 'step_skipped') AND x.step_id = e.step_id AND x.iteration = e.iteration
    OR x.kind IN ('handlers_started', 'run_completed', 'run_failed', 'run_cancelled')
    OR x.kind = 'state_changed' AND (json_extract(x.data, '$.from') IN ('failed', 'cancelled') OR json_extract(x.data, '$.from_step') IS NOT NULL OR json_extract(x.data, '$.redrive') IS NOT NULL OR json_extract(x.data, '$.definition_hash') IS NOT NULL)));
INSERT INTO input_request_assignees (id, assignee, tenant_id, state, opened_at, expires_at)
SELECT id, '', tenant_id, state, opened_at, expires_at FROM input_requests;
INSERT INTO input_request_counts (tenant_id, workflow_id, shard, n)
SELECT tenant_id, workflow_id, 0, count(*) FROM input_requests GROUP BY tenant_id, workflow_id;
