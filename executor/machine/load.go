package machine

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// readSnapshot decodes what Snapshot wrote.
func readSnapshot(snapshot []byte) (*savedRun, error) {
	var s savedRun
	dec := json.NewDecoder(bytes.NewReader(snapshot))
	dec.UseNumber() // error details keep their numbers exactly
	if err := dec.Decode(&s); err != nil {
		return nil, err
	}
	if s.Format != snapshotFormat {
		return nil, fmt.Errorf("its format is %d, not %d", s.Format, snapshotFormat)
	}
	return &s, nil
}

// load fills a fresh run from a snapshot.
func (r *Run) load(s *savedRun) error {
	if s.Hash != r.Hash {
		return fmt.Errorf("it is of definition %s, the run of %s", s.Hash, r.Hash)
	}
	r.State, r.Seq, r.Output, r.Err, r.Usage = s.State, s.Seq, s.Output, s.Err, s.Usage
	r.StartedAt, r.CompletedAt, r.updated = instant(s.StartedAt), instant(s.CompletedAt), s.Updated
	r.pausedAt, r.excluded, r.tickets, r.attempts = s.PausedAt, excludedTime(s.Excluded), s.Tickets, s.Attempts
	r.ending, r.undoFailed, r.departed = s.Ending, s.UndoFailed, s.Departed
	r.lives, r.revived, r.filled = s.Lives, s.Revived, s.Filled
	r.handling, r.handlersFailed = s.Handling, s.Failed
	r.loadSignals(s)
	var err error
	if r.root, err = r.loadScope(nil, r.plan.top, &s.Root); err != nil {
		return err
	}
	for _, u := range s.Undo {
		p, err := r.undoPlace(u)
		if err != nil {
			return err
		}
		r.undo.set(r.edit, u.Seq, undo{p})
	}
	if u := s.Undoing; u != nil {
		p, err := r.undoPlace(u.savedUndo)
		if err != nil {
			return err
		}
		r.undoing = &undoing{At: p, Attempt: u.Attempt, Tries: u.Tries, Due: u.Due, Since: cmp.Or(u.Since, u.Begun), Begun: u.Begun, Running: u.Running}
	}
	r.resetTimers()
	return nil
}

// undoPlace finds a place by its path and the ids of the iterations on it.
func (r *Run) undoPlace(u savedUndo) (place, error) {
	n := r.plan.index[u.StepID]
	parts := strings.Split(u.Iteration, ".")
	var f *frame
	for i, id := range u.IDs {
		name, number, _ := strings.Cut(strings.TrimSuffix(parts[min(i, len(parts)-1)], "]"), "[")
		index, err := strconv.Atoi(number)
		loop := r.plan.index[name]
		if err != nil || loop == nil || loop.loop == nil || loop.list != r.listOf(f) {
			return place{}, fmt.Errorf("no iteration %s", u.Iteration)
		}
		f = newFrame(f, loop, index, id)
	}
	if n == nil || n.list != r.listOf(f) || r.scope(f) == nil {
		return place{}, fmt.Errorf("no step %q %s", u.StepID, u.Iteration)
	}
	return place{f, n.at}, nil
}

func (r *Run) loadSignals(s *savedRun) {
	for _, k := range s.Kept {
		r.signals.kept.set(r.edit, k.Seq, k.keptSignal)
	}
	for _, l := range s.Latest {
		r.signals.latest.set(r.edit, l.Name, l.Payload)
		r.signals.names = append(r.signals.names, l.Name)
	}
	for _, id := range s.Seen {
		r.signals.seen.set(r.edit, id, struct{}{})
	}
}

