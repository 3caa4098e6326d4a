package store

import (
	"context"
	"heddle/schedules"

	"gorm.io/gorm"
)

// Schedules lists a page, newest first, as of one moment. Total is -1 unless
// q.WantTotal.
func (db *DB) Schedules(ctx context.Context, q schedules.Query) (schedules.Page, error) {
	list := listFingerprint("schedules", q)
	at, err := decodeCursor(list, q.Cursor)
	if err != nil {
		return schedules.Page{}, err
	}
	return viewResult(ctx, db, func(tx *gorm.DB) (schedules.Page, error) {
		page := schedules.Page{Total: -1}
		if err := countIfWanted(schedulesOf(tx, q), q.WantTotal, &page.Total); err != nil {
			return page, err
		}
		var rows []scheduleRow
		err := newestFirst(schedulesOf(tx, q), "created_at", "id", at).Offset(q.Offset).Limit(q.Limit + 1).Find(&rows).Error
		rows, page.Next = trimPage(list, rows, q.Limit, func(r scheduleRow) position { return position{r.CreatedAt, r.ID} })
		for _, row := range rows {
			page.Schedules = append(page.Schedules, row.schedule())
		}
		return page, err
	})
}

// schedulesOf selects the rows of a query. WorkflowIDs nil: no restriction.
func schedulesOf(tx *gorm.DB, q schedules.Query) *gorm.DB {
	which := tx.Model(&scheduleRow{}).Where("tenant_id = ? AND deleted = 0", q.TenantID)
	if q.WorkflowID != "" {
		which = which.Where("workflow_id = ?", q.WorkflowID)
	}
	if q.WorkflowIDs != nil {
		which = which.Where("workflow_id IN ?", q.WorkflowIDs)
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
		if err := countIfWanted(slotsOf(tx, q), q.WantTotal, &page.Total); err != nil {
			return page, err
		}
		var rows []slotRow
		err := newestFirst(tx, "due_at", "origin", nil).Where("schedule_id = ? AND (due_at, origin) IN (?)", q.ScheduleID, slotPage(tx, q, at)).Find(&rows).Error
		rows, page.Next = trimPage(list, rows, q.Limit, func(r slotRow) position { return position{r.DueAt, r.Origin} })
		for _, row := range rows {
			page.Slots = append(page.Slots, row.slot())
		}
		return page, err
	})
}

// slotsOf selects the rows of a query, of a schedule whose tenant the caller has
// checked.
func slotsOf(tx *gorm.DB, q schedules.SlotQuery) *gorm.DB {
	which := tx.Model(&slotRow{}).Where("schedule_id = ?", q.ScheduleID)
	if q.Outcome != "" {
		which = which.Where("outcome = ?", string(q.Outcome))
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
