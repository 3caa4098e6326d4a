package store

import (
	"context"
	"heddle/executor"
	"heddle/executor/machine"
	"time"

	"gorm.io/gorm"
)

// The lists of states stand literally in the SQL, as in the partial indexes
// that serve these queries; a test compares them with the machine's.
const (
	// busySQL lists what recovery restores, by the primary key.
	busySQL = "SELECT id FROM runs WHERE state IN ('running', 'pausing', 'cancelling', 'compensating') AND id > ? ORDER BY id LIMIT ?"

	// limitedSQL lists what counts against concurrency limits: few rows, by the
	// partial index on open runs.
	limitedSQL = "SELECT id, workflow_id, version, hash, concurrency_key, state, EXISTS (SELECT 1 FROM run_series AS s WHERE s.run_id = runs.id) AS named FROM runs WHERE concurrency_key <> '' AND state NOT IN ('completed', 'failed', 'cancelled') ORDER BY created_at, id"

	// openOfSQL groups the open runs of one key by version and by whether they
	// have begun.
	openOfSQL = "SELECT version, hash, CASE WHEN state = 'queued' THEN 0 ELSE 1 END AS begun, count(*) AS count FROM runs WHERE concurrency_key <> '' AND state NOT IN ('completed', 'failed', 'cancelled') AND workflow_id = ? AND concurrency_key = ? GROUP BY 1, 2, 3 ORDER BY 3 DESC, min(created_at), min(id)"

	// openRunsSQL lists the open runs of a workflow. A deletion uses it to see
	// whether there are any.
	openRunsSQL = "SELECT id FROM runs WHERE state NOT IN ('completed', 'failed', 'cancelled') AND workflow_id = ? AND tenant_id = ? ORDER BY id"

	// runsByVersionSQL counts the open runs of one workflow, by version. The
	// tenant is written so that no index of it serves: those hold finished
	// runs too.
	runsByVersionSQL = "SELECT version, count(*) AS count FROM runs WHERE state NOT IN ('completed', 'failed', 'cancelled') AND workflow_id = ? AND tenant_id || '' = ? GROUP BY version ORDER BY version"

	// dueSQL reads a range of the partial index on wake_at; the pair (wake_at,
	// id) is where the page before stopped.
	dueSQL = "SELECT id, wake_at FROM runs WHERE wake_at > 0 AND wake_at <= ? AND (wake_at, id) > (?, ?) ORDER BY wake_at, id LIMIT ?"

	// queuedTenantsSQL lists the tenants that have queued runs, in order. It is a
	// loose scan: one index probe per tenant, however long the queues are.
	queuedTenantsSQL = `WITH RECURSIVE t(id) AS (
  SELECT min(tenant_id) FROM runs WHERE state = 'queued'
  UNION ALL
  SELECT (SELECT min(r.tenant_id) FROM runs AS r WHERE r.state = 'queued' AND r.tenant_id > t.id) FROM t WHERE t.id IS NOT NULL
) SELECT id FROM t WHERE id IS NOT NULL`

	// queueLengthSQL stops at a limit, which bounds what a look at the queue
	// costs.
	queueLengthSQL = "SELECT count(*) FROM (SELECT 1 FROM runs WHERE state = 'queued' LIMIT ?) AS q"

	// queuedRunsSQL lists one tenant's queue, first come first served.
	queuedRunsSQL = "SELECT id FROM runs WHERE state = 'queued' AND tenant_id = ? ORDER BY created_at, id LIMIT ?"
)

// Queued lists at most limit ids of queued runs: each tenant's oldest first,
// and the tenants in turn. The next call begins with the tenant after the one
// that was listed last, so that with more tenants than limit none starves.
func (db *DB) Queued(ctx context.Context, limit int) ([]string, error) {
	return db.queue(ctx, queuedRunsSQL, limit)
}

// queue lists queued runs fairly, see Queued; ofTenant is the query of one
// tenant's, with the arguments tenant and limit. All is read from one snapshot.
// The place in the rotation is moved only where tenants were left out, and
// without a lock over the reads: two calls at once may list the same tenants.
func (db *DB) queue(ctx context.Context, ofTenant string, limit int) ([]string, error) {
	type result struct {
		queues [][]string
		served string
	}
	db.queueMu.Lock()
	after := db.lastServedTenant
	db.queueMu.Unlock()
	read, err := viewResult(ctx, db, func(tx *gorm.DB) (r result, err error) {
		var tenants []string
		if err := tx.Raw(queuedTenantsSQL).Scan(&tenants).Error; err != nil {
			return r, err
		}
		tenants = rotate(tenants, after)
		for _, tenant := range tenants[:min(len(tenants), limit)] {
			var ids []string
			if err := tx.Raw(ofTenant, tenant, limit).Scan(&ids).Error; err != nil {
				return r, err
			}
			r.queues = append(r.queues, ids)
			r.served = tenant
		}
		return r, nil
	})
	if err != nil {
		return nil, err
	}
	if len(read.queues) == limit {
		db.queueMu.Lock()
		db.lastServedTenant = read.served
		db.queueMu.Unlock()
	}
	return interleave(read.queues, limit), nil
}

