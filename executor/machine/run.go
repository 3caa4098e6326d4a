package machine

import (
	"encoding/json"
	"time"
)

// Run is a run's whole state. It is immutable once New, Apply or Restore has returned it,
// and safe for concurrent reading. Its own methods only read; what changes a run stands on
// draft (the moves), evolver (one event) and transition (one input), and those work on a
// copy that no other code holds yet.
//
// The embedded parts are values, so that a run is one allocation and a fork copies it
// whole; what they point at is persistent and shared between runs.
type Run struct {
	Header
	State       State
	Seq         int64           // of the last event; the next one has Seq+1
	StartedAt   time.Time       // zero: not yet
	CompletedAt time.Time       // zero: not yet
	Output      json.RawMessage // nil: none yet, or the run did not complete
	Err         *Error          // of a failed or cancelled run; nil otherwise
	Usage       Usage           // the sum over all attempts

	stepTree
	agenda agenda
	activity
	signals signalState
	backlog workBacklog
	compensationState
	handlerState
	history

	ending    *ending // set once the run is on its way to failed or cancelled
	updatedAt int64   // the last event's time, in milliseconds since 1970
	// maxLoopAttempt is the highest attempt number seen in a loop body. A loop that
	// starts anew numbers its body's attempts from there, so that no number is
	// used twice for one position.
	maxLoopAttempt int
	// incoming is the plan that the next state_changed with a definition_hash
	// moves the run to. It is set just before that event and nil otherwise.
	incoming *Plan
	// blobs are the large values at hand during an Apply, or in a scope made by
	// WithBlobs; nil in every run that the package returns.
	blobs *Blobs
}

// agenda holds what can go on without an answer from outside, in order: a step of which all
// dependencies are finished, a loop that may start an iteration, a list of steps that has
// ended. The keys rise, so entries are processed first come, first served. Every entry is
// removed by the event that processing it emits, so that a replay of the journal leaves the
// same agenda.
//
// A step leaves the agenda with the event that starts, ends or skips it, an iteration with
// its iteration_completed or iteration_failed, and a loop with each iteration_started,
// which puts it at the end again while it has room for another.
type agenda struct {
	trie[position]
	lastKey uint64 // the last key given; never reused, snapshots keep it
}

// add appends a position and returns the key under which it stands, which the step or list
// remembers (agendaKey) to remove it. O(log n).
func (a *agenda) add(edit uint64, p position) uint64 {
	a.lastKey++
	a.set(edit, a.lastKey, p)
	return a.lastKey
}

// clear removes every entry; keys go on rising. The steps keep their agendaKeys, which name
// nothing any more.
func (a *agenda) clear() { a.trie = trie[position]{} }

// activity indexes the steps under way by the seq of the event that brought them there
// (stepState.activityKey), each in one of three sets, so that no question about them needs
// a walk over all steps. Within a set the order is that of those events.
//
// A step moves between the sets as it goes on: an attempt in flight that fails and is
// retried goes from attempts to parked, and back with the next attempt, each time under a
// new key.
type activity struct {
	attempts trie[position] // attempts of steps and probes in flight outside
	parked   trie[position] // open waits and pending retries
	loops    trie[position] // loops under way
	timers   timerHeap      // due times of parked and loops

	retrying    int // pending retries among parked
	signalWaits int // open waits for a signal among parked
}

// compensationState is what undoes completed steps when the run fails or is cancelled: in
// reverse order of completion, one at a time.
type compensationState struct {
	compensations       trie[compensable]   // completed steps with a compensation, by seq of completion
	compensating        *activeCompensation // in flight or waiting for its retry; nil: none
	failedCompensations []string            // ids of steps whose compensation failed, in order
}

// handlerState is where the run stands in its on_failure and finally lists.
type handlerState struct {
	handlers       *handlerRun // the list that runs now; nil: none
	failedHandlers []string    // ids of handlers that failed since the run last began to end
}

// history is what a run remembers of pauses, resumes and other versions.
//
// Resumes after a pause are not counted in resumeCount: the run had not ended.
type history struct {
	inactiveSince int64         // when the run was paused or ended, in milliseconds; 0: it is under way
	inactiveTime  time.Duration // spent paused or ended; the run's timeout does not count it
	resumeCount   int           // how often it was resumed after it had ended
	resumedAt     int64         // when it last was, in milliseconds; 0: never
	removedSteps  []removedStep // steps that a version it moved to did not have
	// inputWithDefaults is the input with the defaults of a version that the run
	// was resumed on; nil: Header.Input, which has those of its first version.
	inputWithDefaults json.RawMessage
}

