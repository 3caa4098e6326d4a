package instances

import (
	"encoding/base64"
	"encoding/json"
	"heddle/api/core"
	"heddle/executor"
	"heddle/fault"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// instanceHistory is one page of each of three lists of a run: steps, events and logs. Each goes
// on by its own cursor, "" on its last page.
type instanceHistory struct {
	RunNumber int `json:"runNumber"`
	// Steps are those that began on this page, with all that became of them.
	Steps []historyStep `json:"steps"`
	// Events are those that were received on this page.
	Events            []historyEvent `json:"events"`
	StepsCursor       string         `json:"stepsCursor,omitempty"`
	StepsHasNextPage  bool           `json:"stepsHasNextPage"`
	EventsCursor      string         `json:"eventsCursor,omitempty"`
	EventsHasNextPage bool           `json:"eventsHasNextPage"`
	Logs              *[]historyLog  `json:"logs,omitempty" doc:"Only with includeLogs=true."`
	// LogsCursor and LogsHasNextPage are left out without includeLogs.
	LogsCursor      string `json:"logsCursor,omitempty"`
	LogsHasNextPage *bool  `json:"logsHasNextPage,omitempty"`
}

// historyStep is a step of one run; in a loop body of one iteration. Its id is that of the event
// with which it began.
type historyStep struct {
	ID        string `json:"id"`
	RunNumber int    `json:"runNumber"`
	instanceStep
	Result json.RawMessage `json:"result" doc:"The step's output; of a wait that an event satisfied its type, payload and timestamp."`
	// CreatedAt is when it began, UpdatedAt when it last changed.
	CreatedAt core.Timestamp `json:"createdAt"`
	UpdatedAt core.Timestamp `json:"updatedAt"`
}

// historyEvent is an event that the instance received, and the step that took it.
type historyEvent struct {
	ID        string          `json:"id"`
	RunNumber int             `json:"runNumber"`
	Type      string          `json:"type"`
	Payload   json.RawMessage `json:"payload"`
	CreatedAt core.Timestamp  `json:"createdAt"`
	// DeliveredAt is null while no step has taken it.
	DeliveredAt       *core.Timestamp `json:"deliveredAt" doc:"Null until a step takes it."`
	ConsumedByStepKey *string         `json:"consumedByStepKey"`
}

// historyLog is a line that a step wrote. StepKey and Attempt are null for a line of the run
// itself.
type historyLog struct {
	ID        string  `json:"id"`
	RunNumber int     `json:"runNumber"`
	StepKey   *string `json:"stepKey"`
	Attempt   *int    `json:"attempt"`
	Level     string  `json:"level" enum:"debug,info,warn,error"`
	Category  string  `json:"category"`
	Message   string  `json:"message"`
	// Data is what the line has beside its message.
	Data      json.RawMessage `json:"data"`
	CreatedAt core.Timestamp  `json:"createdAt"`
}

// historyCursor says where one of the three lists stopped: before or behind an event of a run's
// journal, or at a cursor of its logs. It keeps its order, which the query may not change from
// page to page. On the wire it is base64url of this JSON, without padding.
type historyCursor struct {
	RunID string `json:"r"`           // a cursor of another run is not accepted
	Asc   bool   `json:"a,omitempty"` // oldest first
	Seq   int64  `json:"s,omitempty"` // 0: the first page
	Logs  string `json:"l,omitempty"` // the executor's cursor
}

// encode returns the cursor as clients see it, which is opaque to them.
func (p historyCursor) encode() string {
	text, _ := json.Marshal(p) // text and numbers always encode
	return base64.RawURLEncoding.EncodeToString(text)
}

// readHistoryCursor returns a cursor of that run; anything else is the first page, in the order
// of asc.
func readHistoryCursor(text, runID string, asc bool) historyCursor {
	var p historyCursor
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || json.Unmarshal(raw, &p) != nil || p.RunID != runID || p.Seq < 0 {
		return historyCursor{RunID: runID, Asc: asc}
	}
	return p
}

// historyQuery is a request for history.
type historyQuery struct {
	number   int // -1: the latest
	size     int // of each page, 1 to 100
	asc      bool
	logs     bool
	level    string     // "": every level
	category string     // "": every category
	q        url.Values // for the cursors
}

// historyQuery returns the query of a history. Words that are not of the API are fault.Malformed
// with issues; what else cannot be read has its default.
func (h *handlers) historyQuery(c *core.Call) (historyQuery, error) {
	q, err := c.Query()
	ask := historyQuery{number: executor.Latest, q: q}
	if err != nil {
		return ask, err
	}
	ask.size, ask.category = pageSize(q), q.Get("logCategory")
	// The latest unless it is given.
	if v := q.Get("runNumber"); v != "" {
		n, err := strconv.ParseUint(v, 10, 31)
		if err != nil {
			return ask, invalidFor("runNumber must be a whole number from 0.", "runNumber")
		}
		ask.number = int(n)
	}
	for _, one := range []struct {
		name    string
		allowed []string
	}{{"order", []string{"asc", "desc"}}, {"includeLogs", []string{"true", "false"}}, {"logLevel", core.LogLevels()}} {
		if v := q.Get(one.name); v != "" && !slices.Contains(one.allowed, v) {
			return ask, invalidFor(one.name+" must be one of "+strings.Join(one.allowed, ", ")+".", one.name)
		}
	}
	ask.asc, ask.logs, ask.level = q.Get("order") == "asc", q.Get("includeLogs") == "true", q.Get("logLevel")
	return ask, nil
}

// getInstanceHistory returns the history of one run of an instance, the latest unless the query
// has a number; of a number that no run has, empty lists.
func (h *handlers) getInstanceHistory(c *core.Call) error {
	q, err := h.historyQuery(c)
	if err != nil {
		return err
	}
	// By the latest run, whose series has the earlier ones.
	in, err := h.instance(c)
	if err != nil {
		return err
	}
	// The latest is at hand already.
	if q.number != executor.Latest && q.number != in.Number {
		in, err = h.Executor.Named(c.Ctx(), c.TenantID(), in.WorkflowID, in.Name, q.number)
		if fault.KindOf(err) == fault.NotFound && err != nil {
			return c.Reply(http.StatusOK, emptyHistory(q))
		}
	}
	if err != nil {
		return err
	}
	list, err := h.walkInstance(c, in, q)
	if err == nil && q.logs {
		err = h.addLogs(c, in, q, &list)
	}
	if err != nil {
		return err
	}
	return c.Reply(http.StatusOK, list)
}

// emptyHistory returns the history of a run that does not exist, or was deleted.
func emptyHistory(q historyQuery) instanceHistory {
	list := instanceHistory{RunNumber: q.number, Steps: []historyStep{}, Events: []historyEvent{}}
	if q.logs {
		list.Logs, list.LogsHasNextPage = &[]historyLog{}, new(bool)
	}
	return list
}

// walkInstance returns a page of the run's steps and one of its events. It costs in proportion to
// the pages, however long the journal is. Pages are read from the journal's end for newest first
// and from its beginning otherwise; events within a page are in the journal's order, and the
// lists are reversed for newest first.
func (h *handlers) walkInstance(c *core.Call, in executor.NamedRun, q historyQuery) (instanceHistory, error) {
	// Names and limits of steps are in the definition, not in the journal.
	plan, err := h.Executor.Plans(c.Ctx(), in.Record)
	if err != nil {
		return instanceHistory{}, err
	}
	// Each list goes on by itself: a client pages the one that it wants.
	stepsAt := readHistoryCursor(q.q.Get("stepsCursor"), in.RunID, q.asc)
	eventsAt := readHistoryCursor(q.q.Get("eventsCursor"), in.RunID, q.asc)
	// Two reads, since steps and signals are paged apart.
	nodes, err := h.Executor.NodeEvents(c.Ctx(), stepsAt.part(c, q.size))
	if err != nil {
		return instanceHistory{}, err
	}
	signals, err := h.Executor.SignalEvents(c.Ctx(), eventsAt.part(c, q.size))
	if err != nil {
		return instanceHistory{}, err
	}
	list := instanceHistory{RunNumber: in.Number, Steps: []historyStep{}, Events: []historyEvent{}}
	steps, err := walkSteps(in.Number, nodes.Events)
	if err != nil {
		return instanceHistory{}, err
	}
	if !stepsAt.Asc {
		slices.Reverse(steps)
	}
	for _, s := range steps {
		s.finish(nodes.Run.State)
		s.setPlan(plan(s.stepID))
		list.Steps = append(list.Steps, s.historyStep)
	}
	if list.Events, err = receivedEvents(in.Number, signals.Events); err != nil {
		return instanceHistory{}, err
	}
	if !eventsAt.Asc {
		slices.Reverse(list.Events)
	}
	// Next is 0 on the last page of either list.
	list.StepsCursor, list.StepsHasNextPage = stepsAt.next(nodes.Next)
	list.EventsCursor, list.EventsHasNextPage = eventsAt.next(signals.Next)
	return list, nil
}

// part returns the page of a journal that the cursor names.
func (p historyCursor) part(c *core.Call, size int) executor.JournalPageQuery {
	return executor.JournalPageQuery{TenantID: c.TenantID(), RunID: p.RunID, From: p.Seq, Newest: !p.Asc, Limit: size}
}

// next returns the cursor of the page at that place; "" and false for 0: there is none.
func (p historyCursor) next(at int64) (cursor string, more bool) {
	if at == 0 {
		return "", false
	}
	p.Seq = at
	return p.encode(), true
}

// addLogs adds the page of logs that the query names. A cursor that the executor refuses is the
// first page.
func (h *handlers) addLogs(c *core.Call, in executor.NamedRun, q historyQuery, list *instanceHistory) error {
	at := readHistoryCursor(q.q.Get("logsCursor"), in.RunID, q.asc)
	query := executor.LogQuery{RunID: in.RunID, Level: q.level, Category: q.category, Newest: !at.Asc, Limit: q.size, Cursor: at.Logs}
	found, err := h.Executor.Logs(c.Ctx(), c.TenantID(), query)
	// A cursor that is none is the first page, here as elsewhere in the dialect.
	if fault.CodeOf(err) == "invalid_request" {
		query.Cursor = ""
		found, err = h.Executor.Logs(c.Ctx(), c.TenantID(), query)
	}
	if err != nil {
		return err
	}
	logs, more := []historyLog{}, found.Next != ""
	for _, l := range found.Logs {
		// A line that no step wrote has neither step nor attempt.
		line := historyLog{ID: l.ID, RunNumber: in.Number, Level: l.Level, Category: l.Category, Message: l.Message, Data: l.Data, CreatedAt: core.Timestamp(l.At)}
		if l.StepID != "" {
			line.StepKey, line.Attempt = core.TextOrNull(stepKey(l.StepID, l.Iteration)), &l.Attempt
		}
		logs = append(logs, line)
	}
	list.Logs, list.LogsHasNextPage = &logs, &more
	if more {
		at.Logs = found.Next
		list.LogsCursor = at.encode()
	}
	return nil
}
