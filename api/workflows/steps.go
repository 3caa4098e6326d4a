package workflows

import (
	"encoding/json"
	"heddle/api/core"
	"heddle/executor"
	"heddle/executor/machine"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// listedStep is one step of a run's list of steps, started or not.
type listedStep struct {
	StepID string `json:"step_id"`
	Name   string `json:"name" doc:"The step's id where it has no name."`
	Type   string `json:"type"`
	// Status is the step's own, in the words of the definition and not of the dialect.
	Status      string `json:"status" enum:"pending,running,waiting,retrying,completed,failed,skipped,cancelled"`
	Attempt     int    `json:"attempt" doc:"The last one; 0 before the first."`
	MaxAttempts int    `json:"max_attempts"`
	// Generation is part of the idempotency key.
	Generation      int             `json:"generation" doc:"How often it was run again on purpose."`
	Iteration       string          `json:"iteration,omitempty" doc:"In a loop body: each[3] or each[3].inner[0]."`
	StartedAt       *core.Timestamp `json:"started_at"`
	CompletedAt     *core.Timestamp `json:"completed_at"`
	DurationSeconds *float64        `json:"duration_seconds"`
	NextAttemptAt   *core.Timestamp `json:"next_attempt_at,omitempty"`
	Error           *core.Failure   `json:"error"`
	Wait            *stepWait       `json:"wait,omitempty"`
	Fallback        string          `json:"fallback,omitempty" doc:"The step that ran in its place."`
	Handler         string          `json:"handler,omitempty" doc:"on_failure or finally; absent for a main step."`
	Iterations      *iterations     `json:"iterations,omitempty"`
	Waiting         bool            `json:"waiting,omitempty" doc:"Of a running loop: nothing of it is in flight, and a wait or a retry in it is pending."`
	// OutputBytes is of the content, where that is stored apart.
	OutputBytes int64  `json:"output_bytes" doc:"0 without an output."`
	OutputHead  string `json:"output_head,omitempty" doc:"With output=head: the first 256 bytes of the output's JSON."`
	// Seq is 0 where it is not known.
	Seq int64 `json:"seq,omitempty" doc:"The last event of the step, or of its iterations; left out where it is not known."`
}

// stepWait is an open wait, and how to answer it.
type stepWait struct {
	core.OpenWait
	Prompt string          `json:"prompt,omitempty"`
	Schema json.RawMessage `json:"schema,omitempty"`
}

// stepList is a page of a run's steps.
type stepList struct {
	Seq   int64        `json:"seq" doc:"The run's last event that the page knows of: changed_after of the next read is that of the first page."`
	Steps []listedStep `json:"steps" doc:"In the order of the definition, handlers last."`
	// NextCursor is an index.
	NextCursor *string `json:"next_cursor" doc:"Null on the last page."`
}

// stepAttempt is one attempt of a step.
type stepAttempt struct {
	Attempt         int             `json:"attempt"`
	Generation      int             `json:"generation" doc:"How often the step had been run again on purpose; part of the idempotency key."`
	Status          string          `json:"status" enum:"running,waiting,completed,failed,interrupted,cancelled"`
	Interrupted     bool            `json:"interrupted" doc:"A crash cut it off."`
	StartedAt       *core.Timestamp `json:"started_at"`
	CompletedAt     *core.Timestamp `json:"completed_at"`
	DurationSeconds *float64        `json:"duration_seconds"`
	Output          json.RawMessage `json:"output"`
	Error           *core.Failure   `json:"error"`
	Tokens          int64           `json:"tokens"`
	CostMicroUSD    int64           `json:"cost_micro_usd"`
	ToolCalls       []core.ToolCall `json:"tool_calls,omitempty"`
	RenderedInput   json.RawMessage `json:"rendered_input" doc:"The config as its templates rendered it, without secrets and credentials; above 64 KiB a reference to a blob. Null where it is not kept (retention of the definition)."`
}

// stepAnswer is the answer that holds one step of a run.
type stepAnswer struct {
	Seq  int64        `json:"seq" doc:"The run's last event that the answer knows of."`
	Step attemptsStep `json:"step"`
}

// attemptsStep is a step with its output and its attempts.
type attemptsStep struct {
	listedStep
	Output   json.RawMessage `json:"output"`
	Attempts []stepAttempt   `json:"attempts" doc:"In their order; none of a step that was skipped or has not started."`
}

// headBytes is how much of an output a list shows.
const headBytes = 256

// stepStatuses are the words of the filter by status.
var stepStatuses = []string{"pending", "running", "waiting", "retrying", "completed", "failed", "skipped", "cancelled"}

// stepFilterParams returns the filters of a run's list of steps.
func stepFilterParams() []core.Param {
	return []core.Param{
		{Name: "status", Description: "Only steps in this state, or in one of several with commas between them: " + strings.Join(stepStatuses, ", ") + "."},
		{Name: "type", Description: "Only steps of this type, or of one of several with commas between them."},
		{Name: "q", Description: "Only steps with this text in their id or name, whatever the case."},
		{Name: "parent", Description: "The steps that began in the open iterations of this loop, in place of the top-level steps."},
		{Name: "changed_after", JSONType: "integer", Description: "Only steps that have changed with an event behind this one."},
		{Name: "output", Enum: []string{"none", "head"}, Description: "none, the default, leaves outputs out; head shows their beginning."},
	}
}

// listSteps lists a run's steps, pending ones included.
func (h *handlers) listSteps(c *core.Call) error {
	q, p, err := c.PageQuery()
	if err != nil {
		return err
	}
	query, err := stepQuery(q)
	if err != nil {
		return err
	}
	query.Limit, query.Cursor = p.Limit, p.Cursor
	page, err := h.Executor.Steps(c.Ctx(), c.TenantID(), c.Param("run_id"), query)
	if err != nil {
		return err
	}
	list := stepList{Seq: page.Seq, Steps: make([]listedStep, len(page.Steps)), NextCursor: core.TextOrNull(page.Next)}
	for i, s := range page.Steps {
		list.Steps[i] = listedStepOf(s, q.Get("output") == "head")
	}
	return c.Reply(http.StatusOK, list)
}

// maxStepTypes bounds how many types a list of steps is filtered by.
const maxStepTypes = 20

// stepQuery reads the filters of a list of steps. A value that cannot be is fault.Malformed
// invalid_request.
func stepQuery(q url.Values) (query executor.StepQuery, err error) {
	words, err := core.ListParam(q, "status", len(stepStatuses), stepStatuses)
	if err != nil {
		return query, err
	}
	for _, word := range words {
		query.Statuses = append(query.Statuses, machine.StepStatus(word))
	}
	if query.Types, err = core.ListParam(q, "type", maxStepTypes, nil); err != nil {
		return query, err
	}
	if output := q.Get("output"); !slices.Contains([]string{"", "none", "head"}, output) {
		return query, core.Malformed("output must be none or head, not %q.", core.Truncate(output))
	}
	query.Text, query.Parent, query.ChangedAfter = q.Get("q"), q.Get("parent"), -1
	if q.Has("changed_after") {
		seq, ok := core.ParseEventID(q.Get("changed_after"))
		if !ok {
			return query, core.Malformed("changed_after must be the number of an event, not %q.", core.Truncate(q.Get("changed_after")))
		}
		query.ChangedAfter = seq
	}
	return query, nil
}

// getStep answers one step with all of its attempts.
func (h *handlers) getStep(c *core.Call) error {
	q, err := c.Query()
	if err != nil {
		return err
	}
	d, err := h.Executor.Step(c.Ctx(), c.TenantID(), c.Param("run_id"), machine.Ref{StepID: c.Param("step_id"), Iteration: q.Get("iteration")})
	if err != nil {
		return err
	}
	step := attemptsStep{listedStepOf(d.StepView, false), d.Output, make([]stepAttempt, len(d.Attempts))}
	for i, a := range d.Attempts {
		step.Attempts[i] = stepAttempt{
			Attempt: a.Number, Status: a.Status, Interrupted: a.Status == "interrupted", StartedAt: core.TimestampOrNil(a.StartedAt), CompletedAt: core.TimestampOrNil(a.CompletedAt),
			DurationSeconds: core.Seconds(a.StartedAt, a.CompletedAt), Output: a.Output, Error: core.FailureOf(a.Error),
			Tokens: a.Usage.Tokens, CostMicroUSD: a.Usage.CostMicroUSD, ToolCalls: core.ToolCallsOf(a.Usage),
			Generation: a.Generation, RenderedInput: a.Rendered,
		}
	}
	return c.Reply(http.StatusOK, stepAnswer{d.Seq, step})
}

// listedStepOf returns a step as lists show it, with the beginning of its output where head is set.
func listedStepOf(s machine.StepView, head bool) listedStep {
	r := stepRunOf(s.StepRun)
	l := listedStep{
		StepID: r.StepID, Name: s.Name, Type: r.Type, Status: r.Status, Attempt: r.Attempt, MaxAttempts: s.MaxAttempts, Generation: s.Generation,
		Iteration: s.Iteration, StartedAt: r.StartedAt, CompletedAt: r.CompletedAt, DurationSeconds: r.DurationSeconds, NextAttemptAt: r.NextAttemptAt,
		Error: r.Error, Fallback: r.Fallback, Handler: r.Handler, Iterations: r.Iterations, Waiting: s.Waiting, OutputBytes: int64(len(s.Output)), Seq: s.LastSeq,
	}
	if ref, apart := machine.ParseReference(s.Output); apart {
		l.OutputBytes = ref.Size
	}
	if head {
		l.OutputHead = string(s.Output)
		if len(l.OutputHead) > headBytes {
			l.OutputHead = l.OutputHead[:headBytes]
			for !utf8.ValidString(l.OutputHead) {
				l.OutputHead = l.OutputHead[:len(l.OutputHead)-1]
			}
		}
	}
	if w := s.Wait; w != nil {
		l.Wait = &stepWait{OpenWait: *core.WaitOf(*w), Prompt: w.Prompt, Schema: w.Schema}
	}
	return l
}
