package api

import (
	"context"
	"encoding/json"
	"errors"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/fault"
	"heddle/idempotency"
	"net/http"
	"slices"
	"strings"
)

// startRun asks for a run.
type startRun struct {
	InputData json.RawMessage `json:"input_data,omitempty" doc:"An empty object unless given."`
	Trigger   string          `json:"trigger,omitempty" enum:"manual,api,schedule,webhook,event" doc:"Default manual."`
	Version   versionRef      `json:"version,omitempty"`
}

type startedRun struct {
	RunID string `json:"run_id"`
}

type steeredRun struct {
	RunID  string `json:"run_id"`
	Status string `json:"status" words:"workflows"`
}

// versionRef names a version: 3, "3", "v3" or a label; "" is the active one.
type versionRef string

// UnmarshalJSON takes a whole number or text.
func (v *versionRef) UnmarshalJSON(text []byte) error {
	s := string(text)
	switch {
	case s == "null" || s == `""`:
		return nil
	case text[0] == '"':
		if err := json.Unmarshal(text, &s); err != nil {
			return err
		}
	case strings.Trim(s, "0123456789") != "": // as in 3.0
		whole, ok := wholeNumber(s)
		if !ok || whole[0] == '-' {
			return errVersionRef
		}
		s = whole
	}
	if !validRef(s) {
		return errVersionRef
	}
	*v = versionRef(s)
	return nil
}

var errVersionRef = errors.New("a version is a number from 1, such as 3, \"3\" or \"v3\", or a label")

func (h *Handler) startRun(c *call, req startRun) error {
	ref, err := c.param("id")
	if err != nil {
		return err
	}
	if req.Trigger == "" {
		req.Trigger = "manual"
	}
	if !slices.Contains([]string{"manual", "api", "schedule", "webhook", "event"}, req.Trigger) {
		return fault.New(fault.Unacceptable, "invalid_trigger",
			"trigger must be manual, api, schedule, webhook or event, not %q.", truncate(req.Trigger))
	}
	return c.idempotent(func(o *creation) error {
		_, err := h.cfg.Executor.Start(c.ctx(), executor.StartRequest{
			TenantID: c.tenantID(), Workflow: ref, Version: string(req.Version), Trigger: req.Trigger,
			Input: req.InputData, Trace: traceOf(c.r),
			Keep: func(run executor.Record) *idempotency.Answer {
				header := map[string]string{"Location": workflowsBase + "/runs/" + run.RunID}
				return o.answer(http.StatusAccepted, header, startedRun{run.RunID})
			},
		})
		return err
	})
}

// runSummary is a run in a list.
type runSummary struct {
	ID              string     `json:"id"`
	WorkflowID      string     `json:"workflow_id"`
	Version         int        `json:"version"`
	DefinitionHash  string     `json:"definition_hash"`
	Status          string     `json:"status" words:"workflows"`
	Trigger         string     `json:"trigger"`
	Error           *failure   `json:"error"`
	CreatedAt       timestamp  `json:"created_at"`
	StartedAt       *timestamp `json:"started_at"`
	CompletedAt     *timestamp `json:"completed_at"`
	DurationSeconds *float64   `json:"duration_seconds" doc:"From start to end; null until it has ended."`
	authors
}

// failure is a run's or a step's error.
type failure struct {
	Code    string         `json:"code"`
	Message string         `json:"message"`
	Details map[string]any `json:"details,omitempty"`
}

func failureOf(e *machine.Error) *failure {
	if e == nil {
		return nil
	}
	return &failure{e.Code, e.Message, e.Details}
}

type runList struct {
	Runs       []runSummary `json:"runs"`
	Total      *int         `json:"total,omitempty" doc:"Left out with a cursor."`
	NextCursor *string      `json:"next_cursor" doc:"Null on the last page."`
}

func runSummaryOf(r executor.Record) runSummary {
	return runSummary{
		ID: r.RunID, WorkflowID: r.WorkflowID, Version: r.Version, DefinitionHash: r.Hash,
		Status: wordsOf(r.State).workflows, Trigger: r.Trigger, Error: failureOf(r.Error),
		CreatedAt: timestamp(r.CreatedAt), StartedAt: timestampOrNil(r.StartedAt), CompletedAt: timestampOrNil(r.CompletedAt),
		DurationSeconds: seconds(r.StartedAt, r.CompletedAt), authors: authorsOf(r),
	}
}

func (h *Handler) listRuns(c *call) error {
	ref, err := c.param("id")
	if err != nil {
		return err
	}
	q, p, err := c.pageQuery()
	if err != nil {
		return err
	}
	var states []machine.State
	if word := q.Get("status"); word != "" {
		if states = statesOf(word, inWorkflows); states == nil {
			return malformed("status must be one of %s, not %q.", strings.Join(vocabulary(inWorkflows), ", "), truncate(word))
		}
	}
	w, err := h.cfg.Definitions.Get(c.ctx(), c.tenantID(), ref)
	if err != nil {
		return err
	}
	found, err := h.cfg.Executor.Runs(c.ctx(), executor.RunQuery{
		TenantID: c.tenantID(), WorkflowID: w.ID, States: states,
		Limit: p.limit, Offset: p.offset, Cursor: p.cursor, WantTotal: p.wantTotal(),
	})
	if err != nil {
		return err
	}
	list := runList{
		Runs:  make([]runSummary, len(found.Runs)),
		Total: totalOrNothing(found.Total, p.wantTotal()), NextCursor: textOrNull(found.Next),
	}
	for i, r := range found.Runs {
		list.Runs[i] = runSummaryOf(r)
	}
	return c.reply(http.StatusOK, list)
}

func (h *Handler) getRunDefinition(c *call) error {
	id, err := c.param("run_id")
	if err != nil {
		return err
	}
	text, run, err := h.cfg.Executor.Definition(c.ctx(), c.tenantID(), id)
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, ranDefinition{run.RunID, run.WorkflowID, run.Version, run.Hash, text})
}

// ranDefinition is what a run runs.
type ranDefinition struct {
	RunID          string          `json:"run_id"`
	WorkflowID     string          `json:"workflow_id"`
	Version        int             `json:"version"`
	DefinitionHash string          `json:"definition_hash"`
	Definition     json.RawMessage `json:"definition" kind:"object"`
}

// steer makes a handler of one that moves a run to another state.
func (h *Handler) steer(status int, do func(ctx context.Context, tenantID, runID string) (executor.Record, error)) func(*call, because) error {
	return func(c *call, _ because) error {
		id, err := c.param("run_id")
		if err != nil {
			return err
		}
		run, err := do(c.ctx(), c.tenantID(), id)
		if err != nil {
			return err
		}
		return c.reply(status, steeredRun{run.RunID, wordsOf(run.State).workflows})
	}
}

func (h *Handler) deleteRun(c *call) error {
	id, err := c.param("run_id")
	if err != nil {
		return err
	}
	match, err := c.ifMatch()
	if err != nil {
		return err
	}
	if match != nil {
		run, err := h.cfg.Executor.Run(c.ctx(), c.tenantID(), id)
		if err != nil {
			return err
		}
		if !match.Allows(run.Seq) {
			return fault.New(fault.Precondition, "precondition_failed",
				"The run has moved on since you read it; read it again.").
				With("current_version", run.Seq).With("current_etag", etag(run.Seq))
		}
	}
	if err := h.cfg.Executor.Delete(c.ctx(), c.tenantID(), id); err != nil {
		return err
	}
	return c.replyStatus(http.StatusNoContent)
}
