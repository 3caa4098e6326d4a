-- Who made a key, how often it was changed, and the texts that it had before:
-- ends_at is until when one is accepted still. A former text stays known, so that
-- it is never taken for a new key. own_role is the role that an administrator gave a
-- user in place of the one that sign-ins bring ('': none).

-- +goose Up
ALTER TABLE api_keys ADD COLUMN created_by_type TEXT NOT NULL DEFAULT '';
ALTER TABLE api_keys ADD COLUMN created_by_id TEXT NOT NULL DEFAULT '';
ALTER TABLE api_keys ADD COLUMN created_by_name TEXT NOT NULL DEFAULT '';
ALTER TABLE api_keys ADD COLUMN rotated_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE api_keys ADD COLUMN revision INTEGER NOT NULL DEFAULT 1;
ALTER TABLE users ADD COLUMN own_role TEXT NOT NULL DEFAULT '';
CREATE TABLE former_key_hashes (
    hash    TEXT PRIMARY KEY,
    key_id  TEXT NOT NULL,
    ends_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX former_key_hashes_key ON former_key_hashes (key_id);
