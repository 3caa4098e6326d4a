package store

import (
	"cmp"
	"context"
	"heddle/access"
	"heddle/audit"
	"heddle/internal/elements"
	"slices"
	"strings"

	"gorm.io/gorm"
)

// auditWalk is how many entries one page looks at, at most, where its filters are not all
// bounds of an index (ADR 15).
const auditWalk = 1000

// auditList is a page of the trail as it is read: ranges of an index, which together hold
// what the query may match, and what is left to be tested on each entry.
type auditList struct {
	query  access.AuditQuery
	column string // of the index: object, actor or action; "": the tenant's
	values []string
	tests  []func(auditRow) bool
}

// Audit lists at most q.Limit entries, newest first, and returns the cursor behind them, ""
// at the end. It reads a range of the index by tenant and time, or of that by object, actor
// or action. Further filters are tested on the entries, of which a page looks at auditWalk
// at most: it may be short, or empty, though more follow.
func (db *DB) Audit(ctx context.Context, q access.AuditQuery) ([]audit.Entry, string, error) {
	fingerprint := listFingerprint("audit", q)
	at, err := decodeCursor(fingerprint, q.Cursor)
	if err != nil {
		return nil, "", err
	}
	list, err := db.planAudit(ctx, q)
	if err != nil {
		return nil, "", err
	}
	looks := q.Limit
	if len(list.tests) > 0 {
		looks = auditWalk
	}
	rows, err := list.read(db.reader(ctx), at, looks+1)
	if err != nil {
		return nil, "", translate(err)
	}
	page, next := list.page(fingerprint, rows, looks)
	return elements.Map(page, auditRow.entry), next, nil
}

// planAudit chooses the index that a query reads: the rarest of its filters, an object
// before an actor before an action. The others become tests.
func (db *DB) planAudit(ctx context.Context, q access.AuditQuery) (auditList, error) {
	l := auditList{query: q}
	if q.Object != "" {
		objects, err := db.auditObjects(ctx, q.TenantID, q.Object)
		if err != nil {
			return l, err
		}
		slices.Sort(objects)
		l.column, l.values = "object", slices.Compact(objects)
	}
	for _, filter := range []struct {
		column, value string
		of            func(auditRow) string
	}{
		{"actor", q.Actor, func(r auditRow) string { return r.Actor }},
		{"action", q.Action, func(r auditRow) string { return r.Action }},
	} {
		switch {
		case filter.value == "":
		case l.column == "":
			l.column, l.values = filter.column, []string{filter.value}
		default:
			l.tests = append(l.tests, func(r auditRow) bool { return filter.of(r) == filter.value })
		}
	}
	if q.ObjectPrefix != "" {
		l.tests = append(l.tests, func(r auditRow) bool { return strings.HasPrefix(r.Object, q.ObjectPrefix) })
	}
	if q.Text != "" {
		wanted := searchText(q.Text)
		l.tests = append(l.tests, func(r auditRow) bool {
			return strings.Contains(searchText(r.Actor, r.ActorID, r.Action, r.Object, r.ObjectSlug, r.Reason, r.Detail, r.RequestID), wanted)
		})
	}
	return l, nil
}

// read returns at most limit entries behind a position, newest first, of all ranges.
func (l auditList) read(tx *gorm.DB, at *position, limit int) ([]auditRow, error) {
	if l.column == "" {
		return l.readRange(tx.Where("tenant_id = ?", l.query.TenantID), at, limit)
	}
	var all []auditRow
	for _, value := range l.values {
		rows, err := l.readRange(tx.Where("tenant_id = ? AND "+l.column+" = ?", l.query.TenantID, value), at, limit)
		if err != nil {
			return nil, err
		}
		all = append(all, rows...)
	}
	if len(l.values) > 1 {
		slices.SortFunc(all, func(a, b auditRow) int { return cmp.Or(cmp.Compare(b.At, a.At), cmp.Compare(b.ID, a.ID)) })
	}
	return all[:min(len(all), limit)], nil
}

// readRange reads at most limit entries of a range, within the times of the query.
func (l auditList) readRange(tx *gorm.DB, at *position, limit int) ([]auditRow, error) {
	if !l.query.From.IsZero() {
		tx = tx.Where("at >= ?", millis(l.query.From))
	}
	if !l.query.To.IsZero() {
		tx = tx.Where("at < ?", millis(l.query.To))
	}
	var rows []auditRow
	err := newestFirst(tx, "at", "id", at).Limit(limit).Find(&rows).Error
	return rows, err
}

// page returns the first q.Limit of the rows that pass the tests, and the cursor behind the
// last one that was looked at. rows has one more than looks where more follow.
func (l auditList) page(fingerprint string, rows []auditRow, looks int) (page []auditRow, next string) {
	rows, next = trimPage(fingerprint, rows, looks, auditPosition)
	for i, r := range rows {
		if slices.ContainsFunc(l.tests, func(test func(auditRow) bool) bool { return !test(r) }) {
			continue
		}
		if page = append(page, r); len(page) == l.query.Limit && i < len(rows)-1 {
			return page, encodeCursor(fingerprint, auditPosition(r))
		}
	}
	return page, next
}

// auditPosition returns where an entry stands in the trail.
func auditPosition(r auditRow) position { return position{r.At, r.ID} }
