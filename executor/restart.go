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
	"heddle/internal/exactjson"
)

// RestartRequest names a run to start again from its beginning. Trace and Keep are those of
// a start.
type RestartRequest struct {
	TenantID string
	RunID    string
	Trace    Trace
	Keep     func(Record) *idempotency.Answer
}

// Restarter ends runs and stores the ones that take their place, in one transaction. It is
// safe for concurrent use.
type Restarter struct {
	cfg      *Config
	term     *term
	commits  *committer
	starter  *Starter
	steering *Steering
	reader   *Reader
}

// Restart starts a new run with the same input and trigger on the workflow's active
// version. An old one that is open is terminated in the transaction that stores the new
// one: both happen or neither. Errors: those of Start, fault.NotFound run_not_found,
// fault.Conflict workflow_changing, fault.Unavailable steering_pending.
func (s *Restarter) Restart(ctx context.Context, req RestartRequest) (Record, error) {
	return deadline.Do(ctx, func(ctx context.Context) (Record, error) { return s.restart(ctx, req) }, outcomeUnknown)
}

// restart tries maxRestartAttempts times while the run or its workflow is being changed by
// others.
func (s *Restarter) restart(ctx context.Context, req RestartRequest) (Record, error) {
	var err error
	for attempt := range maxRestartAttempts {
		var rec Record
		rec, err = s.replaceOnce(ctx, req, attempt+1)
		if code := fault.CodeOf(err); !errors.Is(err, ErrFenced) && code != "workflow_changing" && code != "run_finished" {
			return rec, err
		}
	}
	return Record{}, fault.Wrap(err, fault.Conflict, "workflow_changing", "Run %s or its workflow is being changed; try again.", req.RunID)
}

// replaceOnce is one attempt of restart; attempt counts them from 1. A run that has ended needs
// no replacement: the new one is an ordinary start.
func (s *Restarter) replaceOnce(ctx context.Context, req RestartRequest, attempt int) (Record, error) {
	old, err := s.cfg.Store.Run(ctx, req.TenantID, req.RunID)
	if err != nil {
		return Record{}, err
	}
	start := StartRequest{
		TenantID: req.TenantID, Workflow: old.WorkflowID, Trigger: old.Trigger, Input: old.Input, Labels: old.Labels,
		Trace: req.Trace, Keep: req.Keep, replaces: !old.State.Terminal(),
	}
	if old.State.Terminal() {
		return s.starter.Start(ctx, start)
	}
	p, err := s.starter.Prepare(ctx, start, attempt)
	if err != nil {
		return Record{}, err
	}
	if err := s.replaceRun(ctx, old, &p.Commit); err != nil && !s.wasStored(ctx, req.TenantID, p.Row.RunID, err) {
		s.starter.Discard(p)
		return Record{}, asSuccessorRefusal(err)
	}
	s.starter.Stored(p)
	return p.Row, nil
}

// RestartNamedRequest names a series. Trace and Keep are those of a start.
type RestartNamedRequest struct {
	TenantID   string
	WorkflowID string
	Name       string
	Trace      Trace
	Keep       func(Record) *idempotency.Answer
}

// maxRestartAttempts bounds how often a restart that lost a race is tried.
const maxRestartAttempts = 50

// RestartNamed begins the next run of a series: with the input and trigger of
// the latest, on the workflow's active version, its number one higher. A latest
// run that is open is terminated in the same transaction. Errors: those of
// Start, and fault.NotFound run_not_found.
func (s *Restarter) RestartNamed(ctx context.Context, req RestartNamedRequest) (NamedRun, error) {
	return deadline.Do(ctx, func(ctx context.Context) (NamedRun, error) { return s.restartNamed(ctx, req) }, outcomeUnknown)
}

// restartNamed tries maxRestartAttempts times while the series or its workflow is being changed
// by others.
func (s *Restarter) restartNamed(ctx context.Context, req RestartNamedRequest) (NamedRun, error) {
	var err error
	for attempt := range maxRestartAttempts {
		var next NamedRun
		next, err = s.restartOnce(ctx, req, attempt+1)
		if code := fault.CodeOf(err); !errors.Is(err, ErrFenced) && code != "workflow_changing" && code != "run_finished" {
			return next, err
		}
	}
	return NamedRun{}, fault.Wrap(err, fault.Conflict, "workflow_changing", "Run %q or its workflow is being changed; try again.", req.Name)
}

