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
	agenda  trie[place]
	tickets uint64 // the last ticket given

	action trie[place] // attempts in action, by the seq that started them
	parked trie[place] // open waits and pending retries, by the seq that parked them
	loops  trie[place] // loops under way, by the seq that started them
	timers *timer
	timed  int // entries in timers, stale ones included

	retrying, signalWaits int // of parked

	signals signalState
	behind  behind

	ending     *ending    // the run is on its way to failed or cancelled
	undo       trie[undo] // completed steps with a compensation, by seq of completion
	undoing    *undoing   // the compensation under way
	undoFailed []string   // steps whose compensation failed

	handling       *handling // the handlers that run now; nil: none
	handlersFailed []string  // handlers that failed, since the run last began to end

	// filled is the input with the defaults of a version that the run was resumed
	// on, nil: Header.Input, which has those of the version that it began on.
	filled json.RawMessage

	pausedAt int64         // when the run last came to rest, 0: it is under way
	excluded time.Duration // of the run's timeout: time at rest
	updated  int64         // the last event's time
	// attempts is the highest attempt number seen in a loop body. A loop that
	// starts anew numbers its body's attempts from there, so that no number is
	// used twice for one place.
	attempts int
	lives    int        // how often it was resumed after it had ended
	revived  int64      // when it last was, 0: never
	departed []departed // steps that another version did not have

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
	if r.filled != nil {
		return r.filled
	}
	return r.Input
}

// frozen tells whether nothing starts now, whatever the agenda holds.
func (r *Run) frozen() bool {
	switch r.State {
	case Queued, Pausing, Paused, Completed, Failed, Cancelled:
		return true
	}
	return false
}

// word is the state that the run's parts amount to.
func (r *Run) word() State {
	switch r.State {
	case Pausing:
		if r.InAction() == 0 {
			return Paused
		}
		return Pausing
	case Queued, Paused, Cancelling, Compensating, Completed, Failed, Cancelled:
		return r.State
	}
	switch {
	case r.InAction() > 0 || r.agenda.len() > 0 || r.ending != nil || r.behind.some():
		return Running
	case r.retrying > 0:
		return Backoff
	case r.signalWaits > 0:
		return WaitingSignal
	}
	return WaitingTimer
}

// InAction counts the attempts in action: Execute was given and StepEnded was
// not seen yet.
func (r *Run) InAction() int {
	if r.undoing != nil && r.undoing.Running {
		return r.action.len() + 1
	}
	return r.action.len()
}

// Due is the earliest instant at which a Tick has an effect; false while the
// run is queued, paused or terminal, or has nothing that is timed.
func (r *Run) Due() (time.Time, bool) {
	due := r.deadline()
	if u := r.undoing; u != nil && r.State == Compensating && !u.Running {
		due = u.Due
	}
	if r.timers != nil && !r.frozen() && r.ending == nil && (due == 0 || r.timers.due < due) {
		due = r.timers.due
	}
	if r.heldBack() {
		due = r.updated
	}
	return instant(due), due != 0
}

// heldBack tells whether something could have started, and was held.
func (r *Run) heldBack() bool {
	switch r.State {
	case Backoff, WaitingTimer, WaitingSignal:
		return r.agenda.len() > 0 || r.ending != nil
	}
	return false
}

// deadline is when the run's timeout passes; 0: it has none or it does not
// count now.
func (r *Run) deadline() int64 {
	if r.plan.timeout == 0 || r.StartedAt.IsZero() || r.frozen() && r.State != Pausing {
		return 0
	}
	if r.State == Compensating || r.handling != nil || r.ending != nil && r.ending.Stop {
		return 0
	}
	return r.StartedAt.Add(r.plan.timeout + r.excluded).UnixMilli()
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
