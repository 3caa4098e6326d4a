package executor

import (
	"context"
	"time"

	"heddle/executor/machine"
)

// Member is a run's place in a series: runs of one workflow that follow each
// other under a name, numbered from 0. The name stands for the latest of them
// and is unique within the workflow. A run without a name is a series of its
// own, known by its id.
type Member struct {
	Name   string
	Number int
	// After is the run that it follows, "" for the first. Where that one is not
	// the latest any more, nothing is written and ErrFenced is the answer.
	After string
}

// NamedRun is a run as a member of its series. Since is when the series began:
// the creation of the first of its runs that is still there.
type NamedRun struct {
	Record
	Name   string
	Number int
	Since  time.Time
}

// Latest asks SeriesStore.Named for the run that a name stands for.
const Latest = -1

// NamedQuery selects the latest runs of a workflow's series, those that began
// last first; by state, those whose latest run is newest. Cursor comes from
// NamedPage.Next.
type NamedQuery struct {
	TenantID   string
	WorkflowID string
	States     []machine.State // nil: all
	Limit      int
	Cursor     string
}

// NamedPage is one page. Next is empty on the last.
type NamedPage struct {
	Runs []NamedRun
	Next string
}

// SeriesStore is what series ask of persistence.
type SeriesStore interface {
	// Named reads a run by the name and number of its series (Latest: the one
	// that the name stands for); a run without a name has its id as the name
	// and number 0. None: fault.NotFound run_not_found.
	Named(ctx context.Context, tenantID, workflowID, name string, number int) (NamedRun, error)
	NamedRuns(ctx context.Context, q NamedQuery) (NamedPage, error)
	// QueuedNamed lists a tenant's queued runs that have a name, first come
	// first served; QueuedUnnamed is Store.Queued without those of any tenant.
	QueuedNamed(ctx context.Context, tenantID string, limit int) ([]string, error)
	QueuedUnnamed(ctx context.Context, limit int) ([]string, error)
}

// Named finds a run by the name of its series; number Latest is the newest.
func (s *Service) Named(ctx context.Context, tenantID, workflowID, name string, number int) (NamedRun, error) {
	return s.cfg.Store.Named(ctx, tenantID, workflowID, name, number)
}

// NamedRuns lists a page of a workflow's series.
func (s *Service) NamedRuns(ctx context.Context, q NamedQuery) (NamedPage, error) {
	return s.cfg.Store.NamedRuns(ctx, q)
}
