package storetest

import (
	"encoding/json"
	"heddle/definitions/workflows"
	"heddle/events"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/fault"
	"heddle/store"
	"heddle/versions"
	"strconv"
	"testing"
)

// transferTests hold what export and import need.
var transferTests = map[string]func(*testing.T, *store.DB){
	"workflows are walked by slug":            testWorkflowsAfter,
	"versions are walked with definitions":    testVersionsAfter,
	"import stores a workflow whole":          testImport,
	"import refuses taken slugs, ids, labels": testImportRefused,
	"open runs are counted by version":        testRunsByVersion,
}

// testWorkflowsAfter: workflows are walked by slug, in the order of its bytes on every
// database, without deleted ones and without another tenant's.
func testWorkflowsAfter(t *testing.T, db *store.DB) {
	for n, slug := range []string{"b", "a-b", "a_b", "a", "ab"} {
		create(t, db, revision("t1", "wf_"+strconv.Itoa(n), slug, n)) // ids in another order
	}
	create(t, db, revision("t2", "wf_other", "aa", 9))
	// A deleted one is not walked, and neither is another tenant's.
	must(t, db.DeleteWorkflow(ctx, "t1", "ab", func(workflows.Workflow, bool) error { return nil }))
	walk := func(ids []string) []string {
		var got []string
		for after := ""; ; {
			page, err := db.WorkflowsAfter(ctx, "t1", ids, after, 2)
			must(t, err)
			for _, w := range page {
				got, after = append(got, w.Slug), w.Slug
			}
			if len(page) < 2 {
				return got
			}
		}
	}
	same(t, "all", walk(nil), []string{"a", "a-b", "a_b", "b"})
	same(t, "some", walk([]string{"wf_0", "wf_3", "wf_other", "wf_4"}), []string{"a", "b"})
	same(t, "none", len(walk([]string{})), 0)
}

// testVersionsAfter: versions are walked oldest first, with their definitions.
func testVersionsAfter(t *testing.T, db *store.DB) {
	history(t, db)
	list, err := db.VersionsAfter(ctx, "t1", "wf_1", 1, 5)
	must(t, err)
	if len(list) != 2 || list[0].Number != 2 || list[1].Label != "beta" || string(list[1].Definition) != "{}" {
		t.Fatalf("after 1: %+v", list)
	}
	list, err = db.VersionsAfter(ctx, "t2", "wf_1", 0, 5)
	must(t, err)
	same(t, "another tenant's", len(list), 0)
}

// arrival is a workflow with two versions.
func arrival(tenant, id, slug string) (workflows.Workflow, []workflows.NewVersion) {
	w := revision(tenant, id, slug, 1).Workflow
	w.LatestVersion, w.Tags = 2, []string{"x"}
	return w, []workflows.NewVersion{
		{Number: 1, Label: "one", Definition: json.RawMessage(`{"n":1}`), Hash: "h1", CreatedBy: "a", CreatedAt: at(1)},
		{Number: 2, Definition: json.RawMessage(`{"n":2}`), Hash: "h2", CreatedBy: "b", CreatedAt: at(2)},
	}
}

// testImport: a workflow is stored with all its versions and its tags, as if it had been
// made here.
func testImport(t *testing.T, db *store.DB) {
	w, all := arrival("t1", "wf_1", "one")
	must(t, db.ImportWorkflow(ctx, w, all, nil))
	got, err := db.Workflow(ctx, "t1", "one")
	must(t, err)
	same(t, "workflow", got, w)
	list, err := db.VersionsAfter(ctx, "t1", "wf_1", 0, 5)
	must(t, err)
	same(t, "first", list[0], versions.Version{WorkflowID: "wf_1", Number: 1, Label: "one", Definition: all[0].Definition, DefinitionHash: "h1", CreatedBy: "a", CreatedAt: at(1)})
	same(t, "versions", len(list), 2)
	page, err := db.Workflows(ctx, workflows.Query{TenantID: "t1", Tag: "x", Limit: 5})
	must(t, err)
	same(t, "tagged", slugs(page), []string{"one"})
	// The latest hash is known: the same definition again is not a new version.
	_, err = db.Change(ctx, "t1", "wf_1", func(c workflows.Current) (workflows.Revision, error) {
		same(t, "latest hash", c.LatestHash, "h2")
		return workflows.Revision{Workflow: c.Workflow}, nil
	})
	must(t, err)
}

// testImportRefused: a slug, an id, a label or a key that is taken refuses the whole
// workflow; of slug and id the slug is named. Ids are unique across tenants.
func testImportRefused(t *testing.T, db *store.DB) {
	create(t, db, revision("t1", "wf_1", "one", 1))
	w, all := arrival("t1", "wf_1", "one")
	wantFault(t, db.ImportWorkflow(ctx, w, all, nil), fault.Conflict, "slug_taken")
	// The id is taken even under a free slug, and even in another tenant.
	w.Slug = "two"
	wantFault(t, db.ImportWorkflow(ctx, w, all, nil), fault.Conflict, "id_taken")
	w.TenantID = "t2"
	wantFault(t, db.ImportWorkflow(ctx, w, all, nil), fault.Conflict, "id_taken")
	// Two versions of one workflow with one label.
	w.ID, all[1].Label = "wf_2", "one"
	wantFault(t, db.ImportWorkflow(ctx, w, all, nil), fault.Conflict, "label_taken")
	_, err := db.Workflow(ctx, "t2", "two")
	wantFault(t, err, fault.NotFound, "workflow_not_found")
	all[1].Label = ""
	keep := answer("t2", "k", 1)
	must(t, db.KeepAnswer(ctx, *keep))
	wantFault(t, db.ImportWorkflow(ctx, w, all, keep), fault.Conflict, "idempotency_key_taken")
	_, err = db.Workflow(ctx, "t2", "two")
	wantFault(t, err, fault.NotFound, "workflow_not_found")
	keep = answer("t2", "l", 1)
	must(t, db.ImportWorkflow(ctx, w, all, keep))
	other := answer("t2", "l", 9)
	must(t, db.KeepAnswer(ctx, *other)) // the first stays
	kept, err := db.Answer(ctx, "t2", keep.Scope, "l")
	must(t, err)
	same(t, "kept", kept, keep)
}

// testRunsByVersion: open runs are counted by the version that they run, of one
// workflow of one tenant.
func testRunsByVersion(t *testing.T, db *store.DB) {
	history(t, db)
	w, err := db.Workflow(ctx, "t1", "wf_1")
	must(t, err)
	// The run of version 2 has ended, and does not count.
	for n, version := range []int{3, 1, 3, 1, 2} {
		c := newRun(w, "run_"+string(rune('a'+n)), n)
		c.Row.Version = version
		if version == 2 {
			c.Row.State, c.Row.CompletedAt = machine.Completed, at(9)
		}
		commit(t, db, executor.Commit{Row: c.Row, Events: []events.Event{c.Events[0]}})
	}
	got, err := db.RunsByVersion(ctx, "t1", "wf_1")
	must(t, err)
	same(t, "open", got, []versions.OpenRuns{{Version: 1, Count: 2}, {Version: 3, Count: 2}})
	for _, other := range [][2]string{{"t2", "wf_1"}, {"t1", "wf_2"}} {
		got, err = db.RunsByVersion(ctx, other[0], other[1])
		must(t, err)
		same(t, "none", got, []versions.OpenRuns{})
	}
}
