package workflows

import (
	"encoding/json"
	"heddle/api/core"
	"heddle/definitions/workflows"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/internal/elements"
	"net/http"
)

// dryRunWorkflow is a request for a run to drive in memory, with what its steps are to return.
// Version "" is the active one; a definition or a source is tried in its place.
type dryRunWorkflow struct {
	core.Authored
	// InputData has to fit the workflow's input schema, as that of a run.
	InputData json.RawMessage      `json:"input_data,omitempty"`
	Version   workflows.VersionRef `json:"version,omitempty"`
	// Mocks are for steps of any depth; a loop's body uses one for all iterations.
	Mocks map[string]mock `json:"mocks,omitempty" doc:"By step id. A step without one returns null."`
}

// dryRunDefinition is dryRunWorkflow for a definition of no workflow.
type dryRunDefinition struct {
	core.Authored
	InputData json.RawMessage `json:"input_data,omitempty"`
	Mocks     map[string]mock `json:"mocks,omitempty" doc:"By step id. A step without one returns null."`
}

// mock stands for a step's end: with an error it fails, otherwise it completes with the output.
type mock struct {
	Output json.RawMessage `json:"output,omitempty" doc:"Of a wait for a signal: the payload."`
	Error  *core.Failure   `json:"error,omitempty" doc:"The step fails permanently with this error."`
}

// dryRunAnswer is how the run would go. Its steps have the times of a clock that advances as the
// run waits.
type dryRunAnswer struct {
	// Status is where the run stands when nothing moves it any more.
	Status string `json:"status" words:"workflows" doc:"waiting: for a signal that no mock sends."`
	// Output is null unless the run completed.
	Output json.RawMessage `json:"output"`
	// Error is null unless the run failed.
	Error           *core.Failure `json:"error"`
	DurationSeconds float64       `json:"duration_seconds" doc:"What its waits and retries would have taken."`
	Truncated       bool          `json:"truncated" doc:"It was cut off after 10,000 events."`
	Steps           []stepRun     `json:"steps" doc:"In execution order."`
}

// dryRunDefinition drives a run of a definition that is not stored, of no workflow. Errors: those of
// dryRunWorkflow; fault.Unacceptable invalid_definition.
func (h *handlers) dryRunDefinition(c *core.Call, req dryRunDefinition) error {
	if !req.Definition.Given {
		return core.Malformed("definition is missing; send it as definition or as source.")
	}
	return h.dryRun(c, executor.DryRunRequest{Input: req.InputData}, req.Definition, req.Mocks)
}

// dryRunWorkflow drives a run without performing or storing anything; its waits take no time.
// Errors: fault.NotFound workflow_not_found, version_not_found; fault.Unacceptable invalid_input,
// and unknown_step for a mock of a step that is not there.
func (h *handlers) dryRunWorkflow(c *core.Call, req dryRunWorkflow) error {
	return h.dryRun(c, executor.DryRunRequest{Workflow: c.Param("id"), Version: string(req.Version), Input: req.InputData}, req.Definition, req.Mocks)
}

// dryRun completes a request and drives its run.
func (h *handlers) dryRun(c *core.Call, ask executor.DryRunRequest, d core.ParsedDefinition, given map[string]mock) (err error) {
	if d.Given {
		if ask.Definition, err = h.Definitions.Sound(d.ParsedDefinition); err != nil {
			return err
		}
	}
	mocks := make(map[string]executor.Mock, len(given))
	for id, m := range given {
		mocks[id] = executor.Mock{Output: m.Output}
		// An error wins over an output that is given beside it.
		if m.Error != nil {
			mocks[id] = executor.Mock{Error: &machine.Error{Code: m.Error.Code, Message: m.Error.Message, Details: m.Error.Details}}
		}
	}
	ask.TenantID, ask.Mocks = c.TenantID(), mocks
	got, err := h.Executor.DryRun(c.Ctx(), ask)
	if err != nil {
		return err
	}
	// The steps are shown as those of a run, so that clients need one view of both.
	return c.Reply(http.StatusOK, dryRunAnswer{
		Status: core.WordsOf(got.State).Workflows, Output: got.Output, Error: core.FailureOf(got.Error),
		DurationSeconds: got.Elapsed.Seconds(), Truncated: got.Truncated, Steps: elements.Map(got.Steps, stepRunOf),
	})
}
