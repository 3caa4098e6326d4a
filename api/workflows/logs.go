package workflows

import (
	"encoding/json"
	"heddle/access"
	"heddle/api/core"
	"heddle/executor"
	"net/http"
	"slices"
)

// logLine is one line that a step wrote.
type logLine struct {
	ID string `json:"id"`
	// StepID and Iteration name the step that wrote it.
	StepID    string  `json:"step_id"`
	Iteration *string `json:"iteration" doc:"The loop iteration's path; null outside of loops."`
	// Attempt is the number of the step's attempt that wrote it, from 1.
	Attempt  int    `json:"attempt"`
	Level    string `json:"level" enum:"debug,info,warn,error"`
	Category string `json:"category" doc:"Where it comes from: stdout, stderr, agent, tool, heddle."`
	Message  string `json:"message" doc:"Without secrets, cut at 8 KiB."`
	// Data is what the line has beside its message; null: nothing.
	Data json.RawMessage `json:"data"`
	At   core.Timestamp  `json:"at"`
}

// logList is a page of lines, in the order of the query.
type logList struct {
	Logs       []logLine `json:"logs"`
	NextCursor *string   `json:"next_cursor" doc:"Null on the last page; lines that come later are behind the last one's cursor."`
}

// logRoutes returns the route by which the lines of steps are read.
func (h *handlers) logRoutes() []core.Route {
	return []core.Route{
		core.Route{
			Method: http.MethodGet, Path: core.WorkflowsBase + "/runs/{run_id}/logs", ID: "listRunLogs", Tag: "runs",
			Summary: "List what a run's steps said, in the order in which it was kept", Action: access.View, On: core.OnRun,
			Query: append([]core.Param{
				{Name: "step_id", Description: "One step's lines."},
				{Name: "iteration", Description: "One iteration's lines: each[3]."},
				{Name: "attempt", JSONType: "integer", Description: "Lines of the attempts of this number, from 1."},
				{Name: "level", Enum: core.LogLevels(), Description: "Lines of exactly this level."},
				{Name: "category", Description: "stdout, stderr, agent, tool or heddle."},
				{Name: "order", Enum: []string{"asc", "desc"}, Description: "Oldest first (asc) unless given."},
			}, core.CursorPaging()...),
			Answers: core.OK(logList{}), Codes: []string{"run_not_found"},
		}.Handle(core.NoBody(h.listRunLogs)),
	}
}

// listRunLogs lists the lines that match all filters, in the order in which they were stored, or
// the reverse. An unknown level, order or cursor is fault.Malformed invalid_request.
func (h *handlers) listRunLogs(c *core.Call) error {
	q, p, err := c.PageQuery()
	if err != nil {
		return err
	}
	// 0 stands for every attempt and cannot be requested.
	attempt, err := core.IntParam(q, "attempt", 0, 1, 1_000_000)
	if err != nil {
		return err
	}
	level, order := q.Get("level"), q.Get("order")
	if level != "" && !slices.Contains(core.LogLevels(), level) {
		return core.Malformed("level must be debug, info, warn or error, not %q.", core.Truncate(level))
	}
	if !slices.Contains([]string{"", "asc", "desc"}, order) {
		return core.Malformed("order must be asc or desc, not %q.", core.Truncate(order))
	}
	// Attempt 0 is every attempt; the other filters are off when they are "".
	found, err := h.Executor.Logs(c.Ctx(), c.TenantID(), executor.LogQuery{
		RunID: c.Param("run_id"), StepID: q.Get("step_id"), Iteration: q.Get("iteration"), Attempt: attempt,
		Level: level, Category: q.Get("category"), Newest: order == "desc", Limit: p.Limit, Cursor: p.Cursor,
	})
	if err != nil {
		return err
	}
	list := logList{Logs: make([]logLine, len(found.Logs)), NextCursor: core.TextOrNull(found.Next)}
	for i, l := range found.Logs {
		list.Logs[i] = logLine{l.ID, l.StepID, core.TextOrNull(l.Iteration), l.Attempt, l.Level, l.Category, l.Message, l.Data, core.Timestamp(l.At)}
	}
	return c.Reply(http.StatusOK, list)
}
