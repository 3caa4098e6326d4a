package store

import (
	"context"
	"encoding/json"
	"fmt"
	"heddle/audit"
	"heddle/bulk"
	"heddle/executor"
	"heddle/internal/elements"
	"slices"
	"time"

	"gorm.io/gorm"
)

// RunMatches reads a page of what Runs lists, without what makes rows large.
func (db *DB) RunMatches(ctx context.Context, q executor.RunQuery) (bulk.MatchPage, error) {
	order, kind := orderOf(q)
	list := listFingerprint(kind, q)
	at, err := decodeCursor(list, q.Cursor)
	if err != nil {
		return bulk.MatchPage{}, err
	}
	order.at = at
	return viewResult(ctx, db, func(tx *gorm.DB) (bulk.MatchPage, error) {
		page, places, err := placesOf(tx, q, db.walk, order, list)
		if err != nil {
			return bulk.MatchPage{}, err
		}
		matches, err := runMatches(tx, q.TenantID, idsOf(places))
		return bulk.MatchPage{Matches: matches, Next: page.Next}, err
	})
}

// RunMatchesByID reads those of the ids that are runs of the tenant and of the workflows, nil
// for all, in the order of the ids.
func (db *DB) RunMatchesByID(ctx context.Context, tenantID string, workflowIDs, ids []string) ([]bulk.Match, error) {
	matches, err := runMatches(db.reader(ctx), tenantID, ids)
	if workflowIDs != nil {
		matches = slices.DeleteFunc(matches, func(m bulk.Match) bool { return !slices.Contains(workflowIDs, m.WorkflowID) })
	}
	return matches, translate(err)
}

// runMatches reads what is known of runs by their ids, in the order of the ids.
func runMatches(tx *gorm.DB, tenantID string, ids []string) ([]bulk.Match, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	var rows []bulk.Match
	if err := tx.Raw("SELECT id, workflow_id, slug, state FROM "+indexedRuns(tx, runsByID)+" WHERE r.id IN ? AND tenant_id = ?", ids, tenantID).Scan(&rows).Error; err != nil {
		return nil, err
	}
	byID := make(map[string]bulk.Match, len(rows))
	for _, m := range rows {
		byID[m.ID] = m
	}
	matches := make([]bulk.Match, 0, len(rows))
	for _, id := range ids {
		if m, there := byID[id]; there {
			matches = append(matches, m)
		}
	}
	return matches, nil
}

// bulkDetail is the detail of the audit entry about a job.
type bulkDetail struct {
	Kind   bulk.Kind   `json:"kind"`
	Action bulk.Action `json:"action"`
	Total  int         `json:"total"`
}

// AcceptBulkJob stores a part of a job: the job with the first, the rest of its items with the
// others. With the last it takes the state that the job has, the answer is kept and the audit
// trail has its entry. idempotency_key_taken (Conflict).
func (db *DB) AcceptBulkJob(ctx context.Context, a bulk.Acceptance) error {
	return db.update(ctx, func(tx *gorm.DB) error {
		row, err := toBulkJobRow(a.Job)
		if err != nil {
			return err
		}
		final := row.State
		if !a.Last {
			row.State = string(bulk.Accepting)
		}
		if a.First {
			if err := tx.Create(&row).Error; err != nil {
				return err
			}
		}
		if len(a.Items) > 0 {
			if err := tx.CreateInBatches(elements.Map(a.Items, toBulkItemRow), 200).Error; err != nil {
				return err
			}
		}
		if !a.Last {
			return nil
		}
		if err := tx.Exec("UPDATE bulk_jobs SET state = ? WHERE id = ?", final, a.Job.ID).Error; err != nil {
			return err
		}
		if a.Keep != nil {
			if err := insertAnswer(tx, *a.Keep); err != nil {
				return err
			}
		}
		return writeAudit(tx, audit.Object{Kind: "job", ID: a.Job.ID}, bulkDetail{a.Job.Kind, a.Job.Action, a.Job.Total})
	})
}

