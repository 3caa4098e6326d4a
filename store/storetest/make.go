package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"heddle/definitions/workflows"
	"heddle/events"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/fault"
	"heddle/idempotency"
	"heddle/store"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// ctx is the context of every call whose end is not what the test is about.
var ctx = context.Background()

// at is n milliseconds after the suite's epoch, in UTC: what the store keeps of a
// time, so that it comes back equal.
func at(n int) time.Time { return time.UnixMilli(1_700_000_000_000 + int64(n)).UTC() }

// revision makes a workflow with its version 1, created at(n). Its definition has
// numbers that a float64 does not hold: the store must not read it.
func revision(tenant, id, slug string, n int) workflows.Revision {
	return workflows.Revision{
		Workflow: workflows.Workflow{
			ID: id, TenantID: tenant, Slug: slug, Name: "Name of " + slug, Description: "About " + slug,
			Status: workflows.Active, TriggerType: "manual", Tags: []string{}, ActiveVersion: 1, LatestVersion: 1,
			Revision: 1, CreatedAt: at(n), UpdatedAt: at(n),
		},
		Version: &workflows.NewVersion{
			Number: 1, Definition: json.RawMessage(`{"name":"` + slug + `","n":9007199254740993,"x":1e400}`),
			Hash: "sha256:" + slug, ChangeSummary: "first", CreatedBy: "tester", CreatedAt: at(n),
		},
	}
}

// create stores a workflow that nothing hinders, and returns it as it was stored.
func create(t *testing.T, db *store.DB, rev workflows.Revision) workflows.Workflow {
	t.Helper()
	must(t, db.CreateWorkflow(ctx, rev, nil))
	return rev.Workflow
}

// newRun makes the insertion of a queued run with its first event. Its input has a
// number that is too large for any decoder. With epoch 0 and no answer, nothing but
// the run's id can be in its way.
func newRun(w workflows.Workflow, id string, n int) executor.Commit {
	return executor.Commit{
		Row: executor.Record{
			Header: machine.Header{
				RunID: id, TenantID: w.TenantID, WorkflowID: w.ID, Slug: w.Slug, Version: 1, Hash: "sha256:" + w.Slug,
				Trigger: "manual", Input: json.RawMessage(`{"a":1e400}`), CreatedAt: at(n),
			},
			State: machine.Queued, Seq: 1, UpdatedAt: at(n), TraceParent: "00-aa-bb-01", TraceState: "k=v",
		},
		Events: []events.Event{event(id, 1, events.StateChanged, n)},
	}
}

// event makes an event at(n) whose data names its seq.
func event(run string, seq int64, kind events.Kind, n int) events.Event {
	return events.Event{RunID: run, Seq: seq, Kind: kind, At: at(n), Data: json.RawMessage(fmt.Sprintf(`{"seq":%d}`, seq))}
}

// grow makes the commit that follows c: one more event and another state. What
// belongs to c alone, its answer and its snapshot, does not come along. A final state
// sets the time of completion.
func grow(c executor.Commit, state machine.State, n int) executor.Commit {
	next := c
	// The commit is a copy of c, slices included, which grow replaces and never changes.
	next.Answer, next.Snapshot = nil, nil
	next.Expected = c.Row.Seq
	next.Row.Seq++
	next.Row.State = state
	next.Row.UpdatedAt = at(n)
	next.Events = []events.Event{event(c.Row.RunID, next.Row.Seq, events.StateChanged, n)}
	if state.Terminal() {
		next.Row.CompletedAt = at(n)
		next.Row.WakeAt = time.Time{}
	}
	return next
}

// commit writes members that must all succeed.
func commit(t *testing.T, db *store.DB, group ...executor.Commit) {
	t.Helper()
	for i, err := range db.Commit(ctx, 0, group) {
		if err != nil {
			t.Fatalf("member %d: %v", i, err)
		}
	}
}

// answer makes a kept answer for a key, always in the same scope.
func answer(tenant, key string, n int) *idempotency.Answer {
	return &idempotency.Answer{
		TenantID: tenant, Scope: "POST /x", Key: key, BodyHash: "h", Status: 202,
		Header: map[string]string{"Location": "/x/1"}, Response: []byte(`{"ok":true}`), CreatedAt: at(n),
	}
}

// must ends the test at an error.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// same ends the test where got is not want, and shows the difference; what says of
// what. A nil slice is not an empty one.
func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("%s (-want +got):\n%s", what, diff)
	}
}

// wantFault ends the test unless err is a fault of that kind and code.
func wantFault(t *testing.T, err error, kind fault.Kind, code string) {
	t.Helper()
	if err == nil || fault.KindOf(err) != kind || fault.CodeOf(err) != code {
		t.Fatalf("got error %v, want kind %d, code %s", err, kind, code)
	}
}

// wantIs ends the test unless err is, or wraps, target.
func wantIs(t *testing.T, err, target error) {
	t.Helper()
	if !errors.Is(err, target) {
		t.Fatalf("got error %v, want %v", err, target)
	}
}
