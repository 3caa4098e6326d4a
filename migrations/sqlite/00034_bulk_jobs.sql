-- +goose Up
-- Changes of many objects at once. The items of a job are fixed before it runs; state of an
-- item: 0 pending, 1 begun, 2 done, 3 failed, 4 skipped. seq is that of its run when it was
-- begun. Both indexes of items lack those that are done.
CREATE TABLE bulk_jobs (
    id TEXT NOT NULL PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    action TEXT NOT NULL,
    settings TEXT NOT NULL,
    selection TEXT NOT NULL,
    reason TEXT NOT NULL,
    actor_type TEXT NOT NULL,
    actor_id TEXT NOT NULL,
    actor_name TEXT NOT NULL,
    state TEXT NOT NULL,
    matched INTEGER NOT NULL,
    total INTEGER NOT NULL,
    done INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    skipped INTEGER NOT NULL,
    stop_code TEXT NOT NULL,
    stop_message TEXT NOT NULL,
    stopped_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    ended_at INTEGER NOT NULL
);
CREATE INDEX bulk_jobs_by_creation ON bulk_jobs (tenant_id, created_at, id);
CREATE INDEX bulk_jobs_by_actor ON bulk_jobs (tenant_id, actor_id, created_at, id);
CREATE INDEX bulk_jobs_open ON bulk_jobs (id) WHERE ended_at = 0;
CREATE INDEX bulk_jobs_ended ON bulk_jobs (ended_at, id) WHERE ended_at > 0;
CREATE TABLE bulk_items (
    job_id TEXT NOT NULL,
    n INTEGER NOT NULL,
    object_id TEXT NOT NULL,
    workflow_id TEXT NOT NULL,
    state INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    code TEXT NOT NULL,
    message TEXT NOT NULL,
    result_id TEXT NOT NULL,
    PRIMARY KEY (job_id, n)
) WITHOUT ROWID;
CREATE INDEX bulk_items_open ON bulk_items (job_id, n) WHERE state < 2;
CREATE INDEX bulk_items_failed ON bulk_items (job_id, n) WHERE state > 2;
