package storetest

import (
	"encoding/json"
	"fmt"
	"heddle/agents"
	"heddle/definitions/workflows"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/fault"
	"heddle/schedules"
	"heddle/secrets"
	"heddle/store"
	"strings"
	"testing"
)

// Everything that a tenant stores counts by its bytes, for that tenant alone,
// and what is deleted does not.
func testStoredBytes(t *testing.T, db *store.DB) {
	const size = 3000
	text := `"` + strings.Repeat("é", size/2-1) + `"` // size bytes of JSON, fewer characters
	content := func() json.RawMessage { return json.RawMessage(text) }
	w := create(t, db, revision("t1", "wf_1", "one", 1))
	create(t, db, revision("t2", "wf_2", "two", 1))
	before := int64(0)
	grows := func(what string, by int64) {
		t.Helper()
		n, err := db.CountStoredBytes(ctx, "t1")
		must(t, err)
		// Rows have a little besides, such as a summary and the events of a run.
		if more := n - before; more < by || more > by+500 {
			t.Errorf("%s: %d bytes more, want %d and a little", what, more, by)
		}
		before = n
	}
	grows("a workflow", 0)

	second := revision("t1", "wf_3", "three", 2)
	second.Version.Definition = content()
	create(t, db, second)
	grows("a definition", size)
	tpl := template("t1", "tpl_1", 1)
	tpl.Definition, tpl.Parameters = content(), content()
	createTemplate(t, db, tpl)
	grows("a template", 3*size) // the parameters of the newest version stand beside it as well
	s := newSchedule(w, "sched_1", 1)
	s.Input = content()
	must(t, db.CreateSchedule(ctx, s, nil))
	grows("a schedule's input", size)
	_, err := db.PutAgent(ctx, agents.Agent{TenantID: "t1", ID: "a", SystemPrompt: text, CreatedAt: at(1), UpdatedAt: at(1)}, func(int64) error { return nil })
	must(t, err)
	grows("an agent", size)
	must(t, db.PutSecret(ctx, secrets.Sealed{Entry: secrets.Entry{Name: "NAME", CreatedAt: at(1), UpdatedAt: at(1)}, TenantID: "t1", Box: []byte(text)}))
	grows("a secret", size)
	tagged := revision("t1", "wf_4", "four", 2)
	tagged.Workflow.Tags = []string{text}
	create(t, db, tagged)
	grows("tags", size)

	c := newRun(w, "run_1", 1)
	c.Row.Input = content()
	commit(t, db, c)
	grows("an input", size)
	small := newRun(w, "run_2", 2)
	small.Row.Input = json.RawMessage(`"` + strings.Repeat("é", 499) + `"`)
	commit(t, db, small)
	grows("a small input", 1000)
	next := grow(c, machine.Completed, 3)
	next.Events[0].Data, next.Row.Output, next.Snapshot = content(), content(), []byte(text)
	commit(t, db, next)
	grows("an event, an output and a snapshot", 3*size)
	must(t, db.AppendLogs(ctx, []executor.Log{{RunID: "run_1", ID: "log_1", Level: "info", Category: "stdout", Message: text, Data: content(), At: at(4)}}))
	grows("a line of a log", 2*size)
	must(t, db.PutBlob(ctx, executor.Blob{ID: "blob_1", TenantID: "t1", RunID: "run_1", Size: size, SHA256: "s", ContentType: "x", CreatedAt: at(5)}, []byte(text)))
	grows("a large value", size)

	must(t, db.DeleteRun(ctx, "t1", "run_1"))
	grows("a deleted run", -7*size-100)
	must(t, db.DeleteSchedule(ctx, "t1", "sched_1", func(schedules.Schedule) error { return nil }))
	grows("a deleted schedule", -size-200)
	must(t, db.DeleteWorkflow(ctx, "t1", "wf_3", func(workflows.Workflow, bool) error { return nil }))
	grows("a deleted workflow", -size-200)

	// Pages of runs are all counted.
	var group []executor.Commit
	// More than two pages of the store's, many of one millisecond.
	for i := range 450 {
		many := newRun(w, fmt.Sprintf("run_many_%03d", i), 10+i/7)
		many.Row.Input = content()
		group = append(group, many)
	}
	for len(group) > 0 {
		n := min(50, len(group))
		commit(t, db, group[:n]...)
		group = group[n:]
	}
	n, err := db.CountStoredBytes(ctx, "t1")
	must(t, err)
	if more := n - before; more < 450*size || more > 450*(size+50) {
		t.Errorf("450 runs are %d bytes", more)
	}
	other, err := db.CountStoredBytes(ctx, "t2")
	must(t, err)
	if other > 200 {
		t.Errorf("another tenant has %d bytes", other)
	}
}

// The versions of a deleted workflow are there for its runs, and go with the last
// of them.
func testVersionsOfDeletedWorkflows(t *testing.T, db *store.DB) {
	anyway := func(workflows.Workflow, bool) error { return nil }
	w := create(t, db, revision("t1", "wf_1", "one", 1))
	create(t, db, revision("t1", "wf_2", "two", 1))
	for i, id := range []string{"run_1", "run_2"} {
		c := newRun(w, id, i)
		commit(t, db, c)
		commit(t, db, grow(c, machine.Completed, 5))
	}
	gone := func(workflow string, want bool) {
		t.Helper()
		_, err := db.Definition(ctx, workflow, 1)
		if want {
			wantFault(t, err, fault.NotFound, "version_not_found")
			return
		}
		must(t, err)
	}
	must(t, db.DeleteWorkflow(ctx, "t1", "wf_2", anyway))
	gone("wf_2", true)
	must(t, db.DeleteRun(ctx, "t1", "run_1"))
	must(t, db.DeleteWorkflow(ctx, "t1", "wf_1", anyway))
	gone("wf_1", false)
	n, err := db.CountStoredBytes(ctx, "t1")
	must(t, err)
	if n == 0 {
		t.Error("the versions of a deleted workflow with runs do not count")
	}
	must(t, db.DeleteRun(ctx, "t1", "run_2"))
	gone("wf_1", true)
	n, err = db.CountStoredBytes(ctx, "t1")
	must(t, err)
	same(t, "bytes of nothing", n, int64(0))
}
