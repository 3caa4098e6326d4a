package authoring

import (
	"heddle/access"
	"heddle/api/core"
	"heddle/definitions/source"
	"heddle/definitions/validation"
	"heddle/definitions/workflows"
	"heddle/idempotency"
	"heddle/ids"
	"heddle/internal/elements"
	"heddle/versions"
	"net/http"
)

// listWorkflows lists the workflows that the caller may view and that match all filters, last
// changed first. An unknown status or type of trigger is fault.Malformed invalid_request.
func (h *handlers) listWorkflows(c *core.Call) error {
	q, p, err := c.PageQuery()
	if err != nil {
		return err
	}
	// The filters are those of the query; IDs nil are all workflows, as for a role that sees all.
	ask := workflows.Query{
		TenantID: c.TenantID(), IDs: access.ViewableWorkflows(c.Principal),
		Status: workflows.Status(q.Get("status")), TriggerType: q.Get("trigger_type"),
		Tag: q.Get("tag"), Text: q.Get("q"),
		TemplateID: q.Get("template_id"), Health: workflows.Health(q.Get("health")), Order: workflows.Order(q.Get("order")),
		Limit: p.Limit, Offset: p.Offset, Cursor: p.Cursor, WantTotal: p.WantTotal(),
	}
	if tags := q["tag"]; len(tags) > 1 {
		ask.AlsoTags = tags[1:]
	}
	found, err := h.Definitions.List(c.Ctx(), ask)
	if err != nil {
		return err
	}
	list := workflowList{
		Workflows: make([]listedWorkflow, len(found.Workflows)),
		Total:     core.TotalOrNothing(found.Total, p.WantTotal() && found.Total >= 0), NextCursor: core.TextOrNull(found.Next),
	}
	// The pointers are into the list, so that the links are set in it.
	made := make([]*workflowSummary, len(list.Workflows))
	for i, w := range found.Workflows {
		list.Workflows[i] = listedWorkflow{workflowSummary: summaryOf(c, w), Unpublished: w.LatestVersion > w.ActiveVersion, Recent: []string{}}
		made[i] = &list.Workflows[i].workflowSummary
	}
	if err := h.linkTemplates(c, made...); err != nil {
		return err
	}
	if err := h.addHealth(c, list.Workflows); err != nil {
		return err
	}
	return c.Reply(http.StatusOK, list)
}

// addHealth sets how the workflows of a page go, by one read of each kind for all of them.
func (h *handlers) addHealth(c *core.Call, page []listedWorkflow) error {
	ids := elements.Map(page, func(w listedWorkflow) string { return w.ID })
	health, err := h.Runs.Health(c.Ctx(), c.TenantID(), ids)
	if err != nil {
		return err
	}
	next, err := h.Schedules.NextDue(c.Ctx(), c.TenantID(), ids)
	if err != nil {
		return err
	}
	latest, err := h.Drafts.Latest(c.Ctx(), c.TenantID(), ids)
	if err != nil {
		return err
	}
	for i := range page {
		w, of := &page[i], health[page[i].ID]
		if d, ok := latest[w.ID]; ok {
			w.Draft = &listedDraft{core.ActorOf(d.Owner), core.Timestamp(d.UpdatedAt)}
		}
		w.OpenRuns, w.Failed24h, w.NextRunAt = of.Open, of.Failed, core.TimestampOrNil(next[w.ID])
		for _, s := range of.Recent {
			w.Recent = append(w.Recent, core.WordsOf(s).Workflows)
		}
		if last := of.Last; last != nil {
			w.LastRun = &lastRun{last.RunID, core.WordsOf(last.State).Workflows, core.Timestamp(last.EndedAt)}
		}
	}
	return nil
}

