-- +goose Up
-- How many bytes a tenant may have stored, where it is not what the server's
-- settings say: -1 is that, 0 is as many as it likes.
ALTER TABLE tenant_quotas ADD COLUMN stored_bytes BIGINT NOT NULL DEFAULT -1;

-- A tenant's deleted workflows: their versions are there for as long as runs of
-- them are.
CREATE INDEX workflows_deleted ON workflows (tenant_id, id) WHERE deleted = 1;
