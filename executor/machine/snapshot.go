package machine

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// snapshotFormat is raised when older snapshots can no longer be read; the journal can
// always be folded without one. A field that may be absent does not raise it.
const snapshotFormat = 1

// savedRun is a run as Snapshot writes it: the state without what can be computed from it
// (counters, timers, sets) and without the header. Its JSON names, and those of the types
// below, are stored data: they never change, whatever the fields are called. Times are in
// milliseconds since 1970.
//
// A short one, of a run whose step a is in flight:
//
//	{"format":1,"definition_hash":"…","state":"running","seq":3,"started_at":…,"updated_at":…,
//	 "tickets":1,"root":{"begun":…,"steps":[{"id":"a","status":"running","attempt":1,"last":1,
//	 "slot":3,"order":3,"started":…,"begun":…,"acted":…}]}}
type savedRun struct {
	Format              int                `json:"format"`
	Hash                string             `json:"definition_hash"`
	State               State              `json:"state"`
	Seq                 int64              `json:"seq"`
	StartedAt           int64              `json:"started_at,omitempty"`
	CompletedAt         int64              `json:"completed_at,omitempty"`
	Updated             int64              `json:"updated_at"`
	InactiveSince       int64              `json:"paused_at,omitempty"`
	InactiveMS          int64              `json:"excluded_ms,omitempty"`
	Output              json.RawMessage    `json:"output,omitempty"`
	Err                 *Error             `json:"error,omitempty"`
	Usage               Usage              `json:"usage,omitzero"`
	LastAgendaKey       uint64             `json:"tickets"`
	MaxLoopAttempt      int                `json:"attempts,omitempty"`
	Ending              *ending            `json:"ending,omitempty"`
	Compensations       []savedCompensable `json:"undo,omitempty"`
	Compensating        *savedCompensation `json:"undoing,omitempty"`
	FailedCompensations []string           `json:"undo_failed,omitempty"`
	ResumeCount         int                `json:"lives,omitempty"`
	ResumedAt           int64              `json:"revived,omitempty"`
	RemovedSteps        []removedStep      `json:"departed,omitempty"`
	Handlers            *handlerRun        `json:"handling,omitempty"`
	FailedHandlers      []string           `json:"handlers_failed,omitempty"`
	InputWithDefaults   json.RawMessage    `json:"input,omitempty"`
	Kept                []savedSignal      `json:"kept_signals,omitempty"`
	Latest              []savedLatest      `json:"signals,omitempty"`
	Seen                []string           `json:"seen,omitempty"`
	Root                savedScope         `json:"root"`
}

// savedCompensable is a completed step with a compensation. A path alone does not identify
// it, because a loop that was tried again has each path twice; the ids do.
type savedCompensable struct {
	Seq       uint64 `json:"seq"`
	StepID    string `json:"step_id"`
	Iteration string `json:"iteration,omitempty"`
	// IDs are those of the iterations on the path, the outermost first.
	IDs []uint64 `json:"ids,omitempty"`
}

// savedCompensation is an activeCompensation.
type savedCompensation struct {
	savedCompensable
	Attempt        int   `json:"attempt"`
	FailedAttempts int   `json:"tries,omitempty"`
	DueAt          int64 `json:"due,omitempty"`
	KeyFirstUsedAt int64 `json:"since,omitempty"` // absent in older ones
	StartedAt      int64 `json:"begun,omitempty"`
	Running        bool  `json:"running,omitempty"`
}

// savedSignal is a signal that no wait has taken, with the seq of its signal_received.
type savedSignal struct {
	Seq uint64 `json:"seq"`
	keptSignal
}

// savedLatest is the last payload of a signal's name. Their order is that of first arrival.
type savedLatest struct {
	Name    string          `json:"name"`
	Payload json.RawMessage `json:"payload"`
}

// savedScope is a scopeState: the steps that were touched, in the order of their indexes.
type savedScope struct {
	Compensations int32       `json:"undos,omitempty"`
	Failed        *Error      `json:"failed,omitempty"`
	Generation    int32       `json:"generation,omitempty"`
	AttemptBase   int32       `json:"base,omitempty"`
	AgendaKey     uint64      `json:"ticket,omitempty"`
	StartedAt     int64       `json:"begun,omitempty"`
	Steps         []savedStep `json:"steps,omitempty"`
}

