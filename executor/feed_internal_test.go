package executor

import (
	"encoding/json"
	"heddle/events"
	"heddle/executor/machine"
	"strconv"
	"strings"
	"testing"
	"time"
)

// feedOf makes a feed of a node that leads under epoch 3, and the clock that it goes by.
func feedOf(t *testing.T) (*feed, *term, *time.Time) {
	t.Helper()
	tm, now := &term{}, time.Unix(1_000, 0)
	tm.epoch.Store(3)
	tm.current.Store(int32(leading))
	return newFeed(tm, func() time.Time { return now }), tm, &now
}

// growth is a commit of run's events from to to, with data of a size.
func growth(run string, from, to int64, size int, state machine.State) *Commit {
	c := &Commit{Expected: from - 1, Row: Record{
		Header: machine.Header{RunID: run, TenantID: "t1", Input: json.RawMessage(`1`)}, State: state, Seq: to, Output: json.RawMessage(`2`),
	}}
	for seq := from; seq <= to; seq++ {
		c.Events = append(c.Events, events.Event{RunID: run, Seq: seq, Data: json.RawMessage(strings.Repeat("x", size))})
	}
	return c
}

// wantAfter checks what the feed has of a run behind seq: the events from to last, or
// nothing known where last is 0.
func wantAfter(t *testing.T, f *feed, run string, seq, last int64) {
	t.Helper()
	got, ok := f.after(run, seq)
	if ok != (last > 0) || ok && int64(len(got)) != last-seq {
		t.Fatalf("behind %d of %s: %d events, known %v; want up to %d", seq, run, len(got), ok, last)
	}
	for i, e := range got {
		if e.Seq != seq+1+int64(i) {
			t.Fatalf("event %d behind %d is %d", i, seq, e.Seq)
		}
	}
}

func TestAFeedHasWhatWasCommitted(t *testing.T) {
	f, _, _ := feedOf(t)
	f.add(3, growth("a", 1, 4, 10, machine.Running))
	wantAfter(t, f, "a", 0, 4)
	f.add(3, growth("a", 5, 6, 10, machine.Running))
	wantAfter(t, f, "a", 0, 6)
	wantAfter(t, f, "a", 5, 6)
	wantAfter(t, f, "a", 6, 6) // nothing more, and that is known
	wantAfter(t, f, "a", 7, 0)
	row, ok := f.row("t1", "a")
	if !ok || row.Seq != 6 || row.Input != nil || row.Output != nil {
		t.Errorf("row %+v, known %v", row, ok)
	}
	if _, ok := f.row("t2", "a"); ok {
		t.Error("another tenant's run is shown")
	}
	f.forget("a")
	wantAfter(t, f, "a", 6, 0)
	if f.bytes != 0 {
		t.Errorf("%d bytes are counted of nothing", f.bytes)
	}
}

func TestAFeedKnowsNoRunBehindAGap(t *testing.T) {
	f, _, _ := feedOf(t)
	f.add(3, growth("a", 1, 4, 10, machine.Running))
	f.add(3, growth("a", 7, 8, 10, machine.Running))
	wantAfter(t, f, "a", 4, 0)
	wantAfter(t, f, "a", 6, 8)
}

func TestAFeedIsOfOneEpoch(t *testing.T) {
	f, tm, _ := feedOf(t)
	f.add(0, growth("other", 1, 1, 10, machine.Queued))
	wantAfter(t, f, "other", 0, 0) // whoever leads drives it
	f.add(3, growth("a", 1, 4, 10, machine.Running))
	tm.current.Store(int32(aborting))
	wantAfter(t, f, "a", 0, 0)
	tm.current.Store(int32(leading))
	tm.epoch.Store(5)
	wantAfter(t, f, "a", 0, 0)
	f.add(5, growth("b", 1, 2, 10, machine.Running))
	f.add(3, growth("a", 5, 5, 10, machine.Running)) // late
	wantAfter(t, f, "b", 0, 2)
	if len(f.runs) != 1 {
		t.Errorf("%d runs of two epochs", len(f.runs))
	}
}

func TestAFeedForgetsWhatHasEnded(t *testing.T) {
	f, _, now := feedOf(t)
	f.add(3, growth("a", 1, 4, 10, machine.Completed))
	wantAfter(t, f, "a", 0, 4)
	*now = now.Add(keepEnded + 1)
	wantAfter(t, f, "a", 0, 0)
	f.add(3, growth("b", 1, 4, 10, machine.Failed))
	f.add(3, growth("b", 5, 5, 10, machine.Queued)) // resumed
	*now = now.Add(keepEnded + 1)
	wantAfter(t, f, "b", 0, 5)
}

func TestAFeedIsBounded(t *testing.T) {
	f, _, _ := feedOf(t)
	f.add(3, growth("long", 1, followPage+10, 10, machine.Running))
	wantAfter(t, f, "long", 9, 0)
	wantAfter(t, f, "long", 10, followPage+10)
	for i := range 10 {
		f.add(3, growth("large"+strconv.Itoa(i), 1, 3, 400<<10, machine.Running))
	}
	wantAfter(t, f, "large9", 0, 0)
	wantAfter(t, f, "large9", 1, 3)
	wantAfter(t, f, "long", 10, 0) // it grew longest ago
	if f.bytes > feedBytes || f.order.Len() != len(f.runs) {
		t.Errorf("%d bytes in %d runs", f.bytes, len(f.runs))
	}
}

func TestAFeedHasTheSuccessorOfARun(t *testing.T) {
	f, _, _ := feedOf(t)
	c := growth("a", 1, 1, 10, machine.Completed)
	c.With = growth("b", 1, 2, 10, machine.Running)
	f.add(3, c)
	wantAfter(t, f, "b", 0, 2)
}
