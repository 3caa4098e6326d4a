package machine

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// snapshotFormat is raised when older snapshots can no longer be read; the
// journal can always be folded without one.
const snapshotFormat = 1

// savedRun is a run as Snapshot writes it: the state without what can be
// computed from it (counters, timers, sets) and without the header. Its JSON
// names, and those of the types below, are stored data: they never change,
// whatever the fields are called.
type savedRun struct {
	Format      int             `json:"format"`
	Hash        string          `json:"definition_hash"`
	State       State           `json:"state"`
	Seq         int64           `json:"seq"`
	StartedAt   int64           `json:"started_at,omitempty"`
	CompletedAt int64           `json:"completed_at,omitempty"`
	Updated     int64           `json:"updated_at"`
	PausedAt    int64           `json:"paused_at,omitempty"`
	Excluded    int64           `json:"excluded_ms,omitempty"`
	Output      json.RawMessage `json:"output,omitempty"`
	Err         *Error          `json:"error,omitempty"`
	Usage       Usage           `json:"usage,omitzero"`
	Tickets     uint64          `json:"tickets"`
	Attempts    int             `json:"attempts,omitempty"`
	Ending      *ending         `json:"ending,omitempty"`
	Undo        []savedUndo     `json:"undo,omitempty"`
	Undoing     *savedUndoing   `json:"undoing,omitempty"`
	UndoFailed  []string        `json:"undo_failed,omitempty"`
	Lives       int             `json:"lives,omitempty"`
	Revived     int64           `json:"revived,omitempty"`
	Departed    []removedStep   `json:"departed,omitempty"`
	Handling    *handlerRun     `json:"handling,omitempty"`
	Failed      []string        `json:"handlers_failed,omitempty"`
	Filled      json.RawMessage `json:"input,omitempty"`
	Kept        []savedSignal   `json:"kept_signals,omitempty"`
	Latest      []savedLatest   `json:"signals,omitempty"`
	Seen        []string        `json:"seen,omitempty"`
	Root        savedScope      `json:"root"`
}

type savedUndo struct {
	Seq       uint64 `json:"seq"`
	StepID    string `json:"step_id"`
	Iteration string `json:"iteration,omitempty"`
	// IDs are those of the iterations on the path, the outermost first.
	IDs []uint64 `json:"ids,omitempty"`
}

type savedUndoing struct {
	savedUndo
	Attempt int   `json:"attempt"`
	Tries   int   `json:"tries,omitempty"`
	Due     int64 `json:"due,omitempty"`
	Since   int64 `json:"since,omitempty"` // absent in older ones
	Begun   int64 `json:"begun,omitempty"`
	Running bool  `json:"running,omitempty"`
}

type savedSignal struct {
	Seq uint64 `json:"seq"`
	keptSignal
}

type savedLatest struct {
	Name    string          `json:"name"`
	Payload json.RawMessage `json:"payload"`
}

type savedScope struct {
	Undos      int32       `json:"undos,omitempty"`
	Failed     *Error      `json:"failed,omitempty"`
	Generation int32       `json:"generation,omitempty"`
	Base       int32       `json:"base,omitempty"`
	Ticket     uint64      `json:"ticket,omitempty"`
	Begun      int64       `json:"begun,omitempty"`
	Steps      []savedStep `json:"steps,omitempty"`
}

