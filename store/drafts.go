package store

import (
	"context"
	"heddle/audit"
	"heddle/definitions/source"
	"heddle/definitions/workflows"
	"heddle/drafts"
	"heddle/fault"
	"heddle/idempotency"

	"gorm.io/gorm"
)

// draftRow is a row of drafts. Of a workflow that is there a person has at most one, by a
// unique index.
type draftRow struct {
	ID           string `gorm:"primaryKey"`
	TenantID     string
	WorkflowID   string // '': of a workflow that is not there yet
	OwnerType    string
	OwnerID      string
	OwnerName    string
	BaseVersion  int
	SourceFormat string
	SourceText   string
	Note         string
	Revision     int64
	CreatedAt    int64 `gorm:"autoCreateTime:false"`
	UpdatedAt    int64 `gorm:"autoUpdateTime:false"`
}

func (draftRow) TableName() string { return "drafts" }

// toDraftRow encodes a draft; draftRow.draft is its inverse.
func toDraftRow(d drafts.Draft) draftRow {
	return draftRow{
		ID: d.ID, TenantID: d.TenantID, WorkflowID: d.WorkflowID, OwnerType: d.Owner.Type, OwnerID: d.Owner.ID, OwnerName: d.Owner.Name,
		BaseVersion: d.BaseVersion, SourceFormat: string(d.Written.Format), SourceText: d.Written.Text, Note: d.Note,
		Revision: d.Revision, CreatedAt: millis(d.CreatedAt), UpdatedAt: millis(d.UpdatedAt),
	}
}

// draft decodes a row.
func (r draftRow) draft() drafts.Draft {
	return drafts.Draft{
		ID: r.ID, TenantID: r.TenantID, WorkflowID: r.WorkflowID, Owner: audit.Actor{Type: r.OwnerType, ID: r.OwnerID, Name: r.OwnerName},
		BaseVersion: r.BaseVersion, Written: source.Written{Format: source.Format(r.SourceFormat), Text: r.SourceText}, Note: r.Note,
		Revision: r.Revision, CreatedAt: fromMillis(r.CreatedAt), UpdatedAt: fromMillis(r.UpdatedAt),
	}
}

// findDraft finds a person's draft, with the lock of q. draft_not_found, also for that of
// another person or tenant.
func findDraft(q *gorm.DB, at drafts.Place) (draftRow, error) {
	q = q.Where("tenant_id = ? AND owner_id = ?", at.TenantID, at.Owner.ID)
	// Ids of keys and of people differ; a reader may know the id alone.
	if at.Owner.Type != "" {
		q = q.Where("owner_type = ?", at.Owner.Type)
	}
	if at.ID != "" {
		q = q.Where("id = ?", at.ID)
	} else {
		q = q.Where("workflow_id = ? AND workflow_id <> ''", at.WorkflowID)
	}
	var row draftRow
	ok, err := found(q, &row)
	if err == nil && !ok {
		err = fault.New(fault.NotFound, "draft_not_found", "There is no such draft.")
	}
	return row, err
}

// Draft returns a person's draft by its id, or for a workflow. draft_not_found.
func (db *DB) Draft(ctx context.Context, at drafts.Place) (drafts.Draft, error) {
	row, err := findDraft(db.reader(ctx), at)
	return row.draft(), translate(err)
}

