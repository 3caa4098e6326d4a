package store

import (
	"context"
	"heddle/definitions/workflows"
	"strings"

	"gorm.io/gorm"
)

// Workflows lists a page, last changed first or by name, as of one moment. A workflow that
// changes between two pages moves to the front and may be missed or seen twice.
// Total is counted only if q.WantTotal, else it is -1. q.IDs restricts the
// list; nil: no restriction, empty: nothing is listed. q.Offset counts only
// without a cursor. invalid_request (Malformed): the cursor belongs to another
// list.
func (db *DB) Workflows(ctx context.Context, q workflows.Query) (workflows.Page, error) {
	page := workflows.Page{Total: -1}
	list := listFingerprint("workflows", q)
	at, err := decodeCursor(list, q.Cursor)
	if err != nil || (q.IDs != nil && len(q.IDs) == 0) {
		return emptyPage(page, q), err
	}
	if walked(q) {
		return db.walkedWorkflows(ctx, q, list, at)
	}
	if q.Text != "" {
		return db.search(ctx, q, list, at)
	}
	return viewResult(ctx, db, func(tx *gorm.DB) (workflows.Page, error) { return scannedPage(tx, q, list, at) })
}

// search lists a page of a query by text: from the tenant's index in memory where it has
// one, as of the same moment as the rows.
func (db *DB) search(ctx context.Context, q workflows.Query, list string, at *position) (workflows.Page, error) {
	type result struct {
		page   workflows.Page
		index  *searchIndex
		change int64
	}
	r, err := viewResult(ctx, db, func(tx *gorm.DB) (r result, err error) {
		if r.index, r.change, err = db.searches.indexIn(ctx, tx, q.TenantID); err != nil {
			return r, err
		}
		if r.index == nil {
			r.page, err = scannedPage(tx, q, list, at)
			return r, err
		}
		r.page, err = searchPage(tx, r.index, q, list, at)
		return r, err
	})
	if err == nil && r.index != nil {
		db.searches.put(q.TenantID, r.index, r.change)
	}
	return r.page, err
}

// scannedPage lists a page of any query by the tables alone.
func scannedPage(tx *gorm.DB, q workflows.Query, list string, at *position) (workflows.Page, error) {
	page := workflows.Page{Total: -1}
	if err := countIfWanted(workflowFilter(tx, q), q.WantTotal, &page.Total); err != nil {
		return page, err
	}
	err := workflowPage(tx, q, list, at, &page)
	return page, err
}

// emptyPage is the page of a list in which nothing can be: its total is known
// without a query.
func emptyPage(page workflows.Page, q workflows.Query) workflows.Page {
	if q.WantTotal {
		page.Total = 0
	}
	return page
}

// workflowPage reads one row more than the page has, to see whether another
// page follows. list is the fingerprint for the next cursor, at the place behind
// which the page begins (nil: the beginning). Rows are added to page.
func workflowPage(tx *gorm.DB, q workflows.Query, list string, at *position, page *workflows.Page) error {
	key, id := "w.updated_at", "w.id"
	if q.Tag != "" {
		key, id = "t.updated_at", "t.workflow_id"
	}
	rowsOf := newestFirst(workflowFilter(tx, q).Select("w.*"), key, id, at).Limit(q.Limit + 1)
	if at == nil {
		rowsOf = rowsOf.Offset(q.Offset)
	}
	var rows []workflowRow
	if err := rowsOf.Scan(&rows).Error; err != nil {
		return err
	}
	rows, page.Next = trimPage(list, rows, q.Limit, func(r workflowRow) position { return position{r.UpdatedAt, r.ID} })
	for _, row := range rows {
		w, err := row.workflow()
		if err != nil {
			return err
		}
		page.Workflows = append(page.Workflows, w)
	}
	return nil
}

// workflowFilter selects the rows of a query. With a tag it begins at the tag's
// own list, which has the same order, so that a page costs the same however
// rare the tag is. A search by text reads the tenant's rows one by one, as no index
// serves a match within a text: it is for tenants that have no index in memory.
func workflowFilter(tx *gorm.DB, q workflows.Query) *gorm.DB {
	f := tx.Table("workflows AS w")
	if q.Tag != "" {
		f = tx.Table("workflow_tags AS t").Joins("JOIN workflows AS w ON w.id = t.workflow_id").
			Where("t.tenant_id = ? AND t.tag = ?", q.TenantID, q.Tag)
	}
	f = f.Where("w.tenant_id = ? AND w.deleted = 0", q.TenantID)
	if q.IDs != nil {
		f = f.Where("w.id IN ?", q.IDs)
	}
	if q.Status != "" {
		f = f.Where("w.status = ?", string(q.Status))
	}
	if q.TriggerType != "" {
		f = f.Where("w.trigger_type = ?", q.TriggerType)
	}
	if q.Text != "" {
		f = f.Where(`w.folded LIKE ? ESCAPE '\'`, "%"+likeEscaper.Replace(searchText(q.Text))+"%")
	}
	return f
}

// likeEscaper makes a text literal within LIKE … ESCAPE '\'.
var likeEscaper = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)
