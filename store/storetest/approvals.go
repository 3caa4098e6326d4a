package storetest

import (
	"encoding/json"
	"fmt"
	"heddle/approvals"
	"heddle/audit"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/fault"
	"heddle/store"
	"slices"
	"strings"
	"testing"
)

// approvalTests hold what commits write of input requests, and how they are listed.
var approvalTests = map[string]func(*testing.T, *store.DB){
	"approvals are written with their events": testApprovalKept,
	"approvals close once":                    testApprovalOnce,
	"approvals of a lost commit":              testApprovalLost,
	"approvals with each filter":              testApprovalFilters,
	"approvals go with their run":             testApprovalDeleted,
}

// opened makes the change that opens a request at(n).
func opened(id string, n int, assignees ...string) machine.RequestChange {
	return machine.RequestChange{ID: id, At: at(n), Opened: &machine.InputRequest{
		Ref: machine.Ref{StepID: "ask", Iteration: "each[3]"}, Seq: 2, StepName: "Ask", Signal: "ok", Prompt: "Ship it?",
		Schema: json.RawMessage(`{"maximum":1e400}`), Choices: json.RawMessage(`["yes"]`), Context: json.RawMessage(`{"n":9007199254740993}`),
		Assignees: assignees, ExpiresAt: at(n + 1000), OnTimeout: "continue",
	}}
}

// answered makes the change that closes a request at(n).
func answered(id string, n int) machine.RequestChange {
	return machine.RequestChange{
		ID: id, At: at(n), End: machine.RequestAnswered, By: machine.Attribution{Actor: audit.Actor{Type: audit.Key, ID: "key_1", Name: "ann"}, Reason: "Fine."},
		Payload: json.RawMessage(`{"a":1.0}`), Key: "k1",
	}
}

// asking commits a new run of the workflow with a request, and returns its commit.
func asking(t *testing.T, db *store.DB, c executor.Commit, changes ...machine.RequestChange) executor.Commit {
	t.Helper()
	c.Requests = changes
	commit(t, db, c)
	c.Requests = nil
	return c
}

// testApprovalKept: every field comes back, before and after the answer.
func testApprovalKept(t *testing.T, db *store.DB) {
	w := create(t, db, revision("t1", "wf_1", "one", 1))
	first := newRun(w, "run_1", 1)
	first.Row.StartedBy = audit.Actor{Type: audit.Key, ID: "key_9", Name: "bob"}
	first = asking(t, db, first, opened("apr_1", 5, "ann", "key_2"))
	want := approvals.Approval{
		ID: "apr_1", TenantID: "t1", RunID: "run_1", WorkflowID: "wf_1", Slug: "one", Name: "Name of one", Version: 1,
		InputRequest: *opened("", 5, "ann", "key_2").Opened, InputHead: `{"a":1e400}`, StartedBy: first.Row.StartedBy, State: approvals.Open, OpenedAt: at(5),
	}
	got, err := db.Approval(ctx, "t1", "apr_1")
	must(t, err)
	same(t, "open", got, want)
	next := grow(first, machine.Running, 7)
	next.Requests = []machine.RequestChange{answered("apr_1", 7)}
	commit(t, db, next)
	want.State, want.ClosedAt, want.AnsweredBy, want.Comment, want.Payload, want.Key = approvals.Answered, at(7), answered("", 7).By.Actor, "Fine.", json.RawMessage(`{"a":1.0}`), "k1"
	got, err = db.Approval(ctx, "t1", "apr_1")
	must(t, err)
	same(t, "answered", got, want)
	_, err = db.Approval(ctx, "t2", "apr_1")
	wantFault(t, err, fault.NotFound, "approval_not_found")
}