// ending is how a run ends that does not complete. It is set by the event that
// begins the end and stays until the last one, through compensations.
type ending struct {
	Outcome State  `json:"outcome"` // Failed or Cancelled
	Error   *Error `json:"error"`
	Stop    bool   `json:"stop,omitempty"`    // attempts in flight were told to stop
	StepID  string `json:"step_id,omitempty"` // the step that failed the run
}

// fork copies the run for one Apply, in O(1). The copy shares every part with r; the raised
// edit number makes the first write to a shared part copy it. One fork of a run may be kept
// only: two would use the same edit number, and each would change parts of the other.
func (r *Run) fork() draft {
	c := *r
	c.edit++
	return draft{&c}
}

// EffectiveInput returns the input as expressions see it: what the run was
// started with, and the defaults of the version that it is on. It is one JSON
// value, "null" where none was given.
func (r *Run) EffectiveInput() json.RawMessage {
	if r.inputWithDefaults != nil {
		return r.inputWithDefaults
	}
	return r.Input
}

// suspended reports whether nothing starts in this state, whatever the agenda
// holds: the run is not admitted yet, is pausing or paused, or has ended.
func (r *Run) suspended() bool {
	switch r.State {
	case Queued, Pausing, Paused, Completed, Failed, Cancelled:
		return true
	default: // in the others something may start
	}
	return false
}

// derivedState returns the state that the run's parts amount to. The states that a command
// or an end brings about stand as they are, but for pausing, which becomes paused with the
// last attempt; those of a run under way follow from what is in flight, pending and parked.
// O(1).
func (r *Run) derivedState() State {
	switch r.State {
	case Pausing:
		if r.InFlight() == 0 {
			return Paused
		}
		return Pausing
	case Queued, Paused, Cancelling, Compensating, Completed, Failed, Cancelled:
		return r.State
	default: // the others follow from what is under way
	}
	switch {
	// Work that could go on counts as running, so that a crash in this state is noticed and
	// the work is found again.
	case r.InFlight() > 0 || r.agenda.len() > 0 || r.ending != nil || r.backlog.pending():
		return Running
	case r.retrying > 0:
		return Backoff
	case r.signalWaits > 0:
		return WaitingSignal
	}
	return WaitingTimer
}

// InFlight returns the number of attempts in flight, a compensation's included: Execute was
// emitted and its StepEnded has not been applied yet. O(1).
func (r *Run) InFlight() int {
	if r.compensating != nil && r.compensating.running {
		return r.attempts.len() + 1
	}
	return r.attempts.len()
}

// Due returns the earliest instant at which a Tick has an effect. It is false while the run
// is queued, paused or terminal, or has nothing timed. An instant in the past is due at
// once. O(1).
func (r *Run) Due() (time.Time, bool) {
	due := r.deadline()
	// A compensation's retry is then the only thing that is timed.
	if u := r.compensating; u != nil && r.State == Compensating && !u.running {
		due = u.dueAt
	}
	if r.timers.first != nil && !r.suspended() && r.ending == nil && (due == 0 || r.timers.first.due < due) {
		due = r.timers.first.due
	}
	if r.startDeferred() {
		due = r.updatedAt
	}
	return instant(due), due != 0
}

// startDeferred reports whether something could have started and was held back
// by JournalOnly. Such a run keeps its waiting state and is due at once, so
// that the executor takes it up when it has a slot.
func (r *Run) startDeferred() bool {
	switch r.State {
	case Backoff, WaitingTimer, WaitingSignal:
		return r.agenda.len() > 0 || r.ending != nil
	default: // a run in another state is taken up otherwise
	}
	return false
}

// deadline returns when the run's timeout passes, in milliseconds; 0 where it
// has none or where it does not count now: in compensations, in handlers, and
// once the attempts in flight were told to stop.
func (r *Run) deadline() int64 {
	if r.plan.timeout == 0 || r.StartedAt.IsZero() || r.suspended() && r.State != Pausing {
		return 0
	}
	if r.State == Compensating || r.handlers != nil || r.ending != nil && r.ending.Stop {
		return 0
	}
	return r.StartedAt.Add(r.plan.timeout + r.inactiveTime).UnixMilli()
}

// instant returns the time of a number of milliseconds since 1970, in UTC; 0 is the zero
// time.
func instant(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// millis returns a time as milliseconds since 1970, what is less cut off; 0 for the zero
// time.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}
