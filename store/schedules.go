package store

import (
	"context"
	"heddle/audit"
	"heddle/definitions/workflows"
	"heddle/fault"
	"heddle/idempotency"
	"heddle/schedules"
	"reflect"
	"strings"
	"time"

	"gorm.io/gorm"
)

// CreateSchedule stores a schedule and the answer kept for a repeated request
// in one transaction, with an entry in the audit trail. The workflow's row is
// locked, so that the workflow cannot be deleted meanwhile. workflow_not_found;
// idempotency_key_taken (Conflict).
func (db *DB) CreateSchedule(ctx context.Context, s schedules.Schedule, keep *idempotency.Answer) error {
	return db.tellSchedule(s.ID, db.update(ctx, func(tx *gorm.DB) error {
		if keep != nil {
			if err := insertAnswer(tx, *keep); err != nil {
				return err
			}
		}
		w, err := findWorkflow(forNoKeyUpdate(tx), s.TenantID, s.WorkflowID)
		if err != nil {
			return err
		}
		row := toScheduleRow(s)
		if err := tx.Create(&row).Error; err != nil {
			return err
		}
		return writeAudit(tx, audit.Object{Kind: "schedule", ID: s.ID}, scheduleChange{Workflow: workflowObject(w).String(), Slug: w.Slug, To: scheduleStateOf(s)})
	}))
}

// tellSchedule tells other nodes of a change that was stored, and returns its error.
func (db *DB) tellSchedule(id string, err error) error {
	if err == nil && db.notices != nil {
		db.notices.add([]string{id}, false)
	}
	return err
}

// scheduleChange is the detail of an audit entry about a schedule; Workflow and
// Slug are those of a new schedule's workflow.
type scheduleChange struct {
	Workflow string         `json:"workflow,omitempty"`
	Slug     string         `json:"workflow_slug,omitempty"`
	From     *scheduleState `json:"from,omitempty"`
	To       *scheduleState `json:"to,omitempty"`
}

// scheduleState is what the trail says of a schedule before or after a change.
type scheduleState struct {
	Expression string `json:"expression"`
	Timezone   string `json:"timezone"`
	Status     string `json:"status"`
}

// scheduleStateOf returns what the trail says of s.
func scheduleStateOf(s schedules.Schedule) *scheduleState {
	return &scheduleState{s.Expression, s.Timezone, string(s.Status)}
}

// findSchedule finds a schedule that is not deleted; q says with which lock.
// schedule_not_found.
func findSchedule(q *gorm.DB, tenantID, id string) (scheduleRow, error) {
	var row scheduleRow
	ok, err := found(q.Where("tenant_id = ? AND id = ? AND deleted = 0", tenantID, id), &row)
	if err == nil && !ok {
		err = fault.New(fault.NotFound, "schedule_not_found", "There is no schedule %q.", id)
	}
	return row, err
}

// Schedule returns one; schedule_not_found, also for one that was deleted.
func (db *DB) Schedule(ctx context.Context, tenantID, id string) (schedules.Schedule, error) {
	row, err := findSchedule(db.reader(ctx), tenantID, id)
	return row.schedule(), translate(err)
}

// ChangeSchedule reads a schedule, lets decide say what becomes of it and
// writes that with a raised fence, in one transaction with the row locked: a
// firing that was decided before the change then conflicts and is decided
// again. decide must be pure; its errors roll back and are returned. Where it
// changes nothing the fence stays. schedule_not_found.
func (db *DB) ChangeSchedule(ctx context.Context, tenantID, id string, decide func(schedules.Schedule) (schedules.Schedule, error)) (schedules.Schedule, error) {
	changed, err := updateResult(ctx, db, func(tx *gorm.DB) (result schedules.Schedule, err error) {
		row, err := findSchedule(forNoKeyUpdate(tx), tenantID, id)
		if err != nil {
			return result, err
		}
		current := row.schedule()
		result, err = decide(current)
		if err != nil {
			return result, err
		}
		if !reflect.DeepEqual(current, result) {
			result.ID, result.TenantID, result.WorkflowID, result.CreatedAt = row.ID, row.TenantID, row.WorkflowID, current.CreatedAt
			result.Fence = current.Fence + 1
			changed := toScheduleRow(result)
			if err := tx.Select("*").Updates(&changed).Error; err != nil {
				return result, err
			}
		}
		return result, writeAudit(tx, audit.Object{Kind: "schedule", ID: row.ID}, scheduleChange{From: scheduleStateOf(current), To: scheduleStateOf(result)})
	})
	return changed, db.tellSchedule(id, err)
}

