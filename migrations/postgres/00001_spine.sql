-- Times are milliseconds since 1970, 0 for "never"; JSON is text, '' for
-- "none". Ids are text that sorts by time. The tenant leads what lists.

-- +goose Up
CREATE TABLE tenants (
    id         TEXT COLLATE "C" PRIMARY KEY,
    slug       TEXT COLLATE "C" NOT NULL UNIQUE,
    name       TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE api_keys (
    id           TEXT COLLATE "C" PRIMARY KEY,
    tenant_id    TEXT COLLATE "C" NOT NULL,
    name         TEXT COLLATE "C" NOT NULL,
    role         TEXT COLLATE "C" NOT NULL,
    hash         TEXT COLLATE "C" NOT NULL UNIQUE,
    last4        TEXT COLLATE "C" NOT NULL,
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL,
    revoked_at   BIGINT NOT NULL
);
CREATE INDEX api_keys_list ON api_keys (tenant_id, created_at, id);

CREATE TABLE grants (
    key_id      TEXT COLLATE "C" NOT NULL,
    workflow_id TEXT COLLATE "C" NOT NULL,
    tenant_id   TEXT COLLATE "C" NOT NULL,
    actions     TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (key_id, workflow_id)
);
CREATE INDEX grants_tenant ON grants (tenant_id, key_id, workflow_id);

CREATE TABLE audit_entries (
    id         TEXT COLLATE "C" PRIMARY KEY,
    tenant_id  TEXT COLLATE "C" NOT NULL,
    actor      TEXT COLLATE "C" NOT NULL,
    actor_id   TEXT COLLATE "C" NOT NULL,
    action     TEXT COLLATE "C" NOT NULL,
    object     TEXT COLLATE "C" NOT NULL,
    request_id TEXT COLLATE "C" NOT NULL,
    at         BIGINT NOT NULL
);
CREATE INDEX audit_list ON audit_entries (tenant_id, at, id);
CREATE INDEX audit_actor ON audit_entries (tenant_id, actor, at, id);
CREATE INDEX audit_action ON audit_entries (tenant_id, action, at, id);
CREATE INDEX audit_object ON audit_entries (tenant_id, object, at, id);

CREATE TABLE workflows (
    id             TEXT COLLATE "C" PRIMARY KEY,
    tenant_id      TEXT COLLATE "C" NOT NULL,
    slug           TEXT COLLATE "C" NOT NULL,
    name           TEXT COLLATE "C" NOT NULL,
    description    TEXT COLLATE "C" NOT NULL,
    status         TEXT COLLATE "C" NOT NULL,
    trigger_type   TEXT COLLATE "C" NOT NULL,
    tags           TEXT COLLATE "C" NOT NULL,
    active_version BIGINT NOT NULL,
    latest_version BIGINT NOT NULL,
    latest_hash    TEXT COLLATE "C" NOT NULL,
    revision       BIGINT NOT NULL,
    created_at     BIGINT NOT NULL,
    updated_at     BIGINT NOT NULL,
    deleted        BIGINT NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX workflows_slug ON workflows (tenant_id, slug) WHERE deleted = 0;
CREATE INDEX workflows_list ON workflows (tenant_id, updated_at, id) WHERE deleted = 0;
CREATE INDEX workflows_status ON workflows (tenant_id, status, updated_at, id) WHERE deleted = 0;
CREATE INDEX workflows_trigger ON workflows (tenant_id, trigger_type, updated_at, id) WHERE deleted = 0;

-- updated_at is the workflow's, so that a tag's list is one range.
CREATE TABLE workflow_tags (
    tenant_id   TEXT COLLATE "C" NOT NULL,
    tag         TEXT COLLATE "C" NOT NULL,
    updated_at  BIGINT NOT NULL,
    workflow_id TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant_id, tag, updated_at, workflow_id)
);
CREATE INDEX workflow_tags_workflow ON workflow_tags (workflow_id);

CREATE TABLE workflow_versions (
    workflow_id    TEXT COLLATE "C" NOT NULL,
    number         BIGINT NOT NULL,
    tenant_id      TEXT COLLATE "C" NOT NULL,
    label          TEXT COLLATE "C" NOT NULL,
    definition     TEXT COLLATE "C" NOT NULL,
    hash           TEXT COLLATE "C" NOT NULL,
    change_summary TEXT COLLATE "C" NOT NULL,
    created_by     TEXT COLLATE "C" NOT NULL,
    created_at     BIGINT NOT NULL,
    PRIMARY KEY (workflow_id, number)
);
CREATE UNIQUE INDEX workflow_versions_label ON workflow_versions (workflow_id, label) WHERE label <> '';

CREATE TABLE runs (
    id             TEXT COLLATE "C" PRIMARY KEY,
    tenant_id      TEXT COLLATE "C" NOT NULL,
    workflow_id    TEXT COLLATE "C" NOT NULL,
    slug           TEXT COLLATE "C" NOT NULL,
    version        BIGINT NOT NULL,
    hash           TEXT COLLATE "C" NOT NULL,
    trigger_kind   TEXT COLLATE "C" NOT NULL,
    input          TEXT COLLATE "C" NOT NULL,
    trace_parent   TEXT COLLATE "C" NOT NULL,
    trace_state    TEXT COLLATE "C" NOT NULL,
    created_at     BIGINT NOT NULL,
    state          TEXT COLLATE "C" NOT NULL,
    seq            BIGINT NOT NULL,
    started_at     BIGINT NOT NULL,
    completed_at   BIGINT NOT NULL,
    updated_at     BIGINT NOT NULL,
    wake_at        BIGINT NOT NULL,
    output         TEXT COLLATE "C" NOT NULL,
    error          TEXT COLLATE "C" NOT NULL,
    tokens         BIGINT NOT NULL,
    cost_micro_usd BIGINT NOT NULL
);
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
    run_id TEXT COLLATE "C" PRIMARY KEY,
    input  TEXT NOT NULL
);

-- The journal.
CREATE TABLE run_events (
    run_id    TEXT COLLATE "C" NOT NULL,
    seq       BIGINT NOT NULL,
    kind      TEXT COLLATE "C" NOT NULL,
    step_id   TEXT COLLATE "C" NOT NULL,
    iteration TEXT COLLATE "C" NOT NULL,
    attempt   BIGINT NOT NULL,
    at        BIGINT NOT NULL,
    data      TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (run_id, seq)
);

CREATE TABLE run_snapshots (
    run_id TEXT COLLATE "C" PRIMARY KEY,
    seq    BIGINT NOT NULL,
    data   BYTEA NOT NULL
);

CREATE TABLE idempotency_answers (
    tenant_id  TEXT COLLATE "C" NOT NULL,
    scope      TEXT COLLATE "C" NOT NULL,
    key        TEXT COLLATE "C" NOT NULL,
    body_hash  TEXT COLLATE "C" NOT NULL,
    status     BIGINT NOT NULL,
    header     TEXT COLLATE "C" NOT NULL,
    response   BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, scope, key)
);
CREATE INDEX idempotency_answers_age ON idempotency_answers (created_at);

CREATE TABLE leases (
    name       TEXT COLLATE "C" PRIMARY KEY,
    holder     TEXT COLLATE "C" NOT NULL,
    epoch      BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    beacon     TEXT COLLATE "C" NOT NULL DEFAULT ''
);
