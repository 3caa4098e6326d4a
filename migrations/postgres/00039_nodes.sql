-- The processes that serve over this database: each notes every half minute that it is
-- there. One that has not for a day is removed.

-- +goose Up
CREATE TABLE nodes (
    id         TEXT COLLATE "C" PRIMARY KEY,
    host       TEXT COLLATE "C" NOT NULL,
    version    TEXT COLLATE "C" NOT NULL,
    started_at BIGINT NOT NULL,
    seen_at    BIGINT NOT NULL
);
