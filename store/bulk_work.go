package store

import (
	"context"
	"heddle/bulk"
	"heddle/internal/elements"
	"time"

	"gorm.io/gorm"
)

// RunningBulkJob returns the running job that comes next behind an id, or else the first; false:
// there is none.
func (db *DB) RunningBulkJob(ctx context.Context, after string) (bulk.Job, bool, error) {
	var row bulkJobRow
	for _, from := range []string{after, ""} {
		ok, err := found(db.reader(ctx).Where("ended_at = 0 AND state = ? AND id > ?", string(bulk.Running), from).Order("id"), &row)
		if err != nil {
			return bulk.Job{}, false, translate(err)
		}
		if ok {
			job, err := row.job()
			return job, err == nil, translate(err)
		}
		if from == "" {
			break
		}
	}
	return bulk.Job{}, false, nil
}

// OpenBulkItems returns the first items of a job that have no outcome.
func (db *DB) OpenBulkItems(ctx context.Context, jobID string, limit int) ([]bulk.Item, error) {
	var rows []bulkItemRow
	err := db.reader(ctx).Where("job_id = ? AND state < 2", jobID).Order("n").Limit(limit).Find(&rows).Error
	return elements.Map(rows, bulkItemRow.item), translate(err)
}

// ClaimBulkItems makes items begun at their seq, each where it is stored as was says, and
// returns those for which that held.
func (db *DB) ClaimBulkItems(ctx context.Context, items, was []bulk.Item) ([]bulk.Item, error) {
	if len(items) == 0 {
		return nil, nil
	}
	return updateResult(ctx, db, func(tx *gorm.DB) ([]bulk.Item, error) {
		var claimed []bulk.Item
		for i, it := range items {
			res := tx.Exec("UPDATE bulk_items SET state = ?, seq = ? WHERE job_id = ? AND n = ? AND state = ? AND seq = ?",
				int(bulk.ItemBegun), it.Seq, it.JobID, it.N, int(was[i].State), was[i].Seq)
			if res.Error != nil {
				return nil, res.Error
			}
			if res.RowsAffected > 0 {
				claimed = append(claimed, it)
			}
		}
		return claimed, nil
	})
}

// SettleBulkItems stores the outcomes of items, each where it has none yet, counts them, and
// ends the job with its last one.
func (db *DB) SettleBulkItems(ctx context.Context, jobID string, items []bulk.Item, now time.Time) (bulk.Job, error) {
	return updateResult(ctx, db, func(tx *gorm.DB) (bulk.Job, error) {
		// The job's row first, so that two nodes count one after the other.
		var row bulkJobRow
		if err := forUpdate(tx).Where("id = ?", jobID).Take(&row).Error; err != nil {
			return bulk.Job{}, err
		}
		for _, it := range items {
			res := tx.Exec("UPDATE bulk_items SET state = ?, code = ?, message = ?, result_id = ? WHERE job_id = ? AND n = ? AND state < 2",
				int(it.State), it.Code, it.Message, it.ResultID, jobID, it.N)
			if res.Error != nil {
				return bulk.Job{}, res.Error
			}
			n := int(res.RowsAffected)
			switch it.State {
			case bulk.ItemDone:
				row.Done += n
			case bulk.ItemFailed:
				row.Failed += n
			case bulk.ItemSkipped:
				row.Skipped += n
			case bulk.ItemPending, bulk.ItemBegun: // it has no outcome
			}
		}
		row.UpdatedAt = millis(now)
		if row.State == string(bulk.Running) && row.Done+row.Failed+row.Skipped >= row.Total {
			row.State, row.EndedAt = string(bulk.Completed), row.UpdatedAt
		}
		err := tx.Exec("UPDATE bulk_jobs SET state = ?, done = ?, failed = ?, skipped = ?, updated_at = ?, ended_at = ? WHERE id = ?",
			row.State, row.Done, row.Failed, row.Skipped, row.UpdatedAt, row.EndedAt, jobID).Error
		if err != nil {
			return bulk.Job{}, err
		}
		return row.job()
	})
}

// bulkPurge is how many items one transaction removes.
const bulkPurge = 1000

// PurgeBulkJobs removes the jobs that ended before a time, and those that are being accepted
// since before another, with their items: a part of one job in each transaction.
func (db *DB) PurgeBulkJobs(ctx context.Context, ended, accepting time.Time) error {
	for {
		var ids []string
		err := db.reader(ctx).Raw("SELECT id FROM bulk_jobs WHERE ended_at > 0 AND ended_at < ? ORDER BY ended_at, id LIMIT 1", millis(ended)).Scan(&ids).Error
		if err == nil && len(ids) == 0 {
			err = db.reader(ctx).Raw("SELECT id FROM bulk_jobs WHERE ended_at = 0 AND state = ? AND created_at < ? ORDER BY id LIMIT 1",
				string(bulk.Accepting), millis(accepting)).Scan(&ids).Error
		}
		if err != nil || len(ids) == 0 {
			return translate(err)
		}
		for more := true; more; {
			if more, err = db.purgeBulkJob(ctx, ids[0]); err != nil {
				return err
			}
		}
	}
}

// purgeBulkJob removes a part of a job's items, or the job once it has none; more: it is there
// still.
func (db *DB) purgeBulkJob(ctx context.Context, id string) (more bool, err error) {
	return updateResult(ctx, db, func(tx *gorm.DB) (bool, error) {
		res := tx.Exec("DELETE FROM bulk_items WHERE job_id = ? AND n IN (SELECT n FROM bulk_items WHERE job_id = ? ORDER BY n LIMIT ?)", id, id, bulkPurge)
		if res.Error != nil || res.RowsAffected > 0 {
			return res.Error == nil, res.Error
		}
		return false, tx.Exec("DELETE FROM bulk_jobs WHERE id = ?", id).Error
	})
}
