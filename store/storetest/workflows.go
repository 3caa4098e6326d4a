package storetest

import (
	"encoding/json"
	"errors"
	"heddle/definitions/workflows"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/fault"
	"heddle/store"
	"sync"
	"testing"
)

// workflowTests hold what the authoring of workflows promises.
var workflowTests = map[string]func(*testing.T, *store.DB){
	"workflow is read back by id and slug":      testWorkflowRead,
	"workflow slug is unique within its tenant": testWorkflowSlug,
	"workflow creation is all or nothing":       testWorkflowCreation,
	"workflow change raises the revision":       testWorkflowChange,
	"workflow change that changes nothing":      testWorkflowNoChange,
	"workflow change that is refused":           testWorkflowRefused,
	"workflow changes at once lose no update":   testWorkflowRace,
	"workflow deletion frees the slug":          testWorkflowDelete,
	"workflow deletion sees open runs":          testWorkflowDeleteOpen,
	"workflow of another tenant is unknown":     testWorkflowTenant,
}

// testWorkflowRead: a workflow comes back as it was stored, repeated tags included, by
// id and by slug; its definition is not read or changed.
func testWorkflowRead(t *testing.T, db *store.DB) {
	rev := revision("t1", "wf_1", "one", 1)
	rev.Workflow.Tags = []string{"b", "a", "b"}
	w := create(t, db, rev)
	for _, ref := range []string{"wf_1", "one"} {
		got, err := db.Workflow(ctx, "t1", ref)
		must(t, err)
		same(t, "workflow by "+ref, got, w)
	}
	text, err := db.Definition(ctx, "wf_1", 1)
	must(t, err)
	same(t, "definition, byte for byte", string(text), string(rev.Version.Definition))
}

// testWorkflowSlug: a slug is unique within its tenant, for creations and for changes,
// and free in another.
func testWorkflowSlug(t *testing.T, db *store.DB) {
	create(t, db, revision("t1", "wf_1", "one", 1))
	create(t, db, revision("t2", "wf_2", "one", 1))
	wantFault(t, db.CreateWorkflow(ctx, revision("t1", "wf_3", "one", 1), nil), fault.Conflict, "slug_taken")
	create(t, db, revision("t1", "wf_3", "three", 1))
	_, err := db.Change(ctx, "t1", "wf_3", func(c workflows.Current) (workflows.Revision, error) {
		// A change must not take another workflow's slug either.
		c.Workflow.Slug = "one"
		return workflows.Revision{Workflow: c.Workflow}, nil
	})
	wantFault(t, err, fault.Conflict, "slug_taken")
}

// testWorkflowCreation: a workflow and its kept answer are stored together; whichever
// is refused leaves neither.
func testWorkflowCreation(t *testing.T, db *store.DB) {
	keep := answer("t1", "k", 1)
	must(t, db.CreateWorkflow(ctx, revision("t1", "wf_1", "one", 1), keep))
	wantFault(t, db.CreateWorkflow(ctx, revision("t1", "wf_2", "two", 1), keep), fault.Conflict, "idempotency_key_taken")
	_, err := db.Workflow(ctx, "t1", "two")
	wantFault(t, err, fault.NotFound, "workflow_not_found")

	// The other way round: the slug is taken, and the key stays free.
	wantFault(t, db.CreateWorkflow(ctx, revision("t1", "wf_2", "one", 1), answer("t1", "k2", 1)), fault.Conflict, "slug_taken")
	got, err := db.Answer(ctx, "t1", "POST /x", "k2")
	must(t, err)
	if got != nil {
		t.Fatal("the refused creation kept its answer")
	}
}

// testWorkflowChange: decide sees the stored workflow; what it returns is stored with
// its version, and the revision is one higher. A label is unique among the versions.
func testWorkflowChange(t *testing.T, db *store.DB) {
	w := create(t, db, revision("t1", "wf_1", "one", 1))
	got, err := db.Change(ctx, "t1", "one", func(c workflows.Current) (workflows.Revision, error) {
		same(t, "current", c, workflows.Current{Workflow: w, LatestHash: "sha256:one"})
		c.Workflow.Status, c.Workflow.Tags, c.Workflow.UpdatedAt = workflows.Paused, []string{"x"}, at(2)
		c.Workflow.ActiveVersion, c.Workflow.LatestVersion = 2, 2
		return workflows.Revision{Workflow: c.Workflow, Version: &workflows.NewVersion{Number: 2, Label: "v2.0", Definition: json.RawMessage(`{"b":2}`), Hash: "sha256:2", CreatedAt: at(2)}}, nil
	})
	must(t, err)
	w.Status, w.Tags, w.UpdatedAt, w.ActiveVersion, w.LatestVersion, w.Revision = workflows.Paused, []string{"x"}, at(2), 2, 2, 2
	same(t, "answer", got, w)
	stored, err := db.Workflow(ctx, "t1", "one")
	must(t, err)
	same(t, "stored", stored, w)
	text, err := db.Definition(ctx, "wf_1", 2)
	must(t, err)
	same(t, "version 2", string(text), `{"b":2}`)
	_, err = db.Change(ctx, "t1", "one", func(c workflows.Current) (workflows.Revision, error) {
		// A label of version 2 cannot be version 3's.
		same(t, "latest hash", c.LatestHash, "sha256:2")
		c.Workflow.LatestVersion = 3
		return workflows.Revision{Workflow: c.Workflow, Version: &workflows.NewVersion{Number: 3, Label: "v2.0", Definition: json.RawMessage(`{}`), CreatedAt: at(3)}}, nil
	})
	wantFault(t, err, fault.Conflict, "label_taken")
}

