package workflows

import (
	"encoding/json"
	"heddle/access"
	"heddle/api/core"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/ids"
	"net/http"
)

// testStep is a step's surroundings: the run's input and the outputs of other
// steps.
type testStep struct {
	core.Authored
	FromRun string `json:"from_run,omitempty" doc:"A run of the workflow: its outputs stand for those that steps does not have, and its input for input_data. Outputs over 1 MiB stand as references."`
	// InputData is what the step's templates read as the run's input.
	InputData json.RawMessage `json:"input_data,omitempty"`
	// Steps stand for what templates read of other steps, by step id.
	Steps map[string]json.RawMessage `json:"steps,omitempty" doc:"Outputs of other steps, by step id: of those around its loop, and of the same iteration."`
	// Item and Index are of the loop around the step.
	Item  json.RawMessage `json:"item,omitempty" doc:"Of a step in a loop's body: stands for the loop's item. Left out, it is the one at index of what the loop's items evaluate to."`
	Index int             `json:"index,omitempty" minimum:"0" maximum:"9999" doc:"Of a step in a loop's body: the iteration, from 0."`
}

// stepTest is how the one attempt ended. A failed attempt is an answer, and not an error of the
// request.
type stepTest struct {
	Status string `json:"status" enum:"completed,failed"`
	// Output is null of a failed attempt, Error of a completed one.
	Output json.RawMessage `json:"output"`
	Error  *core.Failure   `json:"error"`
	// DurationSeconds is that of the attempt alone.
	DurationSeconds float64 `json:"duration_seconds"`
}

// testStep performs one attempt of a step of the active version, or of a definition that the request
// brings (which needs edit too), with its effects on the outside,
// and stores nothing. The caller waits for it, which is why it is cut off after 75 s. Errors:
// fault.NotFound workflow_not_found; fault.Unacceptable unknown_step, step_not_testable,
// invalid_iteration.
func (h *handlers) testStep(c *core.Call, req testStep) error {
	ask := executor.StepTestRequest{
		TenantID: c.TenantID(), Workflow: c.Param("id"), StepID: c.Param("step_id"), Input: req.InputData, Steps: req.Steps, FromRun: req.FromRun,
		Iteration: machine.Iteration{Item: req.Item, Index: req.Index},
	}
	if req.FromRun != "" && !ids.Valid(req.FromRun) {
		return core.NotFound("run", req.FromRun)
	}
	if req.Definition.Given {
		// It would be performed with the tenant's secrets, so who may only start runs of what is
		// stored does not write it.
		w, err := h.Definitions.Get(c.Ctx(), c.TenantID(), ask.Workflow)
		if err != nil {
			return err
		}
		if err := core.Allow(c.Principal, access.Edit, w.ID, w.Slug); err != nil {
			return err
		}
		if ask.Definition, err = h.Definitions.Sound(req.Definition.ParsedDefinition); err != nil {
			return err
		}
	}
	got, err := h.Executor.TestStep(c.Ctx(), ask)
	if err != nil {
		return err
	}
	answer := stepTest{Status: "completed", Output: got.Output, Error: core.FailureOf(got.Error), DurationSeconds: got.Duration.Seconds()}
	if got.Error != nil {
		answer.Status = "failed"
	}
	return c.Reply(http.StatusOK, answer)
}
