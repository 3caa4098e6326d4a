package executor

import (
	"container/heap"
	"sync"
	"time"
)

// timers holds the due times of the next seconds; everything later is a row
// with a due time and nothing else. Each run has at most one entry, its
// earliest.
type timers struct {
	mu      sync.Mutex
	heap    dueHeap
	byRun   map[string]*due
	changed chan struct{} // the earliest entry may have changed
}

type due struct {
	runID string
	at    time.Time
	index int
}

func newTimers() *timers {
	return &timers{byRun: make(map[string]*due), changed: make(chan struct{}, 1)}
}

// set notes when a run is due; an earlier entry of the run is kept.
func (t *timers) set(runID string, at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	d := t.byRun[runID]
	switch {
	case d == nil:
		d = &due{runID: runID, at: at}
		t.byRun[runID] = d
		heap.Push(&t.heap, d)
	case at.Before(d.at):
		d.at = at
		heap.Fix(&t.heap, d.index)
	default:
		return
	}
	if d.index == 0 {
		select {
		case t.changed <- struct{}{}:
		default:
		}
	}
}

// pop removes and returns at most limit runs that are due by now, and the time
// of the next entry (zero: none).
func (t *timers) pop(now time.Time, limit int) (ids []string, next time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for len(t.heap) > 0 && len(ids) < limit && !t.heap[0].at.After(now) {
		d, _ := heap.Pop(&t.heap).(*due)
		delete(t.byRun, d.runID)
		ids = append(ids, d.runID)
	}
	if len(t.heap) > 0 {
		next = t.heap[0].at
	}
	return ids, next
}

func (t *timers) len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.heap)
}

// dueHeap is a container/heap ordered by due time.
type dueHeap []*due

func (h dueHeap) Len() int           { return len(h) }
func (h dueHeap) Less(i, j int) bool { return h[i].at.Before(h[j].at) }
func (h dueHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

// Push appends an entry for container/heap.
func (h *dueHeap) Push(x any) {
	d, _ := x.(*due)
	d.index = len(*h)
	*h = append(*h, d)
}

// Pop removes the last entry for container/heap.
func (h *dueHeap) Pop() any {
	old := *h
	d := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	return d
}