// createWorkflow stores a workflow, at most once per Idempotency-Key, together with the answer
// that a repeated request receives.
func (h *handlers) createWorkflow(c *core.Call, req createWorkflow) error {
	// A definition with errors is given, and is refused by the service with all of them.
	if !req.Definition.Given {
		return errNoDefinition()
	}
	return c.Idempotent(func(o *core.Creation) error {
		if err := c.ReserveStorage(len(c.Body)); err != nil {
			return err
		}
		_, err := h.Definitions.Create(c.Ctx(), workflows.CreateRequest{
			TenantID: c.TenantID(), Author: c.Principal.Actor.Name, Definition: req.Definition.ParsedDefinition,
			TriggerType: req.TriggerType, Tags: req.Tags, Slug: req.Slug, Status: req.Status,
			ChangeSummary: req.ChangeSummary,
			// In the transaction of the workflow: a crash leaves both or neither.
			Keep: func(w workflows.Workflow, v workflows.NewVersion) *idempotency.Answer {
				c.AddStored(len(v.Definition) + len(v.Written.Text))
				// The ETag is that of the new revision, so that a client can go on with If-Match.
				header := map[string]string{"Location": core.WorkflowsBase + "/" + w.ID, "ETag": core.ETag(w.Revision)}
				return o.Answer(http.StatusCreated, header, createdWorkflow{w.ID, bodyOf(c, w, versions.Version{
					Number: v.Number, Definition: v.Definition, DefinitionHash: v.Hash, Written: v.Written,
				})})
			},
		})
		return err
	})
}

// errNoDefinition refuses a request that holds no definition: fault.Malformed invalid_request.
func errNoDefinition() error {
	return core.Malformed("definition is missing; send {\"definition\": {…}}.")
}

// getWorkflow returns a workflow with the active definition, or that of the version in the query.
// Its ETag is the workflow's revision.
func (h *handlers) getWorkflow(c *core.Call) error {
	q, err := c.Query()
	if err != nil {
		return err
	}
	// Checked before it reaches the store, as the path's version is.
	version := q.Get("version")
	if version != "" && !ids.Valid(version) {
		return core.NotFound("version", version)
	}
	w, v, err := h.Versions.Get(c.Ctx(), c.TenantID(), c.Param("id"), version)
	if err != nil {
		return err
	}
	if c.WantsYAML() {
		return h.replyWritten(c, w, v)
	}
	body := bodyOf(c, w, v)
	if err := h.linkTemplates(c, &body.workflowSummary); err != nil {
		return err
	}
	// That a template has something newer does not change the workflow.
	if c.SetETag(w.Revision) && body.UpdateAvailable == 0 {
		return c.ReplyStatus(http.StatusNotModified)
	}
	return c.Reply(http.StatusOK, workflowAnswer{Workflow: body})
}

// replyWritten answers with the text of a version's definition, or 304.
func (h *handlers) replyWritten(c *core.Call, w workflows.Workflow, v versions.Version) error {
	if c.SetETag(w.Revision) {
		return c.ReplyStatus(http.StatusNotModified)
	}
	return c.ReplyYAML(v.Definition, v.Written)
}

// replyWorkflow answers with a workflow that was just written, and its active definition. That is
// read anew, for the write returns none; versions do not change, so that it fits w.
func (h *handlers) replyWorkflow(c *core.Call, w workflows.Workflow) error {
	v, err := h.Versions.Active(c.Ctx(), w)
	if err != nil {
		return err
	}
	return h.replyVersion(c, w, v)
}

// replyVersion is replyWorkflow for a version that was read already.
func (h *handlers) replyVersion(c *core.Call, w workflows.Workflow, v versions.Version) error {
	return h.replySaved(c, w, v, false)
}

// replySaved is replyVersion for a save that may have replaced the text of the latest version.
func (h *handlers) replySaved(c *core.Call, w workflows.Workflow, v versions.Version, sourceChanged bool) error {
	body := bodyOf(c, w, v)
	if err := h.linkTemplates(c, &body.workflowSummary); err != nil {
		return err
	}
	c.SetETag(w.Revision)
	return c.Reply(http.StatusOK, workflowAnswer{body, sourceChanged})
}

// updateWorkflow changes a workflow. A definition that differs from the latest version is a new
// version, active unless publish is false; one that equals it makes none.
func (h *handlers) updateWorkflow(c *core.Call, req updateWorkflow) error {
	ask := workflows.UpdateRequest{
		TenantID: c.TenantID(), Ref: c.Param("id"), Author: c.Principal.Actor.Name, ChangeSummary: req.ChangeSummary,
		TriggerType: req.TriggerType, Tags: req.Tags, Publish: req.Publish == nil || *req.Publish, IfMatch: c.IfMatch,
	}
	size := len(c.Body)
	if req.Definition.Given {
		ask.Definition = &req.Definition.ParsedDefinition
	}
	if req.FromDraft {
		var err error
		if size, err = h.useDraft(c, &ask, req.Definition.Given); err != nil {
			return err
		}
		ask.Force = req.Force
	}
	if dry, err := c.DryRun(); err != nil || dry {
		return h.previewUpdate(c, ask, err)
	}
	// What only sets the trigger type or publishes stores nothing.
	if ask.Definition != nil || req.Tags != nil {
		if err := c.ReserveStorage(size); err != nil {
			return err
		}
	}
	ask.Stored = func(v workflows.NewVersion) { c.AddStored(len(v.Definition) + len(v.Written.Text)) }
	sourceChanged := false
	ask.Rewritten = func(w source.Written) {
		sourceChanged = true
		c.AddStored(len(w.Text))
	}
	w, err := h.Definitions.Update(c.Ctx(), ask)
	if err != nil {
		return err
	}
	v, err := h.Versions.Active(c.Ctx(), w)
	if err != nil {
		return err
	}
	return h.replySaved(c, w, v, sourceChanged)
}