type savedStep struct {
	ID          string           `json:"id"`
	Unmet       int32            `json:"unmet,omitempty"`
	Live        int32            `json:"live,omitempty"`
	Status      StepStatus       `json:"status"`
	Skip        string           `json:"skip,omitempty"`
	Falling     bool             `json:"falling,omitempty"`
	Interrupted bool             `json:"interrupted,omitempty"`
	Unknown     bool             `json:"unknown,omitempty"` // absent in older snapshots, where the error tells
	Undone      bool             `json:"undone,omitempty"`
	Attempt     int32            `json:"attempt,omitempty"`
	Last        int32            `json:"last,omitempty"`
	Tries       int32            `json:"tries,omitempty"`
	Generation  int32            `json:"generation,omitempty"`
	Ticket      uint64           `json:"ticket,omitempty"`
	Slot        uint64           `json:"slot,omitempty"`
	Order       int64            `json:"order,omitempty"`
	Started     int64            `json:"started,omitempty"`
	Since       int64            `json:"since,omitempty"` // absent where it is Started
	Begun       int64            `json:"begun,omitempty"`
	Acted       int64            `json:"acted,omitempty"`
	Ended       int64            `json:"ended,omitempty"`
	Due         int64            `json:"due,omitempty"`
	Output      json.RawMessage  `json:"output,omitempty"`
	Err         *Error           `json:"error,omitempty"`
	Fallback    string           `json:"fallback,omitempty"`
	Usage       Usage            `json:"usage,omitzero"`
	Wait        *waitState       `json:"wait,omitempty"`
	Loop        *savedLoop       `json:"loop,omitempty"`
	Counts      *IterationCounts `json:"counts,omitempty"`
	Redo        *savedRedrive    `json:"redo,omitempty"`
	Cut         []*cutOff        `json:"cut,omitempty"`
}

type savedLoop struct {
	Total      int              `json:"total"`
	Next       int              `json:"next"`
	Completed  int              `json:"completed,omitempty"`
	Failed     int              `json:"failed,omitempty"`
	Doomed     *Error           `json:"doomed,omitempty"`
	Size       int              `json:"size,omitempty"`
	Last       json.RawMessage  `json:"last,omitempty"`
	Items      json.RawMessage  `json:"items,omitempty"`
	Generation int32            `json:"generation,omitempty"`
	Base       int32            `json:"base,omitempty"`
	Open       []savedIteration `json:"open,omitempty"`
	Kept       []savedIteration `json:"kept,omitempty"`
	Results    []savedResult    `json:"results,omitempty"`
	FailedAt   []uint64         `json:"failed_at,omitempty"`
	Again      []uint64         `json:"again,omitempty"`
	Cut        []*cutOff        `json:"cut,omitempty"`
}

// outcomeUnknown is stepState.outcomeUnknown of a saved step.
func (s *savedStep) outcomeUnknown() bool { return s.Unknown || s.Err.cutOff() }

// hasEnd is stepState.hasEnd.
func (s *savedStep) hasEnd() bool {
	return (&stepState{status: s.Status, outcomeUnknown: s.outcomeUnknown()}).hasEnd()
}

type savedIteration struct {
	Index uint64 `json:"index"`
	ID    uint64 `json:"id"`
	savedScope
}

// Snapshot returns the state as JSON, for Restore with the same plan and
// header. The format is the machine's own. The backlog is not in it: a restored
// run is given Recover.
func (r *Run) Snapshot() ([]byte, error) {
	s := savedRun{
		Format: snapshotFormat, Hash: r.Hash, State: r.State, Seq: r.Seq,
		StartedAt: millis(r.StartedAt), CompletedAt: millis(r.CompletedAt), Updated: r.updatedAt, PausedAt: r.inactiveSince,
		Excluded: r.inactiveTime.Milliseconds(), Output: r.Output, Err: r.Err, Usage: r.Usage, Tickets: r.agenda.lastKey, Attempts: r.maxLoopAttempt,
		Ending: r.ending, UndoFailed: r.failedCompensations, Lives: r.resumeCount, Revived: r.resumedAt, Departed: r.removedSteps, Filled: r.inputWithDefaults, Handling: r.handlers, Failed: r.failedHandlers, Root: snapshotWriter{r}.saveScope(r.root),
	}
	r.compensations.all(func(seq uint64, u compensable) bool {
		s.Undo = append(s.Undo, snapshotWriter{r}.saveCompensable(seq, u.at))
		return true
	})
	if u := r.compensating; u != nil {
		s.Undoing = &savedUndoing{snapshotWriter{r}.saveCompensable(0, u.position), u.attempt, u.failedAttempts, u.dueAt, u.keyFirstUsedAt, u.startedAt, u.running}
	}
	snapshotWriter{r}.saveSignals(&s)
	out, err := json.Marshal(&s)
	if err != nil {
		return nil, fmt.Errorf("write the snapshot of run %s: %w", r.RunID, err)
	}
	return out, nil
}

// snapshotWriter turns the parts of a run into their saved form.
type snapshotWriter struct{ *Run }

