-- What an object was called when it was changed, why, and what became what:
-- object is its id from here on. In lines of earlier versions these are empty,
-- and object is what the caller wrote. The default is a constant, so that no
-- row is written again.

-- +goose Up
ALTER TABLE audit_entries ADD COLUMN actor_type TEXT NOT NULL DEFAULT '';
ALTER TABLE audit_entries ADD COLUMN object_slug TEXT NOT NULL DEFAULT '';
ALTER TABLE audit_entries ADD COLUMN reason TEXT NOT NULL DEFAULT '';
ALTER TABLE audit_entries ADD COLUMN detail TEXT NOT NULL DEFAULT '';
CREATE INDEX audit_object_slug ON audit_entries (tenant_id, object_slug, at, id) WHERE object_slug <> '';
