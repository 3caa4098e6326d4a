-- +goose Up
-- Changes of many objects at once. The items of a job are fixed before it runs; state of an
-- item: 0 pending, 1 begun, 2 done, 3 failed, 4 skipped. seq is that of its run when it was
-- begun. Both indexes of items lack those that are done.
CREATE TABLE bulk_jobs (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    tenant_id TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    action TEXT COLLATE "C" NOT NULL,
    settings TEXT COLLATE "C" NOT NULL,
    selection TEXT COLLATE "C" NOT NULL,
    reason TEXT COLLATE "C" NOT NULL,
    actor_type TEXT COLLATE "C" NOT NULL,
    actor_id TEXT COLLATE "C" NOT NULL,
    actor_name TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    matched BIGINT NOT NULL,
    total BIGINT NOT NULL,
    done BIGINT NOT NULL,
    failed BIGINT NOT NULL,
    skipped BIGINT NOT NULL,
    stop_code TEXT COLLATE "C" NOT NULL,
    stop_message TEXT COLLATE "C" NOT NULL,
    stopped_by TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    ended_at BIGINT NOT NULL
);
CREATE INDEX bulk_jobs_by_creation ON bulk_jobs (tenant_id, created_at, id);
CREATE INDEX bulk_jobs_by_actor ON bulk_jobs (tenant_id, actor_id, created_at, id);
CREATE INDEX bulk_jobs_open ON bulk_jobs (id) WHERE ended_at = 0;
CREATE INDEX bulk_jobs_ended ON bulk_jobs (ended_at, id) WHERE ended_at > 0;
CREATE TABLE bulk_items (
    job_id TEXT COLLATE "C" NOT NULL,
    n BIGINT NOT NULL,
    object_id TEXT COLLATE "C" NOT NULL,
    workflow_id TEXT COLLATE "C" NOT NULL,
    state BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    code TEXT COLLATE "C" NOT NULL,
    message TEXT COLLATE "C" NOT NULL,
    result_id TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (job_id, n)
);
CREATE INDEX bulk_items_open ON bulk_items (job_id, n) WHERE state < 2;
CREATE INDEX bulk_items_failed ON bulk_items (job_id, n) WHERE state > 2;
