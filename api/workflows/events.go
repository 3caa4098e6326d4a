package workflows

import (
	"bytes"
	"encoding/json"
	"heddle/access"
	"heddle/api/core"
	"heddle/approvals"
	"heddle/internal/elements"
	"heddle/live"
	"heddle/schedules"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// changedRun is a run in a frame.
type changedRun struct {
	listedRun
	Seq int64 `json:"seq" doc:"Of its last event."`
}

// changedApproval is an approval in a frame; GET of its id has the rest.
type changedApproval struct {
	ID         string          `json:"id"`
	RunID      string          `json:"run_id"`
	WorkflowID string          `json:"workflow_id"`
	Signal     string          `json:"signal"`
	Prompt     *string         `json:"prompt"`
	Assignees  []string        `json:"assignees"`
	Status     string          `json:"status" enum:"open,answered,expired,cancelled"`
	ExpiresAt  *core.Timestamp `json:"expires_at"`
	AnsweredBy *core.ActorBody `json:"answered_by"`
}

// changedWorkflow is a workflow in a frame.
type changedWorkflow struct {
	ID            string         `json:"id"`
	Slug          string         `json:"slug"`
	Name          string         `json:"name"`
	Status        string         `json:"status"`
	Version       int            `json:"version" doc:"The active one."`
	LatestVersion int            `json:"latest_version"`
	UpdatedAt     core.Timestamp `json:"updated_at"`
	Deleted       bool           `json:"deleted"`
	// By is left out where many workflows changed at once.
	By *core.ActorBody `json:"by,omitempty" doc:"Who made the last change on the audit trail."`
}

// changedSchedule is a schedule in a frame; GET of its id has the rest.
type changedSchedule struct {
	ID             string           `json:"id"`
	WorkflowID     string           `json:"workflow_id"`
	CronExpression string           `json:"cron_expression"`
	Timezone       string           `json:"timezone"`
	Status         schedules.Status `json:"status" enum:"active,paused,ended"`
	PauseReason    *string          `json:"pause_reason"`
	PausedBy       *core.ActorBody  `json:"paused_by"`
	NextRunAt      *core.Timestamp  `json:"next_run_at"`
	UpdatedAt      core.Timestamp   `json:"updated_at"`
	Deleted        bool             `json:"deleted"`
}

// decidedSlot is the line of a schedule's latest due time in a frame.
type decidedSlot struct {
	ScheduleID string            `json:"schedule_id"`
	WorkflowID string            `json:"workflow_id"`
	DueAt      core.Timestamp    `json:"due_at"`
	Until      core.Timestamp    `json:"until"`
	Count      int               `json:"count"`
	Outcome    schedules.Outcome `json:"outcome" enum:"fired,late,caught_up,coalesced,skipped,waiting"`
	Reason     *string           `json:"reason"`
	Origin     string            `json:"origin"`
	RunID      *string           `json:"run_id"`
	RunStatus  *string           `json:"run_status" doc:"The status of the run, as lists of runs have it; null without one."`
	DecidedAt  core.Timestamp    `json:"decided_at"`
	NextRunAt  *core.Timestamp   `json:"next_run_at" doc:"What is due next."`
}

// changedStats counts the runs of a workflow that have not ended.
type changedStats struct {
	WorkflowID string       `json:"workflow_id"`
	Open       openByStatus `json:"open"`
}

// liveFrame is the data of a frame: one of the members, none in a reset.
type liveFrame struct {
	Run      *changedRun      `json:"run,omitempty" doc:"With run_changed: as a list shows it, with its position."`
	Approval *changedApproval `json:"approval,omitempty" doc:"With approval_opened and approval_closed."`
	Workflow *changedWorkflow `json:"workflow,omitempty" doc:"With workflow_changed."`
	Schedule *changedSchedule `json:"schedule,omitempty" doc:"With schedule_changed."`
	Slot     *decidedSlot     `json:"slot,omitempty" doc:"With slot_decided."`
	Stats    *changedStats    `json:"stats,omitempty" doc:"With stats."`
}

// EncodeChange returns the data of a frame, which is the same for every listener.
func EncodeChange(c live.Change) (json.RawMessage, error) {
	var f liveFrame
	switch {
	case c.Run != nil:
		f.Run = &changedRun{listedRun{summaryOfRun(c.Run.Record), runDetailsOf(c.Run.Details)}, c.Run.Seq}
	case c.Approval != nil:
		a := c.Approval
		f.Approval = &changedApproval{
			ID: a.ID, RunID: a.RunID, WorkflowID: a.WorkflowID, Signal: a.Signal, Prompt: core.TextOrNull(a.Prompt), Assignees: []string{}, Status: string(a.State),
			ExpiresAt: core.TimestampOrNil(a.ExpiresAt), AnsweredBy: core.ActorOf(a.AnsweredBy),
		}
		if a.State == approvals.Open && a.Assignees != nil {
			f.Approval.Assignees = a.Assignees
		}
	case c.Workflow != nil:
		w := c.Workflow
		f.Workflow = &changedWorkflow{w.ID, w.Slug, w.Name, string(w.Status), w.ActiveVersion, w.LatestVersion, core.Timestamp(w.UpdatedAt), w.Deleted, core.ActorOf(w.By)}
	case c.Schedule != nil:
		f.Schedule = changedScheduleOf(c.Schedule)
	case c.Slot != nil:
		f.Slot = decidedSlotOf(c.Slot)
	case c.Stats != nil:
		f.Stats = &changedStats{c.Stats.WorkflowID, openOf(c.Stats.Open)}
	}
	text, err := core.Encode(f)
	return json.RawMessage(strings.TrimSpace(string(text))), err
}

// changedScheduleOf returns a schedule as frames show it.
func changedScheduleOf(s *live.Schedule) *changedSchedule {
	return &changedSchedule{
		ID: s.ID, WorkflowID: s.WorkflowID, CronExpression: s.Expression, Timezone: s.Timezone, Status: s.Status, PauseReason: core.TextOrNull(s.PauseReason),
		PausedBy: core.ActorOf(s.PausedBy), NextRunAt: core.TimestampOrNil(s.NextDue), UpdatedAt: core.Timestamp(s.UpdatedAt), Deleted: s.Deleted,
	}
}

// decidedSlotOf returns the latest line of a schedule as frames show it.
func decidedSlotOf(s *live.Schedule) *decidedSlot {
	l := s.Last
	b := &decidedSlot{
		ScheduleID: s.ID, WorkflowID: s.WorkflowID, DueAt: core.Timestamp(l.Due), Until: core.Timestamp(l.Until), Count: l.Count, Outcome: l.Outcome,
		Reason: core.TextOrNull(l.Reason), Origin: l.Origin, RunID: core.TextOrNull(l.RunID), DecidedAt: core.Timestamp(l.At), NextRunAt: core.TimestampOrNil(s.NextDue),
	}
	if s.Run != nil {
		b.RunStatus = core.TextOrNull(core.WordsOf(s.Run.State).Workflows)
	}
	return b
}

// liveRoutes returns the route of the tenant's stream.
func (h *handlers) liveRoutes() []core.Route {
	return []core.Route{
		core.Route{
			Method: http.MethodGet, Path: "/v1/events", ID: "streamEvents", LongRunning: true, Tag: "events",
			Summary: "Follow what changes in the tenant, as far as the caller may view it", Action: access.View, On: core.FilteredByAccess,
			Query: []core.Param{
				{Name: "topics", Description: "Some of runs, approvals, workflows, schedules and stats, separated by commas; all without it."},
				{Name: "workflow", Description: "What is of this workflow, by id or slug."},
			},
			Answers: []core.Answer{{
				Status: http.StatusOK, Body: liveFrame{}, Media: "text/event-stream",
				Description: "Frames of id, event and data: run_changed, approval_opened, approval_closed, workflow_changed, schedule_changed, slot_decided, stats, and reset, after which lists are to be read again.",
			}},
			Codes: []string{"workflow_not_found", "quota_exceeded"},
		}.Handle(core.NoBody(h.streamEvents)),
	}
}

// streamEvents sends frames from now on, or from behind Last-Event-ID where it is one of this
// process and still kept; otherwise the first frame is a reset.
func (h *handlers) streamEvents(c *core.Call) error {
	q, err := c.Query()
	if err != nil {
		return err
	}
	l := &liveStream{tenant: c.TenantID()}
	if l.topics, err = topicsOf(q.Get("topics")); err != nil {
		return err
	}
	if ref := q.Get("workflow"); ref != "" {
		w, err := h.Definitions.Get(c.Ctx(), c.TenantID(), ref)
		if err != nil {
			return err
		}
		if err := core.Allow(c.Principal, access.View, w.ID, w.Slug); err != nil {
			return err
		}
		l.workflow = w.ID
	}
	last := c.Request.Header.Get("Last-Event-ID")
	l.epoch = h.Live.Epoch()
	return core.StreamBroadcast(c, func() (core.Broadcast, error) {
		after := int64(0)
		if epoch, seq, ok := strings.Cut(last, "."); ok && epoch == l.epoch {
			after, _ = core.ParseEventID(seq)
		}
		var resumed bool
		var err error
		l.Listener, resumed, err = h.Live.Listen(c.Ctx(), c.TenantID(), after)
		l.reset = last != "" && !resumed
		return l, err
	})
}

// topicsOf reads a list of topics; all for "". The error is fault.Malformed invalid_request.
func topicsOf(list string) ([]live.Topic, error) {
	if list == "" {
		return live.Topics(), nil
	}
	topics := elements.Map(strings.Split(list, ","), func(s string) live.Topic { return live.Topic(s) })
	for _, t := range topics {
		if !slices.Contains(live.Topics(), t) {
			return nil, core.Malformed("topics are runs, approvals, workflows, schedules and stats, not %q.", core.Truncate(string(t)))
		}
	}
	return topics, nil
}

// liveStream is one listener with what it wants to hear. One goroutine uses it.
type liveStream struct {
	*live.Listener
	tenant, workflow string // "": of all workflows
	topics           []live.Topic
	epoch            string
	reset            bool // the first frame is a reset
}

// Ended reports false: what changes in a tenant has no end.
func (l *liveStream) Ended() bool { return false }

// Frames appends the frames that the caller may see and wants. What a frame says is made once for
// all listeners with the same rights.
func (l *liveStream) Frames(who access.Principal, b *bytes.Buffer) {
	if l.reset {
		l.reset = false
		b.WriteString("event: reset\ndata: {}\n\n")
	}
	can := map[string]string{} // by workflow
	for _, f := range l.Listener.Frames() {
		if l.wants(who, f) {
			b.Write(f.Text(rightsFor(who, f, can), l.text))
		}
	}
}

// text returns a frame as it is sent to those with the rights, as JSON.
func (l *liveStream) text(f *live.Frame, rights string) []byte {
	data := f.Data
	if data == nil {
		data = json.RawMessage("{}")
	}
	var b bytes.Buffer
	b.Grow(len(data) + len(rights) + 128)
	b.WriteString("id: " + l.epoch + "." + strconv.FormatInt(f.Seq, 10) + "\nevent: " + f.Event + "\ndata: ")
	// The rights of a run are the last member of that name: what follows in the summary are texts.
	if at := bytes.LastIndex(data, unknownRights); rights != "" && at >= 0 {
		end := at + len(unknownRights)
		b.Write(data[:end-len("null")])
		b.WriteString(rights)
		data = data[end:]
	}
	b.Write(data)
	b.WriteString("\n\n")
	return b.Bytes()
}

// rightsFor returns what the caller may do with the run of a frame, as JSON, "" where the frame is
// of another topic. known has what was found out, by workflow.
func rightsFor(who access.Principal, f *live.Frame, known map[string]string) string {
	if f.Topic != live.Runs {
		return ""
	}
	can, ok := known[f.WorkflowID]
	if !ok {
		text, _ := json.Marshal(access.Permitted(who, f.WorkflowID)) //nolint:errchkjson // names always encode
		can = string(text)
		known[f.WorkflowID] = can
	}
	return can
}

// unknownRights is where rights stand in the data that all listeners share.
var unknownRights = []byte(`"can":null`)

// wants reports whether a frame is for the caller: of its topics and workflow, and one that it may
// view, or answer.
func (l *liveStream) wants(who access.Principal, f *live.Frame) bool {
	if f.Event == live.Reset {
		return true
	}
	return f.TenantID == l.tenant && slices.Contains(l.topics, f.Topic) && (l.workflow == "" || l.workflow == f.WorkflowID) &&
		(access.Can(who, access.View, f.WorkflowID) || f.Topic == live.Approvals && access.Can(who, access.Answer, f.WorkflowID))
}
