-- How many runs were created, and ended, in each hour and in each of the last five
-- minutes, and how long they took: by workflow, version and trigger, and of all
-- workflows together (workflow_id and version empty). span is the length of the period
-- in milliseconds. h0 to h31 are the ranges of executor.Histogram. A count is the sum
-- of its shards, of which SQLite needs one.
-- The hours before this migration are counted from the rows that there are.
-- workflow_recent is how the last runs of a workflow ended, the newest first.

-- +goose Up
CREATE TABLE run_stats (
    tenant_id    TEXT NOT NULL,
    workflow_id  TEXT NOT NULL,
    span         INTEGER NOT NULL,
    period         BIGINT NOT NULL,
    version      INTEGER NOT NULL,
    trigger_kind TEXT NOT NULL,
    shard        INTEGER NOT NULL,
    started      BIGINT NOT NULL,
    completed    BIGINT NOT NULL,
    failed       BIGINT NOT NULL,
    cancelled    BIGINT NOT NULL,
    total_ms     BIGINT NOT NULL,
    longest_ms   BIGINT NOT NULL,
    h0            BIGINT NOT NULL DEFAULT 0,
    h1            BIGINT NOT NULL DEFAULT 0,
    h2            BIGINT NOT NULL DEFAULT 0,
    h3            BIGINT NOT NULL DEFAULT 0,
    h4            BIGINT NOT NULL DEFAULT 0,
    h5            BIGINT NOT NULL DEFAULT 0,
    h6            BIGINT NOT NULL DEFAULT 0,
    h7            BIGINT NOT NULL DEFAULT 0,
    h8            BIGINT NOT NULL DEFAULT 0,
    h9            BIGINT NOT NULL DEFAULT 0,
    h10           BIGINT NOT NULL DEFAULT 0,
    h11           BIGINT NOT NULL DEFAULT 0,
    h12           BIGINT NOT NULL DEFAULT 0,
    h13           BIGINT NOT NULL DEFAULT 0,
    h14           BIGINT NOT NULL DEFAULT 0,
    h15           BIGINT NOT NULL DEFAULT 0,
    h16           BIGINT NOT NULL DEFAULT 0,
    h17           BIGINT NOT NULL DEFAULT 0,
    h18           BIGINT NOT NULL DEFAULT 0,
    h19           BIGINT NOT NULL DEFAULT 0,
    h20           BIGINT NOT NULL DEFAULT 0,
    h21           BIGINT NOT NULL DEFAULT 0,
    h22           BIGINT NOT NULL DEFAULT 0,
    h23           BIGINT NOT NULL DEFAULT 0,
    h24           BIGINT NOT NULL DEFAULT 0,
    h25           BIGINT NOT NULL DEFAULT 0,
    h26           BIGINT NOT NULL DEFAULT 0,
    h27           BIGINT NOT NULL DEFAULT 0,
    h28           BIGINT NOT NULL DEFAULT 0,
    h29           BIGINT NOT NULL DEFAULT 0,
    h30           BIGINT NOT NULL DEFAULT 0,
    h31           BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, workflow_id, span, period, version, trigger_kind, shard)
) WITHOUT ROWID;
CREATE INDEX run_stats_by_period ON run_stats (tenant_id, span, period);
CREATE TABLE workflow_recent (
    workflow_id   TEXT PRIMARY KEY,
    last_run_id   TEXT NOT NULL,
    last_ended_at BIGINT NOT NULL,
    endings       TEXT NOT NULL
) WITHOUT ROWID;
INSERT INTO run_stats (tenant_id, workflow_id, span, period, version, trigger_kind, shard, started, completed, failed, cancelled, total_ms, longest_ms,
  h0, h1, h2, h3, h4, h5, h6, h7, h8, h9, h10, h11, h12, h13, h14, h15, h16, h17, h18, h19, h20, h21, h22, h23, h24, h25, h26, h27, h28, h29, h30, h31)
