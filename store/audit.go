package store

import (
	"context"
	"heddle/audit"
	"strings"

	"gorm.io/gorm"
)

// auditRow is a row of audit_entries; nothing ever changes or removes one.
type auditRow struct {
	ID       string `gorm:"primaryKey"`
	TenantID string
	// Actor is the actor's name as it was then, ActorID stays the same when it changes.
	Actor     string
	ActorType string
	ActorID   string
	Action    string
	// Object is kind:id; in entries of earlier versions it may be kind:slug.
	Object string
	// ObjectSlug is the object's slug as it was then; "": it had none, or the entry is
	// of an earlier version.
	ObjectSlug string
	RequestID  string
	Reason     string
	// Detail is JSON, "": none.
	Detail string
	At     int64
}

func (auditRow) TableName() string { return "audit_entries" }

// toAuditRow encodes an entry; auditRow.entry is its inverse.
func toAuditRow(e audit.Entry) auditRow {
	return auditRow{
		ID: e.ID, TenantID: e.TenantID, Actor: e.Actor, ActorType: e.ActorType, ActorID: e.ActorID, Action: e.Action,
		Object: e.Object, ObjectSlug: e.ObjectSlug, RequestID: e.RequestID, Reason: e.Reason, Detail: string(e.Detail), At: millis(e.At),
	}
}

// entry decodes a row.
func (r auditRow) entry() audit.Entry {
	return audit.Entry{
		ID: r.ID, TenantID: r.TenantID, Actor: r.Actor, ActorType: r.ActorType, ActorID: r.ActorID, Action: r.Action,
		Object: r.Object, ObjectSlug: r.ObjectSlug, RequestID: r.RequestID, Reason: r.Reason, Detail: raw(r.Detail), At: fromMillis(r.At),
	}
}

// AppendAudit adds one entry to the trail in a transaction of its own, for what
// changes nothing else in the store.
func (db *DB) AppendAudit(ctx context.Context, e audit.Entry) error {
	return db.update(ctx, func(tx *gorm.DB) error {
		row := toAuditRow(e)
		return tx.Create(&row).Error
	})
}

// writeAudit adds the entry of the request for which a change is made
// (audit.Trail, in the transaction's context) to that change: both are durable
// or neither. Without a request there is nothing to add. detail becomes JSON;
// nil: none. It is called last, with what was written.
func writeAudit(tx *gorm.DB, o audit.Object, detail any) error {
	t := audit.TrailFrom(tx.Statement.Context)
	e, wanted, err := t.NewEntry(o, detail)
	if err != nil || !wanted {
		return err
	}
	row := toAuditRow(e)
	if err := tx.Create(&row).Error; err != nil {
		return err
	}
	t.MarkWritten() // if the transaction fails, so does the request
	return nil
}

// insertAuditSQL inserts an entry in a group commit.
var insertAuditSQL = inBothDialects("INSERT INTO audit_entries (id, tenant_id, actor, actor_type, actor_id, action, object, object_slug, request_id, reason, detail, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")

// insertAuditEntries adds the entries of the requests for which a group of
// writes is made, in the same transaction. None cost nothing.
func insertAuditEntries(tx groupTx, lines []audit.Entry) error {
	list := make([]statement, len(lines))
	for i, e := range lines {
		r := toAuditRow(e)
		list[i] = statement{insertAuditSQL, []any{
			r.ID, r.TenantID, r.Actor, r.ActorType, r.ActorID, r.Action, r.Object, r.ObjectSlug, r.RequestID, r.Reason, r.Detail, r.At,
		}}
	}
	_, err := execStatements(tx, list)
	return err
}

// slugHolderSQL finds the object of a kind that had a slug last, by the index on
// slugs.
const slugHolderSQL = "SELECT object FROM audit_entries WHERE tenant_id = ? AND object_slug = ? AND object_slug <> '' AND object LIKE ? ORDER BY at DESC, id DESC LIMIT 1"

// auditObjects returns the names under which entries about an object stand:
// given itself, as entries of earlier versions have it, and where that is
// kind:slug the id of the object that had the slug last. A deleted object gets
// no more entries, so that is the present one where there is one.
func (db *DB) auditObjects(ctx context.Context, tenantID, given string) ([]string, error) {
	kind, slug, ok := strings.Cut(given, ":")
	if !ok || slug == "" || strings.ContainsAny(kind, `%\`) {
		return []string{given}, nil
	}
	var holder []string
	err := db.reader(ctx).Raw(slugHolderSQL, tenantID, slug, kind+":%").Scan(&holder).Error
	return append(holder, given), translate(err)
}

// workflowState is what the trail says of a workflow before or after a change.
type workflowState struct {
	Version int    `json:"version"` // the active one
	Hash    string `json:"hash"`
	Status  string `json:"status"`
}

// workflowChange is the detail of an entry about a workflow.
type workflowChange struct {
	From  *workflowState `json:"from,omitempty"`
	To    *workflowState `json:"to,omitempty"`
	Saved *savedVersion  `json:"saved,omitempty"` // the version that was made
	Label *labelChange   `json:"label,omitempty"`
	// SourceChanged: the text of the latest version is another, its definition is not.
	SourceChanged bool `json:"source_changed,omitempty"`
}

// savedVersion names a version that a change made or labelled.
type savedVersion struct {
	Version int    `json:"version"`
	Hash    string `json:"hash"`
}

// labelChange is a version whose label was From and is To; "": none.
type labelChange struct {
	savedVersion
	From string `json:"from"`
	To   string `json:"to"`
}

// valueChange is the detail of an entry about a change of one value.
type valueChange struct {
	From any `json:"from,omitempty"`
	To   any `json:"to,omitempty"`
}