// findBulkJob finds a job of the tenant that was accepted, with the lock of q; job_not_found.
func findBulkJob(q *gorm.DB, tenantID, id string) (bulk.Job, error) {
	var row bulkJobRow
	ok, err := found(q.Where("id = ? AND tenant_id = ? AND state <> ?", id, tenantID, string(bulk.Accepting)), &row)
	if err == nil && !ok {
		err = bulk.NotFound()
	}
	if err != nil {
		return bulk.Job{}, err
	}
	return row.job()
}

// BulkJob returns a job; job_not_found.
func (db *DB) BulkJob(ctx context.Context, tenantID, id string) (bulk.Job, error) {
	job, err := findBulkJob(db.reader(ctx), tenantID, id)
	return job, translate(err)
}

// BulkJobs lists a page of jobs, newest first.
func (db *DB) BulkJobs(ctx context.Context, q bulk.JobQuery) (bulk.JobPage, error) {
	list := listFingerprint("jobs", q)
	at, err := decodeCursor(list, q.Cursor)
	if err != nil {
		return bulk.JobPage{}, err
	}
	f := db.reader(ctx).Where("tenant_id = ? AND state <> ?", q.TenantID, string(bulk.Accepting))
	if q.ActorID != "" {
		f = f.Where("actor_id = ?", q.ActorID)
	}
	var rows []bulkJobRow
	if err := newestFirst(f, "created_at", "id", at).Limit(q.Limit + 1).Find(&rows).Error; err != nil {
		return bulk.JobPage{}, translate(err)
	}
	var page bulk.JobPage
	rows, page.Next = trimPage(list, rows, q.Limit, func(r bulkJobRow) position { return position{r.CreatedAt, r.ID} })
	for _, row := range rows {
		job, err := row.job()
		if err != nil {
			return bulk.JobPage{}, translate(err)
		}
		page.Jobs = append(page.Jobs, job)
	}
	return page, nil
}

// BulkFailures lists a page of the items that failed or were skipped, in their order.
func (db *DB) BulkFailures(ctx context.Context, q bulk.FailureQuery) (bulk.FailurePage, error) {
	list := listFingerprint("failures", q)
	at, err := decodeCursor(list, q.Cursor)
	if err != nil {
		return bulk.FailurePage{}, err
	}
	after := int64(-1)
	if at != nil {
		after = at.Key
	}
	var rows []bulkItemRow
	err = db.reader(ctx).Where("job_id = ? AND state > 2 AND n > ?", q.JobID, after).Order("n").Limit(q.Limit + 1).Find(&rows).Error
	if err != nil {
		return bulk.FailurePage{}, translate(err)
	}
	var page bulk.FailurePage
	rows, page.Next = trimPage(list, rows, q.Limit, func(r bulkItemRow) position { return position{int64(r.N), r.JobID} })
	page.Items = elements.Map(rows, bulkItemRow.item)
	return page, nil
}

// StopBulkJob makes a running job stopped and returns it, with an entry in the audit trail where
// a request did; one that has ended is returned as it is. job_not_found.
func (db *DB) StopBulkJob(ctx context.Context, tenantID, id string, why bulk.Stop, now time.Time) (bulk.Job, error) {
	return updateResult(ctx, db, func(tx *gorm.DB) (bulk.Job, error) {
		job, err := findBulkJob(forUpdate(tx), tenantID, id)
		if err != nil || job.State != bulk.Running {
			return job, err
		}
		by, err := json.Marshal(why.By)
		if err != nil {
			return job, fmt.Errorf("encode who stopped job %s: %w", id, err)
		}
		job.State, job.Stop, job.UpdatedAt, job.EndedAt = bulk.Stopped, why, now, now
		err = tx.Exec("UPDATE bulk_jobs SET state = ?, stop_code = ?, stop_message = ?, stopped_by = ?, updated_at = ?, ended_at = ? WHERE id = ?",
			string(job.State), why.Code, why.Message, string(by), millis(now), millis(now), id).Error
		if err != nil {
			return job, err
		}
		return job, writeAudit(tx, audit.Object{Kind: "job", ID: id}, nil)
	})
}
