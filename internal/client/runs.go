package client

import (
	"context"
	"encoding/json"
	"net/http"
)

// Run is a run as GET /api/workflows/runs/{id} shows it. Output and Error are null until it ends.
type Run struct {
	ID string `json:"id"`
	// Status is a word of the workflows dialect.
	Status string          `json:"status"`
	Output json.RawMessage `json:"output"`
	Error  *RunError       `json:"error"`
	// StepRuns holds the steps that started or were skipped, in execution order.
	StepRuns []StepRun `json:"step_runs"`
}

// RunError is why a run or a step failed.
type RunError struct {
	// Code is stable, Message is for people.
	Code    string `json:"code"`
	Message string `json:"message"`
}

// StepRun is one step of a run. Attempt is the last one.
type StepRun struct {
	StepID  string          `json:"step_id"`
	Status  string          `json:"status"`
	Attempt int             `json:"attempt"`
	Output  json.RawMessage `json:"output"`
	// Error is nil unless the step failed.
	Error *RunError `json:"error"`
}

// CreateWorkflow stores a definition (any value that encodes as JSON) under an optional slug,
// active at once, and returns its id. A slug that is taken is an *Error with the code slug_taken.
func (c *Client) CreateWorkflow(ctx context.Context, definition any, slug string) (string, error) {
	// Active at once: its callers start runs next.
	body := map[string]any{"definition": definition, "status": "active"}
	if slug != "" {
		body["slug"] = slug
	}
	var answer struct {
		ID string `json:"id"`
	}
	err := c.Do(ctx, Request{Method: http.MethodPost, Path: "/api/workflows", Body: body}, &answer)
	return answer.ID, err
}

// Start begins a run and returns its id. workflow is an id or slug; a nil input is left out, and
// key is the Idempotency-Key, "" for none.
func (c *Client) Start(ctx context.Context, workflow string, input any, key string) (string, error) {
	body := map[string]any{}
	if input != nil {
		body["input_data"] = input
	}
	var answer struct {
		RunID string `json:"run_id"`
	}
	err := c.Do(ctx, Request{Method: http.MethodPost, Path: "/api/workflows/" + workflow + "/run", Body: body, Key: key}, &answer)
	return answer.RunID, err
}

// Get returns one run with its steps; an *Error with the code run_not_found where there is none.
func (c *Client) Get(ctx context.Context, runID string) (Run, error) {
	var answer struct {
		Run Run `json:"run"`
	}
	err := c.Do(ctx, Request{Method: http.MethodGet, Path: "/api/workflows/runs/" + runID}, &answer)
	return answer.Run, err
}

// Cancel requests that a run stop and returns its status then: it may still be running.
func (c *Client) Cancel(ctx context.Context, runID string) (string, error) {
	var answer struct {
		Status string `json:"status"`
	}
	err := c.Do(ctx, Request{Method: http.MethodPost, Path: "/api/workflows/runs/" + runID + "/cancel"}, &answer)
	return answer.Status, err
}
