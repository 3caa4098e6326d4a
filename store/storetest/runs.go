package storetest

import (
	"encoding/json"
	"fmt"
	"heddle/events"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/fault"
	"heddle/store"
	"strings"
	"testing"
)

// runTests hold how runs are read and deleted.
var runTests = map[string]func(*testing.T, *store.DB){
	"run of another tenant is unknown":   testRunTenant,
	"run events are read in pieces":      testRunEvents,
	"run journal starts at the snapshot": testRunSnapshot,
	"run journal is of one moment":       testRunJournalGrows,
	"run deletion removes everything":    testRunDelete,
	"run with a large input":             testRunLargeInput,
	"store answers a ping":               testPing,
}

// testRunTenant: another tenant's run is not found, listed or deleted.
func testRunTenant(t *testing.T, db *store.DB) {
	w := create(t, db, revision("t1", "wf_1", "one", 1))
	c := newRun(w, "run_1", 1)
	commit(t, db, c)
	_, err := db.Run(ctx, "t2", "run_1")
	wantFault(t, err, fault.NotFound, "run_not_found")
	_, err = db.Run(ctx, "t1", "run_2")
	wantFault(t, err, fault.NotFound, "run_not_found")
	_, err = db.Journal(ctx, "run_2")
	wantFault(t, err, fault.NotFound, "run_not_found")
	commit(t, db, grow(c, machine.Completed, 2))
	wantFault(t, db.DeleteRun(ctx, "t2", "run_1"), fault.NotFound, "run_not_found")
	page, err := db.Runs(ctx, executor.RunQuery{TenantID: "t2", Limit: 10, WantTotal: true})
	must(t, err)
	same(t, "another tenant's runs", page, executor.RunPage{Runs: []executor.Record{}})
}

// testRunEvents: events are read in order, from behind a seq, a page at a time.
func testRunEvents(t *testing.T, db *store.DB) {
	w := create(t, db, revision("t1", "wf_1", "one", 1))
	c := newRun(w, "run_1", 1)
	// One commit with five events; another run's are not among them.
	for seq := int64(2); seq <= 5; seq++ {
		c.Events = append(c.Events, event("run_1", seq, events.StepStarted, int(seq)))
	}
	c.Row.Seq = 5
	commit(t, db, c, newRun(w, "run_2", 1))
	got, err := db.Events(ctx, "run_1", 1, 2)
	must(t, err)
	same(t, "events 2 and 3", got, c.Events[1:3])
	got, err = db.Events(ctx, "run_1", 3, 10)
	must(t, err)
	same(t, "the rest", got, c.Events[3:])
	got, err = db.Events(ctx, "run_1", 5, 10)
	must(t, err)
	same(t, "none left", got, []events.Event{})
}

// testRunSnapshot: a journal begins with the newest snapshot and has the events after
// it alone.
func testRunSnapshot(t *testing.T, db *store.DB) {
	w := create(t, db, revision("t1", "wf_1", "one", 1))
	a := newRun(w, "run_1", 1)
	commit(t, db, a)
	b := grow(a, machine.Running, 2)
	b.Snapshot = []byte("two")
	commit(t, db, b)
	c := grow(b, machine.Running, 3)
	// The newer snapshot replaces the older one; its events stay, and are not read.
	c.Snapshot = []byte("three")
	commit(t, db, c)
	d := grow(c, machine.Running, 4)
	commit(t, db, d)
	j, err := db.Journal(ctx, "run_1")
	must(t, err)
	same(t, "journal", j, executor.Journal{Row: d.Row, Snapshot: []byte("three"), Events: d.Events})
}

