package store

import (
	"context"
	"heddle/executor"
	"heddle/executor/machine"
	"time"

	"gorm.io/gorm"
)

// endingStates are the states by the letters of workflow_recent.
var endingStates = map[rune]machine.State{'c': machine.Completed, 'f': machine.Failed, 'x': machine.Cancelled}

// Health reads kept counts, and the rows of the last runs, as of one moment.
func (db *DB) Health(ctx context.Context, tenantID string, workflowIDs []string, failedSince time.Time) (map[string]executor.Health, error) {
	if len(workflowIDs) == 0 {
		return map[string]executor.Health{}, nil
	}
	return viewResult(ctx, db, func(tx *gorm.DB) (map[string]executor.Health, error) {
		found := make(map[string]executor.Health, len(workflowIDs))
		if err := lastEndings(tx, tenantID, workflowIDs, found); err != nil {
			return nil, err
		}
		var open, failed []struct {
			WorkflowID string
			N          int64
		}
		final := []machine.State{machine.Completed, machine.Failed, machine.Cancelled}
		err := tx.Raw("SELECT workflow_id, CAST(sum(n) AS BIGINT) AS n FROM run_counts WHERE tenant_id = ? AND workflow_id IN ? AND state NOT IN ? GROUP BY workflow_id",
			tenantID, workflowIDs, final).Scan(&open).Error
		if err != nil {
			return nil, err
		}
		for _, r := range open {
			h := found[r.WorkflowID]
			h.Open = int(r.N)
			found[r.WorkflowID] = h
		}
		err = tx.Raw("SELECT workflow_id, CAST(sum(failed) AS BIGINT) AS n FROM run_stats WHERE tenant_id = ? AND workflow_id IN ? AND span = ? AND period >= ? GROUP BY workflow_id",
			tenantID, workflowIDs, executor.StatsPeriod.Milliseconds(), millis(failedSince)).Scan(&failed).Error
		for _, r := range failed {
			h := found[r.WorkflowID]
			h.Failed = r.N
			found[r.WorkflowID] = h
		}
		return found, err
	})
}

// lastEndings fills in Last and Recent of those workflows that have them.
func lastEndings(tx *gorm.DB, tenantID string, workflowIDs []string, found map[string]executor.Health) error {
	var rows []struct {
		WorkflowID, LastRunID, Endings string
		LastEndedAt                    int64
		State                          *string // nil: the run was deleted
	}
	err := tx.Raw("SELECT e.workflow_id, e.last_run_id, e.endings, e.last_ended_at, r.state FROM workflow_recent AS e LEFT JOIN runs AS r ON r.id = e.last_run_id AND r.tenant_id = ?"+
		" WHERE e.workflow_id IN ?", tenantID, workflowIDs).Scan(&rows).Error
	for _, r := range rows {
		h := executor.Health{Recent: make([]machine.State, 0, len(r.Endings))}
		for _, letter := range r.Endings {
			h.Recent = append(h.Recent, endingStates[letter])
		}
		if r.State != nil {
			h.Last = &executor.LastRun{RunID: r.LastRunID, State: machine.State(*r.State), EndedAt: fromMillis(r.LastEndedAt)}
		}
		found[r.WorkflowID] = h
	}
	return err
}

// NextDue reads the next due times of workflows' active schedules, by the workflow's id.
func (db *DB) NextDue(ctx context.Context, tenantID string, workflowIDs []string) (map[string]time.Time, error) {
	next := map[string]time.Time{}
	if len(workflowIDs) == 0 {
		return next, nil
	}
	var rows []struct {
		WorkflowID string
		NextDue    int64
	}
	tx := db.reader(ctx)
	err := tx.Raw("SELECT workflow_id, min(next_due) AS next_due FROM "+indexed(tx, "schedules", "schedules_workflow")+" WHERE tenant_id = ? AND workflow_id IN ? AND status = 'active' AND next_due > 0 AND deleted = 0 GROUP BY workflow_id",
		tenantID, workflowIDs).Scan(&rows).Error
	for _, r := range rows {
		next[r.WorkflowID] = fromMillis(r.NextDue)
	}
	return next, translate(err)
}
