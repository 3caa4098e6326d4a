package events

import (
	"sync"
	"sync/atomic"
)

// Hub wakes those who watch a run after its journal has grown. A wake-up is a
// hint: it may come late, twice, or for nothing, and watchers read the journal
// to learn what is there. It is safe for concurrent use.
type Hub struct {
	mu       sync.Mutex // guards watchers
	watchers map[string]map[chan struct{}]struct{}
	tap      atomic.Pointer[func(id string)] // nil: nobody hears of all runs and schedules
}

// NewHub returns a hub without watchers.
func NewHub() *Hub {
	return &Hub{watchers: make(map[string]map[chan struct{}]struct{})}
}

// Watch returns a channel that receives after each growth of the run's
// journal (several growths may cause one receive), and a function that ends
// the watch and must be called. A growth between Watch and the first receive is
// not lost: the channel holds one wake-up.
func (h *Hub) Watch(runID string) (<-chan struct{}, func()) {
	ch := make(chan struct{}, 1)
	h.mu.Lock()
	defer h.mu.Unlock()
	set := h.watchers[runID]
	if set == nil {
		set = make(map[chan struct{}]struct{})
		h.watchers[runID] = set
	}
	set[ch] = struct{}{}
	return ch, func() { h.forget(runID, ch) }
}

// forget ends one watch, and drops the run with its last.
func (h *Hub) forget(runID string, ch chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.watchers[runID], ch)
	if len(h.watchers[runID]) == 0 {
		delete(h.watchers, runID)
	}
}

// Tap has f called with the id of every run whose journal has grown and of every schedule that
// has changed or decided, and with "" where any may have, until Tap is called with nil; there is one f at a time. f is called by whoever
// commits, and must not block. Without it a growth costs the read of a pointer.
func (h *Hub) Tap(f func(id string)) {
	if f == nil {
		h.tap.Store(nil)
		return
	}
	h.tap.Store(&f)
}

// Announce tells the tap, and no watcher, of a run that grew elsewhere or of a schedule; "" for
// any.
func (h *Hub) Announce(id string) {
	if f := h.tap.Load(); f != nil {
		(*f)(id)
	}
}

// Wake tells the run's watchers to look again. It never blocks.
func (h *Hub) Wake(runID string) {
	h.Announce(runID)
	h.mu.Lock()
	defer h.mu.Unlock()
	for ch := range h.watchers[runID] {
		select {
		case ch <- struct{}{}:
		default:
		}
	}
}

// WakeAll tells every watcher to look again, as after a lost notification.
func (h *Hub) WakeAll() {
	h.Announce("")
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, set := range h.watchers {
		for ch := range set {
			select {
			case ch <- struct{}{}:
			default:
			}
		}
	}
}
