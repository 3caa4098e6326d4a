package store

import (
	"context"
	"encoding/json"
	"heddle/audit"
	"heddle/definitions/workflows"
	"heddle/events"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/fault"

	"gorm.io/gorm"
)

// Run returns a run's row, with its input; run_not_found if the tenant has no
// such run.
func (db *DB) Run(ctx context.Context, tenantID, runID string) (executor.Record, error) {
	row, ok, err := db.hotRun(ctx, tenantID, runID)
	if err != nil {
		return executor.Record{}, translate(err)
	}
	if !ok {
		return executor.Record{}, runNotFound(runID)
	}
	rec, err := row.record()
	return rec, translate(err)
}

// findRun reads a run of any tenant, and its input if that has a row of its own.
func findRun(tx *gorm.DB, runID string) (executor.Record, error) {
	row := make([]runRow, 1)
	ok, err := found(tx.Where("id = ?", runID), &row[0])
	if err == nil && !ok {
		err = runNotFound(runID)
	}
	if err == nil {
		err = loadInputs(tx, row)
	}
	if err != nil {
		return executor.Record{}, err
	}
	return row[0].record()
}

// Journal returns a run's row, its newest snapshot and the events after that,
// all of one moment: what machine.Restore folds. Older events are not read.
// run_not_found, of any tenant: recovery knows the id alone.
func (db *DB) Journal(ctx context.Context, runID string) (executor.Journal, error) {
	if j, consistent, err := db.hotJournal(ctx, runID); err != nil || consistent {
		return j, translate(err)
	}
	return viewResult(ctx, db, func(tx *gorm.DB) (j executor.Journal, err error) {
		if j.Row, err = findRun(tx, runID); err != nil {
			return j, err
		}
		var snap snapshotRow
		if _, err = found(tx.Where("run_id = ?", runID), &snap); err != nil {
			return j, err
		}
		j.Snapshot = snap.Data
		var rows []eventRow
		if err := tx.Where("run_id = ? AND seq > ?", runID, snap.Seq).Order("seq").Find(&rows).Error; err != nil {
			return j, err
		}
		j.Events = eventList(rows)
		return j, nil
	})
}

// Events returns at most limit events after seq, in order. An unknown run has
// none.
func (db *DB) Events(ctx context.Context, runID string, after int64, limit int) ([]events.Event, error) {
	list, err := db.hotEvents(ctx, runID, after, limit)
	return eventList(list), translate(err)
}

// DeleteRun removes a run that has ended, with its journal, input, logs, blobs
// and place in a series, in one transaction. run_not_found; run_open (Conflict)
// while the run has not ended. The row is locked first, so a resume at the same
// time either finds the run gone or makes this fail. Versions of a deleted
// workflow go with its last run.
func (db *DB) DeleteRun(ctx context.Context, tenantID, runID string) error {
	return db.update(ctx, func(tx *gorm.DB) error {
		var row runRow
		ok, err := found(forUpdate(tx).Select("id", "state", "tenant_id", "workflow_id", "trigger_kind").Where("id = ? AND tenant_id = ?", runID, tenantID), &row)
		if err != nil {
			return err
		}
		if !ok {
			return runNotFound(runID)
		}
		if !machine.State(row.State).Terminal() {
			return fault.New(fault.Conflict, "run_open", "The run is still open: cancel it first.")
		}
		if err := leaveSeries(tx, runID); err != nil {
			return err
		}
		// The run's own row goes last, chunks before the blobs by which they are
		// found.
		for _, statement := range []string{
			"DELETE FROM run_events WHERE run_id = ?",
			"DELETE FROM run_snapshots WHERE run_id = ?",
			"DELETE FROM run_inputs WHERE run_id = ?",
			"DELETE FROM run_crashes WHERE run_id = ?",
			"DELETE FROM turns WHERE run_id = ?",
			"DELETE FROM input_request_assignees WHERE id IN (SELECT id FROM input_requests WHERE run_id = ?)",
			"DELETE FROM input_requests WHERE run_id = ?",
			"DELETE FROM blob_chunks WHERE blob_id IN (SELECT id FROM blobs WHERE run_id = ?)",
			"DELETE FROM blobs WHERE run_id = ?",
			"DELETE FROM run_logs WHERE run_id = ?",
			"DELETE FROM rendered_inputs WHERE run_id = ?",
			"DELETE FROM run_labels WHERE run_id = ?",
			"DELETE FROM runs WHERE id = ?",
		} {
			if err := tx.Exec(statement, runID).Error; err != nil {
				return err
			}
		}
		if err := deleteOrphanedVersions(tx, tenantID, row.WorkflowID); err != nil {
			return err
		}
		if err := db.uncount(tx, row); err != nil {
			return err
		}
		return writeAudit(tx, audit.Object{Kind: "run", ID: runID}, nil)
	})
}

// Definition returns the canonical text of a version, also of a deleted
// workflow whose runs need it; version_not_found. It never changes, so callers
// may keep it.
func (db *DB) Definition(ctx context.Context, workflowID string, version int) (json.RawMessage, error) {
	text, ok := "", false
	err := db.hotRead(ctx, definitionSQL, []any{workflowID, int64(version)}, func(r rows) error {
		ok = true
		return r.Scan(&text)
	})
	if err == nil && !ok {
		err = fault.New(fault.NotFound, "version_not_found", "The workflow has no version %d.", version)
	}
	return raw(text), translate(err)
}

// Target resolves what a start names: the workflow by id or slug, and its
// version by number, label or "" (the active one), as of one moment. Commit
// checks status and revision again (checkWorkflows). workflow_not_found,
// version_not_found.
func (db *DB) Target(ctx context.Context, tenantID, workflow, version string) (executor.Target, error) {
	return viewResult(ctx, db, func(tx *gorm.DB) (t executor.Target, err error) {
		w, err := findWorkflow(tx, tenantID, workflow)
		if err != nil {
			return t, err
		}
		q := tx.Select("number", "label", "hash").Where("workflow_id = ?", w.ID)
		var v versionRow
		ok, err := found(byVersionRef(q, w.ActiveVersion, version), &v)
		if err != nil {
			return t, err
		}
		if !ok {
			return t, versionNotFound(version)
		}
		return executor.Target{
			WorkflowID: w.ID, Slug: w.Slug, Version: v.Number, Label: v.Label, Hash: v.Hash,
			Status: workflows.Status(w.Status), Revision: w.Revision,
		}, nil
	})
}

// runNotFound is the error for a run that does not exist or is another
// tenant's: the two are not told apart.
func runNotFound(runID string) error {
	return fault.New(fault.NotFound, "run_not_found", "There is no run %q.", runID)
}
