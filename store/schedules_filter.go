package store

import (
	"cmp"
	"heddle/fault"
	"heddle/schedules"
	"slices"
	"strings"

	"gorm.io/gorm"
)

// scheduleKey is what a list reads of each schedule that it looks at.
type scheduleKey struct {
	ID, TenantID, WorkflowID, Status   string
	CreatedAt, NextDue, WakeAt, Jitter int64
}

// scheduleKeyColumns are the columns of scheduleKey.
const scheduleKeyColumns = "id, tenant_id, workflow_id, status, created_at, next_due, wake_at, jitter"

// nextStatuses are the statuses in the order of schedules.NextFirst. The keys of positions are
// due times of active schedules, and -1 and -2 for the others, which have none.
var nextStatuses = []schedules.Status{schedules.Active, schedules.Paused, schedules.Ended}

// position is where a schedule stands in an order.
func (k scheduleKey) position(order schedules.Order) position {
	if order != schedules.NextFirst {
		return position{k.CreatedAt, k.ID}
	}
	if n := slices.Index(nextStatuses, schedules.Status(k.Status)); n > 0 {
		return position{int64(-n), k.ID}
	}
	return position{k.NextDue, k.ID}
}

// scheduleFilter lists the schedules of a query: it walks an index that has the list's order and
// tests on rows what the index does not bound (ADR 15).
type scheduleFilter struct {
	q      schedules.Query
	limits walkLimits
}

// tests reports whether the index that is walked leaves a filter to be tested on rows.
func (f scheduleFilter) tests() bool {
	q := f.q
	if q.Text != "" || q.Health != "" || q.ScheduleID != "" {
		return true
	}
	if q.Order == schedules.NextFirst {
		return q.WorkflowID != "" || q.WorkflowIDs != nil
	}
	return q.WorkflowID != "" && q.Status != ""
}

// page returns a page of a list behind a position, and where the next one goes on; nil: it is
// the last.
func (f scheduleFilter) page(tx *gorm.DB, at *position) ([]string, *position, error) {
	q := f.q
	if !f.tests() {
		// An offset does not count behind a cursor.
		offset := q.Offset
		if at != nil {
			offset = 0
		}
		keys, err := f.keys(tx, at, offset+q.Limit+1)
		keys = keys[min(offset, len(keys)):]
		return f.cut(keys, err)
	}
	if q.Offset > 0 {
		return nil, nil, fault.New(fault.Malformed, "invalid_request", "offset does not go with these filters; use the cursor.")
	}
	if q.ScheduleID != "" || q.Order == schedules.NextFirst && q.WorkflowID != "" {
		if keys, few, err := f.few(tx, at); few || err != nil {
			keys, err := f.fitting(tx, keys, err)
			return f.cut(keys, err)
		}
	}
	return f.walk(tx, at)
}

// cut takes keys that may be more than a page.
func (f scheduleFilter) cut(keys []scheduleKey, err error) ([]string, *position, error) {
	if len(keys) <= f.q.Limit {
		return idsOfSchedules(keys), nil, err
	}
	next := keys[f.q.Limit-1].position(f.q.Order)
	return idsOfSchedules(keys[:f.q.Limit]), &next, err
}

// idsOfSchedules returns the ids of keys.
func idsOfSchedules(keys []scheduleKey) []string {
	ids := make([]string, len(keys))
	for i, k := range keys {
		ids[i] = k.ID
	}
	return ids
}

// walk looks at schedules in larger and larger parts, as runFilter.walk does.
func (f scheduleFilter) walk(tx *gorm.DB, at *position) ([]string, *position, error) {
	var page []scheduleKey
	part := max(f.q.Limit+1, 50)
	for looked := 0; ; part *= 3 {
		part = min(part, f.limits.walked-looked)
		keys, err := f.keys(tx, at, part)
		fitting, err := f.fitting(tx, keys, err)
		if err != nil {
			return nil, nil, err
		}
		if page = append(page, fitting...); len(page) > f.q.Limit {
			return f.cut(page, nil)
		}
		if looked += len(keys); len(keys) < part {
			return idsOfSchedules(page), nil, nil
		}
		last := keys[len(keys)-1].position(f.q.Order)
		if at = &last; looked >= f.limits.walked {
			return idsOfSchedules(page), at, nil
		}
	}
}

// keys reads at most n schedules behind a position, in the list's order.
func (f scheduleFilter) keys(tx *gorm.DB, at *position, n int) ([]scheduleKey, error) {
	if f.q.Order != schedules.NextFirst {
		var keys []scheduleKey
		err := newestFirst(schedulesOf(tx, f.q), "created_at", "id", at).Select(scheduleKeyColumns).Limit(n).Find(&keys).Error
		return keys, err
	}
	from := 0
	if at != nil && at.Key < 0 {
		from = int(min(-at.Key, int64(len(nextStatuses))))
	}
	var keys []scheduleKey
	for i, status := range nextStatuses {
		if i < from || f.q.Status != "" && f.q.Status != status || len(keys) == n {
			continue
		}
		which := tx.Model(&scheduleRow{}).Where("tenant_id = ? AND status = ? AND deleted = 0", f.q.TenantID, string(status))
		switch {
		case at == nil || i > from:
		case i == 0:
			which = which.Where("(next_due, id) > (?, ?)", at.Key, at.ID)
		default:
			which = which.Where("(next_due, id) > (0, ?)", at.ID)
		}
		var more []scheduleKey
		if err := which.Select(scheduleKeyColumns).Order("next_due, id").Limit(n - len(keys)).Find(&more).Error; err != nil {
			return nil, err
		}
		keys = append(keys, more...)
	}
	return keys, nil
}