SELECT tenant_id, workflow_id, 3600000, period, version, trigger_kind, 0,
  sum(1 - ended), sum(CASE WHEN ended = 1 AND state = 'completed' THEN 1 ELSE 0 END), sum(CASE WHEN ended = 1 AND state = 'failed' THEN 1 ELSE 0 END), sum(CASE WHEN ended = 1 AND state = 'cancelled' THEN 1 ELSE 0 END),
  sum(ms), max(ms),
  sum(CASE WHEN ended = 1 AND ms < 1 THEN 1 ELSE 0 END),
  sum(CASE WHEN ended = 1 AND ms >= 1 AND ms < 2 THEN 1 ELSE 0 END),
  sum(CASE WHEN ended = 1 AND ms >= 2 AND ms < 3 THEN 1 ELSE 0 END),
  sum(CASE WHEN ended = 1 AND ms >= 3 AND ms < 6 THEN 1 ELSE 0 END),
  sum(CASE WHEN ended = 1 AND ms >= 6 AND ms < 10 THEN 1 ELSE 0 END),
  sum(CASE WHEN ended = 1 AND ms >= 10 AND ms < 19 THEN 1 ELSE 0 END),
  sum(CASE WHEN ended = 1 AND ms >= 19 AND ms < 34 THEN 1 ELSE 0 END),
  sum(CASE WHEN ended = 1 AND ms >= 34 AND ms < 61 THEN 1 ELSE 0 END),
  sum(CASE WHEN ended = 1 AND ms >= 61 AND ms < 110 THEN 1 ELSE 0 END),
  sum(CASE WHEN ended = 1 AND ms >= 110 AND ms < 198 THEN 1 ELSE 0 END),
  sum(CASE WHEN ended = 1 AND ms >= 198 AND ms < 357 THEN 1 ELSE 0 END),
  sum(CASE WHEN ended = 1 AND ms >= 357 AND ms < 643 THEN 1 ELSE 0 END),
  sum(CASE WHEN ended = 1 AND ms >= 643 AND ms < 1157 THEN 1 ELSE 0 END),
  sum(CASE WHEN ended = 1 AND ms >= 1157 AND ms < 2082 THEN 1 ELSE 0 END),
  sum(CASE WHEN ended = 1 AND ms >= 2082 AND ms < 3748 THEN 1 ELSE 0 END),
  sum(CASE WHEN ended = 1 AND ms >= 3748 AND ms < 6747 THEN 1 ELSE 0 END),
  sum(CASE WHEN ended = 1 AND ms >= 6747 AND ms < 12144 THEN 1 ELSE 0 END),
  sum(CASE WHEN ended = 1 AND ms >= 12144 AND ms < 21859 THEN 1 ELSE 0 END),
  sum(CASE WHEN ended = 1 AND ms >= 21859 AND ms < 39346 THEN 1 ELSE 0 END),
  sum(CASE WHEN ended = 1 AND ms >= 39346 AND ms < 70824 THEN 1 ELSE 0 END),
  sum(CASE WHEN ended = 1 AND ms >= 70824 AND ms < 127482 THEN 1 ELSE 0 END),
  sum(CASE WHEN ended = 1 AND ms >= 127482 AND ms < 229468 THEN 1 ELSE 0 END),
  sum(CASE WHEN ended = 1 AND ms >= 229468 AND ms < 413043 THEN 1 ELSE 0 END),
  sum(CASE WHEN ended = 1 AND ms >= 413043 AND ms < 743477 THEN 1 ELSE 0 END),
  sum(CASE WHEN ended = 1 AND ms >= 743477 AND ms < 1338259 THEN 1 ELSE 0 END),
  sum(CASE WHEN ended = 1 AND ms >= 1338259 AND ms < 2408866 THEN 1 ELSE 0 END),
  sum(CASE WHEN ended = 1 AND ms >= 2408866 AND ms < 4335959 THEN 1 ELSE 0 END),
  sum(CASE WHEN ended = 1 AND ms >= 4335959 AND ms < 7804726 THEN 1 ELSE 0 END),
  sum(CASE WHEN ended = 1 AND ms >= 7804726 AND ms < 14048506 THEN 1 ELSE 0 END),
  sum(CASE WHEN ended = 1 AND ms >= 14048506 AND ms < 25287311 THEN 1 ELSE 0 END),
  sum(CASE WHEN ended = 1 AND ms >= 25287311 AND ms < 45517160 THEN 1 ELSE 0 END),
  sum(CASE WHEN ended = 1 AND ms >= 45517160 THEN 1 ELSE 0 END)
FROM (
  SELECT tenant_id, workflow_id, version, trigger_kind, state, 0 AS ended, created_at - created_at % 3600000 AS period, 0 AS ms FROM runs AS r
  UNION ALL SELECT tenant_id, workflow_id, version, trigger_kind, state, 1, completed_at - completed_at % 3600000,
    (CASE WHEN r.started_at > 0 THEN r.completed_at - r.started_at ELSE r.completed_at - r.created_at END) FROM runs AS r WHERE completed_at > 0 AND state IN ('completed', 'failed', 'cancelled')
) AS happened GROUP BY tenant_id, workflow_id, period, version, trigger_kind;
INSERT INTO run_stats (tenant_id, workflow_id, span, period, version, trigger_kind, shard, started, completed, failed, cancelled, total_ms, longest_ms,
  h0, h1, h2, h3, h4, h5, h6, h7, h8, h9, h10, h11, h12, h13, h14, h15, h16, h17, h18, h19, h20, h21, h22, h23, h24, h25, h26, h27, h28, h29, h30, h31)
