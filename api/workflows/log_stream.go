package workflows

import (
	"bytes"
	"context"
	"heddle/access"
	"heddle/api/core"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/fault"
	regexp "heddle/internal/lazyregexp"
	"net/http"
	"slices"
	"strings"
	"time"
)

// logPoll is the time between two looks for lines: what steps say wakes no reader. logPage is how
// many lines of one look a stream holds at most; a slow reader gets the next only then.
const (
	logPoll = time.Second
	logPage = 100
)

// logID is the form of a line's id.
var logID = regexp.MustCompile(`^log_[0-9a-f]{24}$`)

// beforeFirstLine is the id of the end of a stream without a line: it sorts before every line.
const beforeFirstLine = "log_000000000000000000000000"

// logsEnd is the data of the last frame.
type logsEnd struct {
	RunID  string `json:"run_id"`
	Status string `json:"status"`
}

// streamRunLogs sends the lines of a run as they are kept, from the first or behind one on. On a
// node that does not drive runs they come as the other has stored them. A finished run without
// lines behind Last-Event-ID is 204. Errors: fault.NotFound run_not_found, fault.Malformed
// invalid_request and invalid_last_event_id, fault.TooMany quota_exceeded.
func (h *handlers) streamRunLogs(c *core.Call) error {
	ask, err := logStreamQuery(c)
	if err != nil {
		return err
	}
	run, err := h.Executor.RunToFollow(c.Ctx(), c.TenantID(), ask.RunID)
	if err != nil {
		return err
	}
	l := &logStream{logs: h.Executor, tenantID: c.TenantID(), workflowID: run.WorkflowID, ask: ask}
	if ask.After != "" && run.State.Terminal() {
		page, err := h.Executor.Logs(c.Ctx(), c.TenantID(), ask)
		if err != nil {
			return err
		}
		if len(page.Logs) == 0 {
			return c.ReplyStatus(http.StatusNoContent)
		}
	}
	return core.StreamBroadcast(c, func() (core.Broadcast, error) { return l, nil })
}

// logStreamQuery reads the filters of a stream of lines, and where it begins.
func logStreamQuery(c *core.Call) (executor.LogQuery, error) {
	q, err := c.Query()
	if err != nil {
		return executor.LogQuery{}, err
	}
	ask := executor.LogQuery{RunID: c.Param("run_id"), StepID: q.Get("step_id"), Level: q.Get("level"), After: q.Get("after"), Limit: logPage}
	if ask.Level != "" && !slices.Contains(core.LogLevels(), ask.Level) {
		return ask, core.Malformed("level must be %s, not %q.", strings.Join(core.LogLevels(), " or "), core.Truncate(ask.Level))
	}
	if last := strings.Join(c.Request.Header.Values("Last-Event-ID"), ", "); last != "" {
		if !logID.MatchString(last) {
			return ask, fault.New(fault.Malformed, "invalid_last_event_id", "Last-Event-ID must be the id of a line, log_ and 24 hex digits, not %q.", core.Truncate(last))
		}
		ask.After = last
	}
	if ask.After != "" && !logID.MatchString(ask.After) {
		return ask, core.Malformed("after must be the id of a line, log_ and 24 hex digits, not %q.", core.Truncate(ask.After))
	}
	return ask, nil
}

// logReader is what a stream of lines reads; the executor implements it.
type logReader interface {
	RunToFollow(ctx context.Context, tenantID, runID string) (executor.Record, error)
	Logs(ctx context.Context, tenantID string, q executor.LogQuery) (executor.LogPage, error)
}

// logStream is one reader of a run's lines (core.Broadcast). It holds one page of them at most.
// One goroutine uses it.
type logStream struct {
	logs                 logReader
	tenantID, workflowID string
	ask                  executor.LogQuery // After is the last line that was read
	lines                []executor.Log
	quiet                int // looks in a row at the finished run that found nothing
	// over: no lines come any more; status is how the run ended, "" where it was deleted.
	over   bool
	status machine.State
}

// Wait looks for lines until there are some, until the run's end, ctx's, or atMost.
func (l *logStream) Wait(ctx context.Context, atMost time.Duration) bool {
	beat := time.NewTimer(atMost)
	defer beat.Stop()
	look := time.NewTicker(logPoll)
	defer look.Stop()
	for !l.read(ctx) {
		select {
		case <-ctx.Done():
			return false
		case <-beat.C:
			return false
		case <-look.C:
		}
	}
	return true
}

// read looks once, and reports whether there is something to send. An unavailable store is asked
// again with the next look. The lines of a finished run are through when two looks found nothing: the
// node that drove it may have been about to store the last.
func (l *logStream) read(ctx context.Context) bool {
	// Before the lines, so that none comes between.
	run, err := l.logs.RunToFollow(ctx, l.tenantID, l.ask.RunID)
	if err == nil {
		var page executor.LogPage
		page, err = l.logs.Logs(ctx, l.tenantID, l.ask)
		l.lines = page.Logs
	}
	switch {
	case fault.KindOf(err) == fault.NotFound && err != nil: // deleted
		l.over = true
	case err != nil:
	case len(l.lines) > 0:
		l.ask.After, l.quiet = l.lines[len(l.lines)-1].ID, 0
	case !run.State.Terminal():
		l.quiet = 0
	default:
		l.quiet++
		l.over, l.status = l.quiet > 1, run.State
	}
	return l.over || len(l.lines) > 0
}

// Frames appends the frames of the lines that were read, and behind the last one that of the end.
func (l *logStream) Frames(who access.Principal, b *bytes.Buffer) {
	if !access.Can(who, access.View, l.workflowID) {
		l.over, l.status, l.lines = true, "", nil
	}
	for _, line := range l.lines {
		l.frame(b, line.ID, "log", logLineOf(line))
	}
	l.lines = nil
	if l.over && l.status != "" {
		id := l.ask.After
		if id == "" {
			id = beforeFirstLine
		}
		l.frame(b, id, "end", logsEnd{l.ask.RunID, core.WordsOf(l.status).Workflows})
		l.status = ""
	}
}

// frame appends a frame. What cannot be encoded is left out.
func (l *logStream) frame(b *bytes.Buffer, id, event string, data any) {
	text, err := core.Encode(data)
	if err != nil {
		return
	}
	b.WriteString("id: " + id + "\nevent: " + event + "\ndata: ")
	b.Write(bytes.TrimSuffix(text, []byte("\n")))
	b.WriteString("\n\n")
}

// Ended reports whether the last frame was sent, or the reader may no longer view the run.
func (l *logStream) Ended() bool { return l.over }

// Close has nothing to close.
func (l *logStream) Close() {}
