package machine

import (
	"encoding/json"
	"heddle/audit"
	"heddle/events"
	"slices"
)

// signalState is what a run remembers of its signals. It only grows, but for
// the kept ones, which waits take.
type signalState struct {
	kept   trie[keptSignal]           // not taken yet, by seq of signal_received
	latest stringMap[json.RawMessage] // the last payload by name
	seen   stringMap[struct{}]        // delivery keys and request ids, whose repetition has no effect
	names  []string                   // keys of latest, in order of first arrival
}

// keptSignal is a signal that no wait has taken. Aimed: its request id named an open input
// request, so that only that wait may take it. At is when it was received, in milliseconds.
// The JSON names are those of snapshots.
type keptSignal struct {
	Name      string          `json:"name"`
	RequestID string          `json:"request_id"`
	Payload   json.RawMessage `json:"payload"`
	Aimed     bool            `json:"aimed,omitempty"`
	At        int64           `json:"at"`
	// Actor, Reason and Key are those of the signal; zero in snapshots of earlier versions.
	Actor  audit.Actor `json:"actor,omitzero"`
	Reason string      `json:"reason,omitempty"`
	Key    string      `json:"key,omitempty"`
}

// signalReceived keeps a signal, whether or not a wait takes it next, and makes
// it the latest of its name.
func (r evolver) signalReceived(ev *events.Event, d *Detail) {
	s := &r.signals
	_, aimed := r.openRequest(d.RequestID)
	s.kept.set(r.edit, uint64(ev.Seq), keptSignal{
		Name: d.Name, RequestID: d.RequestID, Payload: d.Payload, Aimed: aimed, At: r.updatedAt, Actor: d.Actor, Reason: d.Reason, Key: d.AnswerKey,
	})
	if _, known := s.latest.get(d.Name); !known {
		s.names = append(slices.Clip(s.names), d.Name)
	}
	s.latest.set(r.edit, d.Name, d.Payload)
	if d.RequestID != "" {
		s.seen.set(r.edit, d.RequestID, struct{}{})
	}
}

// openRequest returns the open signal wait with this request id; false: there is none, or
// the id is "". O(parked).
func (r *Run) openRequest(requestID string) (position, bool) {
	var found position
	ok := false
	if r.signalWaits == 0 || requestID == "" {
		return found, false
	}
	r.parked.all(func(_ uint64, p position) bool {
		if w := r.stepAt(p).wait; w != nil && w.Kind == waitSignal && w.RequestID == requestID {
			found, ok = p, true
		}
		return !ok
	})
	return found, ok
}

// stringMap is a persistent map from text: a trie over 30 bits of FNV-1a, with
// the entries that share a hash in one list.
type stringMap[V any] struct{ t trie[[]mapEntry[V]] }

// mapEntry is one key with its value.
type mapEntry[V any] struct {
	key   string
	value V
}

// hashText returns 30 bits of the FNV-1a hash of s. It may change between versions: the
// hash is not stored.
func hashText(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := 0; i < len(s); i++ {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return (h ^ h>>32) & (1<<30 - 1)
}

// get returns the value of a key; false: it has none.
func (h *stringMap[V]) get(key string) (v V, ok bool) {
	list, _ := h.t.get(hashText(key))
	for _, e := range list {
		if e.key == key {
			return e.value, true
		}
	}
	return v, false
}

// set puts a value at a key, in place of an earlier one; older copies stay as
// they were.
func (h *stringMap[V]) set(edit uint64, key string, v V) {
	at := hashText(key)
	list, _ := h.t.get(at)
	fresh := make([]mapEntry[V], 0, len(list)+1)
	for _, e := range list {
		if e.key != key {
			fresh = append(fresh, e)
		}
	}
	h.t.set(edit, at, append(fresh, mapEntry[V]{key, v}))
}