// rotate returns the sorted names, beginning with the first that is greater
// than after: a, b, c behind b are c, a, b. Where none is greater the names are
// returned as they are. The argument is not changed.
func rotate(names []string, after string) []string {
	for i, name := range names {
		if name > after {
			return append(append(make([]string, 0, len(names)), names[i:]...), names[:i]...)
		}
	}
	return names
}

// interleave returns the first of each queue, then the second of each, and so
// on, at most limit in all: {a1 a2 a3} and {b1} with limit 3 are a1 b1 a2.
func interleave(queues [][]string, limit int) []string {
	var list []string
	for round, more := 0, true; more; round++ {
		more = false
		for _, q := range queues {
			if round >= len(q) {
				continue
			}
			if len(list) == limit {
				return list
			}
			list = append(list, q[round])
			more = true
		}
	}
	return list
}

// Due lists at most limit runs whose WakeAt is at or before t, earliest first,
// from behind after; the zero DueRun begins the list. It reads the partial
// index on wake_at, which holds waiting runs only.
func (db *DB) Due(ctx context.Context, after executor.DueRun, t time.Time, limit int) ([]executor.DueRun, error) {
	var rows []runRow
	if err := db.reader(ctx).Raw(dueSQL, millis(t), millis(after.At), after.RunID, limit).Scan(&rows).Error; err != nil {
		return nil, translate(err)
	}
	list := make([]executor.DueRun, len(rows))
	for i, row := range rows {
		list[i] = executor.DueRun{RunID: row.ID, At: fromMillis(row.WakeAt)}
	}
	return list, nil
}

// BusyRuns lists at most limit ids, by id and from behind afterID ("": from the
// first), of runs in a state in which the executor has work to do: what recovery
// restores.
func (db *DB) BusyRuns(ctx context.Context, afterID string, limit int) ([]string, error) {
	var ids []string
	err := db.reader(ctx).Raw(busySQL, afterID, limit).Scan(&ids).Error
	return ids, translate(err)
}

// OpenRuns lists the ids of a workflow's runs that have not ended, in order and
// without a limit. It reads the partial index on open runs.
func (db *DB) OpenRuns(ctx context.Context, tenantID, workflowID string) ([]string, error) {
	var ids []string
	err := db.reader(ctx).Raw(openRunsSQL, workflowID, tenantID).Scan(&ids).Error
	return ids, translate(err)
}

// LimitedRuns lists the open runs that have a concurrency key, the oldest first:
// what the node that begins to drive counts limits from. Begun is false for a
// run that is queued, also after a resume.
func (db *DB) LimitedRuns(ctx context.Context) ([]executor.LimitedRun, error) {
	var rows []struct {
		ID, WorkflowID, Hash, ConcurrencyKey, State string
		Version                                     int
		Named                                       bool
	}
	if err := db.reader(ctx).Raw(limitedSQL).Scan(&rows).Error; err != nil {
		return nil, translate(err)
	}
	list := make([]executor.LimitedRun, len(rows))
	for i, r := range rows {
		list[i] = executor.LimitedRun{
			RunID: r.ID, WorkflowID: r.WorkflowID, Version: r.Version, Hash: r.Hash,
			Key: r.ConcurrencyKey, Begun: r.State != string(machine.Queued), Named: r.Named,
		}
	}
	return list, nil
}

// OpenByVersion counts the open runs of a workflow with that concurrency key, by the
// version that they run: first those that have begun, then the queued ones, in
// the order of the oldest of each.
func (db *DB) OpenByVersion(ctx context.Context, workflowID, key string) ([]executor.OpenCount, error) {
	var rows []struct {
		Version int
		Hash    string
		Begun   int
		Count   int
	}
	if err := db.reader(ctx).Raw(openOfSQL, workflowID, key).Scan(&rows).Error; err != nil {
		return nil, translate(err)
	}
	list := make([]executor.OpenCount, len(rows))
	for i, r := range rows {
		list[i] = executor.OpenCount{Version: r.Version, Hash: r.Hash, Begun: r.Begun != 0, Count: r.Count}
	}
	return list, nil
}

// maxQueueCount bounds what QueueLength costs.
const maxQueueCount = 100_000

// QueueLength counts the queued runs of all tenants, up to maxQueueCount
// (100,000).
func (db *DB) QueueLength(ctx context.Context) (int, error) {
	var n int
	err := db.reader(ctx).Raw(queueLengthSQL, maxQueueCount).Scan(&n).Error
	return n, translate(err)
}
