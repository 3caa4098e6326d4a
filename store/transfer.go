package store

import (
	"context"
	"heddle/definitions/workflows"
	"heddle/fault"
	"heddle/idempotency"
	"heddle/internal/elements"
	"heddle/versions"

	"gorm.io/gorm"
)

// WorkflowsAfter lists at most limit workflows by slug, from behind the slug
// after ("": from the first). ids nil: all of the tenant's, empty: none. Each
// page is of its own moment.
func (db *DB) WorkflowsAfter(ctx context.Context, tenantID string, ids []string, after string, limit int) ([]workflows.Workflow, error) {
	if ids != nil && len(ids) == 0 {
		return nil, nil
	}
	q := db.reader(ctx).Where("tenant_id = ? AND deleted = 0 AND slug > ?", tenantID, after)
	if ids != nil {
		q = q.Where("id IN ?", ids)
	}
	var rows []workflowRow
	if err := q.Order("slug").Limit(limit).Find(&rows).Error; err != nil {
		return nil, translate(err)
	}
	list := make([]workflows.Workflow, len(rows))
	for i, row := range rows {
		w, err := row.workflow()
		if err != nil {
			return nil, err
		}
		list[i] = w
	}
	return list, nil
}

// VersionsAfter lists at most limit versions with their definitions, oldest
// first, from behind the number after.
func (db *DB) VersionsAfter(ctx context.Context, tenantID, workflowID string, after, limit int) ([]versions.Version, error) {
	var rows []versionRow
	err := db.reader(ctx).Where("workflow_id = ? AND tenant_id = ? AND number > ?", workflowID, tenantID, after).
		Order("number").Limit(limit).Find(&rows).Error
	return elements.Map(rows, versionRow.version), translate(err)
}

// ImportWorkflow stores a workflow with all its versions, oldest first, and the
// answer kept with them, if any, in one transaction with an audit entry. all has
// at least one version, numbered from 1. slug_taken, id_taken, label_taken,
// idempotency_key_taken (all Conflict).
func (db *DB) ImportWorkflow(ctx context.Context, w workflows.Workflow, all []workflows.NewVersion, keep *idempotency.Answer) error {
	return db.update(ctx, func(tx *gorm.DB) error {
		if keep != nil {
			if err := insertAnswer(tx, *keep); err != nil {
				return err
			}
		}
		row, err := toWorkflowRow(w, all[len(all)-1].Hash)
		if err != nil {
			return err
		}
		// The slug first: where both are taken, that is what the caller can change.
		var taken []string
		err = tx.Raw("SELECT id FROM workflows WHERE tenant_id = ? AND slug = ? AND deleted = 0", w.TenantID, w.Slug).Scan(&taken).Error
		if err != nil {
			return err
		}
		if len(taken) > 0 {
			return slugTaken(nil, w.Slug)
		}
		if err := tx.Create(&row).Error; violatesUnique(err, "id") || violatesUnique(err, "pkey") {
			return fault.Wrap(err, fault.Conflict, "id_taken", "The id %s is in use: import the workflow under another.", w.ID)
		} else if err != nil {
			return asSlugTaken(err, w.Slug)
		}
		if err := writeTags(tx, w); err != nil {
			return err
		}
		for _, v := range all {
			if err := insertVersion(tx, workflows.Revision{Workflow: w, Version: &v}); err != nil {
				return err
			}
		}
		if err := db.writeUses(tx, w, nil); err != nil {
			return err
		}
		if err := writeSteps(tx, w, 0); err != nil {
			return err
		}
		active := all[max(0, min(w.ActiveVersion, len(all))-1)]
		if err := writeAudit(tx, workflowObject(row), workflowChange{To: &workflowState{active.Number, active.Hash, string(w.Status)}}); err != nil {
			return err
		}
		return numberChange(tx, row)
	})
}
