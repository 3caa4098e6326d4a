package executor

import (
	"context"
	"heddle/executor/machine"
)

// RunDetails is what lists show of a run that other rows have.
type RunDetails struct {
	WorkflowID   string
	Slug         string // of the workflow, as it is now
	WorkflowName string
	VersionLabel string // of the version that the run is on; "": none
	TemplateID   string // that the workflow was made of; "": none
	Name         string // the run's own, see Member; "": none
	Queue        *QueuePlace
}

// maxAheadInLists is MaxAhead for the runs of a page.
const maxAheadInLists = 100

// Details returns the details of a page of a tenant's runs, in their order, with a few
// reads however many they are.
func (s *Reader) Details(ctx context.Context, tenantID string, runs []Record) ([]RunDetails, error) {
	if len(runs) == 0 {
		return nil, nil
	}
	list, ahead, err := s.cfg.Store.RunDetails(ctx, tenantID, runs, maxAheadInLists)
	if err != nil {
		return nil, err
	}
	for i, r := range runs {
		if n, queued := ahead[r.RunID]; queued && r.State == machine.Queued {
			list[i].Queue = s.placeOf(r, n)
		}
	}
	return list, nil
}

// placeOf returns the place of a queued run with n before it.
func (s *Reader) placeOf(run Record, n int) *QueuePlace {
	place := &QueuePlace{Since: run.CreatedAt, Ahead: n, Limit: s.cfg.MaxRuns}
	// It was resumed, and goes on in the place that its first start gives it.
	if !run.StartedAt.IsZero() {
		place.Since = run.UpdatedAt
	}
	return place
}

// Summary is a run without its steps.
type Summary struct {
	Record // Steps is never nil
	RunDetails
}

// Summary reads a run without its steps: its row and the rows around it. A run that has not
// moved on since an earlier version of the server, or went on with another version of its
// workflow, is folded for its counts and its input. Errors: fault.NotFound run_not_found.
func (s *Reader) Summary(ctx context.Context, tenantID, runID string) (Summary, error) {
	row, err := s.cfg.Store.Run(ctx, tenantID, runID)
	if err != nil {
		return Summary{}, err
	}
	if row.Steps == nil || len(row.Versions) > 1 {
		run, err := s.restored.get(ctx, row)
		if err != nil {
			return Summary{}, err
		}
		counts := run.StepCounts()
		row.Input, row.Steps = run.EffectiveInput(), &counts
	}
	details, err := s.Details(ctx, tenantID, []Record{row})
	if err != nil {
		return Summary{}, err
	}
	// One run's place is counted further than those of a page.
	if details[0].Queue, err = s.QueuePlace(ctx, row); err != nil {
		return Summary{}, err
	}
	return Summary{row, details[0]}, nil
}
