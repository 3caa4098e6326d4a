package executor

import (
	"context"
	"heddle/executor/machine"
	"time"
)

// Reader reads runs: their rows, steps, journals, definitions, logs and large
// values. It needs no lease and touches no run in memory.
type Reader struct {
	cfg   *Config
	plans *planCache
	logs  *logbook // flushed before lines are read
}

// View is a run with its steps.
type View struct {
	Record
	Steps  []machine.StepRun
	Counts machine.StepCounts
	Waits  []machine.Wait
}

// Run reads a run's row.
func (s *Reader) Run(ctx context.Context, tenantID, runID string) (Record, error) {
	return s.cfg.Store.Run(ctx, tenantID, runID)
}

// Runs lists a page of runs.
func (s *Reader) Runs(ctx context.Context, q RunQuery) (RunPage, error) {
	return s.cfg.Store.Runs(ctx, q)
}

// Get reads a run with its steps in execution order.
func (s *Reader) Get(ctx context.Context, tenantID, runID string) (View, error) {
	if _, err := s.cfg.Store.Run(ctx, tenantID, runID); err != nil {
		return View{}, err
	}
	run, row, _, err := s.plans.restore(ctx, runID)
	if err != nil {
		return View{}, err
	}
	row.Input = run.EffectiveInput()
	view := View{Record: row, Steps: run.StepRuns(), Counts: run.StepCounts(), Waits: run.Waits()}
	return view, s.withToolCalls(ctx, row, view.Steps)
}

// Definition reads the definition that a run runs, also after its workflow was
// deleted.
func (s *Reader) Definition(ctx context.Context, tenantID, runID string) ([]byte, Record, error) {
	row, err := s.cfg.Store.Run(ctx, tenantID, runID)
	if err != nil {
		return nil, Record{}, err
	}
	text, err := s.cfg.Store.Definition(ctx, row.WorkflowID, row.Version)
	return text, row, err
}

// DefinitionAt is the definition that the run was on at the event seq, and the
// first event of another one (0: it is on it still).
func (s *Reader) DefinitionAt(ctx context.Context, tenantID, runID string, seq int64) (text []byte, next int64, err error) {
	row, err := s.cfg.Store.Run(ctx, tenantID, runID)
	if err != nil {
		return nil, 0, err
	}
	span, next := row.VersionAt(seq)
	text, err = s.cfg.Store.Definition(ctx, row.WorkflowID, span.Version)
	return text, next, err
}

// rowOf returns the row that shows a run, as updated at now.
func rowOf(run *machine.Run, trace Trace, now time.Time) Record {
	row := Record{
		Header: run.Header, State: run.State, Seq: run.Seq,
		StartedAt: run.StartedAt, CompletedAt: run.CompletedAt, UpdatedAt: now,
		Output: run.Output, Error: run.Err, Usage: run.Usage,
		TraceParent: trace.Parent, TraceState: trace.State,
	}
	if at, ok := run.Due(); ok {
		row.WakeAt = at
	}
	return row
}