// setStatus sets a workflow's status, by which runs and schedules are admitted or refused. Each
// status may follow each.
func (h *handlers) setStatus(c *core.Call, req setStatus) error {
	if req.Status == "" {
		return core.Malformed("status is missing; send {\"status\": \"active\"}, or draft, paused or archived.")
	}
	w, err := h.Definitions.SetStatus(c.Ctx(), c.TenantID(), c.Param("id"), req.Status, c.IfMatch)
	if err != nil {
		return err
	}
	return h.replyWorkflow(c, w)
}

// deleteWorkflow deletes a workflow, whose slug becomes free. Its open runs prevent that
// (fault.Conflict workflow_has_open_runs), or are cancelled with force; ended runs stay readable.
func (h *handlers) deleteWorkflow(c *core.Call) error {
	q, err := c.Query()
	if err != nil {
		return err
	}
	force, err := core.BoolParam(q, "force")
	if err != nil {
		return err
	}
	err = h.Definitions.Delete(c.Ctx(), workflows.DeleteRequest{
		TenantID: c.TenantID(), Ref: c.Param("id"), Force: force, IfMatch: c.IfMatch,
	})
	if err != nil {
		return err
	}
	return c.ReplyStatus(http.StatusNoContent)
}

// validateDefinition answers 200 for a definition with errors too: that it is not valid is the
// answer, and not a failure of the request. Nothing is stored.
func (h *handlers) validateDefinition(c *core.Call, req validateDefinition) error {
	if !req.Definition.Given {
		return errNoDefinition()
	}
	found, err := h.Definitions.ValidateFor(c.Ctx(), c.TenantID(), req.Definition.ParsedDefinition)
	if err != nil {
		return err
	}
	return c.Reply(http.StatusOK, validity{
		Valid: validation.Valid(found), Errors: validation.Messages(found), Diagnostics: found,
	})
}

// listVersions lists versions, newest first. The ETag is the workflow's: its
// revision rises with each version and label.
func (h *handlers) listVersions(c *core.Call) error {
	_, p, err := c.PageQuery()
	if err != nil {
		return err
	}
	found, err := h.Versions.List(c.Ctx(), versions.Query{
		TenantID: c.TenantID(), Ref: c.Param("id"), Limit: p.Limit, Offset: p.Offset, Cursor: p.Cursor,
	})
	if err != nil {
		return err
	}
	// A list that lacks some summaries may have them the next time.
	if found.Whole && c.SetETag(found.Workflow.Revision) {
		return c.ReplyStatus(http.StatusNotModified)
	}
	list := versionList{
		Versions: make([]versionSummary, len(found.Versions)),
		Total:    core.TotalOrNothing(found.Total, p.WantTotal()), NextCursor: core.TextOrNull(found.Next),
	}
	for i, v := range found.Versions {
		list.Versions[i] = versionOf(found.Workflow, v)
		list.Versions[i].Runs = &versionRuns{Open: found.OpenRuns[v.Number], Last30d: found.Started[v.Number]}
		list.Versions[i].Summary = found.Summaries[v.Number]
	}
	return c.Reply(http.StatusOK, list)
}

// getVersion returns a version by number or label. Its ETag is the workflow's, because a label
// may change.
func (h *handlers) getVersion(c *core.Call) error {
	w, v, err := h.Versions.Get(c.Ctx(), c.TenantID(), c.Param("id"), c.Param("version"))
	if err != nil {
		return err
	}
	if c.WantsYAML() {
		return h.replyWritten(c, w, v)
	}
	if c.SetETag(w.Revision) {
		return c.ReplyStatus(http.StatusNotModified)
	}
	return c.Reply(http.StatusOK, versionBody{versionOf(w, v), v.Definition, core.SourceOf(v.Written)})
}
