package store

import (
	"cmp"
	"context"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/executor/queue"
	"slices"
	"strings"
	"time"
)

// The lists of states stand literally in the SQL, as in the partial indexes
// that serve these queries; a test compares them with the machine's.
const (
	// busySQL lists what recovery restores, by the primary key.
	busySQL = "SELECT id FROM runs WHERE state IN ('running', 'pausing', 'cancelling', 'compensating') AND id > ? ORDER BY id LIMIT ?"

	// limitedSQL lists what counts against concurrency limits: few rows, by the
	// partial index on open runs.
	limitedSQL = "SELECT id, tenant_id, workflow_id, version, hash, concurrency_key, state, EXISTS (SELECT 1 FROM run_series AS s WHERE s.run_id = runs.id) AS named FROM runs WHERE concurrency_key <> '' AND state NOT IN ('completed', 'failed', 'cancelled') ORDER BY created_at, id"

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

	// queuedWorkflowsSQL lists workflows that have queued runs, behind one of them, each
	// with its first and its last queued run, in no order. It is a loose scan: a few probes
	// of the index per workflow, however long the queues are. A comparison of pairs would
	// walk over a tenant's whole queue in the recursion on SQLite.
	queuedWorkflowsSQL = `WITH RECURSIVE q(tenant_id, workflow_id, id, n) AS (
  SELECT tenant_id, workflow_id, id, 1 FROM (SELECT tenant_id, workflow_id, id FROM runs
    WHERE state = 'queued' AND (tenant_id, workflow_id) > (?, ?) ORDER BY tenant_id, workflow_id, created_at, id LIMIT 1) AS f
  UNION ALL
  SELECT r.tenant_id, r.workflow_id, r.id, q.n + 1 FROM q JOIN runs AS r ON r.id = COALESCE(
    (SELECT b.id FROM runs AS b WHERE b.state = 'queued' AND b.tenant_id = q.tenant_id AND b.workflow_id > q.workflow_id ORDER BY b.workflow_id, b.created_at, b.id LIMIT 1),
    (SELECT c.id FROM runs AS c WHERE c.state = 'queued' AND c.tenant_id > q.tenant_id ORDER BY c.tenant_id, c.workflow_id, c.created_at, c.id LIMIT 1))
  WHERE q.n < ?
) SELECT tenant_id, workflow_id, id AS first_id, (SELECT l.id FROM runs AS l
    WHERE l.state = 'queued' AND l.tenant_id = q.tenant_id AND l.workflow_id = q.workflow_id ORDER BY l.created_at DESC, l.id DESC LIMIT 1) AS last_id
FROM q`

	// queueLengthSQL stops at a limit, which bounds what a look at the queue
	// costs.
	queueLengthSQL = "SELECT count(*) FROM (SELECT 1 FROM runs WHERE state = 'queued' LIMIT ?) AS q"

	// queuedRunsSQL lists one workflow's queue, first come first served.
	queuedRunsSQL = "SELECT id, created_at FROM runs WHERE state = 'queued' AND tenant_id = ? AND workflow_id = ? ORDER BY created_at, id LIMIT ?"

	// queuedUnnamedSQL is queuedRunsSQL without the runs that have a name.
	queuedUnnamedSQL = "SELECT id, created_at FROM runs WHERE state = 'queued' AND tenant_id = ? AND workflow_id = ? AND NOT EXISTS (SELECT 1 FROM run_series AS s WHERE s.run_id = runs.id) ORDER BY created_at, id LIMIT ?"

	// queuedAheadSQL counts the queued runs of a workflow before one of them, up to a limit.
	queuedAheadSQL = "SELECT count(*) FROM (SELECT 1 FROM runs WHERE state = 'queued' AND tenant_id = ? AND workflow_id = ? AND (created_at, id) < (?, ?) LIMIT ?) AS a"
)

// QueuedWorkflows lists at most limit workflows that have queued runs, by tenant and id and
// from behind after (zero: from the first).
func (db *DB) QueuedWorkflows(ctx context.Context, after queue.Workflow, limit int) ([]executor.QueuedWorkflow, error) {
	var rows []struct{ TenantID, WorkflowID, FirstID, LastID string }
	if err := db.reader(ctx).Raw(queuedWorkflowsSQL, after.TenantID, after.ID, limit).Scan(&rows).Error; err != nil {
		return nil, translate(err)
	}
	list := make([]executor.QueuedWorkflow, len(rows))
	for i, r := range rows {
		list[i] = executor.QueuedWorkflow{Workflow: queue.Workflow{TenantID: r.TenantID, ID: r.WorkflowID}, First: r.FirstID, Last: r.LastID}
	}
	slices.SortFunc(list, func(a, b executor.QueuedWorkflow) int {
		return cmp.Or(strings.Compare(a.TenantID, b.TenantID), strings.Compare(a.ID, b.ID))
	})
	return list, nil
}

// QueuedRuns lists at most limit of a workflow's queued runs, the oldest first; with
// unnamed, those without a name only.
func (db *DB) QueuedRuns(ctx context.Context, w queue.Workflow, unnamed bool, limit int) ([]queue.Run, error) {
	text := queuedRunsSQL
	if unnamed {
		text = queuedUnnamedSQL
	}
	var rows []struct {
		ID        string
		CreatedAt int64
	}
	if err := db.reader(ctx).Raw(text, w.TenantID, w.ID, limit).Scan(&rows).Error; err != nil {
		return nil, translate(err)
	}
	list := make([]queue.Run, len(rows))
	for i, r := range rows {
		list[i] = queue.Run{ID: r.ID, Workflow: w, Class: queue.Queued, CreatedAt: fromMillis(r.CreatedAt)}
	}
	return list, nil
}

// QueuedAhead counts the queued runs of a run's workflow that come before it, up to limit.
func (db *DB) QueuedAhead(ctx context.Context, run executor.Record, limit int) (int, error) {
	var n int
	err := db.reader(ctx).Raw(queuedAheadSQL, run.TenantID, run.WorkflowID, millis(run.CreatedAt), run.RunID, limit).Scan(&n).Error
	return n, translate(err)
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
		ID, TenantID, WorkflowID, Hash, ConcurrencyKey, State string
		Version                                               int
		Named                                                 bool
	}
	if err := db.reader(ctx).Raw(limitedSQL).Scan(&rows).Error; err != nil {
		return nil, translate(err)
	}
	list := make([]executor.LimitedRun, len(rows))
	for i, r := range rows {
		list[i] = executor.LimitedRun{
			RunID: r.ID, TenantID: r.TenantID, WorkflowID: r.WorkflowID, Version: r.Version, Hash: r.Hash,
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
