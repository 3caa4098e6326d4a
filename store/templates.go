package store

import (
	"context"
	"encoding/json"
	"heddle/audit"
	"heddle/fault"
	"heddle/idempotency"
	"heddle/templates"

	"gorm.io/gorm"
)

// CreateTemplate stores a template, its version 1 and the answer kept for a
// repeated request in one transaction, with an entry in the audit trail.
// idempotency_key_taken (Conflict).
func (db *DB) CreateTemplate(ctx context.Context, t templates.Template, keep *idempotency.Answer) error {
	return db.update(ctx, func(tx *gorm.DB) error {
		if keep != nil {
			if err := insertAnswer(tx, *keep); err != nil {
				return err
			}
		}
		row, version := toTemplateRows(t)
		if err := tx.Create(&row).Error; err != nil {
			return err
		}
		if err := tx.Create(&version).Error; err != nil {
			return err
		}
		return writeAudit(tx, templateObject(t), valueChange{To: t.Version})
	})
}

// templateObject returns a template as the audit trail names it.
func templateObject(t templates.Template) audit.Object {
	return audit.Object{Kind: "template", ID: t.ID, Slug: t.Name}
}

// Template returns the newest version of a tenant's own template;
// template_not_found.
func (db *DB) Template(ctx context.Context, tenantID, id string) (templates.Template, error) {
	return viewResult(ctx, db, func(tx *gorm.DB) (templates.Template, error) {
		return findTemplate(tx, tx, tenantID, id)
	})
}

// findTemplate reads the template's row through head, which may lock it, and
// its newest version through tx. template_not_found, also for another tenant's.
func findTemplate(head, tx *gorm.DB, tenantID, id string) (templates.Template, error) {
	var row templateRow
	ok, err := found(head.Where("tenant_id = ? AND id = ?", tenantID, id), &row)
	if err == nil && !ok {
		err = fault.New(fault.NotFound, "template_not_found", "There is no template %q.", id)
	}
	if err != nil {
		return templates.Template{}, err
	}
	var version templateVersionRow
	err = tx.Where("template_id = ? AND number = ?", row.ID, row.Version).Take(&version).Error
	t := row.template()
	t.Definition = json.RawMessage(version.Definition)
	return t, err
}

// ChangeTemplate stores what decide makes of the newest version as the next, in
// one transaction; if decide leaves the number as it was nothing but the audit
// entry is written. The template's row is locked meanwhile. decide must be pure;
// its errors roll back and are returned. template_not_found.
func (db *DB) ChangeTemplate(ctx context.Context, tenantID, id string, decide func(templates.Template) (templates.Template, error)) (templates.Template, error) {
	return updateResult(ctx, db, func(tx *gorm.DB) (next templates.Template, err error) {
		current, err := findTemplate(forNoKeyUpdate(tx), tx, tenantID, id)
		if err != nil {
			return next, err
		}
		next, err = decide(current)
		if err != nil {
			return next, err
		}
		if next.Version == current.Version {
			return next, writeAudit(tx, templateObject(current), valueChange{current.Version, current.Version})
		}
		next.ID, next.TenantID, next.CreatedAt = current.ID, current.TenantID, current.CreatedAt
		row, version := toTemplateRows(next)
		if err := tx.Select("*").Updates(&row).Error; err != nil {
			return next, err
		}
		if err := tx.Create(&version).Error; err != nil {
			return next, err
		}
		return next, writeAudit(tx, templateObject(next), valueChange{current.Version, next.Version})
	})
}

// DeleteTemplate removes a template with its versions, in one transaction.
// check may refuse. Workflows made of it keep their origin. template_not_found.
func (db *DB) DeleteTemplate(ctx context.Context, tenantID, id string, check func(templates.Template) error) error {
	return db.update(ctx, func(tx *gorm.DB) error {
		t, err := findTemplate(forUpdate(tx), tx, tenantID, id)
		if err != nil {
			return err
		}
		if err := check(t); err != nil {
			return err
		}
		if err := tx.Exec("DELETE FROM template_versions WHERE template_id = ?", t.ID).Error; err != nil {
			return err
		}
		if err := tx.Exec("DELETE FROM templates WHERE id = ?", t.ID).Error; err != nil {
			return err
		}
		return writeAudit(tx, templateObject(t), valueChange{From: t.Version})
	})
}

// Templates lists a page of a tenant's own, last changed first, as of one moment
// and without definitions. Total is -1 unless q.WantTotal. invalid_request
// (Malformed): the cursor belongs to another list.
func (db *DB) Templates(ctx context.Context, q templates.Query) (templates.Page, error) {
	list := listFingerprint("templates", q)
	at, err := decodeCursor(list, q.Cursor)
	if err != nil {
		return templates.Page{}, err
	}
	return viewResult(ctx, db, func(tx *gorm.DB) (templates.Page, error) {
		page := templates.Page{Total: -1}
		if err := countIfWanted(templateFilter(tx, q), q.WantTotal, &page.Total); err != nil {
			return page, err
		}
		err := templatePage(tx, q, list, at, &page)
		return page, err
	})
}

// templateFilter selects the rows of a query; category "" selects all.
func templateFilter(tx *gorm.DB, q templates.Query) *gorm.DB {
	f := tx.Model(&templateRow{}).Where("tenant_id = ?", q.TenantID)
	if q.Category != "" {
		f = f.Where("category = ?", q.Category)
	}
	return f
}

// templatePage reads one row more than the page has, to see whether another
// page follows.
func templatePage(tx *gorm.DB, q templates.Query, list string, at *position, page *templates.Page) error {
	rowsOf := newestFirst(templateFilter(tx, q), "updated_at", "id", at).Limit(q.Limit + 1)
	if at == nil {
		rowsOf = rowsOf.Offset(q.Offset)
	}
	var rows []templateRow
	if err := rowsOf.Find(&rows).Error; err != nil {
		return err
	}
	rows, page.Next = trimPage(list, rows, q.Limit, func(r templateRow) position { return position{r.UpdatedAt, r.ID} })
	for _, row := range rows {
		page.Templates = append(page.Templates, row.template())
	}
	return nil
}
