package executor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"heddle/deadline"
	"heddle/executor/machine"
	"heddle/fault"
	"heddle/idempotency"
	"time"
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

// SeriesStore keeps runs that have a name.
type SeriesStore interface {
	// Named reads a run by the name and number of its series (Latest: the one
	// that the name stands for); a run without a name has its id as the name
	// and number 0. None: fault.NotFound run_not_found.
	Named(ctx context.Context, tenantID, workflowID, name string, number int) (NamedRun, error)
	NamedRuns(ctx context.Context, q NamedQuery) (NamedPage, error)
	// NamesTaken returns those of the names that runs of the workflow have.
	NamesTaken(ctx context.Context, workflowID string, names []string) ([]string, error)
	// StartAll writes new runs in one transaction, all or none. Those whose name
	// is taken are left out, and taken says which: also where the error is
	// outcome_unknown. Any other error that Commit has for one of them is that of
	// all. epoch, unless 0, is that of the lease under which they begin.
	StartAll(ctx context.Context, epoch int64, runs []Commit) (taken []bool, err error)
}

// Named finds a run by the name of its series; number Latest is the newest.
func (s *Service) Named(ctx context.Context, tenantID, workflowID, name string, number int) (NamedRun, error) {
	return s.cfg.Store.Named(ctx, tenantID, workflowID, name, number)
}

// NamedRuns lists a page of a workflow's series.
func (s *Service) NamedRuns(ctx context.Context, q NamedQuery) (NamedPage, error) {
	return s.cfg.Store.NamedRuns(ctx, q)
}

// RestartNamed begins the next run of a series: with the input and trigger of
// the latest, on the workflow's active version, its number one higher. A latest
// run that is open is terminated in the same transaction. Errors: those of
// Start, and fault.NotFound run_not_found.
func (s *Service) RestartNamed(ctx context.Context, req RestartNamedRequest) (NamedRun, error) {
	return deadline.Do(ctx, func(ctx context.Context) (NamedRun, error) { return s.restartNamed(ctx, req) }, outcomeUnknown)
}

func (s *Service) restartNamed(ctx context.Context, req RestartNamedRequest) (NamedRun, error) {
	var err error
	for try := range restartTries {
		var next NamedRun
		next, err = s.restartOnce(ctx, req, try+1)
		if code := fault.CodeOf(err); !errors.Is(err, ErrFenced) && code != "workflow_changing" && code != "run_finished" {
			return next, err
		}
	}
	return NamedRun{}, fault.Wrap(err, fault.Conflict, "workflow_changing", "Run %q or its workflow is being changed; try again.", req.Name)
}

// RestartNamedRequest names a series. Trace and Keep are those of a start.
type RestartNamedRequest struct {
	TenantID   string
	WorkflowID string
	Name       string
	Trace      Trace
	Keep       func(Record) *idempotency.Answer
}

// restartTries bounds how often a restart that lost a race begins anew.
const restartTries = 50

func (s *Service) restartOnce(ctx context.Context, req RestartNamedRequest, try int) (NamedRun, error) {
	old, err := s.Named(ctx, req.TenantID, req.WorkflowID, req.Name, Latest)
	if err != nil {
		return NamedRun{}, err
	}
	p, err := s.Prepare(ctx, StartRequest{
		TenantID: req.TenantID, Workflow: req.WorkflowID, Trigger: old.Trigger, Input: old.Input,
		Trace: req.Trace, Keep: req.Keep, replaces: !old.State.Terminal(),
	}, try)
	if err != nil {
		return NamedRun{}, err
	}
	next := NamedRun{Record: p.Row, Name: old.Name, Number: old.Number + 1, Since: old.Since}
	p.Member = &Member{Name: next.Name, Number: next.Number, After: old.RunID}
	if old.State.Terminal() {
		err = s.engine.follow(Commit{Row: old.Record, Expected: old.Seq, With: &p.Commit})
	} else {
		err = s.replaceRun(ctx, old.Record, &p.Commit)
	}
	if err != nil && !s.wasStored(ctx, req.TenantID, next.RunID, err) {
		return NamedRun{}, asSuccessorRefusal(err)
	}
	s.Stored(p)
	return next, nil
}

// follow stores the successor of a run that has ended.
func (e *engine) follow(c Commit) error {
	err := e.commits.submit(0, c)
	if fault.CodeOf(err) == "outcome_unknown" {
		return e.confirmInsertion(*c.With, err)
	}
	return err
}

// kindRestart is a posted Terminate that carries the run's successor.
const kindRestart = "restart"

// replaceRun ends an open run and stores the one that takes its place, together,
// on the node that drives the run.
func (s *Service) replaceRun(ctx context.Context, old Record, next *Commit) error {
	in := machine.Terminate{Reason: "The run was restarted.", By: by(ctx)}
	_, err := s.engine.askWith(ctx, old.RunID, message{input: in, successor: next})
	if fault.CodeOf(err) != "not_ready" || !s.serving.Load() {
		return err
	}
	data, err := inputData{Reason: in.Reason, With: next, By: in.By}.encode()
	if err != nil {
		return fmt.Errorf("encode a run for the inbox: %w", err)
	}
	p := Posted{ID: s.cfg.NewID("inp_"), TenantID: old.TenantID, RunID: old.RunID, Kind: kindRestart, Data: data, At: s.now()}
	out, err := s.deliverPosted(ctx, p, in)
	if err == nil && out.pending {
		err = steeringPending(old.RunID)
	}
	return err
}

// decodeSuccessor reads the run that a posted input carries; nil: none.
func decodeSuccessor(p Posted) (*Commit, error) {
	if p.Kind != kindRestart {
		return nil, nil
	}
	var d inputData
	if err := json.Unmarshal(p.Data, &d); err != nil || d.With == nil {
		return nil, fault.Wrap(err, fault.Internal, "internal", "The input %s cannot be read.", p.ID)
	}
	d.With.Row.Output = nil // a new run has none; its JSON is null
	return d.With, nil
}

// wasStored tells whether a run was stored although the answer was an error that
// leaves it open.
func (s *Service) wasStored(ctx context.Context, tenantID, runID string, err error) bool {
	if fault.KindOf(err) != fault.Unavailable && !errors.Is(err, ErrFenced) {
		return false
	}
	_, missing := s.cfg.Store.Run(context.WithoutCancel(ctx), tenantID, runID)
	return missing == nil
}

// refusesSuccessor tells the errors of a commit that are about the run that
// rides with it: the run itself stays as it was.
func refusesSuccessor(err error) bool {
	return errors.Is(err, ErrStale) || errors.Is(err, ErrDuplicateKey) || fault.CodeOf(err) == "workflow_not_found"
}

// asSuccessorRefusal words such an error for the caller.
func asSuccessorRefusal(err error) error {
	switch {
	case errors.Is(err, ErrStale):
		return fault.Wrap(err, fault.Conflict, "workflow_changing", "The workflow is being changed; try again.")
	case errors.Is(err, ErrDuplicateKey):
		return keyTaken()
	}
	return err
}
