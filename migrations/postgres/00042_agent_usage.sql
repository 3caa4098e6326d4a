-- What attempts of each agent consumed, by day of UTC (in milliseconds since 1970), as they
-- ended; written with the events that say so, and kept when runs are deleted. A sum is that
-- of its shards, see run_stats. What ended before this migration is not counted: its events
-- do not name the agent.

-- +goose Up
CREATE TABLE agent_usage (
    tenant_id      TEXT COLLATE "C" NOT NULL,
    agent_id       TEXT COLLATE "C" NOT NULL,
    day            BIGINT NOT NULL,
    shard          INTEGER NOT NULL,
    attempts       BIGINT NOT NULL,
    tokens         BIGINT NOT NULL,
    cost_micro_usd BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, agent_id, day, shard)
);
