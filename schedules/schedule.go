package schedules

import (
	"encoding/json"
	"errors"
	"hash/fnv"
	"heddle/audit"
	"heddle/definitions"
	"heddle/executor"
	"heddle/idempotency"
	"time"
)

// Status is a schedule's place in its life. Ended: no due time is left.
type Status string

// The statuses.
const (
	Active Status = "active"
	Paused Status = "paused"
	Ended  Status = "ended"
)

// Overlap says what becomes of a due time while an earlier run of the schedule
// is open. A parked run is open.
type Overlap string

// The overlap rules.
const (
	OverlapSkip          Overlap = "skip"
	OverlapQueue         Overlap = "queue" // one after another, 100 at the most
	OverlapAllow         Overlap = "allow"
	OverlapCancelRunning Overlap = "cancel_running"
)

// CatchUpPolicy says what becomes of due times that passed while nothing
// could fire.
type CatchUpPolicy string

// The catch-up policies.
const (
	CatchUpNone   CatchUpPolicy = "none"
	CatchUpLatest CatchUpPolicy = "latest"
	CatchUpAll    CatchUpPolicy = "all"
)

// CatchUp bounds what is caught up: due times of the last Window, the latest
// Max of them.
type CatchUp struct {
	Policy CatchUpPolicy
	Window time.Duration
	Max    int
}

// Limits.
const (
	MaxQueue         = 100
	MaxCatchUp       = 1000
	MaxCatchUpWindow = 31 * 24 * time.Hour
	MaxBackfill      = 1000
	MaxJitter        = 24 * time.Hour
	maxReason        = 500
)

// Schedule runs a workflow at the times of an expression. NextDue is the
// earliest due time that is not in the ledger yet; zero: none. Revision is
// raised by every edit and is the ETag; Fence by everything that moves it.
type Schedule struct {
	ID, TenantID, WorkflowID string
	Expression, Timezone     string
	Input                    json.RawMessage // nil: none
	Version                  string          // "": the active one
	Status                   Status
	PauseReason              string
	Overlap                  Overlap
	CatchUp                  CatchUp
	Gap                      Gap
	Repeat                   Repeat
	Jitter                   time.Duration
	StartsAt, EndsAt         time.Time // zero: open
	CreatedAt, UpdatedAt     time.Time
	NextDue                  time.Time
	LastRunAt                time.Time
	Revision, Fence          int64
}

// rules are the schedule's rules of Next.
func (s Schedule) rules() Rules {
	anchor := s.CreatedAt
	if !s.StartsAt.IsZero() {
		anchor = s.StartsAt
	}
	return Rules{Gap: s.Gap, Repeat: s.Repeat, Anchor: anchor}
}

// Delay is how much later than its due time the schedule fires: the same part
// of its jitter every time.
func (s Schedule) Delay() time.Duration {
	if s.Jitter < time.Millisecond {
		return 0
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(s.ID))
	return time.Duration(h.Sum64()%uint64(s.Jitter/time.Millisecond+1)) * time.Millisecond
}

// WakeAt is when the loop looks at the schedule; zero: never.
func (s Schedule) WakeAt() time.Time {
	if s.Status != Active || s.NextDue.IsZero() {
		return time.Time{}
	}
	return s.NextDue.Add(s.Delay())
}

// Outcome is what became of a due time.
type Outcome string

// The outcomes. Waiting is the only one that changes: into Fired, Late,
// CaughtUp, Coalesced or Skipped.
const (
	Fired     Outcome = "fired"     // its run was started in time
	Late      Outcome = "late"      // its run was started more than LateThreshold later
	CaughtUp  Outcome = "caught_up" // its run was started after it was missed
	Coalesced Outcome = "coalesced" // a later due time's run stands for it
	Skipped   Outcome = "skipped"   // no run; see the reason
	Waiting   Outcome = "waiting"   // its run starts when an earlier one has ended
)

// LateThreshold is the lateness that the ledger names; missedThreshold is the one from
// which catch-up decides.
const (
	LateThreshold   = time.Second
	missedThreshold = time.Minute
)

// Slot is a line of the ledger: what became of one due time, or of Count due
// times in a row from Due to Until. Origin is "schedule", "trigger:<run>" or
// "backfill:<id>".
type Slot struct {
	ScheduleID string
	Due, Until time.Time
	Count      int
	Origin     string
	Outcome    Outcome
	Reason     string // why, or what it waited for
	RunID      string
	At         time.Time // when this was decided
}

// Missed tells of due times that passed while nothing could fire, and that got
// no run of their own.
func (s Slot) Missed() bool {
	switch s.Outcome {
	case Coalesced:
		return s.Reason == reasonLater
	case Skipped:
		return s.Reason == reasonNoCatchUp || s.Reason == reasonWindow || s.Reason == reasonMax
	}
	return false
}

// FromSchedule is the Origin of due times of the expression itself.
const FromSchedule = "schedule"

// State is what a decision about a schedule rests on.
type State struct {
	Schedule
	WorkflowStatus definitions.Status
	// Tracked are runs that were open when last seen, by lane.
	Tracked []TrackedRun
	// Waiting is the head of the queue in due order, WaitingCount its length,
	// without backfills; Backfill is the head of those.
	Waiting      []Slot
	WaitingCount int
	Backfill     []Slot
}

// TrackedRun is a run that the ledger takes for open.
type TrackedRun struct {
	RunID    string
	Backfill bool
	Open     bool
}

// Firing is what a decision writes: the schedule's new place and lines of the
// ledger, together with the runs of these. All or nothing, and nothing where
// the schedule's fence is not the expected one any more.
type Firing struct {
	ScheduleID string
	Fence      int64
	NextDue    time.Time
	WakeAt     time.Time
	Status     Status
	LastRunAt  time.Time
	Delay      time.Duration // the jitter's part of how late the slots are
	Slots      []Slot
	Ended      []string // runs that are not open any more
	Cancel     []string // runs to be cancelled
	Runs       []executor.Prepared
	// Keep, when set, is an answer kept for a repeated request; where its key
	// exists nothing is written and executor.ErrDuplicateKey is the error.
	Keep *idempotency.Answer
	// Audit is what the request behind the firing adds to the audit trail.
	Audit []audit.Entry
}

// ErrConflict is the error of a firing that another one came before.
var ErrConflict = errors.New("the schedule has moved on")