// testApprovalOnce: the first end counts, the end of a run ends what is open of it, and the
// counters follow.
func testApprovalOnce(t *testing.T, db *store.DB) {
	w := create(t, db, revision("t1", "wf_1", "one", 1))
	c := asking(t, db, newRun(w, "run_1", 1), opened("apr_1", 1), opened("apr_2", 1, "ann"), opened("apr_3", 1), answered("apr_3", 1))
	other := newRun(w, "run_2", 1)
	asking(t, db, other, opened("apr_4", 1))
	open := func(want int) {
		t.Helper()
		n, err := db.OpenApprovals(ctx, "t1", nil)
		must(t, err)
		same(t, "open", n, want)
	}
	open(3)
	c = grow(c, machine.Running, 2)
	c.Requests = []machine.RequestChange{answered("apr_1", 2), {ID: "apr_1", At: at(3), End: machine.RequestExpired}, {ID: "apr_4", At: at(3), End: machine.RequestExpired}}
	commit(t, db, c)
	open(2) // apr_4 is another run's
	c = grow(c, machine.Cancelled, 4)
	c.Requests = machine.CancelRequests(at(4))
	commit(t, db, c)
	open(1)
	for id, want := range map[string]approvals.State{"apr_1": approvals.Answered, "apr_2": approvals.Cancelled, "apr_3": approvals.Answered, "apr_4": approvals.Open} {
		a, err := db.Approval(ctx, "t1", id)
		must(t, err)
		same(t, id, a.State, want)
	}
	mine, err := db.CountApprovals(ctx, approvals.Query{TenantID: "t1", State: approvals.Open, Assignees: []string{"ann"}}, 10)
	must(t, err)
	same(t, "assigned and open", mine, 1)
	n, err := db.OpenApprovals(ctx, "t1", []string{"wf_2"})
	must(t, err)
	same(t, "of another workflow", n, 0)
}

// testApprovalLost: a member that loses writes nothing of its requests.
func testApprovalLost(t *testing.T, db *store.DB) {
	w := create(t, db, revision("t1", "wf_1", "one", 1))
	c := asking(t, db, newRun(w, "run_1", 1), opened("apr_1", 1))
	lost := grow(c, machine.Running, 2)
	lost.Expected++
	lost.Row.Seq++
	lost.Events[0].Seq++
	lost.Requests = []machine.RequestChange{answered("apr_1", 2), opened("apr_2", 2)}
	wantIs(t, db.Commit(ctx, 0, []executor.Commit{lost})[0], executor.ErrFenced)
	page, err := db.Approvals(ctx, approvals.Query{TenantID: "t1", Limit: 10})
	must(t, err)
	if len(page.Approvals) != 1 || page.Approvals[0].State != approvals.Open {
		t.Errorf("after a lost commit there are %+v", page.Approvals)
	}
}

// testApprovalFilters compares pages of each list with what a filter in memory selects.
func testApprovalFilters(t *testing.T, db *store.DB) {
	var all []approvals.Approval
	for tenant := range 2 {
		for n := range 24 {
			name := fmt.Sprintf("%d_%d", tenant, n)
			// The workflow is of the first digit of n, so that it has several.
			w := revision(fmt.Sprintf("t%d", tenant), "wf_"+name[:3], "w-"+name[:3], 1)
			if len(name) == 3 {
				create(t, db, w)
			}
			r := opened("apr_0000000"+name, n/3, [][]string{nil, {"ann"}, {"bob", "ann"}, {"bob"}}[n%4]...)
			r.Opened.Signal = []string{"ok", "pay"}[n%2]
			if n%5 == 0 {
				r.Opened.ExpiresAt = at(5000 - n)
			}
			changes := []machine.RequestChange{r}
			if n%7 == 0 {
				changes = append(changes, answered(r.ID, n))
			}
			asking(t, db, newRun(w.Workflow, "run_0000000"+name, n), changes...)
			a, err := db.Approval(ctx, w.Workflow.TenantID, r.ID)
			must(t, err)
			all = append(all, a)
		}
	}
	for _, order := range []approvals.Order{"", approvals.Newest, approvals.ByExpiry} {
		for _, state := range []approvals.State{"", approvals.Open, approvals.Answered} {
			for _, q := range []approvals.Query{
				{},
				{WorkflowID: "wf_1_1"},
				{WorkflowIDs: []string{"wf_1_1", "wf_1_2", "wf_1_3"}},
				{WorkflowIDs: []string{}},
				{Signal: "pay"},
				{Assignees: []string{"ann"}},
				{Assignees: []string{"bob", "ann"}},
				{Signal: "ok", WorkflowID: "wf_1_2"},
				{Assignees: []string{"bob"}, Signal: "pay", WorkflowIDs: []string{"wf_1_1"}},
				{Prefix: "run_00000001_1"},
				{Prefix: "apr_00000001_2", Signal: "ok"},
				{WorkflowID: "wf_1_1", WorkflowIDs: []string{"wf_1_2"}},
			} {
				q.TenantID, q.Order, q.State = "t1", order, state
				sameApprovals(t, db, q, all)
			}
		}
	}
	_, err := db.Approvals(ctx, approvals.Query{TenantID: "t1", Cursor: "nonsense", Limit: 1})
	wantFault(t, err, fault.Malformed, "invalid_request")
}

