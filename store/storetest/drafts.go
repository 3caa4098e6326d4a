package storetest

import (
	"fmt"
	"heddle/audit"
	"heddle/definitions/source"
	"heddle/definitions/workflows"
	"heddle/drafts"
	"heddle/fault"
	"heddle/store"
	"testing"
)

// draftTests hold what drafts need.
var draftTests = map[string]func(*testing.T, *store.DB){
	"draft is one for each workflow and person": testDrafts,
	"draft goes with the change made of it":     testDraftDropped,
}

// saveDraft stores a text of a person for a workflow, "" for one that is not there yet.
func saveDraft(t *testing.T, db *store.DB, workflow, owner, text string, n int) drafts.Draft {
	t.Helper()
	place := drafts.Place{TenantID: "t1", WorkflowID: workflow, Owner: audit.Actor{Type: audit.Key, ID: owner, Name: owner}}
	saved, _, err := db.SaveDraft(ctx, place, func(current *drafts.Draft) (drafts.Draft, error) {
		d := drafts.Draft{ID: fmt.Sprintf("draft_%d", n), TenantID: "t1", WorkflowID: workflow, Owner: place.Owner, CreatedAt: at(n)}
		if current != nil {
			d = *current
		}
		d.Written, d.BaseVersion, d.UpdatedAt = source.Written{Format: source.YAML, Text: text}, 1, at(n)
		d.Revision++
		return d, nil
	}, nil)
	must(t, err)
	return saved
}

// testDrafts: a second save replaces the first, of one person and workflow alone; texts
// without a workflow are as many as there are; lists have no texts; drafts count as stored
// and go with their workflow.
func testDrafts(t *testing.T, db *store.DB) {
	create(t, db, revision("t1", "wf_1", "one", 1))
	before, err := db.CountStoredBytes(ctx, "t1")
	must(t, err)
	saveDraft(t, db, "wf_1", "key_1", "a: 1", 1)
	saveDraft(t, db, "wf_1", "key_2", "b: 1", 2)
	second := saveDraft(t, db, "wf_1", "key_1", "a: 2", 3)
	saveDraft(t, db, "", "key_1", "c: 1", 4)
	saveDraft(t, db, "", "key_1", "c: 2", 5)
	same(t, "revision", second.Revision, int64(2))
	after, err := db.CountStoredBytes(ctx, "t1")
	must(t, err)
	same(t, "bytes", after-before, int64(16))
	own := drafts.Place{TenantID: "t1", WorkflowID: "wf_1", Owner: audit.Actor{Type: audit.Key, ID: "key_1"}}
	got, err := db.Draft(ctx, own)
	must(t, err)
	same(t, "draft", got, second)
	own.Owner.Type = audit.System
	_, err = db.Draft(ctx, own)
	wantFault(t, err, fault.NotFound, "draft_not_found")
	_, err = db.Draft(ctx, drafts.Place{TenantID: "t2", ID: second.ID, Owner: second.Owner})
	wantFault(t, err, fault.NotFound, "draft_not_found")
	// Three of the key's own, over two pages.
	q := drafts.Query{TenantID: "t1", OwnerType: audit.Key, OwnerID: "key_1", Limit: 2}
	page, err := db.Drafts(ctx, q)
	must(t, err)
	q.Cursor = page.Next
	rest, err := db.Drafts(ctx, q)
	must(t, err)
	var ids []string
	for _, d := range append(page.Drafts, rest.Drafts...) {
		ids = append(ids, d.ID)
		same(t, "text", d.Written.Text, "")
	}
	same(t, "own", ids, []string{"draft_5", "draft_4", "draft_1"})
	of, err := db.Drafts(ctx, drafts.Query{TenantID: "t1", WorkflowID: "wf_1", Limit: 9})
	must(t, err)
	same(t, "of the workflow", len(of.Drafts), 2)
	must(t, db.DeleteWorkflow(ctx, "t1", "wf_1", func(workflows.Workflow, bool) error { return nil }))
	_, err = db.Draft(ctx, drafts.Place{TenantID: "t1", ID: second.ID, Owner: second.Owner})
	wantFault(t, err, fault.NotFound, "draft_not_found")
	_, _, err = db.SaveDraft(ctx, drafts.Place{TenantID: "t1", WorkflowID: "wf_1", Owner: second.Owner}, func(*drafts.Draft) (drafts.Draft, error) { return second, nil }, nil)
	wantFault(t, err, fault.NotFound, "workflow_not_found")
}

// testDraftDropped: a change deletes the draft that it was made of, but not a later text.
func testDraftDropped(t *testing.T, db *store.DB) {
	create(t, db, revision("t1", "wf_1", "one", 1))
	publish := func(d drafts.Draft) {
		_, err := db.Change(ctx, "t1", "wf_1", func(c workflows.Current) (workflows.Revision, error) {
			return workflows.Revision{Workflow: c.Workflow, Draft: &workflows.SavedDraft{ID: d.ID, Revision: d.Revision}}, nil
		})
		must(t, err)
	}
	first := saveDraft(t, db, "wf_1", "key_1", "a: 1", 1)
	second := saveDraft(t, db, "wf_1", "key_1", "a: 2", 2)
	at := drafts.Place{TenantID: "t1", ID: first.ID, Owner: first.Owner}
	publish(first)
	_, err := db.Draft(ctx, at)
	must(t, err)
	publish(second)
	_, err = db.Draft(ctx, at)
	wantFault(t, err, fault.NotFound, "draft_not_found")
}
