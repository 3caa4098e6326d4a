-- Templates of the tenants' own, their versions, and which workflow was made of
-- which. Built-in templates are in no database.

-- +goose Up
CREATE TABLE templates (
    id          TEXT COLLATE "C" PRIMARY KEY,
    tenant_id   TEXT COLLATE "C" NOT NULL,
    name        TEXT COLLATE "C" NOT NULL,
    description TEXT COLLATE "C" NOT NULL,
    category    TEXT COLLATE "C" NOT NULL,
    parameters  TEXT COLLATE "C" NOT NULL,
    version     BIGINT NOT NULL,
    created_by  TEXT COLLATE "C" NOT NULL,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL
);
CREATE INDEX templates_list ON templates (tenant_id, updated_at, id);
CREATE INDEX templates_category ON templates (tenant_id, category, updated_at, id);

CREATE TABLE template_versions (
    template_id TEXT COLLATE "C" NOT NULL,
    number      BIGINT NOT NULL,
    tenant_id   TEXT COLLATE "C" NOT NULL,
    name        TEXT COLLATE "C" NOT NULL,
    description TEXT COLLATE "C" NOT NULL,
    category    TEXT COLLATE "C" NOT NULL,
    parameters  TEXT COLLATE "C" NOT NULL,
    definition  TEXT COLLATE "C" NOT NULL,
    created_by  TEXT COLLATE "C" NOT NULL,
    created_at  BIGINT NOT NULL,
    PRIMARY KEY (template_id, number)
);

-- installed_definition is what the template made of the parameters; later
-- versions of the template are merged against it.
CREATE TABLE workflow_templates (
    workflow_id          TEXT COLLATE "C" PRIMARY KEY,
    tenant_id            TEXT COLLATE "C" NOT NULL,
    template_id          TEXT COLLATE "C" NOT NULL,
    template_version     BIGINT NOT NULL,
    name                 TEXT COLLATE "C" NOT NULL,
    parameters           TEXT COLLATE "C" NOT NULL,
    installed_definition TEXT COLLATE "C" NOT NULL
);
CREATE INDEX workflow_templates_template ON workflow_templates (tenant_id, template_id, workflow_id);
