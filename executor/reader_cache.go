package executor

import (
	"container/list"
	"context"
	"heddle/executor/machine"
	"sync"
)

// Bounds of restoredRuns, in bytes of what was read for the runs.
const (
	restoredBytes = 16 << 20
	restoredRun   = 4 << 20
	// restoredFixed is about what a run takes that is read from little.
	restoredFixed = 4 << 10
	// advancedBy is up to how many events are folded into a run that is known; beyond that
	// it is restored, maybe from a newer snapshot.
	advancedBy = 2000
)

// restoredRuns remembers runs as they were last restored for readers, so that one that is
// read again and again costs what has changed. What it returns is as new as the store. It
// is safe for concurrent use.
type restoredRuns struct {
	plans *planCache

	// mu guards the fields below, and bytes of the entries.
	mu    sync.Mutex
	byID  map[string]*list.Element // the values are *restoredEntry
	order *list.List               // front: read last
	bytes int
}

// restoredEntry is one run. mu guards run, which is advanced by one reader at a time.
type restoredEntry struct {
	id    string
	bytes int

	mu  sync.Mutex
	run *machine.Run // nil: not restored yet
}

// newRestoredRuns makes an empty memory.
func newRestoredRuns(plans *planCache) *restoredRuns {
	return &restoredRuns{plans: plans, byID: make(map[string]*list.Element), order: list.New()}
}

// get returns a run as it is at row.Seq or later. Errors: those of planCache.restore.
func (c *restoredRuns) get(ctx context.Context, row Record) (*machine.Run, error) {
	e := c.entry(row.RunID)
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.run != nil && e.run.Seq >= row.Seq {
		return e.run, nil
	}
	if e.run != nil && row.Seq-e.run.Seq <= advancedBy {
		run, grown, err := c.advance(ctx, row, e.run)
		if err == nil {
			e.run = run
			c.grow(e, grown)
			return run, nil
		}
		// A fork of the run may have been changed: it is restored anew.
		e.run = nil
	}
	run, _, debt, err := c.plans.restore(ctx, row.RunID)
	if err != nil {
		return nil, err
	}
	e.run = run
	c.grow(e, restoredFixed+debt.bytes+debt.last-e.bytes)
	return run, nil
}

// advance folds what has been journalled since into a run, and returns how many bytes that
// were.
func (c *restoredRuns) advance(ctx context.Context, row Record, run *machine.Run) (*machine.Run, int, error) {
	evs, err := c.plans.store.Events(ctx, row.RunID, run.Seq, advancedBy)
	if err != nil {
		return nil, 0, err
	}
	next, err := machine.Advance(c.plans.of(ctx, row.WorkflowID), run, evs)
	return next, size(evs), err
}

// entry returns the entry of a run, and marks it as read.
func (c *restoredRuns) entry(runID string) *restoredEntry {
	c.mu.Lock()
	defer c.mu.Unlock()
	el := c.byID[runID]
	if el == nil {
		el = c.order.PushFront(&restoredEntry{id: runID})
		c.byID[runID] = el
	}
	c.order.MoveToFront(el)
	e, _ := el.Value.(*restoredEntry)
	return e
}

// grow adds to what an entry takes, and drops entries beyond the bounds: it itself where it
// is too large. An entry that was dropped meanwhile stays so.
func (c *restoredRuns) grow(e *restoredEntry, bytes int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	el := c.byID[e.id]
	if el == nil || el.Value != any(e) {
		return
	}
	e.bytes += bytes
	c.bytes += bytes
	if e.bytes > restoredRun {
		c.drop(el)
	}
	for c.bytes > restoredBytes {
		c.drop(c.order.Back())
	}
}

// drop removes an entry. The caller holds mu.
func (c *restoredRuns) drop(el *list.Element) {
	e, _ := c.order.Remove(el).(*restoredEntry)
	delete(c.byID, e.id)
	c.bytes -= e.bytes
}