// testWorkflowNoChange: a change that changes nothing does not raise the revision.
func testWorkflowNoChange(t *testing.T, db *store.DB) {
	w := create(t, db, revision("t1", "wf_1", "one", 1))
	got, err := db.Change(ctx, "t1", "wf_1", func(c workflows.Current) (workflows.Revision, error) {
		return workflows.Revision{Workflow: c.Workflow}, nil
	})
	must(t, err)
	same(t, "workflow", got, w)
}

// testWorkflowRefused: decide's error is returned as it is, cause included, and
// nothing is stored.
func testWorkflowRefused(t *testing.T, db *store.DB) {
	w := create(t, db, revision("t1", "wf_1", "one", 1))
	refusal := errors.New("no")
	_, err := db.Change(ctx, "t1", "wf_1", func(workflows.Current) (workflows.Revision, error) {
		return workflows.Revision{}, fault.Wrap(refusal, fault.Conflict, "refused", "no")
	})
	wantIs(t, err, refusal)
	wantFault(t, err, fault.Conflict, "refused")
	got, err := db.Workflow(ctx, "t1", "wf_1")
	must(t, err)
	same(t, "workflow", got, w)
}

// testWorkflowRace: of changes at once none is lost: each sees the revision before its
// own.
func testWorkflowRace(t *testing.T, db *store.DB) {
	create(t, db, revision("t1", "wf_1", "one", 1))
	const writers = 8
	var all sync.WaitGroup
	for range writers {
		all.Go(func() {
			_, err := db.Change(ctx, "t1", "wf_1", func(c workflows.Current) (workflows.Revision, error) {
				// Each writer counts on from what it read: a lost update would make two of a number.
				c.Workflow.LatestVersion++
				v := &workflows.NewVersion{Number: c.Workflow.LatestVersion, Definition: json.RawMessage(`{}`), CreatedAt: at(1)}
				return workflows.Revision{Workflow: c.Workflow, Version: v}, nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	w, err := db.Workflow(ctx, "t1", "wf_1")
	must(t, err)
	if w.LatestVersion != 1+writers || w.Revision != 1+writers {
		t.Fatalf("latest %d, revision %d: an update was lost", w.LatestVersion, w.Revision)
	}
}

// testWorkflowDelete: a deleted workflow is not found, its slug is free and no run of
// it begins; its finished runs, and the versions that they ran, stay.
func testWorkflowDelete(t *testing.T, db *store.DB) {
	rev := revision("t1", "wf_1", "one", 1)
	rev.Workflow.Tags = []string{"x"}
	w := create(t, db, rev)
	run := newRun(w, "run_1", 1)
	commit(t, db, run)
	commit(t, db, grow(run, machine.Completed, 2))
	must(t, db.DeleteWorkflow(ctx, "t1", "one", func(got workflows.Workflow, open bool) error {
		same(t, "workflow", got, w)
		same(t, "open runs", open, false)
		return nil
	}))
	_, err := db.Workflow(ctx, "t1", "wf_1")
	wantFault(t, err, fault.NotFound, "workflow_not_found")
	create(t, db, revision("t1", "wf_2", "one", 2))
	// What has ended keeps all that it takes to read it.
	if _, err := db.Run(ctx, "t1", "run_1"); err != nil {
		t.Fatalf("a finished run is gone: %v", err)
	}
	if _, err := db.Definition(ctx, "wf_1", 1); err != nil {
		t.Fatalf("the version that ran is gone: %v", err)
	}
	if _, err := db.Version(ctx, "t1", "wf_1", "1"); err != nil {
		t.Fatalf("the history is gone: %v", err)
	}
	// The lists of its tags do not have it any more.
	page, err := db.Workflows(ctx, workflows.Query{TenantID: "t1", Tag: "x", Limit: 10})
	must(t, err)
	same(t, "tagged", len(page.Workflows), 0)
	// A start that was decided before the deletion comes too late.
	errs := db.Commit(ctx, 0, []executor.Commit{newRun(w, "run_2", 3)})
	wantFault(t, errs[0], fault.NotFound, "workflow_not_found")
}

// testWorkflowDeleteOpen: check is told of open runs, and its refusal keeps the
// workflow.
func testWorkflowDeleteOpen(t *testing.T, db *store.DB) {
	w := create(t, db, revision("t1", "wf_1", "one", 1))
	commit(t, db, newRun(w, "run_1", 1))
	err := db.DeleteWorkflow(ctx, "t1", "one", func(_ workflows.Workflow, open bool) error {
		same(t, "open runs", open, true)
		return fault.New(fault.Conflict, "workflow_has_open_runs", "no")
	})
	wantFault(t, err, fault.Conflict, "workflow_has_open_runs")
	_, err = db.Workflow(ctx, "t1", "one")
	must(t, err)
}

// testWorkflowTenant: another tenant's workflow is not found, by id or by slug; decide
// and check are not called then.
func testWorkflowTenant(t *testing.T, db *store.DB) {
	create(t, db, revision("t1", "wf_1", "one", 1))
	for _, ref := range []string{"wf_1", "one"} {
		_, err := db.Workflow(ctx, "t2", ref)
		wantFault(t, err, fault.NotFound, "workflow_not_found")
		_, err = db.Target(ctx, "t2", ref, "")
		wantFault(t, err, fault.NotFound, "workflow_not_found")
		_, err = db.Change(ctx, "t2", ref, nil)
		wantFault(t, err, fault.NotFound, "workflow_not_found")
		wantFault(t, db.DeleteWorkflow(ctx, "t2", ref, nil), fault.NotFound, "workflow_not_found")
	}
}
