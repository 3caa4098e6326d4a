-- Times are milliseconds since 1970, 0 for "never"; JSON is text, '' for
-- "none". Ids are text that sorts by time. The tenant leads what lists.

-- +goose Up
CREATE TABLE tenants (
    id         TEXT PRIMARY KEY,
    slug       TEXT NOT NULL UNIQUE,
    name       TEXT NOT NULL,
    created_at INTEGER NOT NULL
);

CREATE TABLE api_keys (
    id           TEXT PRIMARY KEY,
    tenant_id    TEXT NOT NULL,
    name         TEXT NOT NULL,
    role         TEXT NOT NULL,
    hash         TEXT NOT NULL UNIQUE,
    last4        TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL,
    revoked_at   INTEGER NOT NULL
);
CREATE INDEX api_keys_list ON api_keys (tenant_id, created_at, id);

CREATE TABLE grants (
    key_id      TEXT NOT NULL,
    workflow_id TEXT NOT NULL,
    tenant_id   TEXT NOT NULL,
    actions     TEXT NOT NULL,
    PRIMARY KEY (key_id, workflow_id)
) WITHOUT ROWID;
CREATE INDEX grants_tenant ON grants (tenant_id, key_id, workflow_id);

CREATE TABLE audit_entries (
    id         TEXT PRIMARY KEY,
    tenant_id  TEXT NOT NULL,
    actor      TEXT NOT NULL,
    actor_id   TEXT NOT NULL,
    action     TEXT NOT NULL,
    object     TEXT NOT NULL,
    request_id TEXT NOT NULL,
    at         INTEGER NOT NULL
);
CREATE INDEX audit_list ON audit_entries (tenant_id, at, id);
CREATE INDEX audit_actor ON audit_entries (tenant_id, actor, at, id);
CREATE INDEX audit_action ON audit_entries (tenant_id, action, at, id);
CREATE INDEX audit_object ON audit_entries (tenant_id, object, at, id);

CREATE TABLE workflows (
    id             TEXT PRIMARY KEY,
    tenant_id      TEXT NOT NULL,
    slug           TEXT NOT NULL,
    name           TEXT NOT NULL,
    description    TEXT NOT NULL,
    status         TEXT NOT NULL,
    trigger_type   TEXT NOT NULL,
    tags           TEXT NOT NULL,
    active_version INTEGER NOT NULL,
    latest_version INTEGER NOT NULL,
    latest_hash    TEXT NOT NULL,
    revision       INTEGER NOT NULL,
    created_at     INTEGER NOT NULL,
    updated_at     INTEGER NOT NULL,
    deleted        INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX workflows_slug ON workflows (tenant_id, slug) WHERE deleted = 0;
CREATE INDEX workflows_list ON workflows (tenant_id, updated_at, id) WHERE deleted = 0;
CREATE INDEX workflows_status ON workflows (tenant_id, status, updated_at, id) WHERE deleted = 0;
CREATE INDEX workflows_trigger ON workflows (tenant_id, trigger_type, updated_at, id) WHERE deleted = 0;

-- updated_at is the workflow's, so that a tag's list is one range.
CREATE TABLE workflow_tags (
    tenant_id   TEXT NOT NULL,
    tag         TEXT NOT NULL,
    updated_at  INTEGER NOT NULL,
    workflow_id TEXT NOT NULL,
    PRIMARY KEY (tenant_id, tag, updated_at, workflow_id)
) WITHOUT ROWID;
CREATE INDEX workflow_tags_workflow ON workflow_tags (workflow_id);

CREATE TABLE workflow_versions (
    workflow_id    TEXT NOT NULL,
    number         INTEGER NOT NULL,
    tenant_id      TEXT NOT NULL,
    label          TEXT NOT NULL,
    definition     TEXT NOT NULL,
    hash           TEXT NOT NULL,
    change_summary TEXT NOT NULL,
    created_by     TEXT NOT NULL,
    created_at     INTEGER NOT NULL,
    PRIMARY KEY (workflow_id, number)
);
CREATE UNIQUE INDEX workflow_versions_label ON workflow_versions (workflow_id, label) WHERE label <> '';

CREATE TABLE runs (
    id             TEXT PRIMARY KEY,
    tenant_id      TEXT NOT NULL,
    workflow_id    TEXT NOT NULL,
    slug           TEXT NOT NULL,
    version        INTEGER NOT NULL,
    hash           TEXT NOT NULL,
    trigger_kind   TEXT NOT NULL,
    input          TEXT NOT NULL,
    trace_parent   TEXT NOT NULL,
    trace_state    TEXT NOT NULL,
    created_at     INTEGER NOT NULL,
    state          TEXT NOT NULL,
    seq            INTEGER NOT NULL,
    started_at     INTEGER NOT NULL,
    completed_at   INTEGER NOT NULL,
    updated_at     INTEGER NOT NULL,
    wake_at        INTEGER NOT NULL,
    output         TEXT NOT NULL,
    error          TEXT NOT NULL,
    tokens         INTEGER NOT NULL,
    cost_micro_usd INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX runs_list ON runs (tenant_id, created_at, id);
CREATE INDEX runs_workflow ON runs (tenant_id, workflow_id, created_at, id);
CREATE INDEX runs_state ON runs (tenant_id, state, created_at, id);
CREATE INDEX runs_queued ON runs (tenant_id, created_at, id) WHERE state = 'queued';
CREATE INDEX runs_due ON runs (wake_at, id) WHERE wake_at > 0;
CREATE INDEX runs_busy ON runs (id) WHERE state IN ('running', 'pausing', 'cancelling', 'compensating');
CREATE INDEX runs_open ON runs (workflow_id, id) WHERE state NOT IN ('completed', 'failed', 'cancelled');

-- Inputs too large to be written again with every change of the run's row;
-- runs.input is '' then.
CREATE TABLE run_inputs (
    run_id TEXT PRIMARY KEY,
    input  TEXT NOT NULL
);

-- The journal.
CREATE TABLE run_events (
    run_id    TEXT NOT NULL,
    seq       INTEGER NOT NULL,
    kind      TEXT NOT NULL,
    step_id   TEXT NOT NULL,
    iteration TEXT NOT NULL,
    attempt   INTEGER NOT NULL,
    at        INTEGER NOT NULL,
    data      TEXT NOT NULL,
    PRIMARY KEY (run_id, seq)
) WITHOUT ROWID;

CREATE TABLE run_snapshots (
    run_id TEXT PRIMARY KEY,
    seq    INTEGER NOT NULL,
    data   BLOB NOT NULL
);

CREATE TABLE idempotency_answers (
    tenant_id  TEXT NOT NULL,
    scope      TEXT NOT NULL,
    key        TEXT NOT NULL,
    body_hash  TEXT NOT NULL,
    status     INTEGER NOT NULL,
    header     TEXT NOT NULL,
    response   BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, scope, key)
) WITHOUT ROWID;
CREATE INDEX idempotency_answers_age ON idempotency_answers (created_at);

CREATE TABLE leases (
    name       TEXT PRIMARY KEY,
    holder     TEXT NOT NULL,
    epoch      INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    beacon     TEXT NOT NULL DEFAULT ''
);
