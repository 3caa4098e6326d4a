package store

import (
	"context"

	"gorm.io/gorm"

	"heddle/access"
)

// auditRow is a row of audit_entries.
type auditRow struct {
	ID        string `gorm:"primaryKey"`
	TenantID  string
	Actor     string
	ActorID   string
	Action    string
	Object    string
	RequestID string
	At        int64
}

func (auditRow) TableName() string { return "audit_entries" }

// AppendAudit adds one line to the trail; nothing ever changes or removes one.
func (db *DB) AppendAudit(ctx context.Context, e access.AuditEntry) error {
	return db.change(ctx, func(tx *gorm.DB) error {
		row := auditRow{e.ID, e.TenantID, e.Actor, e.ActorID, e.Action, e.Object, e.RequestID, millis(e.At)}
		return tx.Create(&row).Error
	})
}

// Audit lists entries, newest first.
func (db *DB) Audit(ctx context.Context, q access.AuditQuery) ([]access.AuditEntry, string, error) {
	list := listOf("audit", q.TenantID, q.Actor, q.Action, q.Object)
	at, err := decodeCursor(list, q.Cursor)
	if err != nil {
		return nil, "", err
	}
	tx := db.reader(ctx).Where("tenant_id = ?", q.TenantID)
	for _, filter := range []struct{ where, value string }{
		{"actor = ?", q.Actor}, {"action = ?", q.Action}, {"object = ?", q.Object},
	} {
		if filter.value != "" {
			tx = tx.Where(filter.where, filter.value)
		}
	}
	if at != nil {
		tx = tx.Where("(at, id) < (?, ?)", at.Key, at.ID)
	}
	var rows []auditRow
	if err := tx.Order("at DESC, id DESC").Limit(q.Limit + 1).Find(&rows).Error; err != nil {
		return nil, "", translate(err)
	}
	rows, next := cutPage(list, rows, q.Limit, func(r auditRow) position { return position{r.At, r.ID} })
	entries := make([]access.AuditEntry, len(rows))
	for i, r := range rows {
		entries[i] = access.AuditEntry{
			ID: r.ID, TenantID: r.TenantID, Actor: r.Actor, ActorID: r.ActorID,
			Action: r.Action, Object: r.Object, RequestID: r.RequestID, At: instant(r.At),
		}
	}
	return entries, next, nil
}
