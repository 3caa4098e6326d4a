package api

import (
	"encoding/json"
	"heddle/access"
	"heddle/executor"
	"net/http"
	"slices"
)

// logLine is one line that a step said.
type logLine struct {
	ID        string          `json:"id"`
	StepID    string          `json:"step_id"`
	Iteration *string         `json:"iteration" doc:"The loop iteration's path; null outside of loops."`
	Attempt   int             `json:"attempt"`
	Level     string          `json:"level" enum:"debug,info,warn,error"`
	Category  string          `json:"category" doc:"Where it comes from: stdout, stderr, agent, tool, heddle."`
	Message   string          `json:"message" doc:"Without secrets, cut at 8 KiB."`
	Data      json.RawMessage `json:"data"`
	At        timestamp       `json:"at"`
}

type logList struct {
	Logs       []logLine `json:"logs"`
	NextCursor *string   `json:"next_cursor" doc:"Null on the last page; lines that come later are behind the last one's cursor."`
}

func logLevels() []string {
	return []string{executor.LogDebug, executor.LogInfo, executor.LogWarn, executor.LogError}
}

// logsTable is how what steps said is read.
func (h *Handler) logsTable() []route {
	return []route{
		route{
			method: http.MethodGet, path: workflowsBase + "/runs/{run_id}/logs", id: "listRunLogs", tag: "runs",
			summary: "List what a run's steps said, in the order in which it was kept", action: access.View, on: onRun,
			query: append([]param{
				{name: "step_id", description: "One step's lines."},
				{name: "iteration", description: "One iteration's lines: each[3]."},
				{name: "attempt", jsonType: "integer", description: "Lines of the attempts of this number, from 1."},
				{name: "level", enum: logLevels(), description: "Lines of exactly this level."},
				{name: "category", description: "stdout, stderr, agent, tool or heddle."},
				{name: "order", enum: []string{"asc", "desc"}, description: "Oldest first (asc) unless given."},
			}, cursorPaging()...),
			answers: ok(logList{}), codes: []string{"run_not_found"},
		}.handle(noBody(h.listRunLogs)),
	}
}

func (h *Handler) listRunLogs(c *call) error {
	runID, err := c.param("run_id")
	if err != nil {
		return err
	}
	q, p, err := c.pageQuery()
	if err != nil {
		return err
	}
	attempt, err := intParam(q, "attempt", 0, 1, 1_000_000)
	if err != nil {
		return err
	}
	level, order := q.Get("level"), q.Get("order")
	if level != "" && !slices.Contains(logLevels(), level) {
		return malformed("level must be debug, info, warn or error, not %q.", truncate(level))
	}
	if !slices.Contains([]string{"", "asc", "desc"}, order) {
		return malformed("order must be asc or desc, not %q.", truncate(order))
	}
	found, err := h.cfg.Executor.Logs(c.ctx(), c.tenantID(), executor.LogQuery{
		RunID: runID, StepID: q.Get("step_id"), Iteration: q.Get("iteration"), Attempt: attempt,
		Level: level, Category: q.Get("category"), Newest: order == "desc", Limit: p.limit, Cursor: p.cursor,
	})
	if err != nil {
		return err
	}
	list := logList{Logs: make([]logLine, len(found.Logs)), NextCursor: textOrNull(found.Next)}
	for i, l := range found.Logs {
		list.Logs[i] = logLine{l.ID, l.StepID, textOrNull(l.Iteration), l.Attempt, l.Level, l.Category, l.Message, l.Data, timestamp(l.At)}
	}
	return c.reply(http.StatusOK, list)
}
