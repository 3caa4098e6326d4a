package machine

import (
	"cmp"
	"fmt"
	"heddle/internal/exactjson"
	"strconv"
	"strings"
)

// readSnapshot decodes what Snapshot wrote. Errors: text that is not JSON, and another
// format.
func readSnapshot(snapshot []byte) (*savedRun, error) {
	var s savedRun
	// Error details keep their numbers exactly.
	if err := exactjson.Decode(snapshot, &s); err != nil {
		return nil, err
	}
	if s.Format != snapshotFormat {
		return nil, fmt.Errorf("its format is %d, not %d", s.Format, snapshotFormat)
	}
	return &s, nil
}

// snapshotReader fills a fresh run from the saved form of its parts. It keeps their JSON
// values.
type snapshotReader struct{ draft }

// load fills a fresh run from a snapshot. What the snapshot leaves out because
// it follows from the rest (counters, sets, timers) is computed on the way.
func (r snapshotReader) load(s *savedRun) error {
	if s.Hash != r.Hash {
		return fmt.Errorf("it is of definition %s, the run of %s", s.Hash, r.Hash)
	}
	r.State, r.Seq, r.Output, r.Err, r.Usage = s.State, s.Seq, s.Output, s.Err, s.Usage
	r.StartedAt, r.CompletedAt, r.updatedAt = instant(s.StartedAt), instant(s.CompletedAt), s.Updated
	r.inactiveSince, r.inactiveTime, r.agenda.lastKey, r.maxLoopAttempt = s.InactiveSince, excludedTime(s.InactiveMS), s.LastAgendaKey, s.MaxLoopAttempt
	r.ending, r.failedCompensations, r.removedSteps = s.Ending, s.FailedCompensations, s.RemovedSteps
	r.resumeCount, r.resumedAt, r.inputWithDefaults = s.ResumeCount, s.ResumedAt, s.InputWithDefaults
	r.handlers, r.failedHandlers = s.Handlers, s.FailedHandlers
	r.loadSignals(s)
	var err error
	if r.root, err = r.loadScope(nil, r.plan.top, &s.Root); err != nil {
		return err
	}
	for _, u := range s.Compensations {
		p, err := r.findSaved(u)
		if err != nil {
			return err
		}
		r.compensations.set(r.edit, u.Seq, compensable{p})
	}
	if u := s.Compensating; u != nil {
		p, err := r.findSaved(u.savedCompensable)
		if err != nil {
			return err
		}
		r.compensating = &activeCompensation{position: p, attempt: u.Attempt, failedAttempts: u.FailedAttempts, dueAt: u.DueAt, keyFirstUsedAt: cmp.Or(u.KeyFirstUsedAt, u.StartedAt), startedAt: u.StartedAt, running: u.Running}
	}
	// Last, when all due times are known.
	r.resetTimers()
	return nil
}

// findSaved returns the position that a path and the ids of the iterations on it name. The
// ids tell two iterations apart that have one path. The error says that the plan or the run
// has no such position.
func (r snapshotReader) findSaved(u savedCompensable) (position, error) {
	n := r.plan.index[u.StepID]
	parts := strings.Split(u.Iteration, ".")
	var f *frame
	for i, id := range u.IDs {
		name, number, _ := strings.Cut(strings.TrimSuffix(parts[min(i, len(parts)-1)], "]"), "[")
		index, err := strconv.Atoi(number)
		loop := r.plan.index[name]
		if err != nil || loop == nil || loop.loop == nil || loop.list != r.listOf(f) {
			return position{}, fmt.Errorf("no iteration %s", u.Iteration)
		}
		f = newFrame(f, loop, index, id)
	}
	if n == nil || n.list != r.listOf(f) || r.scope(f) == nil {
		return position{}, fmt.Errorf("no step %q %s", u.StepID, u.Iteration)
	}
	return position{f, n.index}, nil
}

