package executor

import (
	"container/list"
	"heddle/events"
	"slices"
	"sync"
	"time"
)

// feed remembers what this node committed last, so that those who follow a run which is
// driven here read neither its row nor its journal. It is a copy of the newest part of the
// journal, never ahead of it: the committer adds what is durable. What it does not have the
// store has. It is safe for concurrent use.
//
// A run is known here only while every growth of it passes through this node: under the
// lease, of one epoch, and from its insertion or the first growth that was seen. A commit
// that failed may have been stored all the same, so its run is forgotten; so is a run that
// is deleted. Another node may delete a run that has ended, so one is known for keepEnded
// only after its end.
type feed struct {
	term *term
	now  func() time.Time

	// mu guards the fields below and the contents of the elements.
	mu    sync.Mutex
	epoch int64                    // that of all runs here
	runs  map[string]*list.Element // by id; the values are *fedRun
	order *list.List               // front: the run that grew last
	bytes int                      // of all runs, as the runs count them
}

// fedRun is the newest part of a run. Its events are dense and end with the row's Seq.
type fedRun struct {
	row     Record // without input and output
	events  []events.Event
	bytes   int       // of the events' data, and what an event and a run take beside it
	endedAt time.Time // when its end was committed; zero: it has not ended
}

const (
	// feedBytes bounds the feed, fedRunBytes and followPage what it has of one run. The
	// newest events stay.
	feedBytes   = 4 << 20
	fedRunBytes = 1 << 20
	// fedEventBytes and fedRowBytes are about what an event takes beside its data, and a
	// run beside its events.
	fedEventBytes = 200
	fedRowBytes   = 800
	// keepEnded is how long a run is known after its end. It is what a client needs that
	// starts a short run and then follows it.
	keepEnded = time.Second
)

// newFeed makes an empty feed. now is the process's clock.
func newFeed(t *term, now func() time.Time) *feed {
	return &feed{term: t, now: now, runs: make(map[string]*list.Element), order: list.New()}
}

// add notes a commit that was written under an epoch, and that of its successor. Without an
// epoch another node may drive the run, which is then not known here. The commits of one run
// come in their order.
func (f *feed) add(epoch int64, c *Commit) {
	if epoch == 0 {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if epoch < f.epoch {
		return
	}
	if epoch > f.epoch {
		f.epoch, f.bytes = epoch, 0
		clear(f.runs)
		f.order.Init()
	}
	f.grow(c)
	if c.With != nil {
		f.grow(c.With)
	}
	for f.bytes > feedBytes {
		f.remove(f.order.Back())
	}
}

// grow adds a commit's events to its run. Where they do not follow on what is known only
// they are. The caller holds mu.
func (f *feed) grow(c *Commit) {
	el := f.runs[c.Row.RunID]
	if el == nil {
		el = f.order.PushFront(&fedRun{bytes: fedRowBytes})
		f.runs[c.Row.RunID] = el
		f.bytes += fedRowBytes
	}
	f.order.MoveToFront(el)
	r, _ := el.Value.(*fedRun)
	f.bytes -= r.bytes
	if r.row.Seq != c.Expected {
		r.events, r.bytes = nil, fedRowBytes
	}
	r.row, r.endedAt = c.Row, time.Time{}
	r.row.Input, r.row.Output = nil, nil
	if c.Row.State.Terminal() {
		r.endedAt = f.now()
	}
	if len(r.events) == 0 {
		// Nobody changes a commit's events; with the capacity cut off, appending copies them.
		r.events = slices.Clip(c.Events)
	} else {
		r.events = append(r.events, c.Events...)
	}
	for i := range c.Events {
		r.bytes += fedEventBytes + len(c.Events[i].Data)
	}
	// A slice that was handed out keeps what it shows: only the beginning moves.
	for len(r.events) > followPage || r.bytes > fedRunBytes && len(r.events) > 0 {
		r.bytes -= fedEventBytes + len(r.events[0].Data)
		r.events = r.events[1:]
	}
	f.bytes += r.bytes
}

// forget drops a run, which the store knows better.
func (f *feed) forget(runID string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.remove(f.runs[runID])
}

// remove drops an element, nil: none. The caller holds mu.
func (f *feed) remove(el *list.Element) {
	if el == nil {
		return
	}
	r, _ := f.order.Remove(el).(*fedRun)
	delete(f.runs, r.row.RunID)
	f.bytes -= r.bytes
}

// known returns what there is of a run; nil: the store is to be read. The caller holds mu.
func (f *feed) known(runID string) *fedRun {
	el := f.runs[runID]
	if el == nil || f.epoch != f.term.epoch.Load() || !f.term.state().journals() {
		return nil
	}
	r, _ := el.Value.(*fedRun)
	if !r.endedAt.IsZero() && f.now().Sub(r.endedAt) > keepEnded {
		f.remove(el)
		return nil
	}
	return r
}

// row returns a tenant's run as it was last committed, without input, output and
// concurrency key; false: the store is to be read.
func (f *feed) row(tenantID, runID string) (Record, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	r := f.known(runID)
	if r == nil || r.row.TenantID != tenantID {
		return Record{}, false
	}
	return r.row, true
}

// after returns the run's events behind a seq, at most followPage, none where it has no
// more; false: the store is to be read. The events are shared and must not be changed.
func (f *feed) after(runID string, seq int64) ([]events.Event, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	r := f.known(runID)
	if r == nil {
		return nil, false
	}
	missing := r.row.Seq - seq
	if missing < 0 || missing > int64(len(r.events)) {
		return nil, false
	}
	return r.events[int64(len(r.events))-missing : len(r.events) : len(r.events)], true
}
