package store

import (
	"context"
	"heddle/approvals"
	"heddle/executor"
	"heddle/live"
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
		if len(rows) == limit {
			r.last = rows[limit-1].ChangeNumber
		}
		return r, nil
	})
	return found.list, found.last, err
}
