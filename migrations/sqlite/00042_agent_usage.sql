-- What attempts of each agent consumed, by day of UTC (in milliseconds since 1970), as they
-- ended; written with the events that say so, and kept when runs are deleted. A sum is that
-- of its shards, see run_stats. What ended before this migration is not counted: its events
-- do not name the agent.

-- +goose Up
CREATE TABLE agent_usage (
    tenant_id      TEXT NOT NULL,
    agent_id       TEXT NOT NULL,
    day            INTEGER NOT NULL,
    shard          INTEGER NOT NULL,
    attempts       INTEGER NOT NULL,
    tokens         INTEGER NOT NULL,
    cost_micro_usd INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, agent_id, day, shard)
) WITHOUT ROWID;
