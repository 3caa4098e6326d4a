package schedules

import (
	"encoding/json"
	"errors"
	"hash/fnv"
	"heddle/audit"
	"heddle/definitions/workflows"
	"heddle/executor"
	"heddle/idempotency"
	"time"
)

// Status is the state of a schedule.
type Status string

// The statuses. A schedule goes between Active and Paused by requests, and from
// Active to Ended when it has no due time left; an edit that gives it new due
// times makes it Active again.
const (
	Active Status = "active" // fires
	Paused Status = "paused" // does not fire; what passes meanwhile is not caught up
	Ended  Status = "ended"  // has no due time left
)

// Overlap is the rule for a due time that comes while an earlier run of the
// schedule is open. A run that waits (for a signal, a time, a retry) is open.
type Overlap string

// The overlap rules; OverlapSkip is the default.
const (
	OverlapSkip          Overlap = "skip"           // no run
	OverlapQueue         Overlap = "queue"          // one after another; at most MaxQueue wait
	OverlapAllow         Overlap = "allow"          // a run beside the others
	OverlapCancelRunning Overlap = "cancel_running" // the open run is cancelled, then the new one starts
)

// CatchUpPolicy is the rule for due times that passed while no node could fire
// them, because none was up or the database was unavailable.
type CatchUpPolicy string

// The catch-up policies; CatchUpLatest is the default.
const (
	CatchUpNone   CatchUpPolicy = "none"   // no runs
	CatchUpLatest CatchUpPolicy = "latest" // one run, for the latest due time
	CatchUpAll    CatchUpPolicy = "all"    // a run for each, one after another
)

// CatchUp bounds what is caught up: due times of the last Window (1 s to
// MaxCatchUpWindow), and of these the latest Max (1 to MaxCatchUp). Zero values
// take the defaults of CreateRequest.
type CatchUp struct {
	Policy CatchUpPolicy
	Window time.Duration
	Max    int
}

// Limits of what a schedule may ask for: waiting slots, caught-up due times, the
// catch-up window, due times of a backfill, jitter, and bytes of a pause reason.
const (
	MaxQueue         = 100
	MaxCatchUp       = 1000
	MaxCatchUpWindow = 31 * 24 * time.Hour
	MaxBackfill      = 1000
	MaxJitter        = 24 * time.Hour
	maxReason        = 500
)

// Schedule runs a workflow at the times of an expression. Times are UTC with
// milliseconds; zero stands for none.
//
// NextDue is the earliest due time that is not in the ledger yet; it is zero
// unless the schedule is active. Revision is raised by every edit and is the
// ETag. Fence is raised by everything that changes the row, firings included: a
// firing names the fence that it was decided on and is stored only if that is
// still the row's, so a due time cannot be recorded twice.
type Schedule struct {
	ID, TenantID, WorkflowID string
	// Expression is in the form that Spec.String returns, Timezone an IANA name.
	Expression, Timezone string
	Input                json.RawMessage // nil: none
	Version              string          // "": the active one
	Status               Status
	PauseReason          string // why it is paused; at most maxReason bytes
	PausedBy             audit.Actor
	PausedAt             time.Time // zero, as PausedBy: it is not paused, or nobody noted it
	Overlap              Overlap
	CatchUp              CatchUp
	Gap                  Gap
	Repeat               Repeat
	// Jitter is the longest delay of a due time, 0 to MaxJitter; see Delay.
	Jitter time.Duration
	// Due times lie from StartsAt to EndsAt, both inclusive.
	StartsAt, EndsAt     time.Time // zero: open
	CreatedAt, UpdatedAt time.Time
	NextDue              time.Time
	LastRunAt            time.Time
	Revision, Fence      int64
}

// rules returns the schedule's rules for Spec.Next. Intervals are counted from
// StartsAt, or else from its creation.
func (s Schedule) rules() Rules {
	anchor := s.CreatedAt
	if !s.StartsAt.IsZero() {
		anchor = s.StartsAt
	}
	return Rules{Gap: s.Gap, Repeat: s.Repeat, Anchor: anchor}
}

