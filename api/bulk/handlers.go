package bulk

import (
	"encoding/json"
	"heddle/api/core"
	"heddle/bulk"
	"heddle/definitions/workflows"
	"heddle/executor"
	"heddle/idempotency"
	"heddle/internal/elements"
	"heddle/schedules"
	"net/http"
)

// changeRuns makes a job about runs, or says what it would be about.
func (h *handlers) changeRuns(c *core.Call, req changeRuns) error {
	r := bulk.Request{
		Kind: bulk.Runs, Action: req.Action, IDs: req.RunIDs,
		Settings: bulk.Settings{Version: string(req.Version), StepID: req.StepID},
	}
	if err := selection(&r, "run_ids", req.Filter.filter, runParams()); err != nil {
		return err
	}
	if r.IDs == nil {
		query, err := h.runQuery(c, req.Filter.filter)
		if err != nil {
			return err
		}
		r.Runs = query
	}
	return h.change(c, req.bulkRequest, r)
}

// runQuery reads the filter of runs as the list does its query.
func (h *handlers) runQuery(c *core.Call, f filter) (executor.RunQuery, error) {
	query, version, err := core.RunQuery(c, f.values)
	if err != nil {
		return query, err
	}
	if query.Workflows, err = core.NamedWorkflows(c, h.Definitions, f.values); err != nil {
		return query, err
	}
	return query, core.FilterVersion(c, h.Versions, version, &query)
}

// changeSchedules makes a job about schedules, or says what it would be about.
func (h *handlers) changeSchedules(c *core.Call, req changeSchedules) error {
	r := bulk.Request{Kind: bulk.Schedules, Action: req.Action, IDs: req.ScheduleIDs}
	if err := selection(&r, "schedule_ids", req.Filter.filter, scheduleParams()); err != nil {
		return err
	}
	q := req.Filter.values
	r.Schedules = schedules.Query{Status: schedules.Status(q.Get("status")), Health: schedules.Health(q.Get("health")), Text: q.Get("q")}
	if ref := q.Get("workflow"); ref != "" {
		var err error
		if r.Schedules.WorkflowID, err = core.FilteredWorkflow(c, h.Definitions, ref); err != nil {
			return err
		}
	}
	return h.change(c, req.bulkRequest, r)
}

// changeWorkflows makes a job about workflows, or says what it would be about.
func (h *handlers) changeWorkflows(c *core.Call, req changeWorkflows) error {
	q := req.Filter.values
	r := bulk.Request{
		Kind: bulk.Workflows, Action: req.Action, IDs: req.WorkflowIDs,
		Settings:  bulk.Settings{Status: req.Status, AddTags: req.AddTags, RemoveTags: req.RemoveTags},
		Workflows: workflows.Query{Status: workflows.Status(q.Get("status")), TriggerType: q.Get("trigger_type"), Tag: q.Get("tag"), Text: q.Get("q")},
	}
	if err := selection(&r, "workflow_ids", req.Filter.filter, workflowParams()); err != nil {
		return err
	}
	return h.change(c, req.bulkRequest, r)
}

// selection sets what is shown of a request's selection: its filter, or how many ids it names.
// Neither, or both, is fault.Malformed invalid_request.
func selection(r *bulk.Request, field string, f filter, params []core.Param) (err error) {
	switch {
	case (r.IDs == nil) == (f.values == nil):
		return core.Malformed("Give either filter or %s.", field)
	case r.IDs == nil:
		r.Selection, err = json.Marshal(map[string]json.RawMessage{"filter": f.text})
	default:
		r.Selection, err = json.Marshal(map[string]int{field: len(r.IDs)})
	}
	if err != nil {
		return err
	}
	return f.known(params)
}

// change answers a preview, or makes a job, at most once per Idempotency-Key.
func (h *handlers) change(c *core.Call, req bulkRequest, r bulk.Request) error {
	r.Expected = req.Expected
	if req.Expected != nil && *req.Expected < 0 {
		return core.Malformed("expected must be 0 or more.")
	}
	if req.DryRun {
		c.NotAudited = true
		p, err := h.Bulk.Preview(c.Ctx(), c.Principal, r)
		if err != nil {
			return err
		}
		return c.Reply(http.StatusOK, previewOf(r.Kind, p))
	}
	return c.Idempotent(func(o *core.Creation) error {
		_, _, err := h.Bulk.Accept(c.Ctx(), c.Principal, r, func(j bulk.Job, p bulk.Preview) *idempotency.Answer {
			header := map[string]string{"Location": core.WorkflowsBase + "/jobs/" + j.ID}
			return o.Answer(http.StatusAccepted, header, acceptedJob{j.ID, countsOf(p)})
		})
		return err
	})
}

// list answers a page of jobs.
func (h *handlers) list(c *core.Call) error {
	_, p, err := c.PageQuery()
	if err != nil {
		return err
	}
	page, err := h.Bulk.List(c.Ctx(), c.Principal, bulk.JobQuery{Limit: p.Limit, Cursor: p.Cursor})
	if err != nil {
		return err
	}
	return c.Reply(http.StatusOK, jobList{append([]jobBody{}, elements.Map(page.Jobs, bodyOf)...), core.TextOrNull(page.Next)})
}

// get answers one job.
func (h *handlers) get(c *core.Call) error {
	j, err := h.Bulk.Get(c.Ctx(), c.Principal, c.Param("job_id"))
	if err != nil {
		return err
	}
	return c.Reply(http.StatusOK, jobAnswer{bodyOf(j)})
}

// failures answers a page of the objects for which a job did nothing.
func (h *handlers) failures(c *core.Call) error {
	_, p, err := c.PageQuery()
	if err != nil {
		return err
	}
	page, err := h.Bulk.Failures(c.Ctx(), c.Principal, bulk.FailureQuery{JobID: c.Param("job_id"), Limit: p.Limit, Cursor: p.Cursor})
	if err != nil {
		return err
	}
	return c.Reply(http.StatusOK, failureList{append([]jobFailure{}, elements.Map(page.Items, failureOf)...), core.TextOrNull(page.Next)})
}

// stop ends a job. One that has ended already leaves no line in the audit trail.
func (h *handlers) stop(c *core.Call, _ core.Because) error {
	j, err := h.Bulk.StopJob(c.Ctx(), c.Principal, c.Param("job_id"))
	if err != nil {
		return err
	}
	c.NotAudited = true // the line is stored with the change
	return c.Reply(http.StatusOK, jobAnswer{bodyOf(j)})
}