// few returns the schedules of a workflow behind a position in the order of what is due next,
// where it has at most limits.few; or the one that is named.
func (f scheduleFilter) few(tx *gorm.DB, at *position) (keys []scheduleKey, few bool, err error) {
	which := tx.Model(&scheduleRow{}).Where("workflow_id = ? AND deleted = 0", f.q.WorkflowID)
	if f.q.ScheduleID != "" {
		which = tx.Model(&scheduleRow{}).Where("id = ? AND deleted = 0", f.q.ScheduleID)
	}
	err = which.Select(scheduleKeyColumns).Order("created_at, id").Limit(f.limits.few + 1).Find(&keys).Error
	if err != nil || len(keys) > f.limits.few {
		return nil, false, err
	}
	slices.SortFunc(keys, func(a, b scheduleKey) int { return compareNext(a.position(f.q.Order), b.position(f.q.Order)) })
	if at != nil {
		keys = slices.DeleteFunc(keys, func(k scheduleKey) bool { return compareNext(k.position(f.q.Order), *at) <= 0 })
	}
	return keys, true, nil
}

// compareNext compares positions in the order of what is due next.
func compareNext(a, b position) int {
	return cmp.Or(cmp.Compare(min(b.Key, 0), min(a.Key, 0)), cmp.Compare(a.Key, b.Key), cmp.Compare(a.ID, b.ID))
}

// fitting returns those of the schedules that have all that is asked for, in their order. It
// reads at most three times.
func (f scheduleFilter) fitting(tx *gorm.DB, keys []scheduleKey, err error) ([]scheduleKey, error) {
	q := f.q
	// The caller goes on from the last of its keys.
	keys = slices.DeleteFunc(slices.Clone(keys), func(k scheduleKey) bool {
		return k.TenantID != q.TenantID || q.Status != "" && k.Status != string(q.Status) || q.WorkflowID != "" && k.WorkflowID != q.WorkflowID ||
			q.WorkflowIDs != nil && !slices.Contains(q.WorkflowIDs, k.WorkflowID)
	})
	if err == nil && q.Text != "" && len(keys) > 0 {
		keys, err = f.withText(tx, keys)
	}
	if err != nil || q.Health == "" || len(keys) == 0 {
		return keys, err
	}
	last, runs, err := lastSlots(tx, idsOfSchedules(keys))
	return slices.DeleteFunc(keys, func(k scheduleKey) bool {
		row := scheduleRow{ID: k.ID, Status: k.Status, NextDue: k.NextDue, Jitter: k.Jitter}
		slot, run := last[k.ID], (*schedules.SlotRun)(nil)
		if slot != nil {
			if r, ok := runs[slot.RunID]; ok {
				run = &r
			}
		}
		return !q.Health.Holds(row.schedule(), slot, run, q.Now)
	}), err
}

// withText returns those of the schedules in which the query's text is.
func (f scheduleFilter) withText(tx *gorm.DB, keys []scheduleKey) ([]scheduleKey, error) {
	text := likeEscaper.Replace(searchText(f.q.Text))
	var ids []string
	err := tx.Raw(`SELECT s.id FROM schedules AS s JOIN workflows AS w ON w.id = s.workflow_id WHERE s.id IN ?
AND (w.folded LIKE ? ESCAPE '\' OR s.id LIKE ? ESCAPE '\' OR lower(s.expression) LIKE ? ESCAPE '\' OR lower(s.timezone) LIKE ? ESCAPE '\')`,
		idsOfSchedules(keys), "%"+text+"%", text+"%", "%"+text+"%", "%"+text+"%").Scan(&ids).Error
	fits := make(map[string]bool, len(ids))
	for _, id := range ids {
		fits[id] = true
	}
	return slices.DeleteFunc(keys, func(k scheduleKey) bool { return !fits[k.ID] }), err
}

// lastSlotsSQL reads the lines of schedules' latest due times: more than one of a schedule where
// they are of several origins.
const lastSlotsSQL = `SELECT l.* FROM schedules AS s JOIN schedule_slots AS l ON l.schedule_id = s.id
AND l.due_at = (SELECT max(x.due_at) FROM schedule_slots AS x WHERE x.schedule_id = s.id) WHERE s.id IN ?`

// lastSlots reads the line of the latest due time of each schedule, by its id, and the runs of
// these, by theirs.
func lastSlots(tx *gorm.DB, ids []string) (map[string]*schedules.Slot, map[string]schedules.SlotRun, error) {
	var rows []slotRow
	if err := tx.Raw(lastSlotsSQL, ids).Scan(&rows).Error; err != nil {
		return nil, nil, err
	}
	slices.SortFunc(rows, func(a, b slotRow) int { return strings.Compare(a.Origin, b.Origin) })
	last := make(map[string]*schedules.Slot, len(rows))
	for _, row := range rows {
		slot := row.slot()
		last[row.ScheduleID] = &slot
	}
	runs, err := slotRuns(tx, rows)
	return last, runs, err
}

// slotRuns reads the runs of lines, by id.
func slotRuns(tx *gorm.DB, lines []slotRow) (map[string]schedules.SlotRun, error) {
	var ids []string
	for _, l := range lines {
		if l.RunID != "" {
			ids = append(ids, l.RunID)
		}
	}
	runs := make(map[string]schedules.SlotRun, len(ids))
	if len(ids) == 0 {
		return runs, nil
	}
	var rows []runRow
	err := tx.Select("id, state, started_at, completed_at").Where("id IN ?", ids).Find(&rows).Error
	for _, r := range rows {
		runs[r.ID] = slotRunOf(r)
	}
	return runs, err
}
