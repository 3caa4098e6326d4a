package store

import (
	"encoding/json"
	"fmt"
	"heddle/audit"
	"heddle/events"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/internal/elements"
	"strconv"
	"strings"

	"gorm.io/gorm"
)

// runRow is a row of runs: the state after event Seq. Structured fields are
// JSON; "" means none. What identifies the run (up to CreatedAt, ConcurrencyKey
// and StartedBy) is written at its insertion only, except Version and Hash, which
// follow a change of the definition.
type runRow struct {
	ID         string `gorm:"primaryKey"`
	TenantID   string
	WorkflowID string
	Slug       string
	Version    int
	// Hash is that of the definition's canonical text, to find it again in
	// memory.
	Hash        string
	TriggerKind string
	Input       string
	TraceParent string
	TraceState  string
	CreatedAt   int64 `gorm:"autoCreateTime:false"`
	State       string
	// Seq is the number of the run's last event. A commit names the one that it
	// expects, so that of two nodes one advances the run.
	Seq         int64
	StartedAt   int64
	CompletedAt int64
	UpdatedAt   int64 `gorm:"autoUpdateTime:false"`
	// WakeAt is when a waiting run is due; 0: it is not waiting for a time.
	WakeAt int64
	// Output and Error are the run's result, once it has one.
	Output       string
	Error        string
	Tokens       int64
	CostMicroUsd int64
	// Versions lists the spans of the journal by definition; "": one version
	// throughout.
	Versions string
	// ConcurrencyKey is the rendered key of its limit; "": none.
	ConcurrencyKey string
	// StartedBy is the audit.Actor who started it; "": not known.
	StartedBy string
	// ScheduleID, DueAt and Labels (a JSON object) are those of executor.Record, written at
	// the insertion only. StarterID is that of StartedBy, unless it is a key or a schedule.
	ScheduleID string
	DueAt      int64
	StarterID  string
	Labels     string
	// ErrorCode is that of Error; Waiting is JSON, Steps see encodeSteps; "": none.
	ErrorCode string
	Waiting   string
	Steps     string
}

func (runRow) TableName() string { return "runs" }

// largeInput is the size in bytes from which an input has a row of its own
// (run_inputs), so that a transition of the run does not write it again.
const largeInput = 2048

// inputRow is a row of run_inputs.
type inputRow struct {
	RunID string
	// Input is "" where it is stored apart (largeInput).
	Input string
}

func (inputRow) TableName() string { return "run_inputs" }

