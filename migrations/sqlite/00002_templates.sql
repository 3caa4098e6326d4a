-- Templates of the tenants' own, their versions, and which workflow was made of
-- which. Built-in templates are in no database.

-- +goose Up
CREATE TABLE templates (
    id          TEXT PRIMARY KEY,
    tenant_id   TEXT NOT NULL,
    name        TEXT NOT NULL,
    description TEXT NOT NULL,
    category    TEXT NOT NULL,
    parameters  TEXT NOT NULL,
    version     INTEGER NOT NULL,
    created_by  TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL
);
CREATE INDEX templates_list ON templates (tenant_id, updated_at, id);
CREATE INDEX templates_category ON templates (tenant_id, category, updated_at, id);

CREATE TABLE template_versions (
    template_id TEXT NOT NULL,
    number      INTEGER NOT NULL,
    tenant_id   TEXT NOT NULL,
    name        TEXT NOT NULL,
    description TEXT NOT NULL,
    category    TEXT NOT NULL,
    parameters  TEXT NOT NULL,
    definition  TEXT NOT NULL,
    created_by  TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    PRIMARY KEY (template_id, number)
);

-- installed_definition is what the template made of the parameters; later
-- versions of the template are merged against it.
CREATE TABLE workflow_templates (
    workflow_id          TEXT PRIMARY KEY,
    tenant_id            TEXT NOT NULL,
    template_id          TEXT NOT NULL,
    template_version     INTEGER NOT NULL,
    name                 TEXT NOT NULL,
    parameters           TEXT NOT NULL,
    installed_definition TEXT NOT NULL
);
CREATE INDEX workflow_templates_template ON workflow_templates (tenant_id, template_id, workflow_id);