// Drafts returns a page of drafts without their texts, last changed first.
func (db *DB) Drafts(ctx context.Context, q drafts.Query) (drafts.Page, error) {
	list := listFingerprint("drafts", q)
	at, err := decodeCursor(list, q.Cursor)
	if err != nil {
		return drafts.Page{}, err
	}
	f := db.reader(ctx).Omit("source_text").Where("tenant_id = ?", q.TenantID)
	if q.WorkflowID != "" {
		f = f.Where("workflow_id = ? AND workflow_id <> ''", q.WorkflowID)
	}
	if q.OwnerID != "" || q.WorkflowID == "" {
		f = f.Where("owner_type = ? AND owner_id = ?", q.OwnerType, q.OwnerID)
	}
	var rows []draftRow
	if err := newestFirst(f, "updated_at", "id", at).Limit(q.Limit + 1).Find(&rows).Error; err != nil {
		return drafts.Page{}, translate(err)
	}
	var page drafts.Page
	rows, page.Next = trimPage(list, rows, q.Limit, func(r draftRow) position { return position{r.UpdatedAt, r.ID} })
	for _, row := range rows {
		page.Drafts = append(page.Drafts, row.draft())
	}
	return page, nil
}

// LatestDrafts returns of each workflow the draft that was saved last, without its text. It reads a
// row for each person who has one.
func (db *DB) LatestDrafts(ctx context.Context, tenantID string, workflowIDs []string) (map[string]drafts.Draft, error) {
	latest := map[string]drafts.Draft{}
	if len(workflowIDs) == 0 {
		return latest, nil
	}
	var rows []draftRow
	err := db.reader(ctx).Omit("source_text").Where("tenant_id = ? AND workflow_id IN ? AND workflow_id <> ''", tenantID, workflowIDs).Order("updated_at, id").Find(&rows).Error
	for _, r := range rows {
		latest[r.WorkflowID] = r.draft()
	}
	return latest, translate(err)
}

// SaveDraft stores what decide makes of the draft at a place, nil where there is none, in
// one transaction. A place with an id that is not there is draft_not_found, and one of a workflow that
// was deleted meanwhile workflow_not_found.
func (db *DB) SaveDraft(ctx context.Context, at drafts.Place, decide func(*drafts.Draft) (drafts.Draft, error), keep func(drafts.Draft) *idempotency.Answer) (drafts.Draft, int, error) {
	type result struct {
		saved  drafts.Draft
		before int
	}
	done, err := updateResult(ctx, db, func(tx *gorm.DB) (result, error) {
		if at.WorkflowID != "" {
			// Its row is locked, so that the draft does not outlive the workflow.
			if _, err := findWorkflow(forNoKeyUpdate(tx), at.TenantID, at.WorkflowID); err != nil {
				return result{}, err
			}
		}
		var current *drafts.Draft
		if at.ID != "" || at.WorkflowID != "" {
			row, err := findDraft(forUpdate(tx), at)
			if err == nil {
				d := row.draft()
				current = &d
			} else if at.ID != "" || fault.CodeOf(err) != "draft_not_found" {
				return result{}, err
			}
		}
		next, err := decide(current)
		if err != nil {
			return result{}, err
		}
		if keep != nil {
			if a := keep(next); a != nil {
				if err := insertAnswer(tx, *a); err != nil {
					return result{}, err
				}
			}
		}
		row := toDraftRow(next)
		if current == nil {
			return result{saved: next}, tx.Create(&row).Error
		}
		return result{next, current.Stored()}, tx.Select("*").Updates(&row).Error
	})
	return done.saved, done.before, err
}

// DeleteDraft deletes a person's draft if check allows it. draft_not_found.
func (db *DB) DeleteDraft(ctx context.Context, at drafts.Place, check func(drafts.Draft) error) error {
	return db.update(ctx, func(tx *gorm.DB) error {
		row, err := findDraft(forUpdate(tx), at)
		if err != nil {
			return err
		}
		if err := check(row.draft()); err != nil {
			return err
		}
		return tx.Exec("DELETE FROM drafts WHERE id = ?", row.ID).Error
	})
}

// dropDraft deletes the draft that a change of its workflow was made of, unless it was saved
// again since.
func dropDraft(tx *gorm.DB, d *workflows.SavedDraft) error {
	if d == nil {
		return nil
	}
	return tx.Exec("DELETE FROM drafts WHERE id = ? AND revision = ?", d.ID, d.Revision).Error
}