// loadSignals fills the signals, the names in order of first arrival.
func (r snapshotReader) loadSignals(s *savedRun) {
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

// loadScope fills one list, f's, and all below it. Its counters, the agenda and the
// activity index are computed on the way. The error is that of a step which the plan lacks.
func (r snapshotReader) loadScope(f *frame, l *list, s *savedScope) (*scopeState, error) {
	sc := &scopeState{
		edit: r.edit, id: f.identity(), list: l, unfinished: l.count[partMain], compensations: s.Compensations, err: s.Failed,
		generation: s.Generation, attemptBase: s.AttemptBase, agendaKey: s.AgendaKey, startedAt: s.StartedAt,
	}
	// Of the definition's own list the part counts that runs now.
	if f == nil {
		sc.unfinished = l.count[r.part()]
		r.tally = stepTally{}
	}
	if sc.agendaKey != 0 {
		r.agenda.set(r.edit, sc.agendaKey, position{f, -1})
	}
	for i := range s.Steps {
		saved := &s.Steps[i]
		n := r.plan.index[saved.ID]
		if n == nil || n.list != l {
			return nil, fmt.Errorf("no step %q in the plan", saved.ID)
		}
		st, err := r.loadStep(position{f, n.index}, n, saved, sc)
		if err != nil {
			return nil, err
		}
		sc.steps.set(r.edit, uint64(n.index), st)
		if f == nil {
			r.tally.touch(n.index)
		}
		// closeIteration looks for cut-off steps where this is set.
		sc.hasCutOff = sc.hasCutOff || st.generation != 0 || st.cutOff.len() > 0
		if st.finished() && (f != nil || n.part == r.part()) {
			sc.unfinished--
		}
	}
	return sc, nil
}

// loadStep fills one step and adds it to the indexes that it was in; sc, its list, counts
// it.
func (r snapshotReader) loadStep(p position, n *node, s *savedStep, sc *scopeState) (*stepState, error) {
	st := &stepState{
		edit: r.edit, unmet: s.Unmet, notSkipped: s.NotSkipped, status: s.Status, skipReason: s.SkipReason, fallbackRunning: s.FallbackRunning,
		interrupted: s.Interrupted, outcomeUnknown: s.outcomeUnknown(), compensated: s.Compensated,
		stepAttempts: stepAttempts{attemptNumber: s.AttemptNumber, lastAttempt: s.LastAttempt, failedAttempts: s.FailedAttempts, generation: s.Generation},
		agendaKey:    s.AgendaKey, activityKey: s.ActivityKey, firstSeq: s.FirstSeq, lastSeq: s.LastSeq,
		stepTimes: stepTimes{
			startedAt: s.StartedAt, keyFirstUsedAt: cmp.Or(s.KeyFirstUsedAt, s.StartedAt), attemptStartedAt: s.AttemptStartedAt,
			executedAt: s.ExecutedAt, endedAt: s.EndedAt, dueAt: s.DueAt,
		},
		stepOutcome: stepOutcome{output: s.Output, err: s.Err, fallbackStep: s.FallbackStep, usage: s.Usage},
		wait:        s.Wait, loopCounts: s.LoopCounts, redrive: s.Redrive.load(r.edit), cutOff: cutOffTrie(r.edit, s.CutOff),
	}
	if st.agendaKey != 0 {
		r.agenda.set(r.edit, st.agendaKey, p)
	}
	if s.Loop != nil {
		if n.loop == nil {
			return nil, fmt.Errorf("step %q is not a loop", s.ID)
		}
		if err := r.loadLoop(p, n, st, s.Loop, sc); err != nil {
			return nil, err
		}
	}
	if st.activityKey == 0 {
		return st, nil
	}
	switch {
	case n.loop != nil && st.status == StepRunning:
		r.loops.set(r.edit, st.activityKey, p)
	case st.status == StepRunning:
		r.attempts.set(r.edit, st.activityKey, p)
		sc.inFlight++
	default:
		r.parked.set(r.edit, st.activityKey, p)
		sc.parked++
		r.countParked(st, 1)
	}
	return st, nil
}

// loadLoop fills the loop of st with its iterations; up, the list around it, counts what is
// in flight and parked in them.
func (r snapshotReader) loadLoop(p position, n *node, st *stepState, s *savedLoop, up *scopeState) error {
	l := &loopState{
		edit: r.edit, total: s.Total, nextIndex: s.NextIndex, completed: s.Completed, failed: s.Failed, failing: s.Failing,
		resultBytes: s.ResultBytes, lastResult: s.LastResult, generation: s.Generation, attemptBase: s.AttemptBase, rerun: s.Rerun, cutOff: cutOffTrie(r.edit, s.CutOff), storedItems: s.StoredItems, items: &itemCache{},
	}
	for _, index := range s.FailedIndexes {
		l.failedIndexes.set(r.edit, index, struct{}{})
	}
	st.loop = l
	for _, it := range s.Open {
		sc, err := r.loadScope(newFrame(p.frame, n, int(it.Index), it.ID), n.loop.body, &it.savedScope)
		if err != nil {
			return err
		}
		l.open.set(r.edit, it.Index, sc)
		up.inFlight += sc.inFlight
		up.parked += sc.parked
	}
	for _, it := range s.Retained {
		sc, err := r.loadScope(newFrame(p.frame, n, int(it.Index), it.ID), n.loop.body, &it.savedScope)
		if err != nil {
			return err
		}
		l.retained.set(r.edit, it.ID, sc)
	}
	l.results.load(r.edit, s.Results)
	return nil
}
