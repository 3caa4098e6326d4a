package api

import (
	"heddle/access"
	"heddle/definitions"
	"heddle/idempotency"
	"heddle/versions"
	"net/http"
)

func (h *Handler) listWorkflows(c *call) error {
	q, p, err := c.pageQuery()
	if err != nil {
		return err
	}
	found, err := h.cfg.Definitions.List(c.ctx(), definitions.Query{
		TenantID: c.tenantID(), IDs: access.ViewableWorkflows(c.principal),
		Status: definitions.Status(q.Get("status")), TriggerType: q.Get("trigger_type"),
		Tag: q.Get("tag"), Text: q.Get("q"),
		Limit: p.limit, Offset: p.offset, Cursor: p.cursor, WantTotal: p.wantTotal(),
	})
	if err != nil {
		return err
	}
	list := workflowList{
		Workflows: make([]workflowSummary, len(found.Workflows)),
		Total:     totalOrNothing(found.Total, p.wantTotal()), NextCursor: textOrNull(found.Next),
	}
	made := make([]*workflowSummary, len(list.Workflows))
	for i, w := range found.Workflows {
		list.Workflows[i] = summaryOf(w)
		made[i] = &list.Workflows[i]
	}
	if err := c.linkTemplates(made...); err != nil {
		return err
	}
	return c.reply(http.StatusOK, list)
}

func (h *Handler) createWorkflow(c *call, req createWorkflow) error {
	if !req.Definition.given {
		return errNoDefinition()
	}
	return c.idempotent(func(o *creation) error {
		if err := c.reserveStorage(len(c.body)); err != nil {
			return err
		}
		_, err := h.cfg.Definitions.Create(c.ctx(), definitions.CreateRequest{
			TenantID: c.tenantID(), Author: c.principal.KeyName, Definition: req.Definition.Written,
			TriggerType: req.TriggerType, Tags: req.Tags, Slug: req.Slug, Status: req.Status,
			ChangeSummary: req.ChangeSummary,
			Keep: func(w definitions.Workflow, v definitions.NewVersion) *idempotency.Answer {
				c.addStored(len(v.Definition))
				header := map[string]string{"Location": workflowsBase + "/" + w.ID, "ETag": etag(w.Revision)}
				return o.answer(http.StatusCreated, header, createdWorkflow{w.ID, bodyOf(w, versions.Version{
					Number: v.Number, Definition: v.Definition, DefinitionHash: v.Hash,
				})})
			},
		})
		return err
	})
}

func errNoDefinition() error {
	return malformed("definition is missing; send {\"definition\": {…}}.")
}

func (h *Handler) getWorkflow(c *call) error {
	ref, err := c.param("id")
	if err != nil {
		return err
	}
	q, err := c.query()
	if err != nil {
		return err
	}
	version := q.Get("version")
	if version != "" && !validRef(version) {
		return notFound("version", version)
	}
	w, v, err := h.cfg.Versions.Get(c.ctx(), c.tenantID(), ref, version)
	if err != nil {
		return err
	}
	body := bodyOf(w, v)
	if err := c.linkTemplates(&body.workflowSummary); err != nil {
		return err
	}
	// That a template has something newer is no change of the workflow.
	if c.setETag(w.Revision) && body.UpdateAvailable == 0 {
		return c.replyStatus(http.StatusNotModified)
	}
	return c.reply(http.StatusOK, workflowAnswer{body})
}

// replyWorkflow answers with a workflow that was just written, and its active
// definition.
func (c *call) replyWorkflow(w definitions.Workflow) error {
	v, err := c.h.cfg.Versions.Active(c.ctx(), w)
	if err != nil {
		return err
	}
	if c.storageHold != "" {
		c.addStored(len(v.Definition))
	}
	body := bodyOf(w, v)
	if err := c.linkTemplates(&body.workflowSummary); err != nil {
		return err
	}
	c.setETag(w.Revision)
	return c.reply(http.StatusOK, workflowAnswer{body})
}

