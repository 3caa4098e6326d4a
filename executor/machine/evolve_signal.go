package machine

import (
	"encoding/json"
	"heddle/events"
	"slices"
)

// signalState is what a run remembers of its signals.
type signalState struct {
	kept   trie[keptSignal]        // not taken yet, by seq of signal_received
	latest hashed[json.RawMessage] // the last payload by name
	seen   hashed[struct{}]        // delivery keys and answered requests
	names  []string                // of latest, in order of first arrival
}

// keptSignal is a signal that no wait has taken. Aimed: its request id named
// an open input request, so that only that wait may take it.
type keptSignal struct {
	Name      string          `json:"name"`
	RequestID string          `json:"request_id"`
	Payload   json.RawMessage `json:"payload"`
	Aimed     bool            `json:"aimed,omitempty"`
	At        int64           `json:"at"`
}

func (r *Run) signalReceived(ev *events.Event, d *Detail) {
	s := &r.signals
	_, aimed := r.openRequest(d.RequestID)
	s.kept.set(r.edit, uint64(ev.Seq), keptSignal{Name: d.Name, RequestID: d.RequestID, Payload: d.Payload, Aimed: aimed, At: r.updated})
	if _, known := s.latest.get(d.Name); !known {
		s.names = append(slices.Clip(s.names), d.Name)
	}
	s.latest.set(r.edit, d.Name, d.Payload)
	if d.RequestID != "" {
		s.seen.set(r.edit, d.RequestID, struct{}{})
	}
}

// openRequest finds the open signal wait with this request id.
func (r *Run) openRequest(requestID string) (place, bool) {
	var found place
	ok := false
	if r.signalWaits == 0 || requestID == "" {
		return found, false
	}
	r.parked.all(func(_ uint64, p place) bool {
		if w := r.stepAt(p).wait; w != nil && w.Kind == waitSignal && w.RequestID == requestID {
			found, ok = p, true
		}
		return !ok
	})
	return found, ok
}

// hashed is a persistent map from text: a trie over 30 bits of FNV-1a, with
// the entries that share a hash in one list.
type hashed[V any] struct{ t trie[[]entry[V]] }

type entry[V any] struct {
	key string
	v   V
}

func hashText(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := 0; i < len(s); i++ {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return (h ^ h>>32) & (1<<30 - 1)
}

func (h *hashed[V]) get(key string) (v V, ok bool) {
	list, _ := h.t.get(hashText(key))
	for _, e := range list {
		if e.key == key {
			return e.v, true
		}
	}
	return v, false
}

func (h *hashed[V]) set(edit uint64, key string, v V) {
	at := hashText(key)
	list, _ := h.t.get(at)
	fresh := make([]entry[V], 0, len(list)+1)
	for _, e := range list {
		if e.key != key {
			fresh = append(fresh, e)
		}
	}
	h.t.set(edit, at, append(fresh, entry[V]{key, v}))
}
