package executor

import (
	"context"
	"encoding/json"
	"heddle/executor/machine"
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
}

// StepTest is how the one attempt ended. Output is nil where Error is not.
type StepTest struct {
	Output   json.RawMessage
	Error    *machine.Error
	Duration time.Duration
}

// TestStep performs one attempt of one step of the active version, with its real effect and
// within the limits of every attempt; nothing is stored. Values that a config reads are
// those of req. An output above MaxInline is the error output_too_large. Errors:
// fault.NotFound workflow_not_found, fault.Unacceptable unknown_step and step_not_testable.
func (s *Tester) TestStep(ctx context.Context, req StepTestRequest) (StepTest, error) {
	target, err := s.cfg.Store.Target(ctx, req.TenantID, req.Workflow, "")
	if err != nil {
		return StepTest{}, err
	}
	c, err := s.plans.get(ctx, target.WorkflowID, target.Version, target.Hash)
	if err != nil {
		return StepTest{}, err
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
	trial, err := machine.TestStep(c.plan, header, req.StepID, req.Steps, now)
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
