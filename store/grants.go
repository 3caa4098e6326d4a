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

// grantRow is a row of grants.
type grantRow struct {
	KeyID      string
	WorkflowID string
	TenantID   string
	Actions    string
}

func (grantRow) TableName() string { return "grants" }

// grantDetail is the detail of a line about a key's grant; no actions: it was
// taken away.
type grantDetail struct {
	Workflow     string          `json:"workflow"`
	WorkflowSlug string          `json:"workflow_slug,omitempty"`
	Actions      []access.Action `json:"actions,omitempty"`
}

// PutGrant replaces a key's actions on a workflow; both must be the tenant's.
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

// DeleteGrant takes a key's actions on a workflow away.
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
		w, err := findWorkflow(tx, tenantID, workflowID)
		if err != nil && fault.KindOf(err) != fault.NotFound {
			return err
		}
		return writeAudit(tx, k, grantDetail{"workflow:" + workflowID, w.Slug, nil})
	})
}

// Grants lists a key's grants, or all of the tenant's where keyID is "".
func (db *DB) Grants(ctx context.Context, tenantID, keyID string) ([]access.Grant, error) {
	grants, err := grantsOf(db.reader(ctx), tenantID, keyID)
	return grants, translate(err)
}

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