// savedStep is a stepState.
type savedStep struct {
	ID               string           `json:"id"`
	Unmet            int32            `json:"unmet,omitempty"`
	NotSkipped       int32            `json:"live,omitempty"`
	Status           StepStatus       `json:"status"`
	SkipReason       string           `json:"skip,omitempty"`
	FallbackRunning  bool             `json:"falling,omitempty"`
	Interrupted      bool             `json:"interrupted,omitempty"`
	OutcomeUnknown   bool             `json:"unknown,omitempty"` // absent in older snapshots, where the error tells
	OutcomeKnown     bool             `json:"known,omitempty"`   // the error is an earlier attempt's, and tells nothing of the last
	Compensated      bool             `json:"undone,omitempty"`
	AttemptNumber    int32            `json:"attempt,omitempty"`
	LastAttempt      int32            `json:"last,omitempty"`
	FailedAttempts   int32            `json:"tries,omitempty"`
	Generation       int32            `json:"generation,omitempty"`
	AgendaKey        uint64           `json:"ticket,omitempty"`
	ActivityKey      uint64           `json:"slot,omitempty"`
	FirstSeq         int64            `json:"order,omitempty"`
	LastSeq          int64            `json:"latest,omitempty"` // absent in older ones
	StartedAt        int64            `json:"started,omitempty"`
	KeyFirstUsedAt   int64            `json:"since,omitempty"` // absent where it is Started
	AttemptStartedAt int64            `json:"begun,omitempty"`
	ExecutedAt       int64            `json:"acted,omitempty"`
	EndedAt          int64            `json:"ended,omitempty"`
	DueAt            int64            `json:"due,omitempty"`
	Output           json.RawMessage  `json:"output,omitempty"`
	Err              *Error           `json:"error,omitempty"`
	FallbackStep     string           `json:"fallback,omitempty"`
	Usage            Usage            `json:"usage,omitzero"`
	Wait             *waitState       `json:"wait,omitempty"`
	Loop             *savedLoop       `json:"loop,omitempty"`
	LoopCounts       *IterationCounts `json:"counts,omitempty"`
	Redrive          *savedRedrive    `json:"redo,omitempty"`
	CutOff           []*cutOff        `json:"cut,omitempty"`
}

// savedLoop is a loopState.
type savedLoop struct {
	Total         int              `json:"total"`
	NextIndex     int              `json:"next"`
	Completed     int              `json:"completed,omitempty"`
	Failed        int              `json:"failed,omitempty"`
	Failing       *Error           `json:"doomed,omitempty"`
	ResultBytes   int              `json:"size,omitempty"`
	LastResult    json.RawMessage  `json:"last,omitempty"`
	StoredItems   json.RawMessage  `json:"items,omitempty"`
	Generation    int32            `json:"generation,omitempty"`
	AttemptBase   int32            `json:"base,omitempty"`
	Open          []savedIteration `json:"open,omitempty"`
	Retained      []savedIteration `json:"kept,omitempty"`
	Results       []savedResult    `json:"results,omitempty"`
	FailedIndexes []uint64         `json:"failed_at,omitempty"`
	Rerun         []uint64         `json:"again,omitempty"`
	CutOff        []*cutOff        `json:"cut,omitempty"`
}

// outcomeUnknown is stepState.outcomeUnknown of a saved step. In snapshots that lack the
// field the error says it.
func (s *savedStep) outcomeUnknown() bool {
	return s.OutcomeUnknown || s.Err.cutOff() && !s.OutcomeKnown
}

// hasEnd is stepState.hasEnd of a saved step.
func (s *savedStep) hasEnd() bool {
	return (&stepState{status: s.Status, outcomeUnknown: s.outcomeUnknown()}).hasEnd()
}

// savedIteration is the list of one iteration. Index is 0 for a retained one: its id
// suffices.
type savedIteration struct {
	Index uint64 `json:"index"`
	ID    uint64 `json:"id"`
	savedScope
}

// Snapshot returns the state as JSON, for Restore with the same plan and header. The format
// is the machine's own. The backlog is not in it: a restored run is given Recover. It costs
// O(state), so it is taken rarely; see the executor's snapshotDebt.
func (r *Run) Snapshot() ([]byte, error) {
	s := savedRun{
		Format: snapshotFormat, Hash: r.Hash, State: r.State, Seq: r.Seq,
		StartedAt: millis(r.StartedAt), CompletedAt: millis(r.CompletedAt), Updated: r.updatedAt, InactiveSince: r.inactiveSince,
		InactiveMS: r.inactiveTime.Milliseconds(), Output: r.Output, Err: r.Err, Usage: r.Usage, LastAgendaKey: r.agenda.lastKey, MaxLoopAttempt: r.maxLoopAttempt,
		Ending: r.ending, FailedCompensations: r.failedCompensations, ResumeCount: r.resumeCount, ResumedAt: r.resumedAt, RemovedSteps: r.removedSteps, InputWithDefaults: r.inputWithDefaults, Handlers: r.handlers, FailedHandlers: r.failedHandlers, Root: snapshotWriter{r}.saveScope(r.root),
	}
	r.compensations.all(func(seq uint64, u compensable) bool {
		s.Compensations = append(s.Compensations, snapshotWriter{r}.saveCompensable(seq, u.at))
		return true
	})
	if u := r.compensating; u != nil {
		s.Compensating = &savedCompensation{snapshotWriter{r}.saveCompensable(0, u.position), u.attempt, u.failedAttempts, u.dueAt, u.keyFirstUsedAt, u.startedAt, u.running}
	}
	snapshotWriter{r}.saveSignals(&s)
	out, err := json.Marshal(&s)
	if err != nil {
		return nil, fmt.Errorf("write the snapshot of run %s: %w", r.RunID, err)
	}
	return out, nil
}

