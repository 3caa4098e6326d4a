package executor

import (
	"context"
	"heddle/executor/machine"
	"time"
)

// Member is a run's position in a series: runs of one workflow that follow each
// other under a name, numbered from 0. The name stands for the latest of them and is
// unique within the workflow. A run without a name is a series of its own, known by
// its id.
type Member struct {
	Name   string
	Number int // from 0
	// After is the run that it follows, "" for the first. Where that one is not
	// the latest any more, nothing is written and ErrFenced is the answer.
	After string
}

// NamedRun is a run as a member of its series. Since is when the series began: the creation
// of the first of its runs that is still stored.
type NamedRun struct {
	Record
	Name   string
	Number int
	Since  time.Time
}

// Latest asks SeriesStore.Named for the run that a name stands for.
const Latest = -1

// NamedQuery selects the latest runs of a workflow's series, those that began last first;
// by state, those whose latest run is newest. Cursor comes from NamedPage.Next; "" begins
// with the first.
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

// SeriesStore keeps runs that have a name.
type SeriesStore interface {
	// Named reads a run by the name and number of its series (Latest: the one
	// that the name stands for); a run without a name has its id as the name
	// and number 0. None: fault.NotFound run_not_found.
	Named(ctx context.Context, tenantID, workflowID, name string, number int) (NamedRun, error)
	// NamedRuns reads a page of the latest runs of a workflow's series.
	NamedRuns(ctx context.Context, q NamedQuery) (NamedPage, error)
	// NamesTaken returns those of the names that runs of the workflow have.
	NamesTaken(ctx context.Context, workflowID string, names []string) ([]string, error)
	// StartAll writes new runs in one transaction, all or none. Those whose name is taken
	// are left out, and taken says which, by index: also where the error is
	// outcome_unknown. Any other error that Commit has for one of them is that of all.
	// epoch, unless 0, is that of the lease under which they begin; where the lease is
	// another's the error is ErrFenced.
	StartAll(ctx context.Context, epoch int64, runs []Commit) (taken []bool, err error)
}

// kindRestart is a posted Terminate that carries the run's successor.
const kindRestart = "restart"

// Named finds a run by the name of its series; number Latest is the newest. Errors:
// fault.NotFound run_not_found.
func (s *Reader) Named(ctx context.Context, tenantID, workflowID, name string, number int) (NamedRun, error) {
	return s.cfg.Store.Named(ctx, tenantID, workflowID, name, number)
}

// NamedRuns lists a page of a workflow's series.
func (s *Reader) NamedRuns(ctx context.Context, q NamedQuery) (NamedPage, error) {
	return s.cfg.Store.NamedRuns(ctx, q)
}
