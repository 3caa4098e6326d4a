package api

import (
	"encoding/json"
	"heddle/executor"
	"net/http"
)

type testStep struct {
	InputData json.RawMessage            `json:"input_data,omitempty"`
	Steps     map[string]json.RawMessage `json:"steps,omitempty" doc:"Outputs of other steps, by step id."`
}

// stepTest is how the one attempt ended.
type stepTest struct {
	Status          string          `json:"status" enum:"completed,failed"`
	Output          json.RawMessage `json:"output"`
	Error           *failure        `json:"error"`
	DurationSeconds float64         `json:"duration_seconds"`
}

func (h *Handler) testStep(c *call, req testStep) error {
	ref, err := c.param("id")
	if err != nil {
		return err
	}
	stepID, err := c.param("step_id")
	if err != nil {
		return err
	}
	got, err := h.cfg.Executor.TestStep(c.ctx(), executor.StepTestRequest{
		TenantID: c.tenantID(), Workflow: ref, StepID: stepID, Input: req.InputData, Steps: req.Steps,
	})
	if err != nil {
		return err
	}
	answer := stepTest{Status: "completed", Output: got.Output, Error: failureOf(got.Error), DurationSeconds: got.Duration.Seconds()}
	if got.Error != nil {
		answer.Status = "failed"
	}
	return c.reply(http.StatusOK, answer)
}