// sameApprovals walks a list in pages of three and compares it with what it has to be.
func sameApprovals(t *testing.T, db *store.DB, q approvals.Query, all []approvals.Approval) {
	t.Helper()
	var want, got []string
	list := slices.DeleteFunc(slices.Clone(all), func(a approvals.Approval) bool { return !selects(q, a) })
	slices.SortFunc(list, func(a, b approvals.Approval) int {
		x, y := a.OpenedAt, b.OpenedAt
		if q.Order == approvals.ByExpiry {
			x, y = a.ExpiresAt, b.ExpiresAt
		}
		c := x.Compare(y)
		if c == 0 {
			c = strings.Compare(a.ID, b.ID)
		}
		if q.Order == approvals.Newest {
			c = -c
		}
		return c
	})
	for _, a := range list {
		want = append(want, a.ID)
	}
	q.Limit = 3
	for {
		page, err := db.Approvals(ctx, q)
		must(t, err)
		for _, a := range page.Approvals {
			got = append(got, a.ID)
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			break
		}
	}
	same(t, fmt.Sprintf("%+v", q), got, want)
	n, err := db.CountApprovals(ctx, q, 5)
	must(t, err)
	same(t, "counted", n, min(len(want), 5))
}

// selects reports whether a query is about an approval.
func selects(q approvals.Query, a approvals.Approval) bool {
	assigned := q.Assignees == nil || len(a.Assignees) == 0 || slices.ContainsFunc(q.Assignees, func(n string) bool { return slices.Contains(a.Assignees, n) })
	return a.TenantID == q.TenantID && (q.WorkflowID == "" || q.WorkflowID == a.WorkflowID) && (q.WorkflowIDs == nil || slices.Contains(q.WorkflowIDs, a.WorkflowID)) &&
		(q.State == "" || q.State == a.State) && (q.Signal == "" || q.Signal == a.Signal) && assigned &&
		(q.Prefix == "" || strings.HasPrefix(a.ID, q.Prefix) || strings.HasPrefix(a.RunID, q.Prefix))
}

// testApprovalDeleted: a run's approvals go with it.
func testApprovalDeleted(t *testing.T, db *store.DB) {
	w := create(t, db, revision("t1", "wf_1", "one", 1))
	c := asking(t, db, newRun(w, "run_1", 1), opened("apr_1", 1, "ann"))
	c = grow(c, machine.Failed, 2)
	c.Requests = machine.CancelRequests(at(2))
	commit(t, db, c)
	must(t, db.DeleteRun(ctx, "t1", "run_1"))
	_, err := db.Approval(ctx, "t1", "apr_1")
	wantFault(t, err, fault.NotFound, "approval_not_found")
	n, err := db.CountApprovals(ctx, approvals.Query{TenantID: "t1", Assignees: []string{"ann"}}, 10)
	must(t, err)
	same(t, "assigned", n, 0)
}
