package executor

import (
	"context"
	"heddle/definitions/source"
	"heddle/executor/machine"
	"heddle/fault"
	"slices"
	"strings"
	"time"
)

// Reader reads runs: their rows, steps, journals, definitions, logs and large values. It
// works on every node, needs no lease and touches no run in memory: what it shows is what
// is stored. It is safe for concurrent use. Another tenant's run is fault.NotFound
// run_not_found in all of its methods.
type Reader struct {
	cfg   *Config
	plans *planCache
	logs  *logbook // flushed before lines are read
	// restored are the runs whose steps were read last.
	restored *restoredRuns
}

// View is a run with its top-level steps, in the order in which they began.
type View struct {
	Record
	Steps  []machine.StepRun
	Counts machine.StepCounts
	Waits  []machine.Wait // open ones, of loop bodies too
	Queue  *QueuePlace    // nil: it is not queued
}

// Run reads a run's row. Errors: fault.NotFound run_not_found.
func (s *Reader) Run(ctx context.Context, tenantID, runID string) (Record, error) {
	return s.cfg.Store.Run(ctx, tenantID, runID)
}

// Runs lists a page of runs, newest first.
func (s *Reader) Runs(ctx context.Context, q RunQuery) (RunPage, error) {
	return s.cfg.Store.Runs(ctx, q)
}

// Get reads a run with its steps in execution order, and its input with the defaults of the
// version that it is on. It folds the journal since the last snapshot, and of a run with
// agents reads all of it.
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
	if view.Queue, err = s.QueuePlace(ctx, row); err != nil {
		return View{}, err
	}
	return view, s.withToolCalls(ctx, row, view.Steps)
}

// Definition reads the definition that a run is on, as canonical text, and the run's row.
// It works after the workflow was deleted, too.
func (s *Reader) Definition(ctx context.Context, tenantID, runID string) ([]byte, Record, error) {
	row, err := s.cfg.Store.Run(ctx, tenantID, runID)
	if err != nil {
		return nil, Record{}, err
	}
	text, err := s.cfg.Store.Definition(ctx, row.WorkflowID, row.Version)
	return text, row, err
}

// Written reads the text in which the definition that a run is on was written; none where
// none is kept. run is what Definition returned.
func (s *Reader) Written(ctx context.Context, run Record) (source.Written, error) {
	return s.cfg.Store.VersionText(ctx, run.WorkflowID, run.Version)
}

// DefinitionOf is Definition for one of the versions that a run ran on, 0 for the present one;
// the row's version and hash are then those. fault.NotFound version_not_found: it did not run on
// that version.
func (s *Reader) DefinitionOf(ctx context.Context, tenantID, runID string, version int) ([]byte, Record, error) {
	row, err := s.cfg.Store.Run(ctx, tenantID, runID)
	if err != nil {
		return nil, Record{}, err
	}
	if version != 0 && version != row.Version {
		at := slices.IndexFunc(row.Versions, func(v machine.VersionSpan) bool { return v.Version == version })
		if at < 0 {
			return nil, row, fault.New(fault.NotFound, "version_not_found", "The run did not run on version %d.", version)
		}
		row.Version, row.Hash = version, row.Versions[at].Hash
	}
	text, err := s.cfg.Store.Definition(ctx, row.WorkflowID, row.Version)
	return text, row, err
}

// rowOf returns the row that shows a run, as updated at now. ConcurrencyKey, ScheduleID,
// DueAt and Labels are left empty; the store keeps those of the insertion.
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
	steps := run.StepCounts()
	row.Steps, row.Waiting = &steps, waitingOf(run)
	return row
}

// waitingPrompt is how much of a prompt the row of a run has.
const waitingPrompt = 300

// waitingOf returns what a run waits for; nil: nothing.
func waitingOf(run *machine.Run) *Waiting {
	wait, count := machine.StepsOf(run).FirstWait()
	if wait == nil {
		return nil
	}
	w := &Waiting{Kind: wait.Kind, Signal: wait.Name, Prompt: wait.Prompt, TimeoutAt: wait.TimeoutAt, Count: count}
	if len(w.Prompt) > waitingPrompt {
		w.Prompt = strings.ToValidUTF8(w.Prompt[:waitingPrompt], "") + "…"
	}
	return w
}
