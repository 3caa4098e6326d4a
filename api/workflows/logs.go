package workflows

import (
	"encoding/json"
	"fmt"
	"heddle/access"
	"heddle/api/core"
	"heddle/executor"
	"heddle/internal/elements"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode"
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
	NextCursor *string   `json:"next_cursor" doc:"Null on the last page; with tail or from=end always set: what comes later is behind it."`
}

// logRoutes returns the routes by which the lines of steps are read.
func (h *handlers) logRoutes() []core.Route {
	return []core.Route{
		core.Route{
			Method: http.MethodGet, Path: core.WorkflowsBase + "/runs/{run_id}/logs", ID: "listRunLogs", Tag: "runs",
			Summary: "List what a run's steps said, in the order in which it was kept", Action: access.View, On: core.OnRun,
			LongRunning: true, Query: []core.Param{
				{Name: "step_id", Description: "One step's lines."},
				{Name: "iteration", Description: "One iteration's lines: each[3]."},
				{Name: "attempt", JSONType: "integer", Description: "Lines of the attempts of this number, from 1."},
				{Name: "level", Enum: core.LogLevels(), Description: "Lines of exactly this level."},
				{Name: "category", Description: "stdout, stderr, agent, tool or heddle."},
				{Name: "q", Description: "Lines that hold this text, whatever the case; a page of them may be short before the last."},
				{Name: "order", Enum: []string{"asc", "desc"}, Description: "Oldest first (asc) unless given."},
				{Name: "tail", JSONType: "boolean", Description: "Set next_cursor on the last page too, so that lines which come later can be read behind it."},
				{Name: "from", Enum: []string{"end"}, Description: "end: the last lines, oldest first, and then as tail does. Excludes cursor and order=desc."},
				{Name: "format", Enum: []string{"json", "text"}, Description: "text: all lines that match as plain text to download, one each; it has no pages."},
				{Name: "limit", JSONType: "integer", Description: "From 1 to 1,000; 50 without it."},
				{Name: "cursor", Description: "The next_cursor of the page before."},
			},
			Answers: []core.Answer{{Status: http.StatusOK, Body: logList{}, AlsoText: "text/plain"}}, Codes: []string{"run_not_found"},
		}.Handle(core.NoBody(h.listRunLogs)),
		core.Route{
			Method: http.MethodGet, Path: core.WorkflowsBase + "/runs/{run_id}/logs/stream", ID: "streamRunLogs", LongRunning: true, Tag: "runs",
			Summary: "Follow what a run's steps say, until the run ends", Action: access.View, On: core.OnRun,
			Query: []core.Param{
				{Name: "step_id", Description: "One step's lines."},
				{Name: "level", Enum: core.LogLevels(), Description: "Lines of exactly this level."},
				{Name: "after", Description: "Only what comes behind the line of this id, whether it matches or not; a Last-Event-ID wins over it."},
			},
			Answers: []core.Answer{
				{
					Status: http.StatusOK, Body: logLine{}, Media: "text/event-stream",
					Description: "Frames log, with the line's id, whose data is a line; the last one is end: {run_id, status}. With Last-Event-ID, what comes after it.",
				},
				{Status: http.StatusNoContent, Description: "The run is finished, and nothing comes behind Last-Event-ID."},
			}, Codes: []string{"run_not_found", "invalid_last_event_id", "quota_exceeded"},
		}.Handle(core.NoBody(h.streamRunLogs)),
	}
}

// listRunLogs lists the lines that match all filters, in the order in which they were stored, or
// the reverse; or sends all of them as text. An unknown level, order, from, format or cursor, and
// what excludes one another, are fault.Malformed invalid_request.
func (h *handlers) listRunLogs(c *core.Call) error {
	q, p, err := c.PageQueryUpTo(maxLogLimit)
	if err != nil {
		return err
	}
	ask, err := logQueryOf(q, p)
	if err != nil {
		return err
	}
	ask.RunID = c.Param("run_id")
	if q.Get("format") == "text" {
		return h.downloadLogs(c, ask)
	}
	found, err := h.Executor.Logs(c.Ctx(), c.TenantID(), ask)
	if err != nil {
		return err
	}
	return c.Reply(http.StatusOK, logList{Logs: elements.Map(found.Logs, logLineOf), NextCursor: core.TextOrNull(found.Next)})
}

