package workflows

import (
	"encoding/json"
	"heddle/api/core"
	"heddle/executor"
	"net/http"
)

// testStep is a step's surroundings: the run's input and the outputs of other
// steps.
type testStep struct {
	// InputData is what the step's templates read as the run's input.
	InputData json.RawMessage `json:"input_data,omitempty"`
	// Steps stand for what templates read of other steps, by step id.
	Steps map[string]json.RawMessage `json:"steps,omitempty" doc:"Outputs of other steps, by step id."`
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

// testStep performs one attempt of a step of the active version, with its effects on the outside,
// and stores nothing. The caller waits for it, which is why it is cut off after 75 s. Errors:
// fault.NotFound workflow_not_found; fault.Unacceptable unknown_step, step_not_testable.
func (h *handlers) testStep(c *core.Call, req testStep) error {
	got, err := h.Executor.TestStep(c.Ctx(), executor.StepTestRequest{
		TenantID: c.TenantID(), Workflow: c.Param("id"), StepID: c.Param("step_id"), Input: req.InputData, Steps: req.Steps,
	})
	if err != nil {
		return err
	}
	answer := stepTest{Status: "completed", Output: got.Output, Error: core.FailureOf(got.Error), DurationSeconds: got.Duration.Seconds()}
	if got.Error != nil {
		answer.Status = "failed"
	}
	return c.Reply(http.StatusOK, answer)
}
