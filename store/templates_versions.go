package store

import (
	"context"
	"encoding/json"
	"heddle/fault"
	"heddle/internal/elements"
	"heddle/templates"

	"gorm.io/gorm"
)

// version decodes a row as the template that it was then, without its definition where the
// row was read without.
func (r templateVersionRow) version() templates.Template {
	t := templates.Template{
		ID: r.TemplateID, TenantID: r.TenantID, Name: r.Name, Description: r.Description, Category: r.Category, Version: r.Number,
		Parameters: json.RawMessage(r.Parameters), CreatedBy: r.CreatedBy, UpdatedAt: fromMillis(r.CreatedAt),
	}
	if r.Definition != "" {
		t.Definition = json.RawMessage(r.Definition)
	}
	return t
}

// TemplateVersions lists at most limit versions of a tenant's own template without their
// definitions, newest first, and returns the cursor behind them, "" at the end. The primary
// key serves every page. template_not_found.
func (db *DB) TemplateVersions(ctx context.Context, tenantID, id, cursor string, limit int) ([]templates.Template, string, error) {
	list := listFingerprint("template versions", [2]string{tenantID, id})
	at, err := decodeCursor(list, cursor)
	if err != nil {
		return nil, "", err
	}
	rows, err := viewResult(ctx, db, func(tx *gorm.DB) ([]templateVersionRow, error) {
		if _, err := findTemplate(tx, tx, tenantID, id); err != nil {
			return nil, err
		}
		q := tx.Omit("definition").Where("template_id = ?", id)
		if at != nil {
			q = q.Where("number < ?", at.Key)
		}
		var rows []templateVersionRow
		err := q.Order("number DESC").Limit(limit + 1).Find(&rows).Error
		return rows, err
	})
	if err != nil {
		return nil, "", err
	}
	rows, next := trimPage(list, rows, limit, func(r templateVersionRow) position { return position{int64(r.Number), id} })
	return elements.Map(rows, templateVersionRow.version), next, nil
}

// TemplateVersion returns a version of a tenant's own template with its definition;
// template_not_found, version_not_found.
func (db *DB) TemplateVersion(ctx context.Context, tenantID, id string, number int) (templates.Template, error) {
	return viewResult(ctx, db, func(tx *gorm.DB) (templates.Template, error) {
		if _, err := findTemplate(tx, tx, tenantID, id); err != nil {
			return templates.Template{}, err
		}
		var row templateVersionRow
		ok, err := found(tx.Where("template_id = ? AND number = ?", id, number), &row)
		if err == nil && !ok {
			err = fault.New(fault.NotFound, "version_not_found", "The template has no version %d.", number)
		}
		return row.version(), err
	})
}

// Installed lists at most limit workflows that were made of a template, by id, and returns the
// cursor behind them, "" at the end. Deleted workflows are left out.
func (db *DB) Installed(ctx context.Context, tenantID, templateID, cursor string, limit int) ([]templates.Installed, string, error) {
	list := listFingerprint("installed", [2]string{tenantID, templateID})
	at, err := decodeCursor(list, cursor)
	if err != nil {
		return nil, "", err
	}
	q := db.reader(ctx).Table("workflow_templates AS o").
		Select("o.workflow_id, w.slug, w.name, o.template_version AS version").Joins("JOIN workflows AS w ON w.id = o.workflow_id AND w.deleted = 0").
		Where("o.tenant_id = ? AND o.template_id = ?", tenantID, templateID)
	if at != nil {
		q = q.Where("o.workflow_id > ?", at.ID)
	}
	var rows []templates.Installed
	if err := q.Order("o.workflow_id").Limit(limit + 1).Scan(&rows).Error; err != nil {
		return nil, "", translate(err)
	}
	rows, next := trimPage(list, rows, limit, func(i templates.Installed) position { return position{ID: i.WorkflowID} })
	return rows, next, nil
}