// Delay returns how much later than its due times the schedule fires: a part of
// its jitter that follows from its id, so that it is the same every time and on
// every node, and schedules with the same expression are spread.
func (s Schedule) Delay() time.Duration {
	if s.Jitter < time.Millisecond {
		return 0
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(s.ID))
	return time.Duration(h.Sum64()%uint64(s.Jitter/time.Millisecond+1)) * time.Millisecond
}

// WakeAt returns when the loop has to decide about the schedule: at its next due
// time plus Delay; zero for never.
func (s Schedule) WakeAt() time.Time {
	if s.Status != Active || s.NextDue.IsZero() {
		return time.Time{}
	}
	return s.NextDue.Add(s.Delay())
}

// Outcome is what happened to a due time.
type Outcome string

// The outcomes. Waiting is the only one that can change: into Fired, Late,
// CaughtUp, Coalesced or Skipped. The others are final.
const (
	Fired     Outcome = "fired"     // its run was started in time
	Late      Outcome = "late"      // its run was started more than LateThreshold later
	CaughtUp  Outcome = "caught_up" // its run was started after it was missed
	Coalesced Outcome = "coalesced" // the run of a later due time stands for it
	Skipped   Outcome = "skipped"   // it has no run; Slot.Reason says why
	Waiting   Outcome = "waiting"   // its run starts when an earlier one has ended
)

// Lateness is counted from due time plus Delay. Beyond LateThreshold a run is
// recorded as late; beyond missedThreshold the due time was missed, and the
// catch-up rule decides instead of the overlap rule.
const (
	LateThreshold   = time.Second
	missedThreshold = time.Minute
)

// Slot is a line of the ledger: what happened to one due time, or to Count
// consecutive due times from Due to Until (both inclusive) that share an outcome
// and have no runs. Origin is "schedule" (FromSchedule), "trigger:<run id>" or
// "backfill:<backfill id>".
type Slot struct {
	ScheduleID string
	Due, Until time.Time
	Count      int
	Origin     string
	Outcome    Outcome
	Reason     string // why it has no run, or what it waited for; "" if it just fired
	RunID      string
	At         time.Time // when this was decided
}

// Missed reports whether the slot's due times passed while no node could fire
// them, and got no run of their own.
func (s Slot) Missed() bool {
	switch s.Outcome {
	case Coalesced:
		return s.Reason == reasonLater
	case Skipped:
		return s.Reason == reasonNoCatchUp || s.Reason == reasonWindow || s.Reason == reasonMax
	case Fired, Late, CaughtUp, Waiting:
	}
	return false
}

// FromSchedule is the Origin of due times of the expression itself.
const FromSchedule = "schedule"

// State is everything that decide needs to know about a schedule, read in one
// transaction.
type State struct {
	Schedule
	WorkflowStatus workflows.Status
	// Tracked are the runs that the ledger counts as open, those of backfills
	// included.
	Tracked []TrackedRun
	// Waiting is the head of the queue in due order and WaitingCount the length of
	// the whole queue, both without backfills; Backfill is the head of their queue.
	Waiting      []Slot
	WaitingCount int
	Backfill     []Slot
}

// TrackedRun is a run that the ledger counts as open. Open is whether it still is;
// if not, the firing takes it off (Firing.Ended).
type TrackedRun struct {
	RunID    string
	Backfill bool
	Open     bool
}

// Firing is what a decision writes: the schedule's next due time, lines of the
// ledger, and the runs that they start. The store writes all of it or, where the
// schedule's fence is not Fence any more, nothing.
type Firing struct {
	ScheduleID string
	Fence      int64
	NextDue    time.Time
	WakeAt     time.Time
	Status     Status
	LastRunAt  time.Time
	Delay      time.Duration // how late the slots are because of jitter
	Slots      []Slot
	Ended      []string // runs that are not open any more
	Cancel     []string // runs to be cancelled
	Runs       []executor.Prepared
	// Keep, unless nil, is the answer for a repeated request with the same
	// Idempotency-Key; where the key exists nothing is written and the error is
	// executor.ErrDuplicateKey.
	Keep *idempotency.Answer
	// Audit is what the request behind the firing adds to the audit trail.
	Audit []audit.Entry
}

// ErrConflict is the error of a firing whose schedule changed after its state was
// read: another node fired it, or a request changed it. The caller reads the state
// again or leaves it to the other.
var ErrConflict = errors.New("the schedule has moved on")
