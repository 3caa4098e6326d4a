package store

import (
	"cmp"
	"context"
	"heddle/executor/machine"
	"maps"
	"slices"

	"gorm.io/gorm"
)

// countKey names a kept counter: how many runs of a workflow are in a state and
// were started by a trigger. The totals of lists are sums of these, so that no list
// counts rows. On PostgreSQL a counter is spread over rows, of which a transaction
// changes the one of its connection: transactions that count the same runs do not
// wait for each other. A row may be negative, their sum is the number.
type countKey struct {
	tenantID, workflowID, state, trigger string
}

// compare orders keys, for transactions that change several counters.
func (k countKey) compare(other countKey) int {
	return cmp.Or(cmp.Compare(k.tenantID, other.tenantID), cmp.Compare(k.workflowID, other.workflowID),
		cmp.Compare(k.state, other.state), cmp.Compare(k.trigger, other.trigger))
}

// countSQL adds to a counter.
var countSQL = sqlText{
	sqlite: "INSERT INTO run_counts (tenant_id, workflow_id, state, trigger_kind, shard, n) VALUES (?, ?, ?, ?, 0, ?)" + addToCount,
	postgres: numbered("INSERT INTO run_counts (tenant_id, workflow_id, state, trigger_kind, shard, n) VALUES (?, ?, ?, ?, pg_backend_pid() % 16, ?)" +
		addToCount),
}

const addToCount = " ON CONFLICT (tenant_id, workflow_id, state, trigger_kind, shard) DO UPDATE SET n = run_counts.n + excluded.n"

// countChanges returns the statements that keep the counters true to the writes,
// one for each counter that changes, however many runs change it. They are executed
// last, in one order everywhere, as on PostgreSQL they lock rows that other runs
// share.
func countChanges(alive []*write) []statement {
	changes := map[countKey]int64{}
	for _, w := range alive {
		now := countKey{w.row.TenantID, w.row.WorkflowID, w.row.State, w.row.TriggerKind}
		switch {
		case w.expected == 0:
			changes[now]++
		case w.stateBefore != w.row.State:
			before := now
			before.state = w.stateBefore
			changes[before]--
			changes[now]++
		}
	}
	var list []statement
	for _, k := range slices.SortedFunc(maps.Keys(changes), countKey.compare) {
		if n := changes[k]; n != 0 {
			list = append(list, statement{countSQL, []any{k.tenantID, k.workflowID, k.state, k.trigger, n}})
		}
	}
	return list
}

// uncount takes a deleted run out of its counter.
func (db *DB) uncount(tx *gorm.DB, r runRow) error {
	text := countSQL.sqlite
	if db.postgres() {
		text = countSQL.postgres
	}
	return tx.Exec(text, r.TenantID, r.WorkflowID, r.State, r.TriggerKind, -1).Error
}

// countedTotal returns how many runs the counters have for a list of whole ranges:
// without bounds of the start.
func countedTotal(tx *gorm.DB, tenantID string, workflowIDs []string, states []machine.State, triggers []string) (int, error) {
	c := &conditions{}
	c.add("tenant_id = ?", tenantID)
	if workflowIDs != nil {
		c.add("workflow_id IN ?", workflowIDs)
	}
	if len(states) > 0 {
		c.add("state IN ?", states)
	}
	if len(triggers) > 0 {
		c.add("trigger_kind IN ?", triggers)
	}
	var n int
	err := tx.Raw("SELECT CAST(coalesce(sum(n), 0) AS BIGINT) FROM run_counts WHERE "+c.sql(), c.args...).Scan(&n).Error
	return n, err
}

// recountSQL sets right what the counters of a tenant lack, of one moment: a
// transaction that commits meanwhile has changed rows and counters both, or neither.
const recountSQL = `INSERT INTO run_counts (tenant_id, workflow_id, state, trigger_kind, shard, n)
SELECT tenant_id, workflow_id, state, trigger_kind, 0, CAST(sum(n) AS BIGINT) FROM (
  SELECT tenant_id, workflow_id, state, trigger_kind, count(*) AS n FROM runs AS r WHERE tenant_id = ? AND ` + punctualSQL + ` GROUP BY tenant_id, workflow_id, state, trigger_kind
  UNION ALL SELECT tenant_id, workflow_id, state, trigger_kind, count(*) FROM runs AS r WHERE tenant_id = ? AND ` + lateSQL + ` GROUP BY tenant_id, workflow_id, state, trigger_kind
  UNION ALL SELECT tenant_id, workflow_id, state, trigger_kind, count(*) FROM runs AS r WHERE tenant_id = ? AND ` + instantSQL + ` GROUP BY tenant_id, workflow_id, state, trigger_kind
  UNION ALL SELECT tenant_id, workflow_id, state, trigger_kind, -n FROM run_counts WHERE tenant_id = ?
) AS d GROUP BY tenant_id, workflow_id, state, trigger_kind HAVING sum(n) <> 0` + addToCount

// countedTenantsSQL finds the first tenant behind one that has runs or counters of
// runs, by a probe of each index.
const countedTenantsSQL = `SELECT min(tenant_id) FROM (
  SELECT * FROM (SELECT tenant_id FROM runs WHERE tenant_id > ? ORDER BY tenant_id LIMIT 1) AS a
  UNION ALL SELECT * FROM (SELECT tenant_id FROM run_counts WHERE tenant_id > ? ORDER BY tenant_id LIMIT 1) AS b) AS t`

// RecountRuns compares the counters of runs with the rows, sets right what differs
// and returns how many counters that were, also beside an error. It may run beside
// anything. It reads an index of all runs, one tenant in a transaction.
func (db *DB) RecountRuns(ctx context.Context) (wrong int, err error) {
	for tenantID := ""; ; {
		var next *string
		if err := db.reader(ctx).Raw(countedTenantsSQL, tenantID, tenantID).Scan(&next).Error; err != nil || next == nil {
			return wrong, translate(err)
		}
		tenantID = *next
		n, err := updateResult(ctx, db, func(tx *gorm.DB) (int, error) {
			res := tx.Exec(recountSQL, tenantID, tenantID, tenantID, tenantID)
			return int(res.RowsAffected), res.Error
		})
		if wrong += n; err != nil {
			return wrong, err
		}
	}
}

// RepairCounts is RecountRuns where a node of a version that keeps no counters may
// have written runs: on PostgreSQL, while nodes are upgraded one after another. A
// SQLite file is opened by one version at a time.
func (db *DB) RepairCounts(ctx context.Context) (wrong int, err error) {
	if !db.postgres() {
		return 0, nil
	}
	return db.RecountRuns(ctx)
}
