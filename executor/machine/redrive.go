package machine

import (
	"encoding/json"
	"heddle/fault"
)

// redriveState is what a loop that did not complete leaves for a redrive. It never changes
// once a step holds it.
//
// Example: of ten items 0, 1 and 3 completed, 2 failed, and the run was cancelled while 4
// was open. What is left is nextIndex 5, completed 3 and rerun [2 4]: the redrive runs 2,
// 4, and 5 to 9.
type redriveState struct {
	total       int // items of the loop
	nextIndex   int // iterations from here on never started
	completed   int
	rerun       []uint64 // iterations before next that did not complete, in order
	results     resultList
	resultBytes int
	storedItems json.RawMessage
}

// redriveState sums a loop up; nil when no iteration of it could run again. Failed and open
// iterations, and those of an earlier redrive that have not started, are merged in order of
// their indexes.
func (l *loopState) redriveState() *redriveState {
	d := &redriveState{total: l.total, nextIndex: l.nextIndex, completed: l.completed, results: l.results, resultBytes: l.resultBytes, storedItems: l.storedItems}
	rest := l.rerun
	merge := func(index uint64) {
		for len(rest) > 0 && rest[0] < index {
			d.rerun, rest = append(d.rerun, rest[0]), rest[1:]
		}
		d.rerun = append(d.rerun, index)
	}
	failed, open := keys(&l.failedIndexes), keys(&l.open)
	for len(failed)+len(open) > 0 {
		if len(open) == 0 || len(failed) > 0 && failed[0] < open[0] {
			merge(failed[0])
			failed = failed[1:]
		} else {
			merge(open[0])
			open = open[1:]
		}
	}
	d.rerun = append(d.rerun, rest...)
	if len(d.rerun) == 0 && d.nextIndex >= d.total {
		return nil
	}
	return d
}

// redriveOf returns what a redrive of the step begins with; nil: there is
// nothing to repeat.
func redriveOf(st *stepState) *redriveState {
	if st.redrive == nil && st.loop != nil && st.status == StepRunning {
		return st.loop.redriveState() // cut off by the run's end
	}
	return st.redrive
}

// continueFrom begins a loop with what an earlier attempt of it left; nil leaves l as it
// is. Where the number of items has changed it begins anew.
func (l *loopState) continueFrom(d *redriveState) {
	if d == nil || d.total != l.total {
		return
	}
	l.nextIndex, l.completed, l.rerun, l.results, l.resultBytes = d.nextIndex, d.completed, d.rerun, d.results, d.resultBytes
}

// checkRedrivable refuses a redrive that is not possible, with fault.Unacceptable
// unknown_step, step_not_redrivable or step_not_reachable. why are the reasons to rerun
// without it, by step.
func (a resumeAssessment) checkRedrivable(id string, why []string) error {
	plan := a.plan
	n := plan.index[id]
	if n == nil {
		return fault.New(fault.Unacceptable, "unknown_step", "The definition has no step %q.", id)
	}
	if n.list != plan.top || n.part != partMain || n.loop == nil || n.loop.items == nil {
		return fault.New(fault.Unacceptable, "step_not_redrivable", "Step '%s' is not a top-level loop over items; only the failed iterations of such a loop can run again by themselves.", id)
	}
	if err := checkReachable(plan, id, why); err != nil {
		return err
	}
	switch st := a.run.root.step(n.index); {
	case st.compensated:
		return fault.New(fault.Unacceptable, "step_not_redrivable",
			"Iterations of loop '%s' were compensated, so all of it has to run again; resume the run from it.", id)
	case redriveOf(st) == nil:
		return fault.New(fault.Unacceptable, "step_not_redrivable", "Loop '%s' did not fail, or has no failed iterations to run again.", id)
	}
	return nil
}

// savedRedrive is a redriveState in a snapshot.
type savedRedrive struct {
	Total     int             `json:"total"`
	Next      int             `json:"next"`
	Completed int             `json:"completed"`
	Again     []uint64        `json:"again,omitempty"`
	Results   []savedResult   `json:"results,omitempty"`
	Size      int             `json:"size,omitempty"`
	Items     json.RawMessage `json:"items,omitempty"`
}

// save returns the saved form; nil of nil.
func (d *redriveState) save() *savedRedrive {
	if d == nil {
		return nil
	}
	return &savedRedrive{d.total, d.nextIndex, d.completed, d.rerun, d.results.save(), d.resultBytes, d.storedItems}
}

// load returns what save was given, made in this edit; nil of nil.
func (s *savedRedrive) load(edit uint64) *redriveState {
	if s == nil {
		return nil
	}
	d := &redriveState{total: s.Total, nextIndex: s.Next, completed: s.Completed, rerun: s.Again, resultBytes: s.Size, storedItems: s.Items}
	d.results.load(edit, s.Results)
	return d
}

// keys returns a trie's keys in order.
func keys[T any](t *trie[T]) []uint64 {
	var list []uint64
	t.all(func(key uint64, _ T) bool {
		list = append(list, key)
		return true
	})
	return list
}

// items returns the items that cannot be evaluated again; nil: they can.
func (d *redriveState) items() json.RawMessage {
	if d == nil {
		return nil
	}
	return d.storedItems
}
