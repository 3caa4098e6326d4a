package store

import (
	"context"
	"heddle/executor"
	"strings"

	"gorm.io/gorm"
)

// Runs lists a page of at most q.Limit runs, newest first, as of one moment.
// Each selected state is a range of its own in the index by tenant, state and
// creation; several are merged, so that a page costs the same at any size of
// the table. Total is counted only if q.WantTotal, else it is -1.
// invalid_request: the cursor belongs to another list.
func (db *DB) Runs(ctx context.Context, q executor.RunQuery) (executor.RunPage, error) {
	page := executor.RunPage{Total: -1}
	list := listFingerprint("runs", q)
	at, err := decodeCursor(list, q.Cursor)
	if err != nil {
		return page, err
	}
	if q.WorkflowIDs != nil && len(q.WorkflowIDs) == 0 {
		if q.WantTotal {
			page.Total = 0
		}
		return page, nil
	}
	return viewResult(ctx, db, func(tx *gorm.DB) (executor.RunPage, error) {
		page := executor.RunPage{Total: -1}
		if q.WantTotal {
			where := runConditions(q, nil)
			if err := tx.Raw("SELECT count(*) FROM runs WHERE "+where.sql(), where.args...).Scan(&page.Total).Error; err != nil {
				return page, err
			}
		}
		err := runPage(tx, q, list, at, &page)
		return page, err
	})
}

// runPage reads the rows of a page, from behind at (nil: from the first), with
// their inputs: the ids first, by an index, and then only the page's rows.
func runPage(tx *gorm.DB, q executor.RunQuery, list string, at *position, page *executor.RunPage) error {
	ids, args := runIDs(q, at)
	var rows []runRow
	err := tx.Raw("SELECT * FROM runs WHERE id IN ("+ids+") ORDER BY created_at DESC, id DESC", args...).Scan(&rows).Error
	if err != nil {
		return err
	}
	rows, page.Next = trimPage(list, rows, q.Limit, func(r runRow) position { return position{r.CreatedAt, r.ID} })
	if err := loadInputs(tx, rows); err != nil {
		return err
	}
	page.Runs, err = records(rows)
	return err
}

// runIDs returns the query for a page's ids: one ordered, limited branch per
// state, merged and limited again. It selects one id more than the page has, to
// see whether another page follows. An offset is applied to the merged list, so
// each branch has to be read that much further; behind a cursor it does not
// count.
func runIDs(q executor.RunQuery, at *position) (string, []any) {
	const order = " ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?"
	offset := q.Offset
	if at != nil {
		offset = 0
	}
	if len(q.States) < 2 {
		c := runConditions(q, at)
		return "SELECT id FROM (SELECT id, created_at FROM runs WHERE " + c.sql() + order + ") AS page", append(c.args, q.Limit+1, offset)
	}
	var branches []string
	var args []any
	for _, state := range q.States {
		one := q
		one.States = append(one.States[:0:0], state)
		c := runConditions(one, at)
		branches = append(branches, "SELECT * FROM (SELECT id, created_at FROM runs WHERE "+c.sql()+order+") AS b")
		args = append(append(args, c.args...), q.Limit+1+offset, 0)
	}
	merged := "SELECT id FROM (SELECT id, created_at FROM (" + strings.Join(branches, " UNION ALL ") + ") AS m" + order + ") AS page"
	return merged, append(args, q.Limit+1, offset)
}

// conditions collects what a WHERE joins with AND, and its arguments.
type conditions struct {
	texts []string
	args  []any
}

// add appends a condition, whose question marks args are for.
func (c *conditions) add(text string, args ...any) {
	c.texts = append(c.texts, text)
	c.args = append(c.args, args...)
}

// sql returns the conditions without WHERE, in the order in which they were
// added.
func (c *conditions) sql() string { return strings.Join(c.texts, " AND ") }

// runConditions returns the filters of a list of runs, and the position behind
// which it begins (nil: none). Every filter of the query belongs here and into
// the list's fingerprint.
func runConditions(q executor.RunQuery, at *position) *conditions {
	c := &conditions{}
	c.add("tenant_id = ?", q.TenantID)
	if q.WorkflowID != "" {
		c.add("workflow_id = ?", q.WorkflowID)
	}
	if q.WorkflowIDs != nil {
		c.add("workflow_id IN ?", q.WorkflowIDs)
	}
	if len(q.States) > 0 {
		c.add("state IN ?", q.States)
	}
	if q.Trigger != "" {
		c.add("trigger_kind = ?", q.Trigger)
	}
	if !q.StartedAfter.IsZero() {
		c.add("started_at > ?", millis(q.StartedAfter))
	}
	if !q.StartedBefore.IsZero() {
		// A run is created before it starts: the second bound uses the index.
		c.add("started_at > 0 AND started_at < ? AND created_at <= ?", millis(q.StartedBefore), millis(q.StartedBefore))
	}
	if at != nil {
		c.add("(created_at, id) < (?, ?)", at.Key, at.ID)
	}
	return c
}
