package storetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"heddle/definitions/workflows"
	"heddle/events"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/fault"
	"heddle/store"
	"sync"
	"testing"
	"time"
)

// commitTests hold what Commit promises: whole members, one winner per seq and key,
// and losers that do not take the others with them.
var commitTests = map[string]func(*testing.T, *store.DB){
	"commit writes row, events and snapshot":  testCommitWhole,
	"commit is fenced by seq":                 testCommitSeq,
	"commit is fenced by epoch":               testCommitEpoch,
	"commit with one bad member":              testCommitBadMember,
	"commit of two members of one run":        testCommitTwice,
	"commit that leaves a gap is refused":     testCommitGap,
	"commit with a bad successor is refused":  testCommitBadSuccessor,
	"commit of a start on an old revision":    testCommitStale,
	"commit of a large group":                 testCommitLarge,
	"commit keeps an answer once":             testCommitAnswer,
	"commit of one key by many at once":       testCommitKeyRace,
	"commit of the same keys in other orders": testCommitKeyOrders,
	"commit of one seq by many at once":       testCommitSeqRace,
	"commit of an empty group":                testCommitEmpty,
}

// testCommitWhole: a member's row, events and snapshot come back exactly as they
// were committed, with every field set and with odd contents.
func testCommitWhole(t *testing.T, db *store.DB) {
	w := create(t, db, revision("t1", "wf_1", "one", 1))
	first := newRun(w, "run_1", 1)
	// What a first commit has beyond newRun: a key, and an event of a step in a loop.
	first.Row.ConcurrencyKey = "=k"
	first.Events[0].StepID, first.Events[0].Iteration, first.Events[0].Attempt = "a", "each[3].inner[0]", 2
	commit(t, db, first)
	got, err := db.Run(ctx, "t1", "run_1")
	must(t, err)
	same(t, "new row", got, first.Row)

	next := grow(first, machine.Failed, 5)
	// Every column that an update writes, with values that are easily lost: a JSON null,
	// a control character, another version from the second event on.
	next.Row.StartedAt, next.Row.CompletedAt, next.Row.WakeAt = at(2), at(5), at(9)
	next.Row.Output = json.RawMessage(`null`)
	next.Row.Error = &machine.Error{Code: "x", Message: "äöü \u0001", Details: map[string]any{"k": "v"}}
	next.Row.Usage = machine.Usage{Tokens: 3, CostMicroUSD: 4}
	next.Row.Version, next.Row.Hash = 2, "sha256:other"
	next.Row.Versions = []machine.VersionSpan{{Version: 1, Hash: "sha256:one", FromSeq: 1}, {Version: 2, Hash: "sha256:other", FromSeq: 2}}
	next.Events = append(next.Events, event("run_1", 3, events.RunFailed, 5))
	next.Events[1].Data = nil
	next.Row.Seq = 3
	next.Snapshot = []byte{0, 1, 255}
	commit(t, db, next)
	// Nothing follows the snapshot, so recovery reads no events; all are still there.
	j, err := db.Journal(ctx, "run_1")
	must(t, err)
	same(t, "journal", j, executor.Journal{Row: next.Row, Snapshot: []byte{0, 1, 255}, Events: []events.Event{}})
	all, err := db.Events(ctx, "run_1", 0, 10)
	must(t, err)
	same(t, "events", all, append(first.Events[:1:1], next.Events...))
}