// loadScope fills one list; the counters and sets are computed on the way.
func (r *Run) loadScope(f *frame, l *list, s *savedScope) (*scopeState, error) {
	sc := &scopeState{
		edit: r.edit, id: f.identity(), list: l, left: l.count[partMain], undos: s.Undos, failed: s.Failed,
		generation: s.Generation, base: s.Base, ticket: s.Ticket, begun: s.Begun,
	}
	if f == nil {
		sc.left = l.count[r.part()]
	}
	if sc.ticket != 0 {
		r.agenda.set(r.edit, sc.ticket, place{f, -1})
	}
	for i := range s.Steps {
		saved := &s.Steps[i]
		n := r.plan.index[saved.ID]
		if n == nil || n.list != l {
			return nil, fmt.Errorf("no step %q in the plan", saved.ID)
		}
		st, err := r.loadStep(place{f, n.at}, n, saved, sc)
		if err != nil {
			return nil, err
		}
		sc.steps.set(r.edit, uint64(n.at), st)
		sc.lagging = sc.lagging || st.generation != 0 || st.cut.len() > 0
		if st.finished() && (f != nil || n.part == r.part()) {
			sc.left--
		}
	}
	return sc, nil
}

func (r *Run) loadStep(p place, n *node, s *savedStep, sc *scopeState) (*stepState, error) {
	st := &stepState{
		edit: r.edit, unmet: s.Unmet, live: s.Live, status: s.Status, skip: s.Skip, falling: s.Falling,
		interrupted: s.Interrupted, unknown: s.unknown(), undone: s.Undone, attempt: s.Attempt, last: s.Last, tries: s.Tries, generation: s.Generation,
		ticket: s.Ticket, slot: s.Slot, order: s.Order, started: s.Started, since: cmp.Or(s.Since, s.Started), begun: s.Begun, acted: s.Acted, ended: s.Ended, due: s.Due,
		output: s.Output, err: s.Err, fallback: s.Fallback, usage: s.Usage, wait: s.Wait, counts: s.Counts,
		redo: s.Redo.load(r.edit), cut: cutOffs(r.edit, s.Cut),
	}
	if st.ticket != 0 {
		r.agenda.set(r.edit, st.ticket, p)
	}
	if s.Loop != nil {
		if n.loop == nil {
			return nil, fmt.Errorf("step %q is no loop", s.ID)
		}
		if err := r.loadLoop(p, n, st, s.Loop, sc); err != nil {
			return nil, err
		}
	}
	if st.slot == 0 {
		return st, nil
	}
	switch {
	case n.loop != nil && st.status == StepRunning:
		r.loops.set(r.edit, st.slot, p)
	case st.status == StepRunning:
		r.action.set(r.edit, st.slot, p)
		sc.busy++
	default:
		r.parked.set(r.edit, st.slot, p)
		sc.parked++
		r.tally(st, 1)
	}
	return st, nil
}

func (r *Run) loadLoop(p place, n *node, st *stepState, s *savedLoop, up *scopeState) error {
	l := &loopState{
		edit: r.edit, total: s.Total, next: s.Next, completed: s.Completed, failed: s.Failed, doomed: s.Doomed,
		size: s.Size, last: s.Last, generation: s.Generation, base: s.Base, again: s.Again, cut: cutOffs(r.edit, s.Cut), fixed: s.Items, items: &itemBox{},
	}
	for _, index := range s.FailedAt {
		l.failedAt.set(r.edit, index, struct{}{})
	}
	st.loop = l
	for _, it := range s.Open {
		sc, err := r.loadScope(newFrame(p.at, n, int(it.Index), it.ID), n.loop.body, &it.savedScope)
		if err != nil {
			return err
		}
		l.open.set(r.edit, it.Index, sc)
		up.busy += sc.busy
		up.parked += sc.parked
	}
	for _, it := range s.Kept {
		sc, err := r.loadScope(newFrame(p.at, n, int(it.Index), it.ID), n.loop.body, &it.savedScope)
		if err != nil {
			return err
		}
		l.kept.set(r.edit, it.ID, sc)
	}
	l.results.load(r.edit, s.Results)
	return nil
}
