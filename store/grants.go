package store

import (
	"context"
	"encoding/json"
	"fmt"
	"heddle/access"
	"heddle/audit"
	"heddle/fault"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// grantRow is a row of grants; Actions is a JSON array. (KeyID, WorkflowID) is
// its key; KeyID is the id of the holder, a key or a user.
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

// PutGrant replaces a holder's actions on a workflow, in one transaction with an
// audit entry. key_not_found, user_not_found and workflow_not_found unless both are
// the tenant's.
func (db *DB) PutGrant(ctx context.Context, tenantID string, g access.Grant) error {
	actions, err := json.Marshal(g.Actions)
	if err != nil {
		return translate(fmt.Errorf("encode a grant's actions: %w", err))
	}
	return db.update(ctx, func(tx *gorm.DB) error {
		k, err := holderObject(tx, tenantID, g.Holder())
		if err != nil {
			return err
		}
		w, err := findWorkflow(tx, tenantID, g.WorkflowID)
		if err != nil {
			return err
		}
		row := grantRow{KeyID: g.Holder(), WorkflowID: w.ID, TenantID: tenantID, Actions: string(actions)}
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

// DeleteGrant removes a holder's actions on a workflow, also on a deleted one;
// grant_not_found.
func (db *DB) DeleteGrant(ctx context.Context, tenantID, holderID, workflowID string) error {
	return db.update(ctx, func(tx *gorm.DB) error {
		res := tx.Exec("DELETE FROM grants WHERE tenant_id = ? AND key_id = ? AND workflow_id = ?", tenantID, holderID, workflowID)
		if res.Error == nil && res.RowsAffected == 0 {
			return fault.New(fault.NotFound, "grant_not_found", "There is no such grant on this workflow.")
		}
		if res.Error != nil {
			return res.Error
		}
		k, err := holderObject(tx, tenantID, holderID)
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

// Grants lists at most limit of a holder's grants, or of the tenant's where holderID is
// "", by holder and workflow, and returns the cursor behind them, "" at the end. One
// without grants, or that does not exist, has none.
func (db *DB) Grants(ctx context.Context, tenantID, holderID, cursor string, limit int) ([]access.Grant, string, error) {
	list := listFingerprint("grants", [2]string{tenantID, holderID})
	at, err := decodeCursor(list, cursor)
	if err != nil {
		return nil, "", err
	}
	q := db.reader(ctx).Where("tenant_id = ?", tenantID)
	if at != nil {
		holder, workflow, _ := strings.Cut(at.ID, " ")
		q = q.Where("(key_id, workflow_id) > (?, ?)", holder, workflow)
	}
	grants, err := readGrants(q, holderID, limit+1)
	if err != nil {
		return nil, "", translate(err)
	}
	// No id has a space.
	grants, next := trimPage(list, grants, limit, func(g access.Grant) position { return position{ID: g.Holder() + " " + g.WorkflowID} })
	return grants, next, nil
}

// grantsOf reads all grants of one holder, by workflow, through a session or a
// transaction.
func grantsOf(tx *gorm.DB, tenantID, holderID string) ([]access.Grant, error) {
	return readGrants(tx.Where("tenant_id = ?", tenantID), holderID, -1)
}

// readGrants returns at most limit (-1: all) of the grants that q finds, of one holder
// unless that is "", by holder and workflow.
func readGrants(q *gorm.DB, holderID string, limit int) ([]access.Grant, error) {
	if holderID != "" {
		q = q.Where("key_id = ?", holderID)
	}
	var rows []grantRow
	if err := q.Order("key_id, workflow_id").Limit(limit).Find(&rows).Error; err != nil {
		return nil, err
	}
	var grants []access.Grant
	for _, row := range rows {
		actions, err := decodeActions(row.Actions)
		if err != nil {
			return nil, err
		}
		g := access.Grant{KeyID: row.KeyID, WorkflowID: row.WorkflowID, Actions: actions}
		if isUser(row.KeyID) {
			g.KeyID, g.UserID = "", row.KeyID
		}
		grants = append(grants, g)
	}
	return grants, nil
}

// isUser reports whether a holder's id is that of a user and not of a key.
func isUser(id string) bool { return strings.HasPrefix(id, "user_") }

// holderObject returns a key or a user as the audit trail names it; key_not_found or
// user_not_found if it is not the tenant's.
func holderObject(tx *gorm.DB, tenantID, id string) (audit.Object, error) {
	if !isUser(id) {
		return keyObject(tx, tenantID, id)
	}
	u, err := findUser(tx, tenantID, id)
	return audit.Object{Kind: "user", ID: id, Slug: u.Name}, err
}
