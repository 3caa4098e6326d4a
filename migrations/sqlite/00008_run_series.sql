-- +goose Up
-- Runs that follow each other under a name which is unique within the
-- workflow, numbered from 0. latest: 1 for the one that the name stands for. A
-- run without a row here is known by its id alone.
CREATE TABLE run_series (
    run_id      TEXT PRIMARY KEY,
    tenant_id   TEXT NOT NULL,
    workflow_id TEXT NOT NULL,
    name        TEXT NOT NULL,
    number      INTEGER NOT NULL,
    latest      INTEGER NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX run_series_number ON run_series (workflow_id, name, number);
CREATE UNIQUE INDEX run_series_latest ON run_series (workflow_id, name) WHERE latest = 1;