// testRunJournalGrows: while a run grows, is deleted and begins again under its id, each
// journal is one that it had: the snapshot, and behind it each event up to the row's seq,
// none of them older than the run.
func testRunJournalGrows(t *testing.T, db *store.DB) {
	w := create(t, db, revision("t1", "wf_1", "one", 1))
	ended := make(chan error, 1)
	go func() {
		ended <- func() error {
			for life := range 15 {
				c := newRun(w, "run_1", life*100)
				for n := range 20 {
					if n > 0 {
						c = grow(c, machine.Running, life*100+n)
					}
					if n%6 == 5 {
						c.Snapshot = []byte(fmt.Sprint(c.Row.Seq))
					}
					if err := db.Commit(ctx, 0, []executor.Commit{c})[0]; err != nil {
						return err
					}
				}
				if err := db.Commit(ctx, 0, []executor.Commit{grow(c, machine.Completed, life*100+20)})[0]; err != nil {
					return err
				}
				if err := db.DeleteRun(ctx, "t1", "run_1"); err != nil {
					return err
				}
			}
			return nil
		}()
	}()
	for {
		j, err := db.Journal(ctx, "run_1")
		if err == nil {
			checkJournal(t, j)
		} else {
			wantFault(t, err, fault.NotFound, "run_not_found")
		}
		select {
		case err := <-ended:
			must(t, err)
			return
		default:
		}
	}
}

func checkJournal(t *testing.T, j executor.Journal) {
	t.Helper()
	seq := int64(0)
	if len(j.Snapshot) > 0 {
		_, err := fmt.Sscan(string(j.Snapshot), &seq)
		must(t, err)
	}
	for _, e := range j.Events {
		if seq++; e.Seq != seq || e.At.Before(j.Row.CreatedAt) || e.At.After(j.Row.UpdatedAt) {
			t.Fatalf("event %d of %v is at the place of %d, in a run of %v to %v", e.Seq, e.At, seq, j.Row.CreatedAt, j.Row.UpdatedAt)
		}
	}
	if seq != j.Row.Seq {
		t.Fatalf("the events end at %d, the row is at %d", seq, j.Row.Seq)
	}
}

// testRunDelete: an open run cannot be deleted; a deleted one leaves nothing, so its
// id could be used again, and a commit for it is fenced.
func testRunDelete(t *testing.T, db *store.DB) {
	w := create(t, db, revision("t1", "wf_1", "one", 1))
	c := newRun(w, "run_1", 1)
	c.Snapshot = []byte("s")
	commit(t, db, c)
	wantFault(t, db.DeleteRun(ctx, "t1", "run_1"), fault.Conflict, "run_open")
	done := grow(c, machine.Completed, 2)
	commit(t, db, done)
	must(t, db.DeleteRun(ctx, "t1", "run_1"))
	wantFault(t, db.DeleteRun(ctx, "t1", "run_1"), fault.NotFound, "run_not_found")
	got, err := db.Events(ctx, "run_1", 0, 10)
	must(t, err)
	same(t, "events", got, []events.Event{})
	// A resume that was decided before the deletion comes too late.
	wantIs(t, db.Commit(ctx, 0, []executor.Commit{grow(done, machine.Queued, 3)})[0], executor.ErrFenced)

	// The id could come again: nothing of the old journal is left.
	again := newRun(w, "run_1", 5)
	commit(t, db, again)
	j, err := db.Journal(ctx, "run_1")
	must(t, err)
	same(t, "journal", j, executor.Journal{Row: again.Row, Events: again.Events})
}

// Around the size from which an input is stored apart, and far beyond it.
func testRunLargeInput(t *testing.T, db *store.DB) {
	w := create(t, db, revision("t1", "wf_1", "one", 1))
	for i, size := range []int{2000, 2048, 100_000} {
		c := newRun(w, fmt.Sprintf("run_%d", i), i)
		c.Row.Input = json.RawMessage(`"` + strings.Repeat("x", size-2) + `"`)
		// The updates leave the input where the insertion put it.
		d := grow(c, machine.Running, 2)
		e := grow(d, machine.Completed, 3)
		commit(t, db, c, d)
		wantIs(t, db.Commit(ctx, 0, []executor.Commit{c})[0], executor.ErrFenced)
		commit(t, db, e)
		got, err := db.Run(ctx, "t1", c.Row.RunID)
		must(t, err)
		same(t, "row", got, e.Row)
		j, err := db.Journal(ctx, c.Row.RunID)
		must(t, err)
		same(t, "journal's row", j.Row, e.Row)
		page, err := db.Runs(ctx, executor.RunQuery{TenantID: "t1", Limit: 1})
		must(t, err)
		same(t, "listed", page.Runs, []executor.Record{e.Row})
		must(t, db.DeleteRun(ctx, "t1", c.Row.RunID))
		commit(t, db, c)
	}
}

// testPing: a database that works answers.
func testPing(t *testing.T, db *store.DB) { must(t, db.Ping(ctx)) }
