package store

import (
	"context"
	"heddle/schedules"

	"gorm.io/gorm"
)

// Schedules lists a page as of one moment, by a constant number of reads. Total is -1 unless
// q.WantTotal and an index has all filters.
func (db *DB) Schedules(ctx context.Context, q schedules.Query) (schedules.Page, error) {
	list := listFingerprint("schedules", q)
	at, err := decodeCursor(list, q.Cursor)
	if err != nil {
		return schedules.Page{}, err
	}
	return viewResult(ctx, db, func(tx *gorm.DB) (schedules.Page, error) {
		page, f := schedules.Page{Total: -1}, scheduleFilter{q, defaultWalk}
		if err := countIfWanted(schedulesOf(tx, q), q.WantTotal && !f.tests(), &page.Total); err != nil {
			return page, err
		}
		ids, next, err := f.page(tx, at)
		if err != nil {
			return page, err
		}
		if next != nil {
			page.Next = encodeCursor(list, *next)
		}
		return page, fillSchedules(tx, ids, &page)
	})
}

// fillSchedules reads the schedules with these ids into a page, in their order.
func fillSchedules(tx *gorm.DB, ids []string, page *schedules.Page) error {
	if len(ids) == 0 {
		return nil
	}
	var rows []struct {
		Row        scheduleRow `gorm:"embedded"`
		Slug, Name string
	}
	err := tx.Raw("SELECT s.*, w.slug, w.name FROM schedules AS s JOIN workflows AS w ON w.id = s.workflow_id WHERE s.id IN ?", ids).Scan(&rows).Error
	if err != nil {
		return err
	}
	last, runs, err := lastSlots(tx, ids)
	if err != nil {
		return err
	}
	place := make(map[string]int, len(ids))
	for i, id := range ids {
		place[id] = i
	}
	page.Schedules, page.Overviews, page.Runs = make([]schedules.Schedule, len(rows)), make([]schedules.Overview, len(rows)), runs
	for _, r := range rows {
		i := place[r.Row.ID]
		page.Schedules[i] = r.Row.schedule()
		page.Overviews[i] = schedules.Overview{Workflow: schedules.WorkflowName{ID: r.Row.WorkflowID, Slug: r.Slug, Name: r.Name}, Last: last[r.Row.ID]}
	}
	return nil
}

// schedulesOf selects the rows of a query by what indexes have, in the order of creation: beside
// a workflow the status is tested on rows. WorkflowIDs nil: no restriction.
func schedulesOf(tx *gorm.DB, q schedules.Query) *gorm.DB {
	which := tx.Model(&scheduleRow{}).Where("tenant_id = ? AND deleted = 0", q.TenantID)
	if q.WorkflowID != "" {
		which = which.Where("workflow_id = ?", q.WorkflowID)
	}
	if q.WorkflowIDs != nil {
		which = which.Where("workflow_id IN ?", q.WorkflowIDs)
	}
	if q.Status != "" && q.WorkflowID == "" {
		which = which.Where("status = ?", string(q.Status))
	}
	return which
}

// Slots lists a page of a schedule's ledger, latest due time first, as of one
// moment. Total is -1 unless q.WantTotal.
func (db *DB) Slots(ctx context.Context, q schedules.SlotQuery) (schedules.SlotPage, error) {
	list := listFingerprint("slots", q)
	at, err := decodeCursor(list, q.Cursor)
	if err != nil {
		return schedules.SlotPage{}, err
	}
	return viewResult(ctx, db, func(tx *gorm.DB) (schedules.SlotPage, error) {
		page := schedules.SlotPage{Total: -1}
		reaching, err := reachBack(tx, q)
		if err != nil {
			return page, err
		}
		if err := countIfWanted(slotsOf(tx, reaching), q.WantTotal, &page.Total); err != nil {
			return page, err
		}
		var rows []slotRow
		err = newestFirst(tx, "due_at", "origin", nil).Where("schedule_id = ? AND (due_at, origin) IN (?)", q.ScheduleID, slotPage(tx, reaching, at)).Find(&rows).Error
		rows, page.Next = trimPage(list, rows, q.Limit, func(r slotRow) position { return position{r.DueAt, r.Origin} })
		for _, row := range rows {
			page.Slots = append(page.Slots, row.slot())
		}
		if err == nil {
			page.Runs, err = slotRuns(tx, rows)
		}
		return page, err
	})
}

// reachBack returns the query with its beginning moved back to the line before it, where that
// stands for due times up to the beginning or later. Lines of the expression itself follow each
// other.
func reachBack(tx *gorm.DB, q schedules.SlotQuery) (schedules.SlotQuery, error) {
	if q.From.IsZero() {
		return q, nil
	}
	line, ok, err := lineBefore(tx, q.ScheduleID, millis(q.From))
	if ok && line.Until >= millis(q.From) {
		q.From = fromMillis(line.DueAt)
	}
	return q, err
}

// lineBefore finds the latest line of a schedule before a time, of those that its expression
// made; false where there is none. Triggers and backfills are passed over, of which it looks at
// a hundred at most.
func lineBefore(tx *gorm.DB, scheduleID string, at int64) (line slotRow, ok bool, err error) {
	var rows []slotRow
	err = tx.Where("schedule_id = ? AND due_at < ?", scheduleID, at).Order("due_at DESC, origin DESC").Limit(100).Find(&rows).Error
	for _, row := range rows {
		if row.Origin == schedules.FromSchedule {
			return row, true, err
		}
	}
	return line, false, err
}

// slotsOf selects the rows of a query, of a schedule whose tenant the caller has
// checked.
func slotsOf(tx *gorm.DB, q schedules.SlotQuery) *gorm.DB {
	which := tx.Model(&slotRow{}).Where("schedule_id = ?", q.ScheduleID)
	if q.Outcome != "" {
		which = which.Where("outcome = ?", string(q.Outcome))
	}
	if !q.From.IsZero() {
		which = which.Where("due_at >= ?", millis(q.From))
	}
	if !q.To.IsZero() {
		which = which.Where("due_at < ?", millis(q.To))
	}
	return which
}

// slotPage selects the keys of a page's slots: SQLite would rather read the
// whole ledger than look each slot up, but the keys alone are in the index by
// outcome.
func slotPage(tx *gorm.DB, q schedules.SlotQuery, at *position) *gorm.DB {
	return newestFirst(slotsOf(tx, q), "due_at", "origin", at).Select("due_at, origin").Offset(q.Offset).Limit(q.Limit + 1)
}

// newestFirst orders rows by two columns, the greatest first, from behind a
// position (nil: from the first). The comparison of pairs lets both databases
// begin in the middle of an index. key and id are SQL of this package.
func newestFirst(which *gorm.DB, key, id string, at *position) *gorm.DB {
	if at != nil {
		which = which.Where("("+key+", "+id+") < (?, ?)", at.Key, at.ID)
	}
	return which.Order(key + " DESC, " + id + " DESC")
}

// countIfWanted counts rows into total, if that is wanted, and leaves it as it
// is otherwise. It costs as much as the list is long.
func countIfWanted(which *gorm.DB, wanted bool, total *int) error {
	if !wanted {
		return nil
	}
	var n int64
	err := which.Count(&n).Error
	*total = int(n)
	return err
}
