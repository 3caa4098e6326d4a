package store

import (
	"context"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/fault"
	"slices"

	"gorm.io/gorm"
)

// Runs lists a page of at most q.Limit runs, as of one moment, in the order of q: see
// executor.RunQuery. It is a merge of ranges (runRange) where these bound all filters, and
// otherwise a walk over a bounded part of the list (runWalk), whose page may be short
// though more follow. Total is counted only if q.WantTotal and the counters have it, else
// it is -1. invalid_request: the cursor belongs to another list, or an offset is given with
// filters that are no ranges.
func (db *DB) Runs(ctx context.Context, q executor.RunQuery) (executor.RunPage, error) {
	order, kind := orderOf(q)
	list := listFingerprint(kind, q)
	at, err := decodeCursor(list, q.Cursor)
	if err != nil {
		return executor.RunPage{Total: -1}, err
	}
	order.at = at
	return viewResult(ctx, db, func(tx *gorm.DB) (executor.RunPage, error) {
		page, places, err := placesOf(tx, q, db.walk, order, list)
		if err != nil {
			return page, err
		}
		return page, loadPage(tx, places, &page)
	})
}

// orderOf returns the order that a query has, and the kind of list that it is.
func orderOf(q executor.RunQuery) (runOrder, string) {
	// Where there is a bound, the next millisecond.
	after := func(bound int64) int64 {
		if bound == 0 {
			return 0
		}
		return bound + 1
	}
	switch {
	case q.Order == executor.EndedFirst:
		return runOrder{by: byEnd, from: after(millis(q.EndedAfter)), before: millis(q.EndedBefore)}, "runs by end"
	case q.Order == executor.LongestFirst:
		return runOrder{by: byDuration, from: q.MinDuration.Milliseconds(), before: after(q.MaxDuration.Milliseconds())}, "runs by duration"
	case !q.StartedAfter.IsZero() || !q.StartedBefore.IsZero():
		return runOrder{by: byStart, from: after(millis(q.StartedAfter)), before: millis(q.StartedBefore)}, "runs by start"
	}
	return runOrder{ascending: q.Order == executor.OldestFirst, from: after(millis(q.CreatedAfter)), before: millis(q.CreatedBefore)}, "runs"
}

// placesOf returns the places of a page's runs, the cursor of the next one and, where it is
// wanted and kept, the total.
func placesOf(tx *gorm.DB, q executor.RunQuery, limits walkLimits, o runOrder, list string) (page executor.RunPage, places []position, err error) {
	page.Total = -1
	f, err := filterOf(tx, q, limits)
	if err != nil {
		return page, nil, err
	}
	if f.nothing() {
		if q.WantTotal {
			page.Total = 0
		}
		return page, nil, nil
	}
	if f.walked(o) {
		if q.Offset > 0 {
			return page, nil, fault.New(fault.Malformed, "invalid_request", "offset goes with the filters status, workflow and trigger alone; use the cursor.")
		}
		places, next, err := f.page(tx, o, q.Limit)
		if err == nil && next != nil {
			page.Next = encodeCursor(list, *next)
		}
		return page, places, err
	}
	m, err := f.ranges(tx, o)
	if err != nil {
		return page, nil, err
	}
	if q.WantTotal {
		if page.Total, err = f.total(tx, m); err != nil {
			return page, nil, err
		}
	}
	// An offset does not count behind a cursor; it costs reading what is skipped. One place
	// more than the page has shows whether another page follows.
	offset := q.Offset
	if o.at != nil {
		offset = 0
	}
	places, err = m.positions(tx, offset+q.Limit+1)
	if err != nil {
		return page, nil, err
	}
	places = places[min(offset, len(places)):]
	places, page.Next = trimPage(list, places, q.Limit, func(p position) position { return p })
	return page, places, nil
}

// total returns how many runs a list has that is a merge of ranges: by the kept counters,
// which cost the same at any length. Between bounds of the start the runs are counted; of
// lists in other orders and between other bounds it is not known, -1.
func (f *runFilter) total(tx *gorm.DB, m runMerge) (int, error) {
	switch o := m.order; {
	case o.by == byCreation && o.from == 0 && o.before == 0:
		return countedTotal(tx, f.q.TenantID, f.workflows, f.q.States, f.q.Triggers)
	case o.by != byStart:
		return -1, nil
	}
	m.order.at = nil
	n, err := m.sums(tx, "count(*)")
	if err != nil {
		return 0, err
	}
	return int(n[0]), nil
}

// loadPage reads the rows of places, with their inputs.
func loadPage(tx *gorm.DB, places []position, page *executor.RunPage) error {
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

// ranges returns the list as a merge of the ranges that its filters select.
func (f *runFilter) ranges(tx *gorm.DB, o runOrder) (runMerge, error) {
	ranges, err := findRanges(tx, f.q.TenantID, f.workflows, o)
	ranges = slices.DeleteFunc(ranges, func(r runRange) bool {
		return len(f.q.States) > 0 && !slices.Contains(f.q.States, machine.State(r.State)) ||
			len(f.q.Triggers) > 0 && !slices.Contains(f.q.Triggers, r.Trigger)
	})
	return mergeOf(tx, f.q.TenantID, ranges, o), err
}
