package executor

import (
	"context"
	"encoding/json"
	"heddle/definitions/parser"
	"heddle/executor/machine"
	"heddle/fault"
	"time"
)

// dryRunEvents is how many events a dry run has at most; then it is cut off.
const dryRunEvents = 10_000

// Mock stands for a step's output, or for its permanent failure. For a wait for a
// signal the output is the payload.
type Mock struct {
	Output json.RawMessage // nil is null
	Error  *machine.Error
}

// DryRunRequest says what to try: a version of a workflow, or Definition, a sound document that is not
// stored, in its place; then Workflow may be "". Mocks are by step id; in a loop one stands for every
// iteration. The output of a step without one is null. Version "" is the active one; Input
// nil is the empty object.
type DryRunRequest struct {
	TenantID string
	Workflow string
	Version  string
	Input    json.RawMessage
	Mocks    map[string]Mock

	Definition *parser.Document
}

// DryRunResult is how the run came out. State is not terminal when the run waits for a
// signal that no mock brings. Truncated: it was cut off after 10,000 events or by its
// context. Elapsed is the time that its waits and retries would have taken.
type DryRunResult struct {
	State     machine.State
	Output    json.RawMessage
	Error     *machine.Error
	Steps     []machine.StepRun
	Elapsed   time.Duration
	Truncated bool
}

// Tester tries workflows and steps out: nothing that it does is stored. It works on every
// node and is safe for concurrent use.
type Tester struct {
	cfg       *Config
	plans     *planCache
	performer *performer
	values    *largeValues
}

// DryRun drives a run in memory: no step is performed, nothing is stored, and
// time passes only where the run waits for it. Errors: fault.NotFound
// workflow_not_found and version_not_found, fault.Unacceptable invalid_input
// and unknown_step for a mock of an unknown step.
func (s *Tester) DryRun(ctx context.Context, req DryRunRequest) (DryRunResult, error) {
	target, c, err := s.subject(ctx, req.TenantID, req.Workflow, req.Version, req.Definition)
	if err != nil {
		return DryRunResult{}, err
	}
	input, err := admitInput(c, req.Input)
	if err != nil {
		return DryRunResult{}, err
	}
	for id := range req.Mocks {
		if c.plan.StepType(id) == "" {
			return DryRunResult{}, fault.New(fault.Unacceptable, "unknown_step", "The definition has no step %q to mock.", id)
		}
	}
	now := s.cfg.now()
	d := dryRun{s: s, mocks: req.Mocks, now: now, inputs: []machine.Input{machine.Begin{}}}
	d.run = machine.New(c.plan, machine.Header{
		RunID: s.cfg.NewID("run_"), TenantID: req.TenantID, WorkflowID: target.WorkflowID, Slug: target.Slug,
		Version: target.Version, Hash: target.Hash, Trigger: "manual", Input: input, CreatedAt: now,
	}, now).Run
	truncated, err := d.drive(ctx)
	return DryRunResult{
		State: d.run.State, Output: d.run.Output, Error: d.run.Err, Steps: d.run.StepRuns(),
		Elapsed: d.now.Sub(now), Truncated: truncated,
	}, err
}

// subject returns what is tried: a stored version with its plan, or the plan of a definition that
// is not stored, as of the workflow, where one is named. Errors: those of Target and of
// machine.Compile.
func (s *Tester) subject(ctx context.Context, tenantID, workflow, version string, definition *parser.Document) (Target, *compiled, error) {
	var target Target
	if workflow != "" {
		var err error
		if target, err = s.cfg.Store.Target(ctx, tenantID, workflow, version); err != nil {
			return Target{}, nil, err
		}
	}
	if definition == nil {
		c, err := s.plans.get(ctx, target.WorkflowID, target.Version, target.Hash)
		return target, c, err
	}
	plan, err := machine.Compile(definition.Definition, s.plans.traits)
	target.Hash = definition.Hash
	return target, &compiled{hash: definition.Hash, plan: plan}, err
}

// dryRun is a run that is driven by mocks, in the goroutine of its caller.
type dryRun struct {
	s      *Tester
	mocks  map[string]Mock
	run    *machine.Run
	now    time.Time       // the run's own time, which only wake moves on
	inputs []machine.Input // to be applied, in order
}

// drive feeds the machine until nothing is left to feed; true: it was cut off, at
// dryRunEvents events or because ctx ended.
func (d *dryRun) drive(ctx context.Context) (truncated bool, err error) {
	for !d.run.State.Terminal() {
		if err := ctx.Err(); err != nil {
			return true, err
		}
		if d.run.Seq >= dryRunEvents {
			return true, nil
		}
		if len(d.inputs) == 0 && !d.wake() {
			return false, nil
		}
		in := d.inputs[0]
		d.inputs = d.inputs[1:]
		change, err := apply(d.s.cfg.Log, d.run, in, d.now, nil)
		if err != nil {
			return false, err
		}
		d.run = change.Run
		for _, effect := range change.Effects {
			if x, execute := effect.(machine.Execute); execute {
				d.inputs = append(d.inputs, d.end(x))
			}
		}
		if change.More {
			d.inputs = append([]machine.Input{machine.Continue{}}, d.inputs...)
		}
	}
	return false, nil
}

// end returns how an attempt ends with the mocks: as its step's mock says, with null where
// there is none. Compensations always succeed; only the step's own attempts are checked
// against output_schema.
func (d *dryRun) end(x machine.Execute) machine.StepEnded {
	ended := machine.StepEnded{Ref: x.Ref, Attempt: x.Attempt, Output: json.RawMessage("null")}
	m := d.mocks[x.Ref.StepID]
	switch {
	// Compensations cannot be mocked, and succeed with null.
	case x.Role == "compensation":
	case m.Error != nil:
		ended.Failure = &machine.Failure{Error: *m.Error, Permanent: true}
	default:
		if m.Output != nil {
			ended.Output = m.Output
		}
		if x.Role == "" {
			ended.Failure = checkOutput(ended.Output, x.OutputSchema)
		}
	}
	return ended
}

// wake answers an open wait for a signal that is mocked, or lets time pass until the
// run is due. False: the run waits for a signal that no mock brings.
func (d *dryRun) wake() bool {
	for _, w := range d.run.Waits() {
		if m, mocked := d.mocks[w.Ref.StepID]; mocked && w.RequestID != "" && m.Output != nil {
			d.inputs = append(d.inputs, machine.Signal{Name: w.Name, RequestID: w.RequestID, Payload: m.Output})
			return true
		}
	}
	at, due := d.run.Due()
	if !due {
		return false
	}
	if at.After(d.now) {
		d.now = at
	}
	d.inputs = append(d.inputs, machine.Tick{})
	return true
}