func (h *Handler) updateWorkflow(c *call, req updateWorkflow) error {
	ref, err := c.param("id")
	if err != nil {
		return err
	}
	match, err := c.ifMatch()
	if err != nil {
		return err
	}
	ask := definitions.UpdateRequest{
		TenantID: c.tenantID(), Ref: ref, Author: c.principal.KeyName, ChangeSummary: req.ChangeSummary,
		TriggerType: req.TriggerType, Tags: req.Tags, Publish: req.Publish == nil || *req.Publish, IfMatch: match,
	}
	if req.Definition.given {
		ask.Definition = &req.Definition.Written
	}
	if dry, err := c.dryRun(); err != nil || dry {
		return h.previewUpdate(c, ask, err)
	}
	if req.Definition.given {
		if err := c.reserveStorage(len(c.body)); err != nil {
			return err
		}
	}
	w, err := h.cfg.Definitions.Update(c.ctx(), ask)
	if err != nil {
		return err
	}
	return c.replyWorkflow(w)
}

func (h *Handler) setStatus(c *call, req setStatus) error {
	ref, err := c.param("id")
	if err != nil {
		return err
	}
	match, err := c.ifMatch()
	if err != nil {
		return err
	}
	if req.Status == "" {
		return malformed("status is missing; send {\"status\": \"active\"}, or draft, paused or archived.")
	}
	w, err := h.cfg.Definitions.SetStatus(c.ctx(), c.tenantID(), ref, req.Status, match)
	if err != nil {
		return err
	}
	return c.replyWorkflow(w)
}

func (h *Handler) deleteWorkflow(c *call) error {
	ref, err := c.param("id")
	if err != nil {
		return err
	}
	match, err := c.ifMatch()
	if err != nil {
		return err
	}
	q, err := c.query()
	if err != nil {
		return err
	}
	force, err := boolParam(q, "force")
	if err != nil {
		return err
	}
	err = h.cfg.Definitions.Delete(c.ctx(), definitions.DeleteRequest{
		TenantID: c.tenantID(), Ref: ref, Force: force, IfMatch: match,
	})
	if err != nil {
		return err
	}
	return c.replyStatus(http.StatusNoContent)
}

func (h *Handler) validateDefinition(c *call, req validateDefinition) error {
	if !req.Definition.given {
		return errNoDefinition()
	}
	found, err := h.cfg.Definitions.ValidateFor(c.ctx(), c.tenantID(), req.Definition.Written)
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, validity{
		Valid: definitions.Valid(found), Errors: definitions.Messages(found), Diagnostics: found,
	})
}

func (h *Handler) listVersions(c *call) error {
	ref, err := c.param("id")
	if err != nil {
		return err
	}
	_, p, err := c.pageQuery()
	if err != nil {
		return err
	}
	found, err := h.cfg.Versions.List(c.ctx(), versions.Query{
		TenantID: c.tenantID(), Ref: ref, Limit: p.limit, Offset: p.offset, Cursor: p.cursor,
	})
	if err != nil {
		return err
	}
	if c.setETag(found.Workflow.Revision) {
		return c.replyStatus(http.StatusNotModified)
	}
	list := versionList{
		Versions: make([]versionSummary, len(found.Versions)),
		Total:    totalOrNothing(found.Total, p.wantTotal()), NextCursor: textOrNull(found.Next),
	}
	for i, v := range found.Versions {
		list.Versions[i] = versionOf(found.Workflow, v)
	}
	return c.reply(http.StatusOK, list)
}

func (h *Handler) getVersion(c *call) error {
	ref, err := c.param("id")
	if err != nil {
		return err
	}
	version, err := c.param("version")
	if err != nil {
		return err
	}
	w, v, err := h.cfg.Versions.Get(c.ctx(), c.tenantID(), ref, version)
	if err != nil {
		return err
	}
	if c.setETag(w.Revision) {
		return c.replyStatus(http.StatusNotModified)
	}
	return c.reply(http.StatusOK, versionBody{versionOf(w, v), v.Definition})
}
