-- How many runs a workflow has, by state and trigger: a total is read and not
-- counted. A counter is the sum of its shards, one for each of 16 groups of
-- connections, so that they do not wait for each other. They are filled from the
-- indexes of 00024.

-- +goose Up
CREATE TABLE run_counts (
    tenant_id    TEXT COLLATE "C" NOT NULL,
    workflow_id  TEXT COLLATE "C" NOT NULL,
    state        TEXT COLLATE "C" NOT NULL,
    trigger_kind TEXT COLLATE "C" NOT NULL,
    shard        INTEGER NOT NULL,
    n            BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, workflow_id, state, trigger_kind, shard)
) WITH (fillfactor = 50);
INSERT INTO run_counts (tenant_id, workflow_id, state, trigger_kind, shard, n)
SELECT tenant_id, workflow_id, state, trigger_kind, 0, sum(n) FROM (
  SELECT tenant_id, workflow_id, state, trigger_kind, count(*) AS n FROM runs WHERE started_at - created_at = 0 GROUP BY tenant_id, workflow_id, state, trigger_kind
  UNION ALL SELECT tenant_id, workflow_id, state, trigger_kind, count(*) FROM runs WHERE started_at - created_at <> 0 GROUP BY tenant_id, workflow_id, state, trigger_kind
) AS counted GROUP BY tenant_id, workflow_id, state, trigger_kind;
