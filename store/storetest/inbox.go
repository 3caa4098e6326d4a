package storetest

import (
	"context"
	"encoding/json"
	"fmt"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/fault"
	"heddle/store"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// inboxTests hold that a command is taken once, together with its effect.
var inboxTests = map[string]func(*testing.T, *store.DB){
	"inbox keeps what was posted until it is taken":     testInbox,
	"inbox is taken with its effect or not at all":      testInboxCommit,
	"inbox lets a bad member fail alone":                testInboxBadMember,
	"inbox settles what had no effect":                  testInboxSettle,
	"inbox gives one input to one of many":              testInboxRace,
	"inbox is withdrawn only before it is taken":        testInboxWithdraw,
	"inbox holds a request id once":                     testInboxRequest,
	"inbox forgets what was taken long ago":             testInboxPurge,
	"listeners hear of work and of growth on one store": testListen,
}

// posted makes a command for a run, without a request id.
func posted(id, run string, n int) executor.Posted {
	return executor.Posted{ID: id, TenantID: "t1", RunID: run, Kind: "signal", Data: json.RawMessage(`{"payload":1e400}`), At: at(n)}
}

// post stores a command; none with its request id exists.
func post(t *testing.T, db *store.DB, p executor.Posted) {
	t.Helper()
	earlier, err := db.Post(ctx, p)
	must(t, err)
	same(t, "an earlier one", earlier, "")
}

// taken makes the outcome of a command that changed its run.
func taken(id, run string) executor.Taken {
	return executor.Taken{ID: id, RunID: run, At: at(7), State: machine.Running, Effect: true}
}

// untaken lists the ids of the commands that are not taken.
func untaken(t *testing.T, db *store.DB) []string {
	t.Helper()
	list, err := db.Untaken(ctx, "", 100)
	must(t, err)
	names := make([]string, len(list))
	for i, p := range list {
		names[i] = p.ID
	}
	return names
}

// leads takes the lease at(n), for a second, and returns its epoch.
func leads(t *testing.T, db *store.DB, holder string, n int) int64 {
	t.Helper()
	epoch, err := db.AcquireLease(ctx, holder, at(n), time.Second)
	must(t, err)
	return epoch
}

// testInbox: commands are listed in the order of their ids, page by page, and have no
// outcome before they are taken.
func testInbox(t *testing.T, db *store.DB) {
	// Posted in another order than that of their ids.
	for i, id := range []string{"inp_2", "inp_1", "inp_3"} {
		post(t, db, posted(id, "run_1", i))
	}
	if _, err := db.Post(ctx, posted("inp_1", "run_1", 9)); err == nil {
		t.Fatal("one id is posted twice")
	}
	// A page of one, from behind the first.
	list, err := db.Untaken(ctx, "inp_1", 1)
	must(t, err)
	same(t, "a page", list, []executor.Posted{posted("inp_2", "run_1", 0)})
	same(t, "in order", untaken(t, db), []string{"inp_1", "inp_2", "inp_3"})
	none, err := db.Outcome(ctx, "inp_1")
	must(t, err)
	if none != nil {
		t.Fatalf("an outcome before it is taken: %v", none)
	}
}

// testInboxCommit: a commit that loses takes nothing; one that is written takes its
// commands, also where two members become one write. A command that was taken fences
// the commit that brings it again.
func testInboxCommit(t *testing.T, db *store.DB) {
	w := create(t, db, revision("t1", "wf_1", "one", 1))
	first := newRun(w, "run_1", 1)
	commit(t, db, first)
	post(t, db, posted("inp_1", "run_1", 1))
	post(t, db, posted("inp_2", "run_1", 1))

	// A commit that expects another seq takes nothing.
	stale := grow(first, machine.Running, 2)
	stale.Expected, stale.Row.Seq, stale.Events[0].Seq = 7, 8, 8
	stale.Taken = []executor.Taken{taken("inp_1", "run_1")}
	wantIs(t, db.Commit(ctx, 0, []executor.Commit{stale})[0], executor.ErrFenced)
	same(t, "after a commit that lost", untaken(t, db), []string{"inp_1", "inp_2"})

	next := grow(first, machine.Running, 2)
	next.Taken = []executor.Taken{taken("inp_1", "run_1")}
	more := grow(next, machine.Paused, 3)
	more.Taken = []executor.Taken{taken("inp_2", "run_1")}
	commit(t, db, next, more) // one write, two inputs
	same(t, "after the commit", len(untaken(t, db)), 0)
	got, err := db.Outcome(ctx, "inp_1")
	must(t, err)
	want := taken("inp_1", "run_1")
	same(t, "outcome", got, &want)

	// The effect of a command that was taken must not be written a second time.
	again := grow(more, machine.Running, 4)
	again.Taken = next.Taken
	wantIs(t, db.Commit(ctx, 0, []executor.Commit{again})[0], executor.ErrFenced)
	run, err := db.Run(ctx, "t1", "run_1")
	must(t, err)
	same(t, "seq after a second taking", run.Seq, more.Row.Seq)
}

// testInboxBadMember: a command that cannot be taken undoes the group, and then its own
// member alone is fenced.
func testInboxBadMember(t *testing.T, db *store.DB) {
	w := create(t, db, revision("t1", "wf_1", "one", 1))
	a, b := newRun(w, "run_1", 1), newRun(w, "run_2", 1)
	commit(t, db, a, b)
	post(t, db, posted("inp_1", "run_1", 1))
	// Both are in one group; which run a command was posted for is the executor's business.
	bad, good := grow(a, machine.Running, 2), grow(b, machine.Running, 2)
	// inp_9 was never posted, so that taking it changes no row, as if it was taken.
	bad.Taken = []executor.Taken{taken("inp_9", "run_1")}
	good.Taken = []executor.Taken{taken("inp_1", "run_2")}
	errs := db.Commit(ctx, 0, []executor.Commit{bad, good})
	wantIs(t, errs[0], executor.ErrFenced)
	must(t, errs[1])
	same(t, "left", len(untaken(t, db)), 0)
}

// testInboxSettle: a refusal is kept with all that its answer shows; an old epoch
// settles nothing, and a second outcome does not replace the first.
func testInboxSettle(t *testing.T, db *store.DB) {
	old := leads(t, db, "a", 0)
	epoch := leads(t, db, "b", 2000)
	post(t, db, posted("inp_1", "run_1", 1))
	refused := taken("inp_1", "run_1")
	refused.Effect = false
	refused.Refusal = fault.New(fault.Unacceptable, "invalid_payload", "Änderung %d", 1)
	// Whatever a refusal shows must reach the node where the command was posted.
	refused.Refusal.Issues = []fault.Issue{{Code: "type", Severity: "error", Message: "m", Pointer: "/a"}}
	wantIs(t, db.Settle(ctx, old, []executor.Taken{refused}), executor.ErrFenced)
	// The holder of the old epoch must not answer any more.
	same(t, "of an old epoch", untaken(t, db), []string{"inp_1"})
	must(t, db.Settle(ctx, epoch, []executor.Taken{refused}))
	must(t, db.Settle(ctx, epoch, []executor.Taken{taken("inp_1", "run_1")}))
	got, err := db.Outcome(ctx, "inp_1")
	must(t, err)
	same(t, "the first outcome stays", got, &refused)
}

// testInboxRace: of commits at once that take one command, one is written.
func testInboxRace(t *testing.T, db *store.DB) {
	w := create(t, db, revision("t1", "wf_1", "one", 1))
	const nodes = 8
	var group []executor.Commit
	for i := range nodes {
		c := newRun(w, fmt.Sprint("run_", i), 1)
		commit(t, db, c)
		next := grow(c, machine.Running, 2)
		next.Taken = []executor.Taken{taken("inp_1", c.Row.RunID)}
		group = append(group, next)
	}
	post(t, db, posted("inp_1", "run_1", 1))
	winners := race(nodes, func(i int) error { return db.Commit(ctx, 0, group[i:i+1])[0] },
		func(err error) { wantIs(t, err, executor.ErrFenced) })
	same(t, "winners", winners, 1)
}

// testInboxWithdraw: a command that was taken, or does not exist, cannot be withdrawn.
func testInboxWithdraw(t *testing.T, db *store.DB) {
	epoch := leads(t, db, "a", 0)
	post(t, db, posted("inp_1", "run_1", 1))
	post(t, db, posted("inp_2", "run_1", 1))
	must(t, db.Settle(ctx, epoch, []executor.Taken{taken("inp_1", "run_1")}))
	for id, want := range map[string]bool{"inp_1": false, "inp_2": true, "inp_3": false} {
		got, err := db.Withdraw(ctx, id)
		must(t, err)
		same(t, "withdrawal of "+id, got, want)
	}
	same(t, "left", len(untaken(t, db)), 0)
}

// testInboxPurge: outcomes go by age; commands that are not taken stay, however old.
func testInboxPurge(t *testing.T, db *store.DB) {
	epoch := leads(t, db, "a", 0)
	post(t, db, posted("inp_1", "run_1", 1))
	post(t, db, posted("inp_2", "run_1", 1))
	must(t, db.Settle(ctx, epoch, []executor.Taken{taken("inp_1", "run_1")})) // at 7
	must(t, db.PurgeTaken(ctx, at(7)))
	kept, err := db.Outcome(ctx, "inp_1")
	must(t, err)
	if kept == nil {
		t.Fatal("an outcome is gone too early")
	}
	must(t, db.PurgeTaken(ctx, at(8)))
	gone, err := db.Outcome(ctx, "inp_1")
	must(t, err)
	if gone != nil {
		t.Fatal("an old outcome is still there")
	}
	same(t, "what was not taken stays", untaken(t, db), []string{"inp_2"})
}

// testListen: on PostgreSQL what is committed is heard; on SQLite nothing is,
// and the end of the context ends the listening.
func testListen(t *testing.T, db *store.DB) {
	w := create(t, db, revision("t1", "wf_1", "one", 1))
	epoch := leads(t, db, "a", 0)
	// Where nothing is heard the test must end all the same.
	listening, stop := context.WithTimeout(ctx, 10*time.Second)
	heard, ended := make(chan executor.Notice, 100), make(chan error, 1)
	go func() { ended <- db.Listen(listening, func(n executor.Notice) { heard <- n }) }()
	if db.Tells() {
		next := func(what string, want executor.Notice) {
			t.Helper()
			select {
			case got := <-heard:
				same(t, what, got, want)
			case <-listening.Done():
				t.Fatalf("%s was not heard", what)
			}
		}
		// Each commit is heard as often as it concerns: growth by those that follow the run,
		// a start by the node that drives runs unless it is its own.
		work := executor.Notice{Work: true, Runs: []string{}}
		next("the begin", executor.Notice{Work: true})
		c := newRun(w, "run_1", 1)
		commit(t, db, c) // by a node that does not lead
		next("growth", executor.Notice{Runs: []string{"run_1"}})
		next("a start elsewhere", work)
		must(t, db.Commit(ctx, epoch, []executor.Commit{newRun(w, "run_2", 1)})[0])
		next("a start of the node that leads", executor.Notice{Runs: []string{"run_2"}})
		post(t, db, posted("inp_1", "run_1", 1))
		next("an input", work)
		must(t, db.Settle(ctx, epoch, []executor.Taken{taken("inp_1", "run_1")}))
		next("its outcome", executor.Notice{Runs: []string{"run_1"}})
	}
	stop()
	must(t, <-ended)
}

// testInboxRequest: while a command is not taken, its request id is unique within its
// run; commands without one are never the same.
func testInboxRequest(t *testing.T, db *store.DB) {
	request := func(id, run, request string) executor.Posted {
		p := posted(id, run, 1)
		p.RequestID = request
		return p
	}
	post(t, db, request("inp_1", "run_1", "a"))
	post(t, db, request("inp_2", "run_1", "b"))
	// The same request id for another run, and none at all twice.
	post(t, db, request("inp_3", "run_2", "a"))
	post(t, db, posted("inp_4", "run_1", 1))
	post(t, db, posted("inp_5", "run_1", 1))
	earlier, err := db.Post(ctx, request("inp_6", "run_1", "a"))
	must(t, err)
	same(t, "the earlier one", earlier, "inp_1")
	same(t, "stored", untaken(t, db), []string{"inp_1", "inp_2", "inp_3", "inp_4", "inp_5"})
	list, err := db.Untaken(ctx, "", 1)
	must(t, err)
	same(t, "as posted", list, []executor.Posted{request("inp_1", "run_1", "a")})
	// Once it is taken the run decides.
	epoch := leads(t, db, "node", 1)
	must(t, db.Settle(ctx, epoch, []executor.Taken{taken("inp_1", "run_1")}))
	post(t, db, request("inp_7", "run_1", "a"))
	// A command that was withdrawn frees its request id as well.
	if _, err := db.Withdraw(ctx, "inp_2"); err != nil {
		t.Fatal(err)
	}
	post(t, db, request("inp_8", "run_1", "b"))
	// Of many at once one is stored.
	var wg sync.WaitGroup
	var stored atomic.Int64
	for i := range 8 {
		wg.Go(func() {
			earlier, err := db.Post(ctx, request(fmt.Sprint("inp_r", i), "run_3", "a"))
			if err == nil && earlier == "" {
				stored.Add(1)
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	same(t, "stored at once", stored.Load(), int64(1))
}
