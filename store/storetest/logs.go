package storetest

import (
	"encoding/json"
	"fmt"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/fault"
	"heddle/store"
	"slices"
	"testing"
)

// logTests hold what steps' lines promise.
var logTests = map[string]func(*testing.T, *store.DB){
	"logs come back as they were kept":   testLogsKept,
	"logs are paged and filtered":        testLogsPaged,
	"logs are followed from their end":   testLogsFollowed,
	"logs are searched within bounds":    testLogsSearched,
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

// testLogsFollowed: a tail goes on where the lines ended, also those of a run that has
// said nothing yet, and the last lines come first where that is asked for.
func testLogsFollowed(t *testing.T, db *store.DB) {
	ctx := t.Context()
	commit(t, db, newRun(create(t, db, revision("t1", "wf_1", "one", 1)), "run_1", 1))
	read := func(q executor.LogQuery) executor.LogPage {
		t.Helper()
		q.RunID, q.Limit = "run_1", 2
		page, err := db.Logs(ctx, q)
		must(t, err)
		if (q.Tail || q.FromEnd) && page.Next == "" {
			t.Fatalf("a tail without a cursor: %+v", q)
		}
		return page
	}
	kept := []executor.Log{}
	add := func(n int, step string) {
		l := line("run_1", n, step, "info", "stdout")
		must(t, db.AppendLogs(ctx, []executor.Log{l}))
		kept = append(kept, l)
	}
	tail := read(executor.LogQuery{Tail: true})
	end := read(executor.LogQuery{FromEnd: true})
	same(t, "nothing", append(tail.Logs, end.Logs...), []executor.Log{})
	add(1, "a")
	add(2, "b")
	add(3, "a")
	same(t, "what came", read(executor.LogQuery{Tail: true, Cursor: end.Next}).Logs, kept[:2])
	tail = read(executor.LogQuery{Tail: true, Cursor: tail.Next})
	same(t, "the first two", tail.Logs, kept[:2])
	tail = read(executor.LogQuery{Tail: true, Cursor: tail.Next})
	same(t, "the third", tail.Logs, kept[2:])
	tail = read(executor.LogQuery{Tail: true, Cursor: tail.Next})
	same(t, "none since", tail.Logs, []executor.Log{})
	end = read(executor.LogQuery{FromEnd: true})
	same(t, "the last two", end.Logs, kept[1:])
	of := read(executor.LogQuery{FromEnd: true, StepID: "b"})
	same(t, "the last of a step", of.Logs, kept[1:2])
	add(4, "b")
	same(t, "behind none", read(executor.LogQuery{Tail: true, Cursor: tail.Next}).Logs, kept[3:])
	same(t, "behind the last two", read(executor.LogQuery{Cursor: end.Next}).Logs, kept[3:])
	same(t, "behind the last of a step", read(executor.LogQuery{StepID: "b", Cursor: of.Next}).Logs, kept[3:])
}

// testLogsSearched: a text is found whatever its case, in every direction; a page that
// finds none in 20,000 lines says where to go on.
func testLogsSearched(t *testing.T, db *store.DB) {
	ctx := t.Context()
	commit(t, db, newRun(create(t, db, revision("t1", "wf_1", "one", 1)), "run_1", 1))
	lines := make([]executor.Log, 21_500)
	for i := range lines {
		lines[i] = line("run_1", i, "a", "info", "stdout")
		lines[i].Message = "nothing of note"
	}
	lines[3].Message, lines[7].Message, lines[21_000].Message = "Über die STRASSE", "eine straße", "Straße % _"
	for part := range slices.Chunk(lines, 5000) {
		must(t, db.AppendLogs(ctx, part))
	}
	for name, q := range map[string]executor.LogQuery{"forward": {}, "backward": {Newest: true}} {
		q.RunID, q.Contains, q.Limit = "run_1", "strasse", 2
		var got []string
		pages := 0
		for {
			page, err := db.Logs(ctx, q)
			must(t, err)
			for _, l := range page.Logs {
				got = append(got, l.ID)
			}
			pages++
			if q.Cursor = page.Next; q.Cursor == "" {
				break
			}
		}
		want := []string{lines[3].ID, lines[7].ID, lines[21_000].ID}
		if q.Newest {
			slices.Reverse(want)
		}
		same(t, name, got, want)
		if pages < 2 || pages > 3 {
			t.Errorf("%s: %d pages", name, pages)
		}
	}
	// From the end 20,000 lines are looked at, so that the first ones are not.
	for text, want := range map[string]int{"% _": 1, "%": 1, "ÜBER DIE": 0, "no such": 0} {
		page, err := db.Logs(ctx, executor.LogQuery{RunID: "run_1", Contains: text, FromEnd: true, Limit: 10})
		must(t, err)
		if n := len(page.Logs); n != want {
			t.Errorf("%q: %d lines, want %d", text, n, want)
		}
	}
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
