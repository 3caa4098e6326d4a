-- +goose Up
-- A version's definition as its author wrote it, beside the canonical form of which it
-- has the hash: yaml or json, the text, and a fingerprint of both by which a save sees
-- whether the text is another. '' where no text is kept.
ALTER TABLE workflow_versions ADD COLUMN source_format TEXT NOT NULL DEFAULT '';
ALTER TABLE workflow_versions ADD COLUMN source_hash TEXT NOT NULL DEFAULT '';
ALTER TABLE workflow_versions ADD COLUMN source_text TEXT NOT NULL DEFAULT '';
