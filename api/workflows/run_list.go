package workflows

import (
	"heddle/access"
	"heddle/api/core"
	"heddle/executor"
	"net/http"
)

// runSummary is a run in a list. Times are null until they are reached; Version is the one that
// it is on now.
type runSummary struct {
	// ID is the same in all dialects.
	ID string `json:"id"`
	// WorkflowID is kept by runs of a deleted workflow.
	WorkflowID string `json:"workflow_id"`
	// Version and DefinitionHash are those of the version that the run is on now.
	Version        int    `json:"version"`
	DefinitionHash string `json:"definition_hash"`
	// Status is the state in this dialect's words; several states share a word.
	Status string `json:"status" words:"workflows"`
	// Trigger is one of core.Triggers.
	Trigger string `json:"trigger"`
	// Error is why it failed or was cancelled; null otherwise.
	Error     *core.Failure  `json:"error"`
	CreatedAt core.Timestamp `json:"created_at"`
	// StartedAt is when it ran for the first time; null while it is queued.
	StartedAt       *core.Timestamp `json:"started_at"`
	CompletedAt     *core.Timestamp `json:"completed_at"`
	DurationSeconds *float64        `json:"duration_seconds" doc:"From start to end; null until it has ended."`
	// Steps and WaitingFor are kept with the run, so that no list reads its steps.
	Steps      *stepCounts     `json:"steps" doc:"Top-level steps; null of a run that has not moved on since an earlier version of the server."`
	WaitingFor *waitingFor     `json:"waiting_for" doc:"The oldest open wait, one for a signal before all others; null where it waits for nothing."`
	ScheduleID string          `json:"schedule_id,omitempty" doc:"The schedule whose run it is."`
	DueAt      *core.Timestamp `json:"due_at,omitempty" doc:"The due time that a schedule's run is for."`
	// ResumedFrom is set of a run that went on with another version.
	ResumedFrom int               `json:"resumed_from_version,omitempty" doc:"The version that it was on before it was resumed on this one."`
	Labels      map[string]string `json:"labels,omitempty"`
	core.Authors
	core.Rights
}

// listedRun is a run in a list, with what is known of it elsewhere.
type listedRun struct {
	runSummary
	runDetails
}

// runDetails is what lists say of a run beside its own row.
type runDetails struct {
	Workflow *runWorkflow `json:"workflow"`
	// VersionLabel is as of now.
	VersionLabel *string `json:"version_label" doc:"Of the version that it is on; null without one."`
	InstanceID   string  `json:"instance_id,omitempty" doc:"Its name, where it has one."`
	TemplateID   string  `json:"template_id,omitempty" doc:"The template that the workflow was made of."`
	// Queue is set of a queued run alone.
	Queue *core.QueuePlace `json:"queue,omitempty" doc:"Of a queued run: how it waits for its turn; in a list ahead is counted up to 100."`
}

// runWorkflow is the workflow of a run, as it is now, or was when it was deleted.
type runWorkflow struct {
	ID   string `json:"id"`
	Slug string `json:"slug"`
	Name string `json:"name"`
}

// stepCounts counts top-level steps, and the handlers that ran or run. Skipped, cancelled and
// pending ones are what is missing to the total.
type stepCounts struct {
	Total     int `json:"total"`
	Completed int `json:"completed"`
	Failed    int `json:"failed"`
	Waiting   int `json:"waiting"`
	Running   int `json:"running"`
}

// waitingFor is what a run waits for.
type waitingFor struct {
	Kind      string          `json:"kind" enum:"timer,condition,signal"`
	Signal    string          `json:"signal,omitempty"`
	Prompt    string          `json:"prompt,omitempty" doc:"Its first 300 bytes."`
	TimeoutAt *core.Timestamp `json:"timeout_at"`
	Count     int             `json:"count" doc:"Open waits, this one included."`
}

// runList is a page of runs.
type runList struct {
	Runs []listedRun `json:"runs" doc:"A page may be short, or empty, although more follow: filters without an index of their own look at 1,000 runs for a page."`
	// Total counts all pages of the filter.
	Total      *int    `json:"total,omitempty" doc:"Left out with a cursor, and with filters other than status, workflow and trigger, for which it is not kept."`
	NextCursor *string `json:"next_cursor" doc:"Null on the last page."`
}

