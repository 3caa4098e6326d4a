package store

import (
	"context"
	"heddle/executor"
	"heddle/executor/machine"
	"slices"

	"gorm.io/gorm"
)

// Runs lists a page of at most q.Limit runs, newest first, as of one moment: by
// creation, or by start where the query bounds that. It is a merge of ranges, see
// runRange. Total is counted only if q.WantTotal, else it is -1. invalid_request:
// the cursor belongs to another list.
func (db *DB) Runs(ctx context.Context, q executor.RunQuery) (executor.RunPage, error) {
	order := runOrder{after: millis(q.StartedAfter), before: millis(q.StartedBefore)}
	order.byStart = order.after != 0 || order.before != 0
	kind := "runs"
	if order.byStart {
		kind = "runs by start"
	}
	page, list := executor.RunPage{Total: -1}, listFingerprint(kind, q)
	at, err := decodeCursor(list, q.Cursor)
	if err != nil {
		return page, err
	}
	workflowIDs := workflowsOf(q)
	if workflowIDs != nil && len(workflowIDs) == 0 {
		if q.WantTotal {
			page.Total = 0
		}
		return page, nil
	}
	return viewResult(ctx, db, func(tx *gorm.DB) (executor.RunPage, error) {
		page := executor.RunPage{Total: -1}
		l := rangeList{tenantID: q.TenantID, order: order}
		var err error
		if l.ranges, err = findRanges(tx, q.TenantID, workflowIDs); err != nil {
			return page, err
		}
		l.ranges = slices.DeleteFunc(l.ranges, func(r runRange) bool {
			return len(q.States) > 0 && !slices.Contains(q.States, machine.State(r.State)) || q.Trigger != "" && r.Trigger != q.Trigger
		})
		if q.WantTotal {
			if page.Total, err = l.total(tx, workflowIDs, q); err != nil {
				return page, err
			}
		}
		l.order.at = at
		err = runPage(tx, l, q, list, &page)
		return page, err
	})
}

// total returns how many runs the list has: by the kept counters, which cost the same
// at any length. Between bounds of the start the runs are counted.
func (l rangeList) total(tx *gorm.DB, workflowIDs []string, q executor.RunQuery) (int, error) {
	if !l.order.byStart {
		return countedTotal(tx, q.TenantID, workflowIDs, q.States, q.Trigger)
	}
	n, err := l.sums(tx, "count(*)")
	if err != nil {
		return 0, err
	}
	return int(n[0]), nil
}

// workflowsOf returns the workflows whose runs a query lists: those that it may
// show, and of them the one that it selects; nil: all of the tenant's.
func workflowsOf(q executor.RunQuery) []string {
	switch {
	case q.WorkflowID == "":
		return q.WorkflowIDs
	case q.WorkflowIDs != nil && !slices.Contains(q.WorkflowIDs, q.WorkflowID):
		return []string{}
	}
	return []string{q.WorkflowID}
}

// runPage reads a page's rows, with their inputs: the places first, by the indexes
// alone, and then only the rows of the page. It reads one place more than the page
// has, to see whether another page follows. An offset does not count behind a
// cursor; it costs reading what is skipped.
func runPage(tx *gorm.DB, l rangeList, q executor.RunQuery, list string, page *executor.RunPage) error {
	offset := q.Offset
	if l.order.at != nil {
		offset = 0
	}
	places, err := l.positions(tx, offset+q.Limit+1)
	if err != nil {
		return err
	}
	places = places[min(offset, len(places)):]
	places, page.Next = trimPage(list, places, q.Limit, func(p position) position { return p })
	rows, err := runRows(tx, idsOf(places))
	if err != nil {
		return err
	}
	if err := loadInputs(tx, rows); err != nil {
		return err
	}
	page.Runs, err = records(rows)
	return err
}

// idsOf returns the ids of places, in their order.
func idsOf(places []position) []string {
	ids := make([]string, len(places))
	for i, p := range places {
		ids[i] = p.ID
	}
	return ids
}