// testCommitSeq: a commit that expects another seq than the run's, below or above,
// or a run that does not exist, is executor.ErrFenced and changes nothing, also where
// no row of its events would collide.
func testCommitSeq(t *testing.T, db *store.DB) {
	w := create(t, db, revision("t1", "wf_1", "one", 1))
	first := newRun(w, "run_1", 1)
	second := grow(first, machine.Running, 2)
	commit(t, db, first)
	commit(t, db, second)
	// Four ways to come late: the insertion and the first change again, two events where
	// one is expected, and a run that was never stored.
	unknown := grow(newRun(w, "run_9", 1), machine.Running, 2)
	for _, c := range []executor.Commit{first, second, grow(second, machine.Running, 3), unknown} {
		stale := c
		if c.Row.Seq == 3 { // expects 1 and brings two events
			stale.Expected = 1
			stale.Events = []events.Event{event("run_1", 2, events.StateChanged, 3), event("run_1", 3, events.StateChanged, 3)}
		}
		wantIs(t, db.Commit(ctx, 0, []executor.Commit{stale})[0], executor.ErrFenced)
	}
	// And two that no unique index would refuse: events that leave a gap, a row alone.
	ahead := grow(grow(grow(second, machine.Running, 3), machine.Running, 4), machine.Failed, 5)
	rowOnly := second
	rowOnly.Expected, rowOnly.Row.Seq, rowOnly.Row.State, rowOnly.Events = 1, 1, machine.Failed, nil
	for _, c := range []executor.Commit{ahead, rowOnly} { // no event would collide
		wantIs(t, db.Commit(ctx, 0, []executor.Commit{c})[0], executor.ErrFenced)
	}
	j, err := db.Journal(ctx, "run_1")
	must(t, err)
	same(t, "row", j.Row, second.Row)
	all, err := db.Events(ctx, "run_1", 0, 10)
	must(t, err)
	same(t, "events", len(all), 2)
	none, err := db.Events(ctx, "run_9", 0, 10)
	must(t, err)
	same(t, "events of a run that never was", len(none), 0)
}

// testCommitEpoch: once another holder has the lease, no member of the old holder is
// written, not even a new run; epoch 0 is not checked.
func testCommitEpoch(t *testing.T, db *store.DB) {
	w := create(t, db, revision("t1", "wf_1", "one", 1))
	old, err := db.AcquireLease(ctx, "a", at(0), time.Second)
	must(t, err)
	if err := db.Commit(ctx, old, []executor.Commit{newRun(w, "run_1", 1)})[0]; err != nil {
		t.Fatal(err)
	}
	// The lease expires at 1000; from then on another node has it.
	current, err := db.AcquireLease(ctx, "b", at(1001), time.Second)
	must(t, err)
	for _, err := range db.Commit(ctx, old, []executor.Commit{newRun(w, "run_2", 1), newRun(w, "run_3", 1)}) {
		wantIs(t, err, executor.ErrFenced)
	}
	if err := db.Commit(ctx, current, []executor.Commit{newRun(w, "run_2", 1)})[0]; err != nil {
		t.Fatal(err)
	}
	if err := db.Commit(ctx, 0, []executor.Commit{newRun(w, "run_3", 1)})[0]; err != nil {
		t.Fatalf("epoch 0 is not checked: %v", err)
	}
}

// A member that exists already makes the group's statement fail, not only that
// member's check.
func testCommitBadMember(t *testing.T, db *store.DB) {
	w := create(t, db, revision("t1", "wf_1", "one", 1))
	commit(t, db, newRun(w, "run_2", 1), newRun(w, "run_4", 1))
	// The members, in order: new; stored before; new, with all that a member may have;
	// the next change of a run; a change of a run that does not exist; of a workflow
	// that does not exist.
	gone := w
	gone.ID = "wf_gone"
	group := []executor.Commit{
		newRun(w, "run_1", 2), newRun(w, "run_2", 2), newRun(w, "run_3", 2),
		grow(newRun(w, "run_4", 1), machine.Running, 2), grow(newRun(w, "run_5", 1), machine.Running, 2), newRun(gone, "run_6", 2),
	}
	group[2].Answer = answer("t1", "k", 1)
	group[2].Snapshot = []byte("s")
	errs := db.Commit(ctx, 0, group)
	for i, want := range []error{nil, executor.ErrFenced, nil, nil, executor.ErrFenced} {
		if want == nil {
			must(t, errs[i])
		} else {
			wantIs(t, errs[i], want)
		}
	}
	wantFault(t, errs[5], fault.NotFound, "workflow_not_found")
	for id, seq := range map[string]int64{"run_1": 1, "run_2": 1, "run_3": 1, "run_4": 2} {
		j, err := db.Journal(ctx, id)
		must(t, err)
		same(t, "seq of "+id, j.Row.Seq, seq)
	}
	_, err := db.Run(ctx, "t1", "run_6")
	wantFault(t, err, fault.NotFound, "run_not_found")
	kept, err := db.Answer(ctx, "t1", "POST /x", "k")
	must(t, err)
	if kept == nil {
		t.Fatal("the answer of a good member is lost")
	}
}