// runSummaryOf returns a run as it shows itself in lists.
func runSummaryOf(c *core.Call, r executor.Record) runSummary {
	s := summaryOfRun(r)
	s.Rights = c.RightsOn(r.WorkflowID)
	return s
}

// summaryOfRun is runSummaryOf without what depends on the caller.
func summaryOfRun(r executor.Record) runSummary {
	s := runSummary{
		ID: r.RunID, WorkflowID: r.WorkflowID, Version: r.Version, DefinitionHash: r.Hash,
		Status: core.WordsOf(r.State).Workflows, Trigger: r.Trigger, Error: core.FailureOf(r.Error),
		CreatedAt: core.Timestamp(r.CreatedAt), StartedAt: core.TimestampOrNil(r.StartedAt), CompletedAt: core.TimestampOrNil(r.CompletedAt),
		DurationSeconds: core.Seconds(r.StartedAt, r.CompletedAt), Authors: core.AuthorsOf(r),
		ScheduleID: r.ScheduleID, DueAt: core.TimestampOrNil(r.DueAt), Labels: r.Labels,
	}
	if n := r.Steps; n != nil {
		s.Steps = &stepCounts{Total: n.Total, Completed: n.Completed, Failed: n.Failed, Waiting: n.Waiting, Running: n.Running}
	}
	if w := r.Waiting; w != nil {
		s.WaitingFor = &waitingFor{w.Kind, w.Signal, w.Prompt, core.TimestampOrNil(w.TimeoutAt), w.Count}
	}
	// The row lists versions only once there is a second one.
	if n := len(r.Versions); n > 1 {
		s.ResumedFrom = r.Versions[n-2].Version
	}
	return s
}

// runDetailsOf returns what is known of a run elsewhere.
func runDetailsOf(d executor.RunDetails) runDetails {
	return runDetails{
		Workflow:     &runWorkflow{d.WorkflowID, d.Slug, d.WorkflowName},
		VersionLabel: core.TextOrNull(d.VersionLabel), InstanceID: d.Name, TemplateID: d.TemplateID, Queue: core.QueuePlaceOf(d.Queue),
	}
}

// listRuns lists the runs of one workflow.
func (h *handlers) listRuns(c *core.Call) error {
	q, p, err := c.PageQuery()
	if err != nil {
		return err
	}
	query, version, err := core.RunQuery(c, q)
	if err != nil {
		return err
	}
	// By a slug, too; and a workflow that is not there is 404 and not an empty list.
	w, err := h.Definitions.Get(c.Ctx(), c.TenantID(), c.Param("id"))
	if err != nil {
		return err
	}
	query.Workflows = []string{w.ID}
	if err := core.FilterVersion(c, h.Versions, version, &query); err != nil {
		return err
	}
	return h.replyRuns(c, query, p)
}

// listAllRuns lists the runs of all workflows that the caller may view.
func (h *handlers) listAllRuns(c *core.Call) error {
	q, p, err := c.PageQuery()
	if err != nil {
		return err
	}
	query, version, err := core.RunQuery(c, q)
	if err != nil {
		return err
	}
	query.WorkflowIDs = access.ViewableWorkflows(c.Principal)
	if query.Workflows, err = core.NamedWorkflows(c, h.Definitions, q); err != nil {
		return err
	}
	if err := core.FilterVersion(c, h.Versions, version, &query); err != nil {
		return err
	}
	return h.replyRuns(c, query, p)
}

// replyRuns answers a page of runs.
func (h *handlers) replyRuns(c *core.Call, query executor.RunQuery, p core.Page) error {
	query.Limit, query.Offset, query.Cursor, query.WantTotal = p.Limit, p.Offset, p.Cursor, p.WantTotal()
	found, err := h.Executor.Runs(c.Ctx(), query)
	if err != nil {
		return err
	}
	details, err := h.Executor.Details(c.Ctx(), c.TenantID(), found.Runs)
	if err != nil {
		return err
	}
	list := runList{
		Runs:  make([]listedRun, len(found.Runs)),
		Total: core.TotalOrNothing(found.Total, found.Total >= 0), NextCursor: core.TextOrNull(found.Next),
	}
	for i, r := range found.Runs {
		list.Runs[i] = listedRun{runSummaryOf(c, r), runDetailsOf(details[i])}
	}
	return c.Reply(http.StatusOK, list)
}
