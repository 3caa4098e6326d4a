package workflows

import (
	"context"
	"encoding/json"
	"heddle/api/core"
	"heddle/definitions"
	"heddle/definitions/workflows"
	"heddle/executor"
	"heddle/fault"
	"heddle/idempotency"
	"math"
	"net/http"
	"slices"
)

// startRun is a request for a run. Version "" is the active one when the run starts.
type startRun struct {
	// InputData has to fit the workflow's input schema, whose defaults are put in.
	InputData json.RawMessage `json:"input_data,omitempty" doc:"An empty object unless given."`
	// Trigger is what the run records as its origin; it starts nothing by itself.
	Trigger string               `json:"trigger,omitempty" enum:"manual,api,schedule,webhook,event" doc:"Default manual."`
	Version workflows.VersionRef `json:"version,omitempty"`
	// Labels are what lists find the run by; a restart keeps them.
	Labels map[string]string `json:"labels,omitempty" doc:"At most 20. Keys are 1 to 63 letters, digits, dots, dashes and underscores, values 1 to 200 characters."`
}

// steeredRun answers a command with the state that the run had when it was taken, which the run
// may have left since.
type steeredRun struct {
	RunID  string `json:"run_id"`
	Status string `json:"status" words:"workflows"`
}

// startRun starts a run, at most once per Idempotency-Key: the run and the answer are stored in
// one transaction. It is 202, because the run is stored and may not have begun. An unknown
// trigger is fault.Unacceptable invalid_trigger; the other errors are those of executor.Start.
func (h *handlers) startRun(c *core.Call, req startRun) error {
	// Other dialects start runs by the trigger api; here a person is assumed.
	if req.Trigger == "" {
		req.Trigger = "manual"
	}
	if !slices.Contains(definitions.Triggers(), req.Trigger) {
		return fault.New(fault.Unacceptable, "invalid_trigger",
			"trigger must be manual, api, schedule, webhook or event, not %q.", core.Truncate(req.Trigger))
	}
	return c.Idempotent(func(o *core.Creation) error {
		_, err := h.Executor.Start(c.Ctx(), executor.StartRequest{
			TenantID: c.TenantID(), Workflow: c.Param("id"), Version: string(req.Version), Trigger: req.Trigger,
			Input: req.InputData, Labels: req.Labels, Trace: core.TraceOf(c.Request),
			Keep: func(run executor.Record) *idempotency.Answer {
				header := map[string]string{"Location": core.WorkflowsBase + "/runs/" + run.RunID}
				return o.Answer(http.StatusAccepted, header, core.StartedRun{RunID: run.RunID})
			},
		})
		return err
	})
}

// getRunDefinition returns the definition that a run runs, also after its workflow was deleted.
// With Accept: application/yaml it is the text that its author wrote.
func (h *handlers) getRunDefinition(c *core.Call) error {
	q, err := c.Query()
	if err != nil {
		return err
	}
	version, err := core.IntParam(q, "version", 0, 1, math.MaxInt32)
	if err != nil {
		return err
	}
	text, run, err := h.Executor.DefinitionOf(c.Ctx(), c.TenantID(), c.Param("run_id"), version)
	if err != nil {
		return err
	}
	if c.WantsYAML() {
		written, err := h.Executor.Written(c.Ctx(), run)
		if err != nil {
			return err
		}
		return c.ReplyYAML(text, written)
	}
	return c.Reply(http.StatusOK, ranDefinition{run.RunID, run.WorkflowID, run.Version, run.Hash, text})
}

// ranDefinition is the definition that a run is on.
type ranDefinition struct {
	RunID          string `json:"run_id"`
	WorkflowID     string `json:"workflow_id"`
	Version        int    `json:"version"`
	DefinitionHash string `json:"definition_hash"`
	// Definition is in its canonical form.
	Definition json.RawMessage `json:"definition" kind:"object"`
}

// steer returns a handler that moves a run to another state by do, one of the executor's
// commands, and answers with the status.
func (h *handlers) steer(status int, do func(s *executor.Service, ctx context.Context, tenantID, runID string) (executor.Record, error)) func(*core.Call, core.Because) error {
	return func(c *core.Call, _ core.Because) error {
		run, err := do(h.Executor, c.Ctx(), c.TenantID(), c.Param("run_id"))
		if err != nil {
			return err
		}
		return c.Reply(status, steeredRun{run.RunID, core.WordsOf(run.State).Workflows})
	}
}

// deleteRun deletes a finished run with its history: 204; an open one is fault.Conflict run_open.
// If-Match names the number of its last event. It is checked before the deletion, not within it:
// a run that is resumed in between is open, and is not deleted.
func (h *handlers) deleteRun(c *core.Call) error {
	id := c.Param("run_id")
	// Without If-Match the read is not needed.
	if c.IfMatch != nil {
		run, err := h.Executor.Run(c.Ctx(), c.TenantID(), id)
		if err != nil {
			return err
		}
		if !c.IfMatch.Allows(run.Seq) {
			return fault.New(fault.Precondition, "precondition_failed",
				"The run has moved on since you read it; read it again.").
				With("current_version", run.Seq).With("current_etag", core.ETag(run.Seq))
		}
	}
	if err := h.Executor.Delete(c.Ctx(), c.TenantID(), id); err != nil {
		return err
	}
	return c.ReplyStatus(http.StatusNoContent)
}