// snapshotWriter turns the parts of a run into their saved form. What it returns shares the
// run's JSON values.
type snapshotWriter struct{ *Run }

// saveCompensable returns the saved form of a step at p, under the seq of its completion.
func (r snapshotWriter) saveCompensable(seq uint64, p position) savedCompensable {
	u := savedCompensable{Seq: seq, StepID: r.node(p).step.ID, Iteration: p.path()}
	for f := p.frame; f != nil; f = f.parent {
		u.IDs = append(u.IDs, f.id)
	}
	slices.Reverse(u.IDs)
	return u
}

// saveSignals adds the signals to s.
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

// saveScope returns the saved form of a list, with all that is below it. A key that the
// agenda does not have is stale, and left out.
func (r snapshotWriter) saveScope(s *scopeState) savedScope {
	out := savedScope{Compensations: s.compensations, Failed: s.err, Generation: s.generation, AttemptBase: s.attemptBase, StartedAt: s.startedAt}
	if _, ok := r.agenda.get(s.agendaKey); ok {
		out.AgendaKey = s.agendaKey
	}
	s.steps.all(func(at uint64, st *stepState) bool {
		out.Steps = append(out.Steps, r.saveStep(s.list.nodes[at], st))
		return true
	})
	return out
}

// saveStep returns the saved form of one step; keys that the activity index lacks are left
// out with their due time.
func (r snapshotWriter) saveStep(n *node, st *stepState) savedStep {
	s := savedStep{
		ID: n.step.ID, Unmet: st.unmet, NotSkipped: st.notSkipped, Status: st.status, SkipReason: st.skipReason, FallbackRunning: st.fallbackRunning,
		Interrupted: st.interrupted, OutcomeUnknown: st.outcomeUnknown, OutcomeKnown: !st.outcomeUnknown && st.err.cutOff(), Compensated: st.compensated, AttemptNumber: st.attemptNumber, LastAttempt: st.lastAttempt, FailedAttempts: st.failedAttempts, Generation: st.generation,
		FirstSeq: st.firstSeq, LastSeq: st.lastSeq, StartedAt: st.startedAt, AttemptStartedAt: st.attemptStartedAt, ExecutedAt: st.executedAt, EndedAt: st.endedAt, Output: st.output, Err: st.err,
		FallbackStep: st.fallbackStep, Usage: st.usage, Wait: st.wait, LoopCounts: st.loopCounts, Redrive: st.redrive.save(), CutOff: values(&st.cutOff),
	}
	if st.keyFirstUsedAt != st.startedAt {
		s.KeyFirstUsedAt = st.keyFirstUsedAt
	}
	if _, ok := r.agenda.get(st.agendaKey); ok {
		s.AgendaKey = st.agendaKey
	}
	if r.tracked(st.activityKey) {
		s.ActivityKey, s.DueAt = st.activityKey, st.dueAt
	}
	if st.loop != nil {
		s.Loop = r.saveLoop(st.loop)
	}
	return s
}

// tracked reports whether the activity index has a step under this key; that of a run that
// has ended is empty.
func (r snapshotWriter) tracked(slot uint64) bool {
	for _, set := range []*trie[position]{&r.attempts, &r.parked, &r.loops} {
		if _, ok := set.get(slot); ok {
			return true
		}
	}
	return false
}

// saveLoop returns the saved form of a loop under way, or of what is retained of one.
func (r snapshotWriter) saveLoop(l *loopState) *savedLoop {
	s := &savedLoop{
		Total: l.total, NextIndex: l.nextIndex, Completed: l.completed, Failed: l.failed, Failing: l.failing,
		ResultBytes: l.resultBytes, LastResult: l.lastResult, StoredItems: l.storedItems, Generation: l.generation, AttemptBase: l.attemptBase, Rerun: l.rerun, CutOff: values(&l.cutOff),
	}
	s.FailedIndexes = keys(&l.failedIndexes)
	l.open.all(func(i uint64, sc *scopeState) bool {
		s.Open = append(s.Open, savedIteration{i, sc.id, r.saveScope(sc)})
		return true
	})
	l.retained.all(func(_ uint64, sc *scopeState) bool {
		s.Retained = append(s.Retained, savedIteration{0, sc.id, r.saveScope(sc)})
		return true
	})
	s.Results = l.results.save()
	return s
}

// excludedTime returns savedRun.InactiveMS as a duration.
func excludedTime(ms int64) time.Duration { return time.Duration(ms) * time.Millisecond }
