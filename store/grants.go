package store

import (
	"context"
	"encoding/json"
	"fmt"
	"heddle/access"
	"heddle/fault"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// grantRow is a row of grants; Actions is a JSON array. (KeyID, WorkflowID) is
// its key.
type grantRow struct {
	KeyID      string
	WorkflowID string
	TenantID   string
	Actions    string
}

func (grantRow) TableName() string { return "grants" }

// grantDetail is the detail of an audit entry about a key's grant; without
// actions it was removed.
type grantDetail struct {
	Workflow     string          `json:"workflow"`
	WorkflowSlug string          `json:"workflow_slug,omitempty"`
	Actions      []access.Action `json:"actions,omitempty"`
}

// PutGrant replaces a key's actions on a workflow, in one transaction with an
// audit entry. key_not_found and workflow_not_found unless both are the
// tenant's.
func (db *DB) PutGrant(ctx context.Context, tenantID string, g access.Grant) error {
	actions, err := json.Marshal(g.Actions)
	if err != nil {
		return translate(fmt.Errorf("encode a grant's actions: %w", err))
	}
	return db.update(ctx, func(tx *gorm.DB) error {
		k, err := keyObject(tx, tenantID, g.KeyID)
		if err != nil {
			return err
		}
		w, err := findWorkflow(tx, tenantID, g.WorkflowID)
		if err != nil {
			return err
		}
		row := grantRow{KeyID: g.KeyID, WorkflowID: w.ID, TenantID: tenantID, Actions: string(actions)}
		err = tx.Clauses(clause.OnConflict{
			Columns:   []clause.Column{{Name: "key_id"}, {Name: "workflow_id"}},
			DoUpdates: clause.AssignmentColumns([]string{"actions"}),
		}).Create(&row).Error
		if err != nil {
			return err
		}
		return writeAudit(tx, k, grantDetail{workflowObject(w).String(), w.Slug, g.Actions})
	})
}

// DeleteGrant removes a key's actions on a workflow, also on a deleted one;
// grant_not_found.
func (db *DB) DeleteGrant(ctx context.Context, tenantID, keyID, workflowID string) error {
	return db.update(ctx, func(tx *gorm.DB) error {
		res := tx.Exec("DELETE FROM grants WHERE tenant_id = ? AND key_id = ? AND workflow_id = ?", tenantID, keyID, workflowID)
		if res.Error == nil && res.RowsAffected == 0 {
			return fault.New(fault.NotFound, "grant_not_found", "The key has no grant on this workflow.")
		}
		if res.Error != nil {
			return res.Error
		}
		k, err := keyObject(tx, tenantID, keyID)
		if err != nil {
			return err
		}
		// A deleted workflow has no slug for the audit trail any more.
		w, err := findWorkflow(tx, tenantID, workflowID)
		if err != nil && fault.KindOf(err) != fault.NotFound {
			return err
		}
		return writeAudit(tx, k, grantDetail{"workflow:" + workflowID, w.Slug, nil})
	})
}

// Grants lists a key's grants, or all of the tenant's where keyID is "", by key
// and workflow. A key without grants, or one that does not exist, has none.
func (db *DB) Grants(ctx context.Context, tenantID, keyID string) ([]access.Grant, error) {
	grants, err := grantsOf(db.reader(ctx), tenantID, keyID)
	return grants, translate(err)
}

// grantsOf reads grants by key and workflow, through a session or a
// transaction.
func grantsOf(tx *gorm.DB, tenantID, keyID string) ([]access.Grant, error) {
	q := tx.Where("tenant_id = ?", tenantID)
	if keyID != "" {
		q = q.Where("key_id = ?", keyID)
	}
	var rows []grantRow
	if err := q.Order("key_id, workflow_id").Find(&rows).Error; err != nil {
		return nil, err
	}
	var grants []access.Grant
	for _, row := range rows {
		actions, err := decodeActions(row.Actions)
		if err != nil {
			return nil, err
		}
		grants = append(grants, access.Grant{KeyID: row.KeyID, WorkflowID: row.WorkflowID, Actions: actions})
	}
	return grants, nil
}