// DeleteSchedule hides a schedule, in one transaction; what waits in its queue
// never starts, and runs that it has started go on. check may refuse.
// schedule_not_found.
func (db *DB) DeleteSchedule(ctx context.Context, tenantID, id string, check func(schedules.Schedule) error) error {
	return db.tellSchedule(id, db.update(ctx, func(tx *gorm.DB) error {
		row, err := findSchedule(forNoKeyUpdate(tx), tenantID, id)
		if err != nil {
			return err
		}
		if err := check(row.schedule()); err != nil {
			return err
		}
		if err := endSchedules(tx, "id = ?", id); err != nil {
			return err
		}
		return writeAudit(tx, audit.Object{Kind: "schedule", ID: id}, scheduleChange{From: scheduleStateOf(row.schedule())})
	}))
}

// endSchedules hides schedules, drops their inputs, and skips what waits in
// their queues. where is SQL of this package with one argument. The slots come
// first, while their schedules can still be told from those that were hidden
// before.
func endSchedules(tx *gorm.DB, where string, arg any) error {
	err := tx.Exec(`UPDATE schedule_slots SET outcome = 'skipped', reason = 'schedule_ended'
WHERE outcome = 'waiting' AND schedule_id IN (SELECT id FROM schedules WHERE deleted = 0 AND `+where+`)`, arg).Error
	if err != nil {
		return err
	}
	return tx.Exec("UPDATE schedules SET deleted = 1, input = '', status = 'ended', next_due = 0, wake_at = 0, revision = revision + 1, fence = fence + 1 WHERE deleted = 0 AND "+where, arg).Error
}

// DueSchedules lists at most limit schedules that have to be looked at by t and come after one by
// (time, id), earliest first, by the partial index on wake_at.
func (db *DB) DueSchedules(ctx context.Context, t time.Time, after schedules.DueSchedule, limit int) ([]schedules.DueSchedule, error) {
	var rows []scheduleRow
	err := db.reader(ctx).Raw(dueSchedulesSQL, millis(t), millis(after.At), after.ID, limit).Scan(&rows).Error
	list := make([]schedules.DueSchedule, len(rows))
	for i, row := range rows {
		list[i] = schedules.DueSchedule{ID: row.ID, At: fromMillis(row.WakeAt)}
	}
	return list, translate(err)
}

// openRunCondition is SQL over runs r: the run has not ended.
const openRunCondition = "r.state NOT IN ('completed', 'failed', 'cancelled')"

const (
	dueSchedulesSQL = "SELECT id, wake_at FROM schedules WHERE wake_at > 0 AND wake_at <= ? AND (wake_at, id) > (?, ?) ORDER BY wake_at, id LIMIT ?"

	// unsettledSQL finds schedules behind an id with a queue that may move on: that is so when
	// no run of its lane is open. Backfills are a lane of their own.
	unsettledSQL = `SELECT DISTINCT w.schedule_id FROM schedule_slots AS w JOIN schedules AS s ON s.id = w.schedule_id AND s.deleted = 0 AND s.status <> 'paused'
JOIN workflows AS f ON f.id = s.workflow_id AND f.status = 'active' AND f.deleted = 0
WHERE w.outcome = 'waiting' AND w.schedule_id > ? AND NOT EXISTS (
  SELECT 1 FROM schedule_slots AS l JOIN runs AS r ON r.id = l.run_id
  WHERE l.schedule_id = w.schedule_id AND l.live = 1 AND (l.origin LIKE 'backfill:%') = (w.origin LIKE 'backfill:%') AND ` + openRunCondition + `)
ORDER BY w.schedule_id LIMIT ?`

	// cancelRequestsSQL finds runs that are to be cancelled, by the partial index
	// on doomed slots.
	cancelRequestsSQL = `SELECT r.tenant_id, r.id AS run_id, l.schedule_id FROM schedule_slots AS l JOIN runs AS r ON r.id = l.run_id
WHERE l.doomed = 1 AND l.live = 1 AND (l.schedule_id, r.id) > (?, ?) AND ` + openRunCondition + ` ORDER BY l.schedule_id, r.id LIMIT ?`

	// liveSQL reads the runs that schedules follow; live is 1 for those that are
	// still open. A run that was deleted has ended.
	liveSQL = `SELECT l.schedule_id, l.run_id, l.origin, CASE WHEN r.id IS NOT NULL AND ` + openRunCondition + ` THEN 1 ELSE 0 END AS live
FROM schedule_slots AS l LEFT JOIN runs AS r ON r.id = l.run_id WHERE l.live = 1 AND l.schedule_id IN ?`
)

