package executor

import (
	"context"
	"encoding/json"
	"heddle/definitions/parser"
	"heddle/executor/machine"
	"heddle/fault"
	"maps"
	"time"
)

// stepTestTimeout bounds the attempt of a step that is tested, because its caller waits; a
// shorter timeout of the step holds.
const stepTestTimeout = 75 * time.Second

// StepTestRequest says which step to run alone, with which input and outputs
// of other steps.
type StepTestRequest struct {
	TenantID string
	Workflow string
	StepID   string
	Input    json.RawMessage
	Steps    map[string]json.RawMessage
	// Iteration is that of the loop around the step.
	Iteration machine.Iteration
	// Definition is a sound document that is tried in place of the active version; nil: that.
	Definition *parser.Document
	// FromRun is a run of the workflow whose outputs stand for those that Steps does not have, and
	// whose input for Input where that is nil; "": none.
	FromRun string
}

// StepTest is how the one attempt ended. Output is nil where Error is not.
type StepTest struct {
	Output   json.RawMessage
	Error    *machine.Error
	Duration time.Duration
}

// recall adds to a request what its FromRun has: the outputs of completed steps that the plan has too,
// and the input. An output above MaxInline stands as its reference. The error is
// fault.NotFound run_not_found, also for a run of another workflow.
func (s *Tester) recall(ctx context.Context, workflowID string, plan *machine.Plan, req *StepTestRequest) error {
	row, err := s.cfg.Store.Run(ctx, req.TenantID, req.FromRun)
	if err == nil && row.WorkflowID != workflowID {
		err = fault.New(fault.NotFound, "run_not_found", "The workflow has no run %q.", req.FromRun)
	}
	if err != nil {
		return err
	}
	run, _, _, err := s.plans.restore(ctx, req.FromRun)
	if err != nil {
		return err
	}
	if req.Input == nil {
		req.Input = run.EffectiveInput()
	}
	outputs := map[string]json.RawMessage{}
	for _, step := range run.StepRuns() {
		if step.Status == machine.StepCompleted && plan.HasTopStep(step.StepID) && step.StepID != req.StepID {
			outputs[step.StepID] = step.Output
		}
	}
	maps.Copy(outputs, req.Steps)
	req.Steps = outputs
	return nil
}

// TestStep performs one attempt of one step of the active version, or of a definition, with its real effect and
// within the limits of every attempt; nothing is stored. Values that a config reads are
// those of req. An output above MaxInline is the error output_too_large. Errors:
// fault.NotFound workflow_not_found, fault.Unacceptable unknown_step,
// step_not_testable and invalid_iteration.
func (s *Tester) TestStep(ctx context.Context, req StepTestRequest) (StepTest, error) {
	target, c, err := s.subject(ctx, req.TenantID, req.Workflow, "", req.Definition)
	if err != nil {
		return StepTest{}, err
	}
	if req.FromRun != "" {
		if err := s.recall(ctx, target.WorkflowID, c.plan, &req); err != nil {
			return StepTest{}, err
		}
	}
	input, err := filledInput(c, req.Input)
	if err != nil {
		return StepTest{}, err
	}
	now := s.cfg.now()
	// The run exists for this attempt alone; its id is not stored.
	header := machine.Header{
		RunID: s.cfg.NewID("run_"), TenantID: req.TenantID, WorkflowID: target.WorkflowID, Slug: target.Slug,
		Version: target.Version, Hash: target.Hash, Trigger: "manual", Input: input, CreatedAt: now,
	}
	trial, err := machine.TestStep(c.plan, header, req.StepID, req.Iteration, req.Steps, now)
	if err != nil || trial.Execute == nil {
		return StepTest{Output: trial.Output, Error: trial.Error}, err
	}
	x := *trial.Execute
	if x.Timeout == 0 || x.Timeout > stepTestTimeout {
		x.Timeout = stepTestTimeout
	}
	call := Call{
		RunID: header.RunID, TenantID: req.TenantID, WorkflowID: target.WorkflowID, StepID: req.StepID,
		Type: x.Type, Attempt: x.Attempt, Key: x.IdempotencyKey, Since: x.KeyFirstUsedAt,
	}
	work := reservation{budget: s.values.work}
	defer work.release()
	result, failure := s.performer.runAttempt(ctx, nil, call, x, &work)
	if failure == nil && len(result.Output) > MaxInline {
		failure = tooLarge("The step returned %d bytes; a test shows at most %d MiB, and a run stores more apart.", len(result.Output), MaxInline>>20)
	}
	out := StepTest{Output: result.Output, Duration: s.cfg.now().Sub(now)}
	if failure != nil {
		out.Output, out.Error = nil, &failure.Error
	}
	return out, nil
}