// testCommitTwice: members of one run that follow each other are all written, and
// the last row and snapshot count; one that does not follow is left out. What builds
// on it later is fenced.
func testCommitTwice(t *testing.T, db *store.DB) {
	w := create(t, db, revision("t1", "wf_1", "one", 1))
	a := newRun(w, "run_1", 1)
	b := grow(a, machine.Running, 2)
	b.Snapshot = []byte("2")
	c := grow(b, machine.WaitingTimer, 3)
	// stale follows a, as b does: in the group b comes first, and wins.
	stale := grow(a, machine.Failed, 4)
	errs := db.Commit(ctx, 0, []executor.Commit{a, b, stale, c})
	must(t, errs[0])
	must(t, errs[1])
	wantIs(t, errs[2], executor.ErrFenced)
	must(t, errs[3])
	j, err := db.Journal(ctx, "run_1")
	must(t, err)
	same(t, "journal", j, executor.Journal{Row: c.Row, Snapshot: []byte("2"), Events: c.Events})
	// Again in a group of their own: the run has moved on.
	errs = db.Commit(ctx, 0, []executor.Commit{b, c})
	wantIs(t, errs[0], executor.ErrFenced)
	wantIs(t, errs[1], executor.ErrFenced)
	d := grow(c, machine.Running, 5)
	commit(t, db, d, grow(d, machine.Completed, 6))
}

// A new run is stored only while its workflow is as its start saw it.
func testCommitStale(t *testing.T, db *store.DB) {
	w := create(t, db, revision("t1", "wf_1", "one", 1))
	target, err := db.Target(ctx, "t1", "one", "")
	must(t, err)
	fresh, other := newRun(w, "run_1", 1), newRun(w, "run_2", 1)
	fresh.Revision, other.Revision = target.Revision, target.Revision+1
	errs := db.Commit(ctx, 0, []executor.Commit{other, fresh})
	wantIs(t, errs[0], executor.ErrStale)
	must(t, errs[1])
	_, err = db.Change(ctx, "t1", "wf_1", func(c workflows.Current) (workflows.Revision, error) {
		c.Workflow.Revision++
		return workflows.Revision{Workflow: c.Workflow}, nil
	})
	must(t, err)
	late := newRun(w, "run_3", 1)
	late.Revision = target.Revision
	wantIs(t, db.Commit(ctx, 0, []executor.Commit{late})[0], executor.ErrStale)
	// The status counts like the revision, and alone.
	draft, active := newRun(w, "run_4", 1), newRun(w, "run_5", 1)
	draft.Status, active.Status = workflows.Draft, w.Status
	errs = db.Commit(ctx, 0, []executor.Commit{draft, active})
	wantIs(t, errs[0], executor.ErrStale)
	must(t, errs[1])
	must(t, db.DeleteWorkflow(ctx, "t1", "wf_1", func(workflows.Workflow, bool) error { return nil }))
	// A deleted workflow has no revision that a start could have seen; a start that does
	// not name one is told that the workflow is gone.
	late.Revision = target.Revision + 1
	wantIs(t, db.Commit(ctx, 0, []executor.Commit{late})[0], executor.ErrStale)
	late.Revision, late.Status = 0, w.Status
	wantFault(t, db.Commit(ctx, 0, []executor.Commit{late})[0], fault.NotFound, "workflow_not_found")
}

