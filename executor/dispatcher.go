package executor

import (
	"context"
	"heddle/executor/machine"
	"heddle/executor/queue"
	"heddle/timers"
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

// queueLimits bound how many queued runs the dispatcher knows by id; see also waitingBytes.
var queueLimits = queue.Limits{PerWorkflow: 10_000, InAll: 50_000}

// dispatcher decides which run begins or goes on next. It counts the slots, keeps the head
// of the queue and the woken runs that wait for a slot, applies concurrency limits, and
// wakes runs whose time has come. Its loops run while this node leads; its other methods may
// be called at any time by any goroutine. What it holds is a hint: every run in it is also
// in the store as queued, busy or due, and is found there again after it was dropped.
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
	survey   survey        // the dispatch loop's alone

	// mu guards the two fields below.
	mu        sync.Mutex
	maxActive int          // maxActiveRuns, less in tests
	queue     *queue.Queue // woken, admitted and queued runs that wait for a slot
}

// newDispatcher makes a dispatcher with all slots of cfg.MaxRuns free and no limit
// restored. A released slot wakes its loop.
func newDispatcher(cfg *Config, plans *planCache, r *registry) *dispatcher {
	dp := &dispatcher{
		cfg: cfg, plans: plans, registry: r, limits: newLimits(), hosts: newHostLimiter(cfg.MaxPerHost),
		timers: timers.New(), wakes: make(chan struct{}, 1), maxActive: maxActiveRuns, queue: queue.New(queueLimits),
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
// seen, of whichever workflow.
func (dp *dispatcher) queued() {
	dp.backlog.mark()
	dp.wake()
}

// enqueueReady lets a woken run wait for a slot; one that waits already keeps its place.
func (dp *dispatcher) enqueueReady(run *machine.Run) {
	dp.mu.Lock()
	defer dp.mu.Unlock()
	dp.queue.Add(queueEntry(run, queue.Woken))
}

// enqueueIfRoom is enqueueReady unless maxActive runs wait already: then the run is left to
// the store, where it stays due and is found by a later poll.
func (dp *dispatcher) enqueueIfRoom(run *machine.Run) {
	dp.mu.Lock()
	defer dp.mu.Unlock()
	if dp.queue.Len(queue.Woken) < dp.maxActive {
		dp.queue.Add(queueEntry(run, queue.Woken))
	}
}

// isReady reports whether a woken run waits for a slot.
func (dp *dispatcher) isReady(runID string) bool {
	dp.mu.Lock()
	defer dp.mu.Unlock()
	class, waits := dp.queue.Class(runID)
	return waits && class == queue.Woken
}

// removeReady takes a run out of those that were woken and wait, and reports whether it was
// among them.
func (dp *dispatcher) removeReady(runID string) bool {
	dp.mu.Lock()
	defer dp.mu.Unlock()
	class, waits := dp.queue.Class(runID)
	return waits && class == queue.Woken && dp.queue.Remove(runID)
}

// clearQueue forgets all runs that wait for a slot, at the end of a term.
func (dp *dispatcher) clearQueue() {
	dp.mu.Lock()
	defer dp.mu.Unlock()
	dp.queue.Clear()
}

// waitingCounts returns how many woken runs wait for a slot here, and how many queued ones.
func (dp *dispatcher) waitingCounts() (woken, queued int) {
	dp.mu.Lock()
	defer dp.mu.Unlock()
	return dp.queue.Len(queue.Woken), dp.queue.Len(queue.Admitted) + dp.queue.Len(queue.Queued)
}

// crowded reports whether so many runs are in memory that wake-ups slow down. It is called
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
	dp.survey = survey{}
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		dp.dispatch(ctx)
		select {
		case <-dp.wakes:
		case <-tick.C:
			dp.lookAround(ctx)
		case <-ctx.Done():
			return
		}
	}
}

// dispatch gives the free slots to the runs that wait, in the order of the queue, as long as
// there are any of both.
func (dp *dispatcher) dispatch(ctx context.Context) {
	for n := 1; ctx.Err() == nil && dp.slots.tryAcquire(); n++ {
		if n%surveyEvery == 0 && dp.backlog.mayExist() {
			dp.lookAround(ctx)
		}
		next, ok := dp.next(ctx)
		if !ok {
			// Nothing is left to begin; the next wake or tick looks again.
			dp.slots.releaseQuietly()
			return
		}
		var in machine.Input = machine.Begin{}
		if next.Class == queue.Woken {
			in = machine.Tick{}
		}
		dp.registry.deliver(next.ID, message{input: in}, true)
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
