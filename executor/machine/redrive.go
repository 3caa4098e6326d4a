package machine

import (
	"encoding/json"
	"heddle/fault"
)

// redoState is what a loop that did not complete leaves for a redrive.
type redoState struct {
	total     int
	next      int // iterations from here on never started
	completed int
	again     []uint64 // iterations before next that did not complete, in order
	results   resultList
	size      int
	fixed     json.RawMessage
}

// redo sums a loop up; nil when no iteration of it could run again.
func (l *loopState) redo() *redoState {
	d := &redoState{total: l.total, next: l.next, completed: l.completed, results: l.results, size: l.size, fixed: l.fixed}
	rest := l.again
	merge := func(index uint64) {
		for len(rest) > 0 && rest[0] < index {
			d.again, rest = append(d.again, rest[0]), rest[1:]
		}
		d.again = append(d.again, index)
	}
	failed, open := keys(&l.failedAt), keys(&l.open)
	for len(failed)+len(open) > 0 {
		if len(open) == 0 || len(failed) > 0 && failed[0] < open[0] {
			merge(failed[0])
			failed = failed[1:]
		} else {
			merge(open[0])
			open = open[1:]
		}
	}
	d.again = append(d.again, rest...)
	if len(d.again) == 0 && d.next >= d.total {
		return nil
	}
	return d
}

// redoOf is what a redrive of the step begins with.
func redoOf(st *stepState) *redoState {
	if st.redo == nil && st.loop != nil && st.status == StepRunning {
		return st.loop.redo() // cut off by the run's end
	}
	return st.redo
}

// takeUp begins a loop with what an earlier course of it left. Where the items
// are others by now it begins anew.
func (l *loopState) takeUp(d *redoState) {
	if d == nil || d.total != l.total {
		return
	}
	l.next, l.completed, l.again, l.results, l.size = d.next, d.completed, d.again, d.results, d.size
}

// redrivable tells whether a redrive of the step is possible.
func (r *Run) redrivable(plan *Plan, id string, why []string) error {
	n := plan.index[id]
	if n == nil {
		return fault.New(fault.Unacceptable, "unknown_step", "The definition has no step %q.", id)
	}
	if n.list != plan.top || n.part != partMain || n.loop == nil || n.loop.items == nil {
		return fault.New(fault.Unacceptable, "step_not_redrivable", "Step '%s' is no top-level loop over items; only the failed iterations of such a loop can run again by themselves.", id)
	}
	if err := reachable(plan, id, why); err != nil {
		return err
	}
	switch st := r.root.step(n.at); {
	case st.undone:
		return fault.New(fault.Unacceptable, "step_not_redrivable",
			"Iterations of loop '%s' were compensated, so all of it has to run again; resume the run from it.", id)
	case redoOf(st) == nil:
		return fault.New(fault.Unacceptable, "step_not_redrivable", "Loop '%s' did not fail, or has no failed iterations to run again.", id)
	}
	return nil
}

// savedRedo is a redoState in a snapshot.
type savedRedo struct {
	Total     int             `json:"total"`
	Next      int             `json:"next"`
	Completed int             `json:"completed"`
	Again     []uint64        `json:"again,omitempty"`
	Results   []savedResult   `json:"results,omitempty"`
	Size      int             `json:"size,omitempty"`
	Items     json.RawMessage `json:"items,omitempty"`
}

func (d *redoState) save() *savedRedo {
	if d == nil {
		return nil
	}
	return &savedRedo{d.total, d.next, d.completed, d.again, d.results.save(), d.size, d.fixed}
}

func (s *savedRedo) load(edit uint64) *redoState {
	if s == nil {
		return nil
	}
	d := &redoState{total: s.Total, next: s.Next, completed: s.Completed, again: s.Again, size: s.Size, fixed: s.Items}
	d.results.load(edit, s.Results)
	return d
}

func keys[T any](t *trie[T]) []uint64 {
	var list []uint64
	t.all(func(key uint64, _ T) bool {
		list = append(list, key)
		return true
	})
	return list
}

// items are those that cannot be evaluated again, nil: they can.
func (d *redoState) items() json.RawMessage {
	if d == nil {
		return nil
	}
	return d.fixed
}
