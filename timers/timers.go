// Package timers holds what is due in the near future, by id, for loops that
// keep everything later in rows. It is safe for concurrent use and knows no
// clock: the caller says what time it is.
package timers

import (
	"container/heap"
	"sync"
	"time"
)

// Timers holds at most one due time for each id. Times of equal instants have no
// order among each other.
type Timers struct {
	mu      sync.Mutex // guards heap and byID
	heap    dueHeap
	byID    map[string]*due
	changed chan struct{}
}

// due is one id in the heap.
type due struct {
	id    string
	at    time.Time
	index int // in the heap
}

// New returns an empty one.
func New() *Timers {
	return &Timers{byID: make(map[string]*due), changed: make(chan struct{}, 1)}
}

// Set records when an id is due, in place of an earlier record.
func (t *Timers) Set(id string, at time.Time) { t.record(id, at, func(time.Time) bool { return true }) }

// SetIfEarlier records when an id is due; an earlier time of it stays.
func (t *Timers) SetIfEarlier(id string, at time.Time) { t.record(id, at, at.Before) }

// record records a time where replaces says so of the one at hand, and announces
// a new earliest time. replaces is called under the lock.
func (t *Timers) record(id string, at time.Time, replaces func(time.Time) bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	d := t.byID[id]
	switch {
	case d == nil:
		d = &due{id: id, at: at}
		t.byID[id] = d
		heap.Push(&t.heap, d)
	case replaces(d.at):
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

// Remove drops an id; it need not be there.
func (t *Timers) Remove(id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if d := t.byID[id]; d != nil {
		heap.Remove(&t.heap, d.index)
		delete(t.byID, id)
	}
}

// Pop removes and returns at most limit ids (0: none) that are due by now, the
// earliest first, and the time of the next one (zero: there is none).
func (t *Timers) Pop(now time.Time, limit int) (ids []string, next time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for len(t.heap) > 0 && len(ids) < limit && !t.heap[0].at.After(now) {
		d, _ := heap.Pop(&t.heap).(*due)
		delete(t.byID, d.id)
		ids = append(ids, d.id)
	}
	if len(t.heap) > 0 {
		next = t.heap[0].at
	}
	return ids, next
}

// Len returns the number of ids.
func (t *Timers) Len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.heap)
}

// Changed returns a channel that receives when the earliest time may have become
// earlier. It holds one announcement, and one goroutine should receive from it.
func (t *Timers) Changed() <-chan struct{} { return t.changed }

// dueHeap is a container/heap ordered by time.
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
