package machine

import (
	"slices"
	"time"
)

// OpenIteration is an iteration that is under way.
type OpenIteration struct {
	Path      string // "each[3].inner[0]"
	StartedAt time.Time
	Waiting   bool // nothing of it is in flight, and a wait or a retry is pending
}

// OpenIterations lists what is under way of a loop, the first begun first; false: the run's
// definition has no loop of that id. An inner loop may be under way several times.
func (r *Run) OpenIterations(stepID string) ([]OpenIteration, bool) {
	n := r.plan.index[stepID]
	if n == nil || n.loop == nil {
		return nil, false
	}
	var list []OpenIteration
	var ids []uint64
	r.loops.all(func(_ uint64, p position) bool {
		if r.node(p) != n {
			return true
		}
		for _, f := range r.iterations(p) {
			s := r.scope(f)
			at, _ := slices.BinarySearch(ids, f.id)
			ids = slices.Insert(ids, at, f.id)
			list = slices.Insert(list, at, OpenIteration{f.path, instant(s.startedAt), s.inFlight == 0 && s.parked > 0})
		}
		return true
	})
	return list, true
}