func (r snapshotWriter) saveCompensable(seq uint64, p position) savedUndo {
	u := savedUndo{Seq: seq, StepID: r.node(p).step.ID, Iteration: p.path()}
	for f := p.frame; f != nil; f = f.parent {
		u.IDs = append(u.IDs, f.id)
	}
	slices.Reverse(u.IDs)
	return u
}

func (r snapshotWriter) saveSignals(s *savedRun) {
	r.signals.kept.all(func(seq uint64, k keptSignal) bool {
		s.Kept = append(s.Kept, savedSignal{seq, k})
		return true
	})
	for _, name := range r.signals.names {
		payload, _ := r.signals.latest.get(name)
		s.Latest = append(s.Latest, savedLatest{name, payload})
	}
	r.signals.seen.t.all(func(_ uint64, list []mapEntry[struct{}]) bool {
		for _, e := range list {
			s.Seen = append(s.Seen, e.key)
		}
		return true
	})
}

func (r snapshotWriter) saveScope(s *scopeState) savedScope {
	out := savedScope{Undos: s.compensations, Failed: s.err, Generation: s.generation, Base: s.attemptBase, Begun: s.startedAt}
	if _, ok := r.agenda.get(s.agendaKey); ok {
		out.Ticket = s.agendaKey
	}
	s.steps.all(func(at uint64, st *stepState) bool {
		out.Steps = append(out.Steps, r.saveStep(s.list.nodes[at], st))
		return true
	})
	return out
}

func (r snapshotWriter) saveStep(n *node, st *stepState) savedStep {
	s := savedStep{
		ID: n.step.ID, Unmet: st.unmet, Live: st.notSkipped, Status: st.status, Skip: st.skipReason, Falling: st.fallbackRunning,
		Interrupted: st.interrupted, Unknown: st.outcomeUnknown, Undone: st.compensated, Attempt: st.attemptNumber, Last: st.lastAttempt, Tries: st.failedAttempts, Generation: st.generation,
		Order: st.firstSeq, Started: st.startedAt, Begun: st.attemptStartedAt, Acted: st.executedAt, Ended: st.endedAt, Output: st.output, Err: st.err,
		Fallback: st.fallbackStep, Usage: st.usage, Wait: st.wait, Counts: st.loopCounts, Redo: st.redrive.save(), Cut: values(&st.cutOff),
	}
	if st.keyFirstUsedAt != st.startedAt {
		s.Since = st.keyFirstUsedAt
	}
	if _, ok := r.agenda.get(st.agendaKey); ok {
		s.Ticket = st.agendaKey
	}
	if r.tracked(st.activityKey) {
		s.Slot, s.Due = st.activityKey, st.dueAt
	}
	if st.loop != nil {
		s.Loop = r.saveLoop(st.loop)
	}
	return s
}

// tracked reports whether the activity index has a step under this key; a run
// that has ended has none.
func (r snapshotWriter) tracked(slot uint64) bool {
	for _, set := range []*trie[position]{&r.attempts, &r.parked, &r.loops} {
		if _, ok := set.get(slot); ok {
			return true
		}
	}
	return false
}

func (r snapshotWriter) saveLoop(l *loopState) *savedLoop {
	s := &savedLoop{
		Total: l.total, Next: l.nextIndex, Completed: l.completed, Failed: l.failed, Doomed: l.failing,
		Size: l.resultBytes, Last: l.lastResult, Items: l.storedItems, Generation: l.generation, Base: l.attemptBase, Again: l.rerun, Cut: values(&l.cutOff),
	}
	s.FailedAt = keys(&l.failedIndexes)
	l.open.all(func(i uint64, sc *scopeState) bool {
		s.Open = append(s.Open, savedIteration{i, sc.id, r.saveScope(sc)})
		return true
	})
	l.retained.all(func(_ uint64, sc *scopeState) bool {
		s.Kept = append(s.Kept, savedIteration{0, sc.id, r.saveScope(sc)})
		return true
	})
	s.Results = l.results.save()
	return s
}

// excludedTime converts back what a snapshot holds.
func excludedTime(ms int64) time.Duration { return time.Duration(ms) * time.Millisecond }