// restartOnce is one attempt of restartNamed; attempt counts them from 1.
func (s *Restarter) restartOnce(ctx context.Context, req RestartNamedRequest, attempt int) (NamedRun, error) {
	old, err := s.reader.Named(ctx, req.TenantID, req.WorkflowID, req.Name, Latest)
	if err != nil {
		return NamedRun{}, err
	}
	p, err := s.starter.Prepare(ctx, StartRequest{
		TenantID: req.TenantID, Workflow: req.WorkflowID, Trigger: old.Trigger, Input: old.Input, Labels: old.Labels,
		Trace: req.Trace, Keep: req.Keep, replaces: !old.State.Terminal(),
	}, attempt)
	if err != nil {
		return NamedRun{}, err
	}
	next := NamedRun{Record: p.Row, Name: old.Name, Number: old.Number + 1, Since: old.Since}
	p.Member = &Member{Name: next.Name, Number: next.Number, After: old.RunID}
	if old.State.Terminal() {
		err = s.insertSuccessor(Commit{Row: old.Record, Expected: old.Seq, With: &p.Commit})
	} else {
		err = s.replaceRun(ctx, old.Record, &p.Commit)
	}
	if err != nil && !s.wasStored(ctx, req.TenantID, next.RunID, err) {
		s.starter.Discard(p)
		return NamedRun{}, asSuccessorRefusal(err)
	}
	s.starter.Stored(p)
	return next, nil
}

// insertSuccessor stores the successor of a run that has ended, in a commit of the old run
// without events, so that the two follow each other by the old one's seq.
func (s *Restarter) insertSuccessor(c Commit) error {
	err := s.commits.submit(0, c)
	if fault.CodeOf(err) == "outcome_unknown" {
		return s.starter.confirmInsertion(*c.With, err)
	}
	return err
}

// replaceRun ends an open run and stores the one that takes its place, in one commit, on
// the node that leads. From a node that stands by both go through the inbox as one input.
// Errors: those of askWith and deliverPosted, and steering_pending.
func (s *Restarter) replaceRun(ctx context.Context, old Record, next *Commit) error {
	in := machine.Terminate{Reason: "The run was restarted.", By: by(ctx)}
	_, err := s.steering.askWith(ctx, old.RunID, message{input: in, successor: next})
	if fault.CodeOf(err) != "not_ready" || !s.term.serving.Load() {
		return err
	}
	data, err := exactjson.Encode(inputData{Reason: in.Reason, With: next, By: in.By})
	if err != nil {
		return fmt.Errorf("encode a run for the inbox: %w", err)
	}
	p := Posted{ID: s.cfg.NewID("inp_"), TenantID: old.TenantID, RunID: old.RunID, Kind: kindRestart, Data: data, At: s.cfg.now()}
	out, err := s.steering.deliverPosted(ctx, p, in)
	if err == nil && out.pending {
		err = steeringPending(old.RunID)
	}
	return err
}

// decodeSuccessor reads the run that a posted input carries; nil: it carries none. One that
// cannot be read is fault.Internal internal.
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

// wasStored reports whether a run was stored although err, the error of its commit, leaves
// that open. It reads the run.
func (s *Restarter) wasStored(ctx context.Context, tenantID, runID string, err error) bool {
	if fault.KindOf(err) != fault.Unavailable && !errors.Is(err, ErrFenced) {
		return false
	}
	_, missing := s.cfg.Store.Run(context.WithoutCancel(ctx), tenantID, runID)
	return missing == nil
}

// refusesSuccessor reports whether the error of a commit is about the run that is stored
// with it: nothing was written, and the run itself stays as it was.
func refusesSuccessor(err error) bool {
	return errors.Is(err, ErrStale) || errors.Is(err, ErrDuplicateKey) || fault.CodeOf(err) == "workflow_not_found"
}

// asSuccessorRefusal returns such an error as the caller sees it: fault.Conflict
// workflow_changing or idempotency_key_taken. Any other error is returned unchanged.
func asSuccessorRefusal(err error) error {
	switch {
	case errors.Is(err, ErrStale):
		return fault.Wrap(err, fault.Conflict, "workflow_changing", "The workflow is being changed; try again.")
	case errors.Is(err, ErrDuplicateKey):
		return keyTaken()
	}
	return err
}
