-- +goose Up
-- What a tenant may have at one time, where it is not what the server's settings
-- say: -1 is that, 0 is as many as it likes.
CREATE TABLE tenant_quotas (
    tenant_id TEXT PRIMARY KEY,
    open_runs BIGINT NOT NULL,
    streams   BIGINT NOT NULL,
    schedules BIGINT NOT NULL
);
