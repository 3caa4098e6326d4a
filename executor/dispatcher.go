package executor

import (
	"context"
	"heddle/executor/machine"
	"heddle/timers"
	"slices"
	"sync"
	"time"
)

// How many runs may be in memory before wake-ups slow down, which is also how many woken
// ones wait for a slot there at most. While there are more, slowBatch timers go off every
// slowPause.
const (
	maxActiveRuns = 4096
	slowBatch     = 8
	slowPause     = 5 * time.Millisecond
)

// dispatcher decides which run begins or goes on next. It counts the slots, keeps woken
// runs that wait for one, reads the store's queue, applies concurrency limits, and wakes
// runs whose time has come. Its loops run while this node leads; its other methods may be
// called at any time by any goroutine. What it holds is a hint: every run in it is also in
// the store as queued, busy or due, and is found there again after it was dropped.
type dispatcher struct {
	cfg      *Config
	plans    *planCache
	registry *registry
	slots    *slots
	limits   *limits
	hosts    *hostLimiter
	timers   *timers.Timers // what is due within timerHorizon, by run id
	backlog  backlog
	wakes    chan struct{} // of capacity 1: there may be work for the dispatch loop

	// mu guards the three fields below.
	mu        sync.Mutex
	maxActive int             // maxActiveRuns, less in tests
	ready     []string        // woken runs that wait for a slot, the head first
	waiting   map[string]bool // the same runs as a set
}

// newDispatcher makes a dispatcher with all slots of cfg.MaxRuns free and no limit
// restored. A released slot wakes its loop.
func newDispatcher(cfg *Config, plans *planCache, r *registry) *dispatcher {
	dp := &dispatcher{
		cfg: cfg, plans: plans, registry: r, limits: newLimits(), hosts: newHostLimiter(cfg.MaxPerHost),
		timers: timers.New(), wakes: make(chan struct{}, 1), maxActive: maxActiveRuns, waiting: make(map[string]bool),
	}
	dp.slots = &slots{free: cfg.MaxRuns, onRelease: dp.wake}
	return dp
}

// wake makes the dispatch loop look for work soon. It never blocks, and calls before the
// next look count as one.
func (dp *dispatcher) wake() {
	select {
	case dp.wakes <- struct{}{}:
	default:
	}
}

// queued tells the dispatcher that there may be a run in the store's queue which it has not
// seen.
func (dp *dispatcher) queued() {
	dp.backlog.mark()
	dp.wake()
}

// enqueueReady puts a woken run behind those that wait for a slot; a run that waits already
// keeps its place.
func (dp *dispatcher) enqueueReady(runID string) {
	dp.mu.Lock()
	defer dp.mu.Unlock()
	if !dp.waiting[runID] {
		dp.waiting[runID] = true
		dp.ready = append(dp.ready, runID)
	}
}

// enqueueIfRoom is enqueueReady unless maxActive runs wait already: then the run is left to
// the store, where it stays due and is found by a later poll. The bound is approximate,
// because it is checked before the run is added.
func (dp *dispatcher) enqueueIfRoom(runID string) {
	dp.mu.Lock()
	full := len(dp.ready) >= dp.maxActive
	dp.mu.Unlock()
	if !full {
		dp.enqueueReady(runID)
	}
}

// popReady removes and returns the woken run that has waited longest; false: none waits.
func (dp *dispatcher) popReady() (string, bool) {
	dp.mu.Lock()
	defer dp.mu.Unlock()
	if len(dp.ready) == 0 {
		return "", false
	}
	id := dp.ready[0]
	dp.ready = dp.ready[1:]
	delete(dp.waiting, id)
	return id, true
}

// isReady reports whether a woken run waits for a slot.
func (dp *dispatcher) isReady(runID string) bool {
	dp.mu.Lock()
	defer dp.mu.Unlock()
	return dp.waiting[runID]
}

// removeReady takes a run out of those that wait, and reports whether it was among them.
// O(runs that wait).
func (dp *dispatcher) removeReady(runID string) bool {
	dp.mu.Lock()
	defer dp.mu.Unlock()
	if !dp.waiting[runID] {
		return false
	}
	delete(dp.waiting, runID)
	dp.ready = slices.DeleteFunc(dp.ready, func(other string) bool { return other == runID })
	return true
}

// clearReady forgets all runs that wait for a slot, at the end of a term.
func (dp *dispatcher) clearReady() {
	dp.mu.Lock()
	defer dp.mu.Unlock()
	dp.ready, dp.waiting = nil, make(map[string]bool)
}

// readyCount returns how many woken runs wait for a slot.
func (dp *dispatcher) readyCount() int {
	dp.mu.Lock()
	defer dp.mu.Unlock()
	return len(dp.ready)
}

