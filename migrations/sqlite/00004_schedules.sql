-- +goose Up
-- wake_at is next_due with the schedule's own delay, 0 where nothing is due.
CREATE TABLE schedules (
    id           TEXT PRIMARY KEY,
    tenant_id    TEXT NOT NULL,
    workflow_id  TEXT NOT NULL,
    expression   TEXT NOT NULL,
    timezone     TEXT NOT NULL,
    input        TEXT NOT NULL,
    version      TEXT NOT NULL,
    status       TEXT NOT NULL,
    pause_reason TEXT NOT NULL,
    overlap      TEXT NOT NULL,
    catch_up     TEXT NOT NULL,
    catch_window INTEGER NOT NULL,
    catch_max    INTEGER NOT NULL,
    dst_gap      TEXT NOT NULL,
    dst_repeat   TEXT NOT NULL,
    jitter       INTEGER NOT NULL,
    starts_at    INTEGER NOT NULL,
    ends_at      INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    next_due     INTEGER NOT NULL,
    wake_at      INTEGER NOT NULL,
    last_run_at  INTEGER NOT NULL,
    revision     INTEGER NOT NULL,
    fence        INTEGER NOT NULL,
    deleted      INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX schedules_list ON schedules (tenant_id, created_at, id) WHERE deleted = 0;
CREATE INDEX schedules_workflow ON schedules (workflow_id, created_at, id) WHERE deleted = 0;
CREATE INDEX schedules_wake ON schedules (wake_at, id) WHERE wake_at > 0;

-- The ledger: one row per due time, or per stretch of them (due_at to until,
-- count). live: the row's run was open when last seen.
CREATE TABLE schedule_slots (
    schedule_id TEXT NOT NULL,
    due_at      INTEGER NOT NULL,
    origin      TEXT NOT NULL,
    until       INTEGER NOT NULL,
    count       INTEGER NOT NULL,
    outcome     TEXT NOT NULL,
    reason      TEXT NOT NULL,
    run_id      TEXT NOT NULL,
    at          INTEGER NOT NULL,
    live        INTEGER NOT NULL,
    doomed      INTEGER NOT NULL,
    PRIMARY KEY (schedule_id, due_at, origin)
) WITHOUT ROWID;
CREATE INDEX schedule_slots_live ON schedule_slots (schedule_id) WHERE live = 1;
CREATE INDEX schedule_slots_doomed ON schedule_slots (schedule_id) WHERE doomed = 1;
CREATE INDEX schedule_slots_waiting ON schedule_slots (schedule_id, due_at) WHERE outcome = 'waiting';
