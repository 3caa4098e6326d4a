package store

import (
	"encoding/json"
	"fmt"
	"heddle/events"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/internal/elements"

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
	failure := ""
	if r.Error != nil {
		text, err := json.Marshal(r.Error)
		if err != nil {
			return runRow{}, fmt.Errorf("encode the error of %s: %w", r.RunID, err)
		}
		failure = string(text)
	}
	versions := ""
	if len(r.Versions) > 0 {
		text, err := json.Marshal(r.Versions)
		if err != nil {
			return runRow{}, fmt.Errorf("encode the versions of %s: %w", r.RunID, err)
		}
		versions = string(text)
	}
	startedBy := ""
	if r.StartedBy.Known() {
		text, err := json.Marshal(r.StartedBy)
		if err != nil {
			return runRow{}, fmt.Errorf("encode who started %s: %w", r.RunID, err)
		}
		startedBy = string(text)
	}
	return runRow{
		ID: r.RunID, TenantID: r.TenantID, WorkflowID: r.WorkflowID, Slug: r.Slug,
		Version: r.Version, Hash: r.Hash, TriggerKind: r.Trigger, Input: string(r.Input),
		TraceParent: r.TraceParent, TraceState: r.TraceState, CreatedAt: millis(r.CreatedAt),
		State: string(r.State), Seq: r.Seq, StartedAt: millis(r.StartedAt),
		CompletedAt: millis(r.CompletedAt), UpdatedAt: millis(r.UpdatedAt), WakeAt: millis(r.WakeAt),
		Output: string(r.Output), Error: failure,
		Tokens: r.Usage.Tokens, CostMicroUsd: r.Usage.CostMicroUSD,
		Versions: versions, ConcurrencyKey: r.ConcurrencyKey, StartedBy: startedBy,
	}, nil
}

// fields returns where the columns of runColumns are scanned into, in their order.
func (r *runRow) fields() []any {
	return []any{
		&r.ID, &r.TenantID, &r.WorkflowID, &r.Slug, &r.Version, &r.Hash, &r.TriggerKind, &r.Input, &r.TraceParent, &r.TraceState,
		&r.CreatedAt, &r.State, &r.Seq, &r.StartedAt, &r.CompletedAt, &r.UpdatedAt, &r.WakeAt, &r.Output, &r.Error, &r.Tokens, &r.CostMicroUsd,
		&r.Versions, &r.ConcurrencyKey, &r.StartedBy,
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
	}
	if r.Versions != "" {
		if err := json.Unmarshal([]byte(r.Versions), &rec.Versions); err != nil {
			return rec, fmt.Errorf("decode the versions of %s: %w", r.ID, err)
		}
	}
	if r.StartedBy != "" {
		if err := json.Unmarshal([]byte(r.StartedBy), &rec.StartedBy); err != nil {
			return rec, fmt.Errorf("decode who started %s: %w", r.ID, err)
		}
	}
	if r.Error != "" {
		if err := json.Unmarshal([]byte(r.Error), &rec.Error); err != nil {
			return rec, fmt.Errorf("decode the error of %s: %w", r.ID, err)
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
