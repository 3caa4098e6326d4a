package store

import (
	"context"
	"heddle/approvals"
	"heddle/audit"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/live"
	"strings"
	"time"

	"gorm.io/gorm"
)

// ChangedRuns reads rows of runs of any tenant, without input and output; what is not there is
// left out.
func (db *DB) ChangedRuns(ctx context.Context, ids []string) ([]executor.Record, error) {
	var rows []runRow
	if err := db.reader(ctx).Omit("input", "output").Where("id IN ?", ids).Find(&rows).Error; err != nil {
		return nil, translate(err)
	}
	list, err := records(rows)
	return list, translate(err)
}

// ChangedApprovals reads approvals of the runs that were opened or closed at or after a moment,
// at most limit.
func (db *DB) ChangedApprovals(ctx context.Context, runIDs []string, since time.Time, limit int) ([]approvals.Approval, error) {
	return viewResult(ctx, db, func(tx *gorm.DB) ([]approvals.Approval, error) {
		var rows []inputRequestRow
		err := tx.Where("run_id IN ? AND (opened_at >= ? OR closed_at >= ?)", runIDs, millis(since), millis(since)).Order("opened_at, id").Limit(limit).Find(&rows).Error
		if err != nil {
			return nil, err
		}
		list := make([]approvals.Approval, len(rows))
		for i, row := range rows {
			if list[i], err = row.approval(); err != nil {
				return nil, err
			}
		}
		return list, nil
	})
}

// ChangedWorkflows reads the tenant's workflows, deleted ones too, with a change number above
// after, at most limit, and returns the highest number that it covers; with after -1 none, and the
// highest there is.
func (db *DB) ChangedWorkflows(ctx context.Context, tenantID string, after int64, limit int) ([]live.Workflow, int64, error) {
	type result struct {
		list []live.Workflow
		last int64
	}
	found, err := viewResult(ctx, db, func(tx *gorm.DB) (r result, err error) {
		err = tx.Raw("SELECT n FROM workflow_changes WHERE tenant_id = ?", tenantID).Scan(&r.last).Error
		if err != nil || after < 0 || r.last <= after {
			return r, err
		}
		var rows []workflowRow
		err = tx.Raw("SELECT * FROM workflows WHERE tenant_id = ? AND change_number > ? ORDER BY change_number LIMIT ?", tenantID, after, limit).Scan(&rows).Error
		if err != nil {
			return r, err
		}
		for _, row := range rows {
			w, err := row.workflow()
			if err != nil {
				return r, err
			}
			r.list = append(r.list, live.Workflow{Workflow: w, Deleted: row.Deleted != 0})
		}
		if err := addChangers(tx, tenantID, r.list); err != nil {
			return r, err
		}
		if len(rows) == limit {
			r.last = rows[limit-1].ChangeNumber
		}
		return r, nil
	})
	return found.list, found.last, err
}

// maxChangers is of how many changed workflows it is read who changed them, with one look into
// the audit trail's index each; of more it is not told.
const maxChangers = 100

// addChangers sets who made the last change of each workflow, by the audit trail.
func addChangers(tx *gorm.DB, tenantID string, list []live.Workflow) error {
	if len(list) == 0 || len(list) > maxChangers {
		return nil
	}
	texts, args := make([]string, len(list)), make([]any, 0, 2*len(list))
	for i, w := range list {
		texts[i] = "SELECT * FROM (SELECT object, actor, actor_type, actor_id FROM audit_entries WHERE tenant_id = ? AND object = ? ORDER BY at DESC, id DESC LIMIT 1) AS a"
		args = append(args, tenantID, "workflow:"+w.ID)
	}
	var rows []auditRow
	if err := tx.Raw(strings.Join(texts, " UNION ALL "), args...).Scan(&rows).Error; err != nil {
		return err
	}
	by := make(map[string]audit.Actor, len(rows))
	for _, r := range rows {
		by[r.Object] = audit.Actor{Type: r.ActorType, ID: r.ActorID, Name: r.Actor}
	}
	for i := range list {
		list[i].By = by["workflow:"+list[i].ID]
	}
	return nil
}

// ChangedSchedules reads schedules of any tenant, deleted ones too, with the lines of their latest
// due times and the runs of these.
func (db *DB) ChangedSchedules(ctx context.Context, ids []string) ([]live.Schedule, error) {
	return viewResult(ctx, db, func(tx *gorm.DB) ([]live.Schedule, error) {
		var rows []scheduleRow
		if err := tx.Omit("input").Where("id IN ?", ids).Find(&rows).Error; err != nil {
			return nil, err
		}
		last, runs, err := lastSlots(tx, ids)
		if err != nil {
			return nil, err
		}
		list := make([]live.Schedule, len(rows))
		for i, row := range rows {
			list[i] = live.Schedule{Schedule: row.schedule(), Deleted: row.Deleted != 0, Last: last[row.ID]}
			if slot := last[row.ID]; slot != nil {
				if run, ok := runs[slot.RunID]; ok {
					list[i].Run = &run
				}
			}
		}
		return list, nil
	})
}

// OpenByWorkflow sums the kept counters of workflows' runs that have not ended.
func (db *DB) OpenByWorkflow(ctx context.Context, tenantID string, workflowIDs []string) (map[string]map[machine.State]int, error) {
	open := make(map[string]map[machine.State]int, len(workflowIDs))
	if len(workflowIDs) == 0 {
		return open, nil
	}
	var rows []struct {
		WorkflowID, State string
		N                 int
	}
	err := db.reader(ctx).Raw("SELECT workflow_id, state, CAST(sum(n) AS BIGINT) AS n FROM run_counts WHERE tenant_id = ? AND workflow_id IN ? AND state NOT IN ? GROUP BY workflow_id, state HAVING sum(n) <> 0",
		tenantID, workflowIDs, []machine.State{machine.Completed, machine.Failed, machine.Cancelled}).Scan(&rows).Error
	for _, r := range rows {
		if open[r.WorkflowID] == nil {
			open[r.WorkflowID] = map[machine.State]int{}
		}
		open[r.WorkflowID][machine.State(r.State)] = r.N
	}
	return open, translate(err)
}