// crowded reports whether so many runs are in memory that wake-ups slow down. It is asked
// before each batch of timers, and so may change between two of them.
func (dp *dispatcher) crowded() bool {
	dp.mu.Lock()
	most := dp.maxActive
	dp.mu.Unlock()
	return dp.registry.count() > most
}

// dispatchLoop fills free slots until ctx ends: when it is woken, and every pollEvery,
// because another node may have queued a run without being heard.
func (dp *dispatcher) dispatchLoop(ctx context.Context) {
	var queued []string
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		queued = dp.dispatch(ctx, queued)
		select {
		case <-dp.wakes:
		case <-tick.C:
			dp.backlog.mark() // another node may have queued a run
			queued = nil      // and another tenant wants its turn
		case <-ctx.Done():
			return
		}
	}
}

// dispatch gives each free slot to the first of these: a woken run, a run that a
// concurrency limit admitted, a run of the store's queue. Runs that were begun before come
// first, so that work in progress ends. queued are runs of the queue that an earlier call
// read and did not need; dispatch reads more when they are used up, and returns what is
// left.
func (dp *dispatcher) dispatch(ctx context.Context, queued []string) []string {
	for ctx.Err() == nil && dp.slots.tryAcquire() {
		if id, ok := dp.popReady(); ok {
			dp.registry.deliver(id, message{input: machine.Tick{}}, true)
			continue
		}
		if id, ok := dp.limits.popAdmitted(); ok {
			dp.registry.deliver(id, message{input: machine.Begin{}}, true)
			continue
		}
		if len(queued) == 0 {
			queued = dp.queuedRuns(ctx)
		}
		if len(queued) == 0 {
			// Nothing is left to begin; the next wake or tick looks again.
			dp.slots.releaseQuietly()
			return nil
		}
		dp.registry.deliver(queued[0], message{input: machine.Begin{}}, true)
		queued = queued[1:]
	}
	return queued
}

// queuedRuns reads the head of the store's queue, without the runs that are in memory or
// wait for their concurrency limit. Where those fill the whole page it reads a longer one,
// up to the end of the queue. After an error, which it logs, it returns none: the next tick
// tries again.
func (dp *dispatcher) queuedRuns(ctx context.Context) []string {
	if !dp.backlog.mayExist() {
		return nil
	}
	// Runs that are just beginning are queued in the store still; with many
	// slots they may fill a page.
	queue := dp.cfg.Store.Queued
	if dp.cfg.HoldNamed {
		queue = dp.cfg.Store.QueuedUnnamed
	}
	for limit := queuePage; ; limit *= 2 {
		// Before the read: a run that is queued during it must not be taken for seen.
		foundEmpty := dp.backlog.observe()
		ids, err := queue(ctx, limit)
		if err != nil {
			dp.cfg.Log.Warn("the queue could not be read", "error", err)
			return nil
		}
		if len(ids) == 0 {
			foundEmpty()
			return nil
		}
		if kept := dp.registry.withoutActive(ids); len(kept) > 0 || len(ids) < limit {
			return kept
		}
	}
}

// beginNow begins a queued run as soon as a slot is free, and reports whether it began
// before ctx ended. It looks for a slot every 2 ms, beside the dispatch loop and with no
// claim to come before it.
func (dp *dispatcher) beginNow(ctx context.Context, runID string) (begun bool) {
	for !dp.slots.tryAcquire() {
		if !sleep(ctx, 2*time.Millisecond) {
			return false
		}
	}
	answer := make(chan outcome, 1)
	dp.registry.deliver(runID, message{input: machine.Begin{}, answer: answer}, true)
	select {
	case out := <-answer:
		return out.err == nil && out.effect
	case <-ctx.Done():
		return false
	}
}

// backlog knows whether queued runs may be in the store, so that an idle node does not read
// the queue for every free slot. It errs towards yes. It is safe for concurrent use.
type backlog struct {
	mu     sync.Mutex
	marked uint64 // how often mark was called
	empty  bool   // the last read found nothing, and mark was not called since that read began
}

// mark notes that there may be a queued run.
func (b *backlog) mark() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.marked++
	b.empty = false
}

// mayExist reports whether there may be a queued run.
func (b *backlog) mayExist() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return !b.empty
}

// observe is called before the queue is read. It returns a function for the case that the
// read finds nothing: it notes that the queue is empty, unless mark was called after the
// read began, since that run may not have been in what was read.
func (b *backlog) observe() (foundEmpty func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	seen := b.marked
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.marked == seen {
			b.empty = true
		}
	}
}

// sleep waits for d and returns true, or returns false as soon as ctx ends. A d of 0 or
// less returns at once.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
