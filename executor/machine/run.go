package machine

import (
	"encoding/json"
	"time"
)

// Run is a run's whole state. It is immutable once New, Apply or Restore has
// returned it, and safe for concurrent reading.
type Run struct {
	Header
	State       State
	Seq         int64
	StartedAt   time.Time // zero: not yet
	CompletedAt time.Time // zero: not yet
	Output      json.RawMessage
	Err         *Error
	Usage       Usage

	plan *Plan
	// incoming is the plan that the next state_changed with a definition_hash
	// moves the run to.
	incoming *Plan
	edit     uint64 // see trie
	root     *scopeState

	// agenda holds what can go on without anyone's answer, in order: a step of
	// which all dependencies are finished, a loop that may start an iteration,
	// a list of steps that is through. Every entry goes by the event that the
	// work on it emits.
	agenda  trie[position]
	tickets uint64 // the last ticket given

	attempts trie[position] // attempts in action, by the seq that started them
	parked   trie[position] // open waits and pending retries, by the seq that parked them
	loops    trie[position] // loops under way, by the seq that started them
	timers   *timer
	timed    int // entries in timers, stale ones included

	retrying, signalWaits int // of parked

	signals signalState
	backlog workBacklog

	ending              *ending             // the run is on its way to failed or cancelled
	compensations       trie[compensable]   // completed steps with a compensation, by seq of completion
	compensating        *activeCompensation // the compensation under way
	failedCompensations []string            // steps whose compensation failed

	handlers       *handlerRun // the handlers that run now; nil: none
	failedHandlers []string    // handlers that failed, since the run last began to end

	// inputWithDefaults is the input with the defaults of a version that the run was resumed
	// on, nil: Header.Input, which has those of the version that it began on.
	inputWithDefaults json.RawMessage

	inactiveSince int64         // when the run last came to rest, 0: it is under way
	inactiveTime  time.Duration // of the run's timeout: time at rest
	updatedAt     int64         // the last event's time
	// maxLoopAttempt is the highest attempt number seen in a loop body. A loop that
	// starts anew numbers its body's attempts from there, so that no number is
	// used twice for one place.
	maxLoopAttempt int
	resumeCount    int           // how often it was resumed after it had ended
	resumedAt      int64         // when it last was, 0: never
	removedSteps   []removedStep // steps that another version did not have

	blobs *Blobs // during an Apply, or in a supplied scope; never in what they give
}

// ending is how a run ends that does not complete.
type ending struct {
	Outcome State  `json:"outcome"` // Failed or Cancelled
	Error   *Error `json:"error"`
	Stop    bool   `json:"stop,omitempty"`    // steps in action were told to stop
	StepID  string `json:"step_id,omitempty"` // the step that failed the run
}

// fork makes the copy that one Apply may change.
func (r *Run) fork() *Run {
	c := *r
	c.edit++
	return &c
}

// EffectiveInput is the input as expressions see it: what the run was started
// with, and the defaults of the version that it is on.
func (r *Run) EffectiveInput() json.RawMessage {
	if r.inputWithDefaults != nil {
		return r.inputWithDefaults
	}
	return r.Input
}

// suspended tells whether nothing starts now, whatever the agenda holds.
func (r *Run) suspended() bool {
	switch r.State {
	case Queued, Pausing, Paused, Completed, Failed, Cancelled:
		return true
	}
	return false
}

// derivedState is the state that the run's parts amount to.
func (r *Run) derivedState() State {
	switch r.State {
	case Pausing:
		if r.InFlight() == 0 {
			return Paused
		}
		return Pausing
	case Queued, Paused, Cancelling, Compensating, Completed, Failed, Cancelled:
		return r.State
	}
	switch {
	case r.InFlight() > 0 || r.agenda.len() > 0 || r.ending != nil || r.backlog.pending():
		return Running
	case r.retrying > 0:
		return Backoff
	case r.signalWaits > 0:
		return WaitingSignal
	}
	return WaitingTimer
}

// InFlight counts the attempts in action: Execute was given and StepEnded was
// not seen yet.
func (r *Run) InFlight() int {
	if r.compensating != nil && r.compensating.running {
		return r.attempts.len() + 1
	}
	return r.attempts.len()
}

// Due is the earliest instant at which a Tick has an effect; false while the
// run is queued, paused or terminal, or has nothing that is timed.
func (r *Run) Due() (time.Time, bool) {
	due := r.deadline()
	if u := r.compensating; u != nil && r.State == Compensating && !u.running {
		due = u.dueAt
	}
	if r.timers != nil && !r.suspended() && r.ending == nil && (due == 0 || r.timers.due < due) {
		due = r.timers.due
	}
	if r.startDeferred() {
		due = r.updatedAt
	}
	return instant(due), due != 0
}

// startDeferred tells whether something could have started, and was held.
func (r *Run) startDeferred() bool {
	switch r.State {
	case Backoff, WaitingTimer, WaitingSignal:
		return r.agenda.len() > 0 || r.ending != nil
	}
	return false
}

// deadline is when the run's timeout passes; 0: it has none or it does not
// count now.
func (r *Run) deadline() int64 {
	if r.plan.timeout == 0 || r.StartedAt.IsZero() || r.suspended() && r.State != Pausing {
		return 0
	}
	if r.State == Compensating || r.handlers != nil || r.ending != nil && r.ending.Stop {
		return 0
	}
	return r.StartedAt.Add(r.plan.timeout + r.inactiveTime).UnixMilli()
}

// instant and millis convert between the machine's milliseconds and times;
// 0 is the zero time.
func instant(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}