// maxLogLimit is how many lines a page holds at most.
const maxLogLimit = 1000

// logQueryOf reads the filters and the page of a query string; RunID is the caller's to set. The
// error is fault.Malformed invalid_request.
func logQueryOf(q url.Values, p core.Page) (executor.LogQuery, error) {
	ask := executor.LogQuery{
		StepID: q.Get("step_id"), Iteration: q.Get("iteration"), Level: q.Get("level"), Category: q.Get("category"), Contains: q.Get("q"),
		Newest: q.Get("order") == "desc", FromEnd: q.Get("from") == "end", Limit: p.Limit, Cursor: p.Cursor,
	}
	var err error
	// 0 stands for every attempt and cannot be requested.
	if ask.Attempt, err = core.IntParam(q, "attempt", 0, 1, 1_000_000); err != nil {
		return ask, err
	}
	if ask.Tail, err = core.BoolParam(q, "tail"); err != nil {
		return ask, err
	}
	for _, known := range []struct {
		name  string
		words []string
	}{{"level", core.LogLevels()}, {"order", []string{"asc", "desc"}}, {"from", []string{"end"}}, {"format", []string{"json", "text"}}} {
		if v := q.Get(known.name); v != "" && !slices.Contains(known.words, v) {
			return ask, core.Malformed("%s must be %s, not %q.", known.name, strings.Join(known.words, " or "), core.Truncate(v))
		}
	}
	switch {
	case ask.FromEnd && (ask.Newest || ask.Cursor != ""):
		return ask, core.Malformed("from=end begins with the last lines, oldest first; leave out order=desc and cursor.")
	case ask.Tail && ask.Newest:
		return ask, core.Malformed("tail waits for what comes later, so that it excludes order=desc.")
	case q.Get("format") == "text" && (ask.Tail || ask.FromEnd || ask.Cursor != "" || q.Has("limit")):
		return ask, core.Malformed("format=text sends all lines that match; leave out tail, from, limit and cursor.")
	}
	return ask, nil
}

// logLineOf returns a line as lists show it.
func logLineOf(l executor.Log) logLine {
	return logLine{l.ID, l.StepID, core.TextOrNull(l.Iteration), l.Attempt, l.Level, l.Category, l.Message, l.Data, core.Timestamp(l.At)}
}

// downloadLogs sends all lines of a query as text/plain, to be saved as a file. It reads page by
// page, and a line that comes meanwhile may be in it.
func (h *handlers) downloadLogs(c *core.Call, ask executor.LogQuery) error {
	ask.Limit = maxLogLimit
	// The first page is read before the answer begins: an unknown run is 404.
	page, err := h.Executor.Logs(c.Ctx(), c.TenantID(), ask)
	if err != nil {
		return err
	}
	c.Writer.Header().Set("Content-Disposition", `attachment; filename="`+ask.RunID+`.log"`)
	if c.Request.Method == http.MethodHead {
		c.Writer.Header().Set("Content-Type", plainText)
		return c.ReplyStatus(http.StatusOK)
	}
	return c.StreamText(plainText, func(out io.Writer, _ func() error) error {
		for {
			for _, l := range page.Logs {
				if _, err := io.WriteString(out, textOf(l)); err != nil {
					return err
				}
			}
			if page.Next == "" {
				return nil
			}
			ask.Cursor = page.Next
			if page, err = h.Executor.Logs(c.Ctx(), c.TenantID(), ask); err != nil {
				return err
			}
		}
	})
}

// plainText is the media type of a download of lines.
const plainText = "text/plain; charset=utf-8"

// textOf returns a line as a download has it: when, level, step with iteration and attempt,
// category, message. Control characters within a message, which would make it look like several
// lines or move a terminal's cursor, are replaced by U+FFFD.
func textOf(l executor.Log) string {
	step := l.StepID
	if l.Iteration != "" {
		step = l.Iteration + "." + step
	}
	message := strings.Map(func(r rune) rune {
		if r != '\t' && unicode.IsControl(r) {
			return '\uFFFD'
		}
		return r
	}, l.Message)
	return fmt.Sprintf("%s %-5s %s#%d %s: %s\n", l.At.UTC().Format("2006-01-02T15:04:05.000Z"), l.Level, step, l.Attempt, l.Category, message)
}