// testCommitGap: events that are not dense, are another run's, or do not end at the
// row's seq are refused as internal; the rest of the group is written.
func testCommitGap(t *testing.T, db *store.DB) {
	w := create(t, db, revision("t1", "wf_1", "one", 1))
	gap := newRun(w, "run_1", 1)
	gap.Events[0].Seq = 2
	gap.Row.Seq = 2
	// An event of another run, and a row that is ahead of its events.
	foreign := newRun(w, "run_2", 1)
	foreign.Events[0].RunID = "run_3"
	ahead := newRun(w, "run_4", 1)
	ahead.Row.Seq = 7
	errs := db.Commit(ctx, 0, []executor.Commit{gap, foreign, ahead, newRun(w, "run_5", 1)})
	for _, err := range errs[:3] {
		wantFault(t, err, fault.Internal, "internal")
	}
	must(t, errs[3])
}

// testCommitBadSuccessor: a member whose successor cannot be written is not written
// either, and nor is what follows it; what the group has of its run before stays.
func testCommitBadSuccessor(t *testing.T, db *store.DB) {
	w := create(t, db, revision("t1", "wf_1", "one", 1))
	one, two := newRun(w, "run_1", 1), named(w, "run_2", "a", 1)
	commit(t, db, one, two)
	bad := newRun(w, "run_9", 3)
	bad.Row.Seq = 7 // ahead of its events
	ends := grow(one, machine.Completed, 2)
	ends.With = &bad
	second := grow(two, machine.Running, 2)
	third := grow(second, machine.Completed, 3)
	third.With = &bad
	errs := db.Commit(ctx, 0, []executor.Commit{ends, second, third, grow(third, machine.Failed, 4)})
	wantFault(t, errs[0], fault.Internal, "internal")
	must(t, errs[1])
	wantFault(t, errs[2], fault.Internal, "internal")
	wantIs(t, errs[3], executor.ErrFenced)
	for id, want := range map[string]executor.Record{"run_1": one.Row, "run_2": second.Row} {
		got, err := db.Run(ctx, "t1", id)
		must(t, err)
		same(t, id, got, want)
	}
}

// testCommitLarge: groups larger than any batch of the store are written whole, with
// the events of each run in order.
func testCommitLarge(t *testing.T, db *store.DB) {
	w := create(t, db, revision("t1", "wf_1", "one", 1))
	const size = 317 // no multiple of anything that the store works in
	var first, second []executor.Commit
	for i := range size {
		c := newRun(w, fmt.Sprintf("run_%04d", i), i)
		first = append(first, c)
		next := grow(c, machine.Running, i)
		// Between 1 and 40 events each, so that batches end within a run's events.
		for len(next.Events) <= i%40 {
			next.Row.Seq++
			next.Events = append(next.Events, event(c.Row.RunID, next.Row.Seq, events.StepStarted, i))
		}
		second = append(second, next)
	}
	commit(t, db, first...)
	commit(t, db, second...)
	for i := range size {
		j, err := db.Journal(ctx, first[i].Row.RunID)
		must(t, err)
		same(t, "journal", j, executor.Journal{Row: second[i].Row, Events: append(first[i].Events[:1:1], second[i].Events...)})
	}
}

