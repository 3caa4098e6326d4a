package schedules

import (
	"container/heap"
	"context"
	"sync"
	"time"
)

// The loop's rhythm. Due times of the horizon are held in memory; the rows are
// the truth, looked at once a poll. A node that does not drive runs leaves due
// schedules to the one that does for standAside.
const (
	pollEvery  = time.Second
	horizon    = 5 * time.Second
	duePage    = 2000
	settlePage = 200
	standAside = 500 * time.Millisecond
)

// Serve fires schedules until ctx ends. Every node may run it.
func (s *Service) Serve(ctx context.Context) {
	next := s.now()
	for ctx.Err() == nil {
		now := s.now()
		if !now.Before(next) || next.Sub(now) > pollEvery {
			next = s.now().Add(pollEvery)
			if s.poll(ctx, now) {
				next = s.now() // a queue of short runs moves on at once
			}
		}
		s.runDue(ctx, s.turn())
		s.sleep(ctx, next)
	}
}

// Tick looks once at everything that is due and at the queues, as Serve does
// all the time.
func (s *Service) Tick(ctx context.Context) {
	s.poll(ctx, s.now())
	s.runDue(ctx, s.now())
}

// poll reads what comes due within the horizon, moves the queues on and tells
// whether any of them moved.
func (s *Service) poll(ctx context.Context, now time.Time) (moved bool) {
	dues, err := s.store.DueSchedules(ctx, now.Add(horizon), duePage)
	if err != nil {
		s.warn(ctx, "due schedules could not be read", err)
		return false
	}
	for _, d := range dues {
		s.timers.set(d.ID, d.At)
	}
	ids, err := s.store.Unsettled(ctx, settlePage)
	if err != nil {
		s.warn(ctx, "the queues of schedules could not be read", err)
		return false
	}
	stored := s.fire(ctx, ids)
	s.cancelOrders(ctx)
	return stored > 0
}

// plan keeps a schedule's next time in memory when it is near; the poll finds
// the others in time.
func (s *Service) plan(id string, at time.Time) {
	if at.After(s.now().Add(horizon)) {
		at = time.Time{}
	}
	s.timers.set(id, at)
}

// cancelOrders cancels runs that a newer due time wants gone. Each stays on the
// list until its run has ended, so a lost cancel is asked for again.
func (s *Service) cancelOrders(ctx context.Context) {
	orders, err := s.store.CancelOrders(ctx, settlePage)
	if err != nil {
		s.warn(ctx, "runs to be cancelled could not be read", err)
		return
	}
	for _, o := range orders {
		if _, err := s.runs.Cancel(ctx, o.TenantID, o.RunID); err != nil {
			s.log.Debug("a run could not be cancelled yet", "run_id", o.RunID, "error", err)
		}
	}
}

// turn is the time by which this node fires what is due.
func (s *Service) turn() time.Time {
	if s.runs.Leading() {
		return s.now()
	}
	return s.now().Add(-standAside)
}

// runDue fires what is due.
func (s *Service) runDue(ctx context.Context, until time.Time) {
	for ctx.Err() == nil {
		ids := s.timers.pop(until, fireGroup)
		s.fire(ctx, ids)
		if len(ids) < fireGroup {
			return
		}
	}
}

func (s *Service) sleep(ctx context.Context, until time.Time) {
	now := s.now()
	wait := min(pollEvery, until.Sub(now))
	if next, ok := s.timers.next(); ok {
		if !s.runs.Leading() {
			next = next.Add(standAside)
		}
		wait = min(wait, next.Sub(now))
	}
	t := time.NewTimer(max(wait, time.Millisecond))
	defer t.Stop()
	select {
	case <-t.C:
	case <-s.timers.changed:
	case <-ctx.Done():
	}
}

// timers holds when schedules of the near future are to be looked at, one
// entry for each.
type timers struct {
	mu      sync.Mutex
	heap    dueHeap
	byID    map[string]*entry
	changed chan struct{} // the earliest entry came earlier
}

type entry struct {
	id    string
	at    time.Time
	index int
}

func newTimers() *timers {
	return &timers{byID: map[string]*entry{}, changed: make(chan struct{}, 1)}
}

// set notes when a schedule is to be looked at; the zero time forgets it.
func (t *timers) set(id string, at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	e := t.byID[id]
	switch {
	case at.IsZero() && e != nil:
		heap.Remove(&t.heap, e.index)
		delete(t.byID, id)
		return
	case at.IsZero():
		return
	case e == nil:
		e = &entry{id: id, at: at}
		t.byID[id] = e
		heap.Push(&t.heap, e)
	default:
		e.at = at
		heap.Fix(&t.heap, e.index)
	}
	if e.index == 0 {
		select {
		case t.changed <- struct{}{}:
		default:
		}
	}
}

// pop removes and gives at most limit entries that are due by now.
func (t *timers) pop(now time.Time, limit int) []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var ids []string
	for len(t.heap) > 0 && len(ids) < limit && !t.heap[0].at.After(now) {
		e, _ := heap.Pop(&t.heap).(*entry)
		delete(t.byID, e.id)
		ids = append(ids, e.id)
	}
	return ids
}

func (t *timers) next() (time.Time, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.heap) == 0 {
		return time.Time{}, false
	}
	return t.heap[0].at, true
}

// dueHeap is a container/heap ordered by time.
type dueHeap []*entry

func (h dueHeap) Len() int           { return len(h) }
func (h dueHeap) Less(i, j int) bool { return h[i].at.Before(h[j].at) }
func (h dueHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

// Push appends an entry for container/heap.
func (h *dueHeap) Push(x any) {
	e, _ := x.(*entry)
	e.index = len(*h)
	*h = append(*h, e)
}

// Pop removes the last entry for container/heap.
func (h *dueHeap) Pop() any {
	old := *h
	e := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	return e
}