// loadInputs fills in the inputs that have rows of their own, with one query
// for all rows. Inputs never change, so this need not be one read with the
// rows.
func loadInputs(tx *gorm.DB, rows []runRow) error {
	var ids []string
	for _, row := range rows {
		if row.Input == "" {
			ids = append(ids, row.ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	var inputs []inputRow
	if err := tx.Where("run_id IN ?", ids).Find(&inputs).Error; err != nil {
		return err
	}
	byRun := make(map[string]string, len(inputs))
	for _, in := range inputs {
		byRun[in.RunID] = in.Input
	}
	for i := range rows {
		if rows[i].Input == "" {
			rows[i].Input = byRun[rows[i].ID]
		}
	}
	return nil
}

// toRunRow encodes a record; runRow.record is its inverse. Times lose what is
// finer than a millisecond. An error means that a part cannot be JSON.
func toRunRow(r executor.Record) (runRow, error) {
	row := runRow{
		ID: r.RunID, TenantID: r.TenantID, WorkflowID: r.WorkflowID, Slug: r.Slug,
		Version: r.Version, Hash: r.Hash, TriggerKind: r.Trigger, Input: string(r.Input),
		TraceParent: r.TraceParent, TraceState: r.TraceState, CreatedAt: millis(r.CreatedAt),
		State: string(r.State), Seq: r.Seq, StartedAt: millis(r.StartedAt),
		CompletedAt: millis(r.CompletedAt), UpdatedAt: millis(r.UpdatedAt), WakeAt: millis(r.WakeAt),
		Output: string(r.Output), Tokens: r.Usage.Tokens, CostMicroUsd: r.Usage.CostMicroUSD,
		ConcurrencyKey: r.ConcurrencyKey, ScheduleID: r.ScheduleID, DueAt: millis(r.DueAt), Steps: encodeSteps(r.Steps),
	}
	if r.StartedBy.Type != audit.Key && r.StartedBy.Type != audit.Schedule {
		row.StarterID = r.StartedBy.ID
	}
	var failed error
	encode := func(what string, value any) string {
		text, err := json.Marshal(value)
		if err != nil {
			failed = fmt.Errorf("encode the %s of %s: %w", what, r.RunID, err)
		}
		return string(text)
	}
	if r.Error != nil {
		row.Error, row.ErrorCode = encode("error", r.Error), r.Error.Code
	}
	if len(r.Versions) > 0 {
		row.Versions = encode("versions", r.Versions)
	}
	if r.StartedBy.Known() {
		row.StartedBy = encode("starter", r.StartedBy)
	}
	if r.Waiting != nil {
		row.Waiting = encode("wait", r.Waiting)
	}
	if len(r.Labels) > 0 {
		row.Labels = encode("labels", r.Labels)
	}
	if failed != nil {
		return runRow{}, failed
	}
	return row, nil
}

// encodeSteps returns counts of steps as numbers with commas between them, in the order
// of stepNumbers, without the pending ones; "" for nil. decodeSteps is its inverse.
func encodeSteps(c *machine.StepCounts) string {
	if c == nil {
		return ""
	}
	text := make([]byte, 0, 24)
	for i, n := range stepNumbers(c) {
		if i > 0 {
			text = append(text, ',')
		}
		text = strconv.AppendInt(text, int64(*n), 10)
	}
	return string(text)
}

// decodeSteps returns nil for a text that is none of encodeSteps.
func decodeSteps(text string) *machine.StepCounts {
	c := &machine.StepCounts{}
	into := stepNumbers(c)
	parts := strings.Split(text, ",")
	if len(parts) != len(into) {
		return nil
	}
	for i, part := range parts {
		n, err := strconv.Atoi(part)
		if err != nil {
			return nil
		}
		*into[i] = n
	}
	c.Pending = c.Total - c.Running - c.Waiting - c.Completed - c.Failed - c.Skipped - c.Cancelled
	return c
}

// stepNumbers returns the numbers that are stored, in their order.
func stepNumbers(c *machine.StepCounts) [7]*int {
	return [...]*int{&c.Total, &c.Running, &c.Waiting, &c.Completed, &c.Failed, &c.Skipped, &c.Cancelled}
}

// fields returns where the columns of runColumns are scanned into, in their order.
func (r *runRow) fields() []any {
	return []any{
		&r.ID, &r.TenantID, &r.WorkflowID, &r.Slug, &r.Version, &r.Hash, &r.TriggerKind, &r.Input, &r.CreatedAt, &r.State, &r.Seq, &r.StartedAt, &r.CompletedAt, &r.UpdatedAt, &r.Output, &r.StartedBy, &r.Steps,
		&r.TraceParent, &r.TraceState, &r.WakeAt, &r.Error, &r.ErrorCode, &r.Tokens, &r.CostMicroUsd, &r.Versions, &r.ConcurrencyKey, &r.ScheduleID, &r.DueAt, &r.StarterID, &r.Labels, &r.Waiting,
	}
}

// record decodes a row. An error means that the stored JSON is damaged.
func (r runRow) record() (executor.Record, error) {
	rec := executor.Record{
		Header: machine.Header{
			RunID: r.ID, TenantID: r.TenantID, WorkflowID: r.WorkflowID, Slug: r.Slug,
			Version: r.Version, Hash: r.Hash, Trigger: r.TriggerKind, Input: raw(r.Input),
			CreatedAt: fromMillis(r.CreatedAt),
		},
		State: machine.State(r.State), Seq: r.Seq, StartedAt: fromMillis(r.StartedAt),
		CompletedAt: fromMillis(r.CompletedAt), UpdatedAt: fromMillis(r.UpdatedAt), WakeAt: fromMillis(r.WakeAt),
		Output: raw(r.Output), Usage: machine.Usage{Tokens: r.Tokens, CostMicroUSD: r.CostMicroUsd},
		TraceParent: r.TraceParent, TraceState: r.TraceState, ConcurrencyKey: r.ConcurrencyKey,
		ScheduleID: r.ScheduleID, DueAt: fromMillis(r.DueAt), Steps: decodeSteps(r.Steps),
	}
	for _, part := range []struct {
		what, text string
		into       any
	}{
		{"versions", r.Versions, &rec.Versions},
		{"starter", r.StartedBy, &rec.StartedBy},
		{"error", r.Error, &rec.Error},
		{"wait", r.Waiting, &rec.Waiting},
		{"labels", r.Labels, &rec.Labels},
	} {
		if part.text == "" {
			continue
		}
		if err := json.Unmarshal([]byte(part.text), part.into); err != nil {
			return rec, fmt.Errorf("decode the %s of %s: %w", part.what, r.ID, err)
		}
	}
	return rec, nil
}

// records decodes rows, in their order.
func records(rows []runRow) ([]executor.Record, error) {
	list := make([]executor.Record, len(rows))
	for i, row := range rows {
		var err error
		if list[i], err = row.record(); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// raw returns JSON as it is stored; "" is nil. It is not checked.
func raw(text string) json.RawMessage {
	if text == "" {
		return nil
	}
	return json.RawMessage(text)
}

// eventRow is a row of run_events, the journal: (RunID, Seq) is its key. Seqs of
// a run are dense from 1. Rows are never changed, and go with their run.
type eventRow struct {
	RunID     string
	Seq       int64
	Kind      string
	StepID    string
	Iteration string
	Attempt   int
	At        int64
	Data      string
}

func (eventRow) TableName() string { return "run_events" }

// fields returns where the columns of eventColumns are scanned into, in their order.
func (r *eventRow) fields() []any {
	return []any{&r.RunID, &r.Seq, &r.Kind, &r.StepID, &r.Iteration, &r.Attempt, &r.At, &r.Data}
}

// event decodes a row.
func (r eventRow) event() events.Event {
	return events.Event{
		RunID: r.RunID, Seq: r.Seq, Kind: events.Kind(r.Kind), StepID: r.StepID,
		Iteration: r.Iteration, Attempt: r.Attempt, At: fromMillis(r.At), Data: raw(r.Data),
	}
}

// eventList decodes rows, in their order; never nil.
func eventList(rows []eventRow) []events.Event {
	return elements.Map(rows, eventRow.event)
}

// snapshotRow is a row of run_snapshots: the newest snapshot of its run, which
// is the state after event Seq. Data is machine's own form, opaque here. Many runs
// have none: they are restored from their first event.
type snapshotRow struct {
	RunID string
	Seq   int64
	Data  []byte
}

func (snapshotRow) TableName() string { return "run_snapshots" }