// SchedulesToAdvance lists at most limit ids of schedules in whose queue it may
// be the next one's turn, by id, and only those behind after. The workflow is active and the
// schedule is not paused. Whether it is its turn is decided on States.
func (db *DB) SchedulesToAdvance(ctx context.Context, after string, limit int) ([]string, error) {
	var ids []string
	err := db.reader(ctx).Raw(unsettledSQL, after, limit).Scan(&ids).Error
	return ids, translate(err)
}

// CancelRequests lists at most limit open runs that are to be cancelled, by schedule and id, and
// only those behind after. A request stays until a firing notes that the run has ended.
func (db *DB) CancelRequests(ctx context.Context, after schedules.CancelRequest, limit int) ([]schedules.CancelRequest, error) {
	var orders []schedules.CancelRequest
	err := db.reader(ctx).Raw(cancelRequestsSQL, after.ScheduleID, after.RunID, limit).Scan(&orders).Error
	return orders, translate(err)
}

// States returns what decisions about the schedules rest on, in the order of
// ids and of one moment: the schedule, its workflow's status, the runs it
// follows and its queue. Those that do not exist (any more) are left out.
func (db *DB) States(ctx context.Context, ids []string) ([]schedules.State, error) {
	return viewResult(ctx, db, func(tx *gorm.DB) ([]schedules.State, error) {
		byID, err := loadStates(tx, ids)
		if err != nil {
			return nil, err
		}
		if err := addLive(tx, ids, byID); err != nil {
			return nil, err
		}
		if err := addWaiting(tx, ids, byID); err != nil {
			return nil, err
		}
		var states []schedules.State
		for _, id := range ids {
			if st := byID[id]; st != nil {
				states = append(states, *st)
			}
		}
		return states, nil
	})
}

// loadStates reads schedules and the status of their workflows, by id.
func loadStates(tx *gorm.DB, ids []string) (map[string]*schedules.State, error) {
	var rows []struct {
		Row            scheduleRow `gorm:"embedded"`
		WorkflowStatus string
	}
	err := tx.Raw("SELECT s.*, w.status AS workflow_status FROM schedules AS s JOIN workflows AS w ON w.id = s.workflow_id AND w.deleted = 0 WHERE s.deleted = 0 AND s.id IN ?", ids).Scan(&rows).Error
	byID := make(map[string]*schedules.State, len(rows))
	for _, row := range rows {
		byID[row.Row.ID] = &schedules.State{Schedule: row.Row.schedule(), WorkflowStatus: workflows.Status(row.WorkflowStatus)}
	}
	return byID, err
}

// addLive adds the runs that the schedules follow to their states.
func addLive(tx *gorm.DB, ids []string, byID map[string]*schedules.State) error {
	var rows []slotRow
	if err := tx.Raw(liveSQL, ids).Scan(&rows).Error; err != nil {
		return err
	}
	for _, row := range rows {
		if st := byID[row.ScheduleID]; st != nil {
			st.Tracked = append(st.Tracked, schedules.TrackedRun{RunID: row.RunID, Backfill: isBackfill(row.Origin), Open: row.Live == 1})
		}
	}
	return nil
}

// addWaiting reads the queues, which their limits keep short: all that waits,
// but of a backfill the next only.
func addWaiting(tx *gorm.DB, ids []string, byID map[string]*schedules.State) error {
	var rows []slotRow
	err := tx.Raw("SELECT * FROM schedule_slots WHERE outcome = 'waiting' AND schedule_id IN ? ORDER BY schedule_id, due_at, origin", ids).Scan(&rows).Error
	for _, row := range rows {
		st := byID[row.ScheduleID]
		switch {
		case st == nil:
		case !isBackfill(row.Origin):
			st.Waiting = append(st.Waiting, row.slot())
			st.WaitingCount++
		case len(st.Backfill) == 0:
			st.Backfill = append(st.Backfill, row.slot())
		}
	}
	return err
}

// isBackfill reports whether a slot's origin is a backfill, not the schedule
// itself.
func isBackfill(origin string) bool { return strings.HasPrefix(origin, "backfill:") }
