package store

import (
	"encoding/json"
	"heddle/definitions/workflows"
	"heddle/templates"
)

// templateRow is a row of templates: what lists show of the newest version, whose
// number is Version. Parameters is the JSON Schema of the template's parameters.
type templateRow struct {
	ID          string `gorm:"primaryKey"`
	TenantID    string
	Name        string
	Description string
	Category    string
	Parameters  string
	Version     int
	CreatedBy   string
	CreatedAt   int64 `gorm:"autoCreateTime:false"`
	UpdatedAt   int64 `gorm:"autoUpdateTime:false"`
}

func (templateRow) TableName() string { return "templates" }

// templateVersionRow is a row of template_versions. It is never changed: a new
// version is a new row.
type templateVersionRow struct {
	TemplateID  string `gorm:"primaryKey"`
	Number      int    `gorm:"primaryKey;autoIncrement:false"`
	TenantID    string
	Name        string
	Description string
	Category    string
	Parameters  string
	Definition  string
	CreatedBy   string
	CreatedAt   int64 `gorm:"autoCreateTime:false"`
}

func (templateVersionRow) TableName() string { return "template_versions" }

// originRow is a row of workflow_templates: of which version of which template a
// workflow is made, and with which parameters. InstalledDefinition is what these
// made then, the base of a three-way merge; it stays when the template goes.
type originRow struct {
	WorkflowID          string `gorm:"primaryKey"`
	TenantID            string
	TemplateID          string
	TemplateVersion     int
	Name                string
	Parameters          string
	InstalledDefinition string
}

func (originRow) TableName() string { return "workflow_templates" }

// toTemplateRows encodes a template: the row of lists and that of its newest
// version.
func toTemplateRows(t templates.Template) (templateRow, templateVersionRow) {
	head := templateRow{
		ID: t.ID, TenantID: t.TenantID, Name: t.Name, Description: t.Description, Category: t.Category,
		Parameters: string(t.Parameters), Version: t.Version, CreatedBy: t.CreatedBy,
		CreatedAt: millis(t.CreatedAt), UpdatedAt: millis(t.UpdatedAt),
	}
	return head, templateVersionRow{
		TemplateID: t.ID, Number: t.Version, TenantID: t.TenantID, Name: t.Name, Description: t.Description,
		Category: t.Category, Parameters: string(t.Parameters), Definition: string(t.Definition),
		CreatedBy: t.CreatedBy, CreatedAt: millis(t.UpdatedAt),
	}
}

// template decodes a row, which has no definition.
func (r templateRow) template() templates.Template {
	return templates.Template{
		ID: r.ID, TenantID: r.TenantID, Name: r.Name, Description: r.Description, Category: r.Category,
		Version: r.Version, Parameters: json.RawMessage(r.Parameters), CreatedBy: r.CreatedBy,
		CreatedAt: fromMillis(r.CreatedAt), UpdatedAt: fromMillis(r.UpdatedAt),
	}
}

// origin decodes a row.
func (r originRow) origin() *workflows.Origin {
	return &workflows.Origin{
		TemplateID: r.TemplateID, Version: r.TemplateVersion, Name: r.Name,
		Parameters: json.RawMessage(r.Parameters), Definition: json.RawMessage(r.InstalledDefinition),
	}
}