// testCommitAnswer: the first run with a key is stored with its answer, the second
// not at all; keys of different tenants have nothing to do with each other.
func testCommitAnswer(t *testing.T, db *store.DB) {
	w := create(t, db, revision("t1", "wf_1", "one", 1))
	group := []executor.Commit{newRun(w, "run_1", 1), newRun(w, "run_2", 1), newRun(w, "run_3", 1)}
	for i := range group {
		group[i].Answer = answer("t1", "k", 1)
	}
	// The same key, but of another tenant.
	group[2].Answer = answer("t2", "k", 1)
	errs := db.Commit(ctx, 0, group)
	must(t, errs[0])
	wantIs(t, errs[1], executor.ErrDuplicateKey)
	must(t, errs[2])
	_, err := db.Run(ctx, "t1", "run_2")
	wantFault(t, err, fault.NotFound, "run_not_found")
	kept, err := db.Answer(ctx, "t1", "POST /x", "k")
	must(t, err)
	same(t, "answer", kept, group[0].Answer)

	// A run that is refused for another reason leaves its key free.
	taken := newRun(w, "run_1", 1)
	taken.Answer = answer("t1", "free", 1)
	wantIs(t, db.Commit(ctx, 0, []executor.Commit{taken})[0], executor.ErrFenced)
	kept, err = db.Answer(ctx, "t1", "POST /x", "free")
	must(t, err)
	if kept != nil {
		t.Fatal("the refused insertion kept its answer")
	}
}

// testCommitKeyRace: of starts at once with one key, one is stored.
func testCommitKeyRace(t *testing.T, db *store.DB) {
	w := create(t, db, revision("t1", "wf_1", "one", 1))
	winners := race(8, func(i int) error {
		c := newRun(w, fmt.Sprintf("run_%d", i), 1)
		c.Answer = answer("t1", "k", 1)
		return db.Commit(ctx, 0, []executor.Commit{c})[0]
	}, func(err error) { wantIs(t, err, executor.ErrDuplicateKey) })
	same(t, "winners", winners, 1)
}

// Groups that bring the same keys in different orders must not wait for each
// other in a circle.
func testCommitKeyOrders(t *testing.T, db *store.DB) {
	w := create(t, db, revision("t1", "wf_1", "one", 1))
	const groups, keys = 6, 200
	won := make([]int, groups)
	race(groups, func(g int) error {
		group := make([]executor.Commit, keys)
		for i := range group {
			// Each group has every key, from another one on, and every second one backwards.
			k := (i*7 + g*11) % keys
			if g%2 == 1 {
				k = keys - 1 - k
			}
			group[i] = newRun(w, fmt.Sprintf("run_%d_%d", g, i), 1)
			group[i].Answer = answer("t1", fmt.Sprint("k", k), 1)
		}
		for _, err := range db.Commit(ctx, 0, group) {
			if err == nil {
				won[g]++
			} else if !errors.Is(err, executor.ErrDuplicateKey) {
				return err
			}
		}
		return nil
	}, func(err error) { t.Error(err) })
	total := 0
	for _, n := range won {
		total += n
	}
	same(t, "keys won", total, keys)
}

// testCommitSeqRace: of commits at once that expect one seq, one is stored: two nodes
// cannot both advance a run.
func testCommitSeqRace(t *testing.T, db *store.DB) {
	w := create(t, db, revision("t1", "wf_1", "one", 1))
	c := newRun(w, "run_1", 1)
	commit(t, db, c)
	winners := race(8, func(int) error {
		return db.Commit(ctx, 0, []executor.Commit{grow(c, machine.Running, 2)})[0]
	}, func(err error) { wantIs(t, err, executor.ErrFenced) })
	same(t, "winners", winners, 1)
}

// race runs attempt n times at once and returns how many had no error. The others'
// errors are passed to lost afterwards, one after another, so that it may end the
// test.
func race(n int, attempt func(i int) error, lost func(error)) int {
	errs := make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { errs[i] = attempt(i) })
	}
	all.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
			continue
		}
		lost(err)
	}
	return won
}

// testCommitEmpty: an empty group has no errors, and needs no transaction.
func testCommitEmpty(t *testing.T, db *store.DB) {
	same(t, "answers", len(db.Commit(ctx, 0, nil)), 0)
}
