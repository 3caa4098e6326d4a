package api

import (
	"encoding/json"
	"heddle/executor"
	"heddle/executor/machine"
	"net/http"
	"slices"
)

// iterationRun is one iteration of a loop.
type iterationRun struct {
	Iteration       string          `json:"iteration" doc:"Its path: each[3] or each[3].inner[0]."`
	Status          string          `json:"status" enum:"running,completed,failed"`
	Result          json.RawMessage `json:"result" doc:"What collect gave; null without it."`
	Error           *failure        `json:"error"`
	StartedAt       *timestamp      `json:"started_at"`
	CompletedAt     *timestamp      `json:"completed_at"`
	DurationSeconds *float64        `json:"duration_seconds"`
}

type iterationList struct {
	Iterations []iterationRun `json:"iterations" doc:"A page may be short although more follow."`
	NextCursor *string        `json:"next_cursor" doc:"Null on the last page."`
}

func (h *Handler) listIterations(c *call) error {
	runID, err := c.param("run_id")
	if err != nil {
		return err
	}
	stepID, err := c.param("step_id")
	if err != nil {
		return err
	}
	q, p, err := c.pageQuery()
	if err != nil {
		return err
	}
	status := q.Get("status")
	if !slices.Contains([]string{"", "running", "completed", "failed"}, status) {
		return malformed("status must be running, completed or failed, not %q.", truncate(status))
	}
	found, err := h.cfg.Executor.Iterations(c.ctx(), c.tenantID(), runID, executor.IterationQuery{
		StepID: stepID, Status: machine.StepStatus(status), Limit: p.limit, Cursor: p.cursor,
	})
	if err != nil {
		return err
	}
	list := iterationList{Iterations: make([]iterationRun, len(found.Iterations)), NextCursor: textOrNull(found.Next)}
	for i, it := range found.Iterations {
		list.Iterations[i] = iterationRun{
			Iteration: it.Path, Status: string(it.Status), Result: it.Result, Error: failureOf(it.Error),
			StartedAt: timestampOrNil(it.StartedAt), CompletedAt: timestampOrNil(it.CompletedAt), DurationSeconds: seconds(it.StartedAt, it.CompletedAt),
		}
	}
	return c.reply(http.StatusOK, list)
}
