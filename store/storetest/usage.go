package storetest

import (
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/store"
	"testing"
)

// usageTests hold what the consumption of runs sums up to.
var usageTests = map[string]func(*testing.T, *store.DB){
	"usage is summed by workflow and time": testUsage,
}

// testUsage: runs are summed by tenant, workflow and creation, from the first moment
// on and before the last; nothing sums up to zero.
func testUsage(t *testing.T, db *store.DB) {
	w := create(t, db, revision("t1", "wf_1", "one", 1))
	other := create(t, db, revision("t1", "wf_2", "two", 1))
	for i, c := range []executor.Commit{newRun(w, "run_1", 10), newRun(w, "run_2", 20), newRun(w, "run_3", 30), newRun(other, "run_4", 20)} {
		commit(t, db, c)
		done := grow(c, machine.Completed, 2)
		// Powers of 1,024, so that a sum shows which runs are in it.
		done.Row.Usage = machine.Usage{Tokens: int64(1) << (10 * i), CostMicroUSD: int64(i + 1)}
		commit(t, db, done)
	}
	for name, test := range map[string]struct {
		q    executor.UsageQuery
		want executor.UsageSum
	}{
		"all":            {executor.UsageQuery{TenantID: "t1", WorkflowID: "wf_1", From: at(0), To: at(100)}, executor.UsageSum{Runs: 3, Tokens: 1 + 1<<10 + 1<<20, CostMicroUSD: 6}},
		"from and to":    {executor.UsageQuery{TenantID: "t1", WorkflowID: "wf_1", From: at(20), To: at(30)}, executor.UsageSum{Runs: 1, Tokens: 1 << 10, CostMicroUSD: 2}},
		"none":           {executor.UsageQuery{TenantID: "t1", WorkflowID: "wf_1", From: at(40), To: at(50)}, executor.UsageSum{}},
		"another tenant": {executor.UsageQuery{TenantID: "t2", WorkflowID: "wf_1", From: at(0), To: at(100)}, executor.UsageSum{}},
	} {
		got, err := db.Usage(ctx, test.q)
		must(t, err)
		same(t, name, got, test.want)
	}
}
