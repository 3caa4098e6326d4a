package workflows

import (
	"encoding/json"
	"heddle/api/core"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/internal/elements"
	"net/http"
)

// runAnswer is the answer that holds one run.
type runAnswer struct {
	Run runBody `json:"run"`
}

// runBody is a run with its input, output and steps. Output is null until it has completed.
type runBody struct {
	runSummary
	// Input and Output are as they were stored; a value above 1 MiB is a reference to a blob.
	Input  json.RawMessage `json:"input"`
	Output json.RawMessage `json:"output"`
	// Queue is set of a queued run alone.
	Queue *core.QueuePlace `json:"queue,omitempty" doc:"Of a queued run: how it waits for its turn."`
	// Versions has one entry unless the run went on with another version.
	Versions []ranVersion `json:"versions" doc:"All that the run ran on, oldest first."`
	// StepRuns holds a loop as one step; its iterations are a list of their own.
	StepRuns []stepRun `json:"step_runs" doc:"Steps that started or were skipped, in execution order."`
}

// stepRun is one step of a run, in a loop's case as a whole. Attempt is the last one; Fallback
// names the step whose output stands for this one's. Times are null until they are reached.
type stepRun struct {
	StepID string `json:"step_id"`
	// Type is the step's in the version that the run is on.
	Type string `json:"type"`
	// Status is the step's own, in the words of the definition and not of the dialect.
	Status string `json:"status" enum:"pending,running,waiting,retrying,completed,failed,skipped,cancelled"`
	// Attempt counts from 1, those that a crash cut off included; 0: none yet.
	Attempt int `json:"attempt"`
	// Output is null until the step has completed.
	Output      json.RawMessage `json:"output"`
	Error       *core.Failure   `json:"error"`
	StartedAt   *core.Timestamp `json:"started_at"`
	CompletedAt *core.Timestamp `json:"completed_at"`
	// DurationSeconds is from the first start to the end, waits and retries included.
	DurationSeconds *float64 `json:"duration_seconds"`
	// Fallback names the step that ran in this one's place.
	Fallback string `json:"fallback,omitempty"`
	Handler  string `json:"handler,omitempty" doc:"on_failure or finally; absent for a main step."`
	// NextAttemptAt is when a retry is due; left out unless one is.
	NextAttemptAt *core.Timestamp `json:"next_attempt_at,omitempty"`
	Wait          *core.OpenWait  `json:"wait,omitempty"`
	// Tokens and CostMicroUSD (millionths of a US dollar) are over all attempts of an agent.
	Tokens       int64 `json:"tokens,omitempty"`
	CostMicroUSD int64 `json:"cost_micro_usd,omitempty"`
	// ToolCalls are those of an agent's step.
	ToolCalls []core.ToolCall `json:"tool_calls,omitempty" doc:"What an agent called, over all attempts; left out of runs with more than 10,000 events, whose history has it."`
	// Iterations are counted for a loop alone.
	Iterations *iterations `json:"iterations,omitempty"`
}

// iterations counts the iterations of a loop; Total is null until it is known, as in a loop with
// a condition.
type iterations struct {
	// Total is null until it is known.
	Total *int `json:"total"`
	// Started counts those that have begun, ended ones included.
	Started   int `json:"started"`
	Completed int `json:"completed"`
	Failed    int `json:"failed"`
}

// getRun returns a run. Its ETag is the number of its last event, so that a client that polls is
// answered 304 while nothing happens.
// With view=summary it is without its steps, and read without them.
func (h *handlers) getRun(c *core.Call) error {
	q, err := c.Query()
	if err != nil {
		return err
	}
	switch view := q.Get("view"); view {
	case "", "full":
	case "summary":
		return h.getSummary(c)
	default:
		return core.Malformed("view must be full or summary, not %q.", core.Truncate(view))
	}
	view, err := h.Executor.Get(c.Ctx(), c.TenantID(), c.Param("run_id"))
	if err != nil {
		return err
	}
	// The place in the queue changes without an event, so that it has no ETag.
	if view.Queue == nil && c.SetETag(view.Seq) {
		return c.ReplyStatus(http.StatusNotModified)
	}
	return c.Reply(http.StatusOK, runAnswer{runBodyOf(c, view)})
}

// runBodyOf returns a run as this dialect shows it. Its values are shared with v, not copied.
func runBodyOf(c *core.Call, v executor.View) runBody {
	b := runBody{
		runSummary: runSummaryOf(c, v.Record), Input: v.Input, Output: v.Output, Queue: core.QueuePlaceOf(v.Queue), Versions: versionsOf(v.Record),
		StepRuns: elements.Map(v.Steps, stepRunOf),
	}
	return b
}

// stepRunOf returns a step as this dialect shows it, also that of a dry run.
func stepRunOf(s machine.StepRun) stepRun {
	r := stepRun{
		StepID: s.StepID, Type: s.Type, Status: string(s.Status), Attempt: s.Attempt,
		Output: s.Output, Error: core.FailureOf(s.Error),
		StartedAt: core.TimestampOrNil(s.StartedAt), CompletedAt: core.TimestampOrNil(s.CompletedAt),
		DurationSeconds: core.Seconds(s.StartedAt, s.CompletedAt),
		Fallback:        s.Fallback, Handler: s.Handler, NextAttemptAt: core.TimestampOrNil(s.NextAttemptAt),
		Tokens: s.Usage.Tokens, CostMicroUSD: s.Usage.CostMicroUSD, ToolCalls: core.ToolCallsOf(s.Usage),
	}
	if w := s.Wait; w != nil {
		r.Wait = core.WaitOf(*w)
	}
	if n := s.Iterations; n != nil {
		r.Iterations = &iterations{Started: n.Started, Completed: n.Completed, Failed: n.Failed}
		// The executor has -1 for a total that it does not know.
		if n.Total >= 0 {
			r.Iterations.Total = &n.Total
		}
	}
	return r
}
