package store

import (
	"container/list"
	"context"
	"heddle/definitions/workflows"
	"sync"

	"gorm.io/gorm"
)

// searchMemoryLimit bounds what the search indexes of all tenants take together, in
// bytes: about 300,000 workflows. A tenant that needs more by itself is searched in the
// database.
const searchMemoryLimit = 64 << 20

// searchMemory holds search indexes of the tenants that were searched last. It is safe
// for concurrent use.
type searchMemory struct {
	// loading is held by the one search that reads all texts of a tenant.
	loading chan struct{}
	limit   int // bytes of all indexes

	mu      sync.Mutex               // guards the fields below
	tenants map[string]*list.Element // of searched, by tenant
	recent  *list.List               // of *searched, the last searched first
	bytes   int
}

// searched is a tenant's newest index; nil: it was too large as of the change.
type searched struct {
	tenantID string
	index    *searchIndex
	change   int64
}

// retryTooLarge is how many changes later a tenant that was too large is read again.
const retryTooLarge = 1000

// newSearchMemory returns an empty memory.
func newSearchMemory(limit int) *searchMemory {
	return &searchMemory{loading: make(chan struct{}, 1), limit: limit, tenants: make(map[string]*list.Element), recent: list.New()}
}

// get returns the newest index of a tenant, nil if there is none. tooLarge: it was not
// kept, as of the change with that number.
func (m *searchMemory) get(tenantID string) (index *searchIndex, tooLarge bool, change int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	at, ok := m.tenants[tenantID]
	if !ok {
		return nil, false, 0
	}
	m.recent.MoveToFront(at)
	s := at.Value.(*searched) //nolint:forcetypeassert // the list holds nothing else
	return s.index, s.index == nil, s.change
}

// put keeps an index (nil: too large) of a tenant, unless it has a newer one, and drops
// those that were not searched for the longest time while all are too large together.
func (m *searchMemory) put(tenantID string, index *searchIndex, change int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if at, ok := m.tenants[tenantID]; ok {
		if at.Value.(*searched).change >= change { //nolint:forcetypeassert // see get
			return
		}
		m.drop(at)
	}
	if index != nil {
		if index.bytes > m.limit {
			index = nil
		} else {
			m.bytes += index.bytes
		}
	}
	m.tenants[tenantID] = m.recent.PushFront(&searched{tenantID, index, change})
	for m.bytes > m.limit {
		m.drop(m.recent.Back())
	}
}

// drop forgets a tenant. mu must be held.
func (m *searchMemory) drop(at *list.Element) {
	s := m.recent.Remove(at).(*searched) //nolint:forcetypeassert // see get
	delete(m.tenants, s.tenantID)
	if s.index != nil {
		m.bytes -= s.index.bytes
	}
}

// numberChange gives a workflow the next number of its tenant's changes. It is called
// last in each transaction that changes what searches know of a workflow: the tenant's
// number is locked to the end, so that whoever sees a number sees all changes up to it.
func numberChange(tx *gorm.DB, row workflowRow) error {
	var n int64
	err := tx.Raw("INSERT INTO workflow_changes (tenant_id, n) VALUES (?, 1) ON CONFLICT (tenant_id) DO UPDATE SET n = workflow_changes.n + 1 RETURNING n",
		row.TenantID).Scan(&n).Error
	if err != nil {
		return err
	}
	return tx.Exec("UPDATE workflows SET change_number = ? WHERE id = ?", n, row.ID).Error
}

// searchColumns are what an index is made of.
const searchColumns = "id, updated_at, status, trigger_type, tags, folded, deleted"

// indexIn returns the index of a tenant as of tx's snapshot, and the number of the change
// that it is of: from memory with what has changed since. nil: the tenant is too large, or
// another search has read a later state meanwhile. Nothing is kept, see searchMemory.put.
func (m *searchMemory) indexIn(ctx context.Context, tx *gorm.DB, tenantID string) (*searchIndex, int64, error) {
	// Before the snapshot's first read: then what is known is of this snapshot or older.
	known, tooLarge, at := m.get(tenantID)
	var change int64
	if err := tx.Raw("SELECT n FROM workflow_changes WHERE tenant_id = ?", tenantID).Scan(&change).Error; err != nil {
		return nil, 0, err
	}
	switch {
	case tooLarge && change < at+retryTooLarge:
		return nil, at, nil
	case known == nil:
		return m.load(ctx, tx, tenantID, change)
	}
	index, err := refreshed(tx, tenantID, known, change)
	return index, change, err
}

// refreshed returns an index with what has changed up to a change; nil if it is of a
// later one.
func refreshed(tx *gorm.DB, tenantID string, known *searchIndex, change int64) (*searchIndex, error) {
	if known.change >= change {
		if known.change > change {
			return nil, nil
		}
		return known, nil
	}
	var rows []workflowRow
	err := tx.Raw("SELECT "+searchColumns+" FROM workflows WHERE tenant_id = ? AND change_number > ?", tenantID, known.change).Scan(&rows).Error
	if err != nil {
		return nil, err
	}
	return known.with(rows, change)
}

// load reads all texts of a tenant, one search at a time: those that wait find what the
// one before has read.
func (m *searchMemory) load(ctx context.Context, tx *gorm.DB, tenantID string, change int64) (*searchIndex, int64, error) {
	select {
	case m.loading <- struct{}{}:
	case <-ctx.Done():
		return nil, 0, ctx.Err()
	}
	defer func() { <-m.loading }()
	if known, _, _ := m.get(tenantID); known != nil {
		index, err := refreshed(tx, tenantID, known, change)
		return index, change, err
	}
	rows, err := tx.Raw("SELECT "+searchColumns+" FROM workflows WHERE tenant_id = ? AND deleted = 0 ORDER BY updated_at DESC, id DESC", tenantID).Rows()
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = rows.Close() }() // Err has what matters
	x := &searchIndex{change: change}
	for rows.Next() {
		var r workflowRow
		if err := rows.Scan(&r.ID, &r.UpdatedAt, &r.Status, &r.TriggerType, &r.Tags, &r.Folded, &r.Deleted); err != nil {
			return nil, 0, err
		}
		e, err := newSearchEntry(r)
		if err != nil {
			return nil, 0, err
		}
		x.entries = append(x.entries, e)
		if x.bytes += e.size(); x.bytes > m.limit {
			x = nil
			break
		}
	}
	if err := rows.Err(); err != nil {
		return nil, 0, err
	}
	// Kept within the turn, so that the next one finds it; it is of a committed state.
	m.put(tenantID, x, change)
	return x, change, nil
}

// searchPage reads a page of a search: places and total from the index, the rows of the
// page from the database, both of tx's snapshot.
func searchPage(tx *gorm.DB, x *searchIndex, q workflows.Query, list string, at *position) (workflows.Page, error) {
	page := workflows.Page{Total: -1}
	offset := q.Offset
	if at != nil {
		offset = 0
	}
	places, total := x.find(q, at, offset, q.Limit+1)
	if q.WantTotal {
		page.Total = total
	}
	places, page.Next = trimPage(list, places, q.Limit, func(p position) position { return p })
	var rows []workflowRow
	if err := tx.Where("id IN ?", idsOf(places)).Find(&rows).Error; err != nil {
		return page, err
	}
	byID := make(map[string]workflowRow, len(rows))
	for _, r := range rows {
		byID[r.ID] = r
	}
	for _, p := range places {
		w, err := byID[p.ID].workflow()
		if err != nil {
			return page, err
		}
		page.Workflows = append(page.Workflows, w)
	}
	return page, nil
}
