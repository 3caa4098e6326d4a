package storetest

import (
	"encoding/json"
	"fmt"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/fault"
	"heddle/store"
	"testing"
)

// logTests hold what steps' lines promise.
var logTests = map[string]func(*testing.T, *store.DB){
	"logs come back as they were kept":   testLogsKept,
	"logs are paged and filtered":        testLogsPaged,
	"logs go with their run":             testLogsDeleted,
	"logs of one thousand lines at once": testLogsMany,
}

// line makes the nth line of a run; its id sorts by n.
func line(run string, n int, step, level, category string) executor.Log {
	return executor.Log{
		ID: fmt.Sprintf("log_%06d", n), RunID: run, StepID: step, Attempt: 1 + n%2,
		Level: level, Category: category, Message: fmt.Sprint("line ", n), At: at(n),
	}
}

// testLogsKept: lines come back as they were kept, with and without their optional
// fields.
func testLogsKept(t *testing.T, db *store.DB) {
	w := create(t, db, revision("t1", "wf_1", "one", 1))
	commit(t, db, newRun(w, "run_1", 1))
	full := line("run_1", 1, "each", "warn", "stderr")
	// Quotes, a backslash, a line break, and a number that no decoder keeps.
	full.Iteration, full.Message, full.Data = "each[3].inner[0]", "it's “odd” \\ \n", json.RawMessage(`{"n":1e400}`)
	bare := line("run_1", 2, "s", "info", "stdout")
	must(t, db.AppendLogs(ctx, []executor.Log{full, bare}))
	got, err := db.Logs(ctx, executor.LogQuery{RunID: "run_1", Limit: 10})
	must(t, err)
	same(t, "lines", got, executor.LogPage{Logs: []executor.Log{full, bare}})
	got, err = db.Logs(ctx, executor.LogQuery{RunID: "run_2", Limit: 10})
	must(t, err)
	same(t, "another run's", got, executor.LogPage{Logs: []executor.Log{}})
}

// testLogsPaged: each filter selects exactly its lines, oldest or newest first, without
// a gap or a repeat between pages; a cursor is of its own list.
func testLogsPaged(t *testing.T, db *store.DB) {
	w := create(t, db, revision("t1", "wf_1", "one", 1))
	commit(t, db, newRun(w, "run_1", 1), newRun(w, "run_2", 1))
	var all []executor.Log
	for n := range 12 {
		l := line("run_1", n, []string{"a", "b", "a"}[n%3], []string{"info", "warn"}[n%2], []string{"stdout", "agent"}[n%4/2])
		// Steps, levels, categories and iterations in other rhythms, so that each filter
		// selects another set.
		l.Iteration = []string{"", "a[0]"}[n%2]
		all = append(all, l)
	}
	must(t, db.AppendLogs(ctx, append([]executor.Log{line("run_2", 99, "a", "info", "stdout")}, all...)))
	for name, test := range map[string]struct {
		q    executor.LogQuery
		take func(l executor.Log) bool
	}{
		"all":       {executor.LogQuery{}, func(executor.Log) bool { return true }},
		"step":      {executor.LogQuery{StepID: "a"}, func(l executor.Log) bool { return l.StepID == "a" }},
		"level":     {executor.LogQuery{Level: "warn"}, func(l executor.Log) bool { return l.Level == "warn" }},
		"category":  {executor.LogQuery{Category: "agent"}, func(l executor.Log) bool { return l.Category == "agent" }},
		"attempt":   {executor.LogQuery{Attempt: 2}, func(l executor.Log) bool { return l.Attempt == 2 }},
		"iteration": {executor.LogQuery{Iteration: "a[0]"}, func(l executor.Log) bool { return l.Iteration == "a[0]" }},
		"two": {
			executor.LogQuery{StepID: "a", Level: "info"},
			func(l executor.Log) bool { return l.StepID == "a" && l.Level == "info" },
		},
	} {
		// Each filter is walked in both directions.
		for _, newest := range []bool{false, true} {
			var want []executor.Log
			for i := range all {
				l := all[i]
				if newest {
					l = all[len(all)-1-i]
				}
				if test.take(l) {
					want = append(want, l)
				}
			}
			test.q.RunID, test.q.Newest, test.q.Limit, test.q.Cursor = "run_1", newest, 2, ""
			var got []executor.Log
			for {
				page, err := db.Logs(ctx, test.q)
				must(t, err)
				got = append(got, page.Logs...)
				if page.Next == "" {
					break
				}
				test.q.Cursor = page.Next
			}
			same(t, name, got, want)
		}
	}
	page, err := db.Logs(ctx, executor.LogQuery{RunID: "run_1", Limit: 2})
	must(t, err)
	_, err = db.Logs(ctx, executor.LogQuery{RunID: "run_1", StepID: "b", Limit: 2, Cursor: page.Next})
	wantFault(t, err, fault.Malformed, "invalid_request")
	_, err = db.Logs(ctx, executor.LogQuery{RunID: "run_1", Limit: 2, Cursor: "x"})
	wantFault(t, err, fault.Malformed, "invalid_request")
}

// testLogsDeleted: lines go with their run, and those that come later are left out,
// without an error for the others.
func testLogsDeleted(t *testing.T, db *store.DB) {
	w := create(t, db, revision("t1", "wf_1", "one", 1))
	c := newRun(w, "run_1", 1)
	commit(t, db, c, newRun(w, "run_2", 1))
	commit(t, db, grow(c, machine.Completed, 2))
	must(t, db.AppendLogs(ctx, []executor.Log{line("run_1", 1, "a", "info", "stdout")}))
	must(t, db.DeleteRun(ctx, "t1", "run_1"))
	// Lines may still be under way when their run is deleted.
	kept := line("run_2", 3, "a", "info", "stdout")
	must(t, db.AppendLogs(ctx, []executor.Log{line("run_1", 2, "a", "info", "stdout"), kept}))
	got, err := db.Logs(ctx, executor.LogQuery{RunID: "run_1", Limit: 10})
	must(t, err)
	same(t, "a deleted run's lines", got, executor.LogPage{Logs: []executor.Log{}})
	got, err = db.Logs(ctx, executor.LogQuery{RunID: "run_2", Limit: 10})
	must(t, err)
	same(t, "the other's", got, executor.LogPage{Logs: []executor.Log{kept}})
	must(t, db.AppendLogs(ctx, nil))
}

// testLogsMany: more lines than one statement takes are kept in order.
func testLogsMany(t *testing.T, db *store.DB) {
	w := create(t, db, revision("t1", "wf_1", "one", 1))
	commit(t, db, newRun(w, "run_1", 1))
	var lines []executor.Log
	for n := range 1001 {
		lines = append(lines, line("run_1", n, "a", "info", "stdout"))
	}
	must(t, db.AppendLogs(ctx, lines))
	got, err := db.Logs(ctx, executor.LogQuery{RunID: "run_1", Limit: 2000})
	must(t, err)
	same(t, "lines", got, executor.LogPage{Logs: lines})
}
