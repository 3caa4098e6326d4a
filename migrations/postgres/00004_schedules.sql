-- +goose Up
-- wake_at is next_due with the schedule's own delay, 0 where nothing is due.
CREATE TABLE schedules (
    id           TEXT COLLATE "C" PRIMARY KEY,
    tenant_id    TEXT COLLATE "C" NOT NULL,
    workflow_id  TEXT COLLATE "C" NOT NULL,
    expression   TEXT COLLATE "C" NOT NULL,
    timezone     TEXT COLLATE "C" NOT NULL,
    input        TEXT COLLATE "C" NOT NULL,
    version      TEXT COLLATE "C" NOT NULL,
    status       TEXT COLLATE "C" NOT NULL,
    pause_reason TEXT COLLATE "C" NOT NULL,
    overlap      TEXT COLLATE "C" NOT NULL,
    catch_up     TEXT COLLATE "C" NOT NULL,
    catch_window BIGINT NOT NULL,
    catch_max    BIGINT NOT NULL,
    dst_gap      TEXT COLLATE "C" NOT NULL,
    dst_repeat   TEXT COLLATE "C" NOT NULL,
    jitter       BIGINT NOT NULL,
    starts_at    BIGINT NOT NULL,
    ends_at      BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL,
    next_due     BIGINT NOT NULL,
    wake_at      BIGINT NOT NULL,
    last_run_at  BIGINT NOT NULL,
    revision     BIGINT NOT NULL,
    fence        BIGINT NOT NULL,
    deleted      BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX schedules_list ON schedules (tenant_id, created_at, id) WHERE deleted = 0;
CREATE INDEX schedules_workflow ON schedules (workflow_id, created_at, id) WHERE deleted = 0;
CREATE INDEX schedules_wake ON schedules (wake_at, id) WHERE wake_at > 0;

-- The ledger: one row per due time, or per stretch of them (due_at to until,
-- count). live: the row's run was open when last seen.
CREATE TABLE schedule_slots (
    schedule_id TEXT COLLATE "C" NOT NULL,
    due_at      BIGINT NOT NULL,
    origin      TEXT COLLATE "C" NOT NULL,
    until       BIGINT NOT NULL,
    count       BIGINT NOT NULL,
    outcome     TEXT COLLATE "C" NOT NULL,
    reason      TEXT COLLATE "C" NOT NULL,
    run_id      TEXT COLLATE "C" NOT NULL,
    at          BIGINT NOT NULL,
    live        BIGINT NOT NULL,
    doomed      BIGINT NOT NULL,
    PRIMARY KEY (schedule_id, due_at, origin)
);
CREATE INDEX schedule_slots_live ON schedule_slots (schedule_id) WHERE live = 1;
CREATE INDEX schedule_slots_doomed ON schedule_slots (schedule_id) WHERE doomed = 1;
CREATE INDEX schedule_slots_waiting ON schedule_slots (schedule_id, due_at) WHERE outcome = 'waiting';