SELECT tenant_id, '', 3600000, period, 0, trigger_kind, 0,
  sum(1 - ended), sum(CASE WHEN ended = 1 AND state = 'completed' THEN 1 ELSE 0 END), sum(CASE WHEN ended = 1 AND state = 'failed' THEN 1 ELSE 0 END), sum(CASE WHEN ended = 1 AND state = 'cancelled' THEN 1 ELSE 0 END),
  sum(ms), max(ms),
  sum(CASE WHEN ended = 1 AND ms < 1 THEN 1 ELSE 0 END),
  sum(CASE WHEN ended = 1 AND ms >= 1 AND ms < 2 THEN 1 ELSE 0 END),
  sum(CASE WHEN ended = 1 AND ms >= 2 AND ms < 3 THEN 1 ELSE 0 END),
  sum(CASE WHEN ended = 1 AND ms >= 3 AND ms < 6 THEN 1 ELSE 0 END),
  sum(CASE WHEN ended = 1 AND ms >= 6 AND ms < 10 THEN 1 ELSE 0 END),
  sum(CASE WHEN ended = 1 AND ms >= 10 AND ms < 19 THEN 1 ELSE 0 END),
  sum(CASE WHEN ended = 1 AND ms >= 19 AND ms < 34 THEN 1 ELSE 0 END),
  sum(CASE WHEN ended = 1 AND ms >= 34 AND ms < 61 THEN 1 ELSE 0 END),
  sum(CASE WHEN ended = 1 AND ms >= 61 AND ms < 110 THEN 1 ELSE 0 END),
  sum(CASE WHEN ended = 1 AND ms >= 110 AND ms < 198 THEN 1 ELSE 0 END),
  sum(CASE WHEN ended = 1 AND ms >= 198 AND ms < 357 THEN 1 ELSE 0 END),
  sum(CASE WHEN ended = 1 AND ms >= 357 AND ms < 643 THEN 1 ELSE 0 END),
  sum(CASE WHEN ended = 1 AND ms >= 643 AND ms < 1157 THEN 1 ELSE 0 END),
  sum(CASE WHEN ended = 1 AND ms >= 1157 AND ms < 2082 THEN 1 ELSE 0 END),
  sum(CASE WHEN ended = 1 AND ms >= 2082 AND ms < 3748 THEN 1 ELSE 0 END),
  sum(CASE WHEN ended = 1 AND ms >= 3748 AND ms < 6747 THEN 1 ELSE 0 END),
  sum(CASE WHEN ended = 1 AND ms >= 6747 AND ms < 12144 THEN 1 ELSE 0 END),
  sum(CASE WHEN ended = 1 AND ms >= 12144 AND ms < 21859 THEN 1 ELSE 0 END),
  sum(CASE WHEN ended = 1 AND ms >= 21859 AND ms < 39346 THEN 1 ELSE 0 END),
  sum(CASE WHEN ended = 1 AND ms >= 39346 AND ms < 70824 THEN 1 ELSE 0 END),
  sum(CASE WHEN ended = 1 AND ms >= 70824 AND ms < 127482 THEN 1 ELSE 0 END),
  sum(CASE WHEN ended = 1 AND ms >= 127482 AND ms < 229468 THEN 1 ELSE 0 END),
  sum(CASE WHEN ended = 1 AND ms >= 229468 AND ms < 413043 THEN 1 ELSE 0 END),
  sum(CASE WHEN ended = 1 AND ms >= 413043 AND ms < 743477 THEN 1 ELSE 0 END),
  sum(CASE WHEN ended = 1 AND ms >= 743477 AND ms < 1338259 THEN 1 ELSE 0 END),
  sum(CASE WHEN ended = 1 AND ms >= 1338259 AND ms < 2408866 THEN 1 ELSE 0 END),
  sum(CASE WHEN ended = 1 AND ms >= 2408866 AND ms < 4335959 THEN 1 ELSE 0 END),
  sum(CASE WHEN ended = 1 AND ms >= 4335959 AND ms < 7804726 THEN 1 ELSE 0 END),
  sum(CASE WHEN ended = 1 AND ms >= 7804726 AND ms < 14048506 THEN 1 ELSE 0 END),
  sum(CASE WHEN ended = 1 AND ms >= 14048506 AND ms < 25287311 THEN 1 ELSE 0 END),
  sum(CASE WHEN ended = 1 AND ms >= 25287311 AND ms < 45517160 THEN 1 ELSE 0 END),
  sum(CASE WHEN ended = 1 AND ms >= 45517160 THEN 1 ELSE 0 END)
FROM (
  SELECT tenant_id, workflow_id, version, trigger_kind, state, 0 AS ended, created_at - created_at % 3600000 AS period, 0 AS ms FROM runs AS r
  UNION ALL SELECT tenant_id, workflow_id, version, trigger_kind, state, 1, completed_at - completed_at % 3600000,
    (CASE WHEN r.started_at > 0 THEN r.completed_at - r.started_at ELSE r.completed_at - r.created_at END) FROM runs AS r WHERE completed_at > 0 AND state IN ('completed', 'failed', 'cancelled')
) AS happened GROUP BY tenant_id, period, trigger_kind;
INSERT INTO workflow_recent (workflow_id, last_run_id, last_ended_at, endings)
SELECT workflow_id, id, completed_at, substr(state, 1, 1) FROM (
  SELECT r.workflow_id, r.id, r.completed_at, r.state, row_number() OVER (PARTITION BY r.workflow_id ORDER BY r.completed_at DESC, r.id DESC) AS place
  FROM runs AS r JOIN workflows AS w ON w.id = r.workflow_id WHERE r.completed_at > 0 AND w.deleted = 0
) AS last WHERE place = 1;
