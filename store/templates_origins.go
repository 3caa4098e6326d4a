package store

import (
	"context"
	"encoding/json"
	"heddle/definitions/workflows"
	"heddle/templates"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// writeOrigin notes of which template a workflow is made, if the revision says
// so; an earlier origin is replaced.
func writeOrigin(tx *gorm.DB, rev workflows.Revision) error {
	if rev.Origin == nil {
		return nil
	}
	row := originRow{
		WorkflowID: rev.Workflow.ID, TenantID: rev.Workflow.TenantID, TemplateID: rev.Origin.TemplateID,
		TemplateVersion: rev.Origin.Version, Name: rev.Origin.Name,
		Parameters: string(rev.Origin.Parameters), InstalledDefinition: string(rev.Origin.Definition),
	}
	return tx.Clauses(clause.OnConflict{Columns: []clause.Column{{Name: "workflow_id"}}, UpdateAll: true}).Create(&row).Error
}

// Origin returns of which template a workflow is made, nil for none.
func (db *DB) Origin(ctx context.Context, tenantID, workflowID string) (*workflows.Origin, error) {
	var row originRow
	ok, err := found(db.reader(ctx).Where("workflow_id = ? AND tenant_id = ?", workflowID, tenantID), &row)
	if err != nil || !ok {
		return nil, translate(err)
	}
	return row.origin(), nil
}

// Links returns of which templates the workflows are made, by workflow id and
// without definitions; workflows without a template have no entry. Newest is the
// newest version of the template, 0 if it is not stored (any more). One query
// serves all workflows.
func (db *DB) Links(ctx context.Context, tenantID string, workflowIDs []string) (map[string]templates.Link, error) {
	var rows []struct {
		WorkflowID      string
		TemplateID      string
		TemplateVersion int
		Parameters      string
		Newest          int
	}
	err := db.reader(ctx).Table("workflow_templates AS o").
		Select("o.workflow_id, o.template_id, o.template_version, o.parameters, COALESCE(t.version, 0) AS newest").
		Joins("LEFT JOIN templates AS t ON t.id = o.template_id AND t.tenant_id = o.tenant_id").
		Where("o.tenant_id = ? AND o.workflow_id IN ?", tenantID, workflowIDs).Scan(&rows).Error
	if err != nil {
		return nil, translate(err)
	}
	links := make(map[string]templates.Link, len(rows))
	for _, r := range rows {
		links[r.WorkflowID] = templates.Link{
			TemplateID: r.TemplateID, Version: r.TemplateVersion, Parameters: json.RawMessage(r.Parameters), Newest: r.Newest,
		}
	}
	return links, nil
}

// VersionDefinition returns the definition of a workflow's version: a number
// ("3", "v3"), a label, or "" for the active one. workflow_not_found,
// version_not_found.
func (db *DB) VersionDefinition(ctx context.Context, tenantID, workflow, version string) (json.RawMessage, error) {
	return viewResult(ctx, db, func(tx *gorm.DB) (json.RawMessage, error) {
		w, err := findWorkflow(tx, tenantID, workflow)
		if err != nil {
			return nil, err
		}
		var row versionRow
		q := tx.Where("workflow_id = ?", w.ID)
		ok, err := found(byVersionRef(q, w.ActiveVersion, version), &row)
		if err == nil && !ok {
			err = versionNotFound(version)
		}
		return json.RawMessage(row.Definition), err
	})
}
