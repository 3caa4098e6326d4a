-- How many runs a workflow has, by state and trigger: a total is read and not
-- counted. A counter is the sum of its shards, of which SQLite needs one. They are
-- filled from the indexes of 00024.

-- +goose Up
CREATE TABLE run_counts (
    tenant_id    TEXT NOT NULL,
    workflow_id  TEXT NOT NULL,
    state        TEXT NOT NULL,
    trigger_kind TEXT NOT NULL,
    shard        INTEGER NOT NULL,
    n            BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, workflow_id, state, trigger_kind, shard)
) WITHOUT ROWID;
INSERT INTO run_counts (tenant_id, workflow_id, state, trigger_kind, shard, n)
SELECT tenant_id, workflow_id, state, trigger_kind, 0, sum(n) FROM (
  SELECT tenant_id, workflow_id, state, trigger_kind, count(*) AS n FROM runs WHERE started_at - created_at = 0 GROUP BY tenant_id, workflow_id, state, trigger_kind
  UNION ALL SELECT tenant_id, workflow_id, state, trigger_kind, count(*) FROM runs WHERE started_at - created_at <> 0 GROUP BY tenant_id, workflow_id, state, trigger_kind
) AS counted GROUP BY tenant_id, workflow_id, state, trigger_kind;
