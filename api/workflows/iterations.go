package workflows

import (
	"encoding/json"
	"heddle/api/core"
	"heddle/executor"
	"heddle/executor/machine"
	"net/http"
	"slices"
)

// iterationRun is one iteration of a loop. CompletedAt is when it ended, however it did.
type iterationRun struct {
	Iteration string `json:"iteration" doc:"Its path: each[3] or each[3].inner[0]."`
	Status    string `json:"status" enum:"running,completed,failed"`
	Waiting   bool   `json:"waiting,omitempty" doc:"Of a running one: nothing of it is in flight, and a wait or a retry is pending."`
	// Result is what the loop collects of it, and null while it runs.
	Result json.RawMessage `json:"result" doc:"The value of collect; null without it."`
	// Error is why it failed; null otherwise.
	Error *core.Failure `json:"error"`
	// StartedAt and CompletedAt are null until they are reached.
	StartedAt       *core.Timestamp `json:"started_at"`
	CompletedAt     *core.Timestamp `json:"completed_at"`
	DurationSeconds *float64        `json:"duration_seconds"`
}

// iterationList is a page of a loop's iterations.
type iterationList struct {
	Iterations []iterationRun `json:"iterations" doc:"A page may be short although more follow."`
	// NextCursor goes on in the journal, wherever the page stopped.
	NextCursor *string `json:"next_cursor" doc:"Null on the last page."`
}

// listIterations lists a loop's iterations: the ended ones in the order in which they ended, then
// those that run. It reads a part of the run's journal per page, so that a page may hold fewer
// than its limit although more follow. A step that is not a loop is fault.NotFound
// step_not_found.
func (h *handlers) listIterations(c *core.Call) error {
	// An offset is refused before: the route has none.
	q, p, err := c.PageQuery()
	if err != nil {
		return err
	}
	status := q.Get("status")
	if !slices.Contains([]string{"", "running", "waiting", "completed", "failed"}, status) {
		return core.Malformed("status must be running, waiting, completed or failed, not %q.", core.Truncate(status))
	}
	found, err := h.Executor.Iterations(c.Ctx(), c.TenantID(), c.Param("run_id"), executor.IterationQuery{
		StepID: c.Param("step_id"), Status: machine.StepStatus(status), Limit: p.Limit, Cursor: p.Cursor,
	})
	if err != nil {
		return err
	}
	list := iterationList{Iterations: make([]iterationRun, len(found.Iterations)), NextCursor: core.TextOrNull(found.Next)}
	for i, it := range found.Iterations {
		list.Iterations[i] = iterationRun{
			Iteration: it.Path, Status: string(it.Status), Waiting: it.Waiting, Result: it.Result, Error: core.FailureOf(it.Error),
			StartedAt: core.TimestampOrNil(it.StartedAt), CompletedAt: core.TimestampOrNil(it.CompletedAt), DurationSeconds: core.Seconds(it.StartedAt, it.CompletedAt),
		}
	}
	return c.Reply(http.StatusOK, list)
}
