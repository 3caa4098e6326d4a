-- +goose Up
-- Runs that follow each other under a name which is unique within the
-- workflow, numbered from 0. latest: 1 for the one that the name stands for. A
-- run without a row here is known by its id alone.
CREATE TABLE run_series (
    run_id      TEXT COLLATE "C" PRIMARY KEY,
    tenant_id   TEXT COLLATE "C" NOT NULL,
    workflow_id TEXT COLLATE "C" NOT NULL,
    name        TEXT COLLATE "C" NOT NULL,
    number      BIGINT NOT NULL,
    latest      BIGINT NOT NULL
);
CREATE UNIQUE INDEX run_series_number ON run_series (workflow_id, name, number);
CREATE UNIQUE INDEX run_series_latest ON run_series (workflow_id, name) WHERE latest = 1;
