package store

import (
	"encoding/json"
	"heddle/audit"
	"heddle/executor/machine"
	"heddle/schedules"
	"time"
)

// scheduleRow is a row of schedules; durations are in milliseconds. Fence rises
// with every change and firing, Revision with changes only.
type scheduleRow struct {
	ID          string `gorm:"primaryKey"`
	TenantID    string
	WorkflowID  string
	Expression  string
	Timezone    string
	Input       string
	Version     string
	Status      string
	PauseReason string
	// PausedBy is an actor as JSON, "" for none.
	PausedBy    string
	PausedAt    int64
	Overlap     string
	CatchUp     string
	CatchWindow int64
	CatchMax    int
	DstGap      string
	DstRepeat   string
	Jitter      int64
	StartsAt    int64
	EndsAt      int64
	CreatedAt   int64 `gorm:"autoCreateTime:false"`
	UpdatedAt   int64 `gorm:"autoUpdateTime:false"`
	// NextDue is the next due time of the expression; 0: there is none.
	NextDue int64
	// WakeAt is when the schedule has to be looked at: NextDue with its jitter,
	// or 0 while it is paused or has ended.
	WakeAt int64
	// LastRunAt is when the schedule last started a run; 0: never.
	LastRunAt int64
	Revision  int64
	// Fence is what a firing was decided on: it is written only while the row has
	// the same.
	Fence int64
	// Deleted is 1 for a schedule that is hidden; its row stays for its ledger.
	Deleted int
}

func (scheduleRow) TableName() string { return "schedules" }

// toScheduleRow encodes a schedule; scheduleRow.schedule is its inverse.
func toScheduleRow(s schedules.Schedule) scheduleRow {
	return scheduleRow{
		ID: s.ID, TenantID: s.TenantID, WorkflowID: s.WorkflowID, Expression: s.Expression, Timezone: s.Timezone,
		Input: string(s.Input), Version: s.Version, Status: string(s.Status), PauseReason: s.PauseReason,
		PausedBy: actorText(s.PausedBy), PausedAt: millis(s.PausedAt), Overlap: string(s.Overlap), CatchUp: string(s.CatchUp.Policy),
		CatchWindow: s.CatchUp.Window.Milliseconds(), CatchMax: s.CatchUp.Max,
		DstGap: string(s.Gap), DstRepeat: string(s.Repeat), Jitter: s.Jitter.Milliseconds(),
		StartsAt: millis(s.StartsAt), EndsAt: millis(s.EndsAt), CreatedAt: millis(s.CreatedAt), UpdatedAt: millis(s.UpdatedAt),
		NextDue: millis(s.NextDue), WakeAt: millis(s.WakeAt()), LastRunAt: millis(s.LastRunAt), Revision: s.Revision, Fence: s.Fence,
	}
}

// actorText encodes an actor, an unknown one as "".
func actorText(a audit.Actor) string {
	if !a.Known() {
		return ""
	}
	text, err := json.Marshal(a)
	if err != nil {
		return "" // texts always encode
	}
	return string(text)
}

// schedule decodes a row.
func (r scheduleRow) schedule() schedules.Schedule {
	s := schedules.Schedule{
		ID: r.ID, TenantID: r.TenantID, WorkflowID: r.WorkflowID, Expression: r.Expression, Timezone: r.Timezone,
		Version: r.Version, Status: schedules.Status(r.Status), PauseReason: r.PauseReason, Overlap: schedules.Overlap(r.Overlap),
		CatchUp: schedules.CatchUp{
			Policy: schedules.CatchUpPolicy(r.CatchUp), Window: time.Duration(r.CatchWindow) * time.Millisecond, Max: r.CatchMax,
		},
		Gap: schedules.Gap(r.DstGap), Repeat: schedules.Repeat(r.DstRepeat), Jitter: time.Duration(r.Jitter) * time.Millisecond,
		StartsAt: fromMillis(r.StartsAt), EndsAt: fromMillis(r.EndsAt), CreatedAt: fromMillis(r.CreatedAt), UpdatedAt: fromMillis(r.UpdatedAt),
		NextDue: fromMillis(r.NextDue), LastRunAt: fromMillis(r.LastRunAt), Revision: r.Revision, Fence: r.Fence,
	}
	if r.PausedBy != "" {
		_ = json.Unmarshal([]byte(r.PausedBy), &s.PausedBy) // a damaged one is unknown
	}
	s.PausedAt = fromMillis(r.PausedAt)
	if r.Input != "" {
		s.Input = json.RawMessage(r.Input)
	}
	return s
}

// slotRow is a row of schedule_slots, the ledger: (ScheduleID, DueAt, Origin)
// is its key, which makes a due time fire once. Live is 1 while the schedule
// follows the slot's run.
type slotRow struct {
	ScheduleID string
	DueAt      int64
	Origin     string
	// Until and Count stand for several missed due times in one slot: the last
	// of them, and how many.
	Until   int64
	Count   int
	Outcome string
	Reason  string
	RunID   string
	At      int64
	Live    int
	// CancelRequested is 1 from the request to cancel the run until the run has ended.
	CancelRequested int `gorm:"column:doomed"`
}

func (slotRow) TableName() string { return "schedule_slots" }

// slot decodes a row.
func (r slotRow) slot() schedules.Slot {
	return schedules.Slot{
		ScheduleID: r.ScheduleID, Due: fromMillis(r.DueAt), Until: fromMillis(r.Until), Count: r.Count, Origin: r.Origin,
		Outcome: schedules.Outcome(r.Outcome), Reason: r.Reason, RunID: r.RunID, At: fromMillis(r.At),
	}
}

// slotRunOf returns what a ledger shows of a run.
func slotRunOf(r runRow) schedules.SlotRun {
	return schedules.SlotRun{State: machine.State(r.State), StartedAt: fromMillis(r.StartedAt), CompletedAt: fromMillis(r.CompletedAt)}
}
