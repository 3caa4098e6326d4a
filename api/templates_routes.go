package api

import (
	"heddle/definitions"
	"heddle/fault"
	"heddle/idempotency"
	"heddle/templates"
	"net/http"
)

// templateID reads the template of the path.
func (c *call) templateID() (string, error) {
	id := c.params.Param("id")
	if !validRef(id) {
		return "", fault.New(fault.NotFound, "template_not_found", "There is no template %q.", truncate(id))
	}
	return id, nil
}

func (h *Handler) listTemplates(c *call) error {
	q, p, err := c.pageQuery()
	if err != nil {
		return err
	}
	ask := templates.Query{
		TenantID: c.tenantID(), Category: q.Get("category"),
		Limit: p.limit, Offset: p.offset, Cursor: p.cursor, WantTotal: p.wantTotal(),
	}
	if q.Has("is_builtin") {
		builtin, err := boolParam(q, "is_builtin")
		if err != nil {
			return err
		}
		ask.Builtin = &builtin
	}
	found, err := h.cfg.Templates.List(c.ctx(), ask)
	if err != nil {
		return err
	}
	list := templateList{
		Templates: make([]templateSummary, len(found.Templates)),
		Total:     totalOrNothing(found.Total, p.wantTotal()), NextCursor: textOrNull(found.Next),
	}
	for i, t := range found.Templates {
		list.Templates[i] = templateSummaryOf(t)
	}
	return c.reply(http.StatusOK, list)
}

func (h *Handler) getTemplate(c *call) error {
	id, err := c.templateID()
	if err != nil {
		return err
	}
	t, err := h.cfg.Templates.Get(c.ctx(), c.tenantID(), id)
	if err != nil {
		return err
	}
	if c.setETag(int64(t.Version)) {
		return c.replyStatus(http.StatusNotModified)
	}
	return c.reply(http.StatusOK, templateAnswer{templateBodyOf(t)})
}

// sourceOf reads what a template is to be made of.
func sourceOf(workflow string, version versionRef, d *parsedDefinition) (templates.Source, error) {
	if workflow != "" && !validRef(workflow) {
		return templates.Source{}, notFound("id", workflow)
	}
	if v := string(version); v != "" && !validRef(v) {
		return templates.Source{}, notFound("version", v)
	}
	src := templates.Source{Workflow: workflow, Version: string(version)}
	if d.given {
		src.Definition = &d.Written
	}
	return src, nil
}

func (h *Handler) createTemplate(c *call, req createTemplate) error {
	src, err := sourceOf(req.WorkflowID, req.Version, &req.Definition)
	if err != nil {
		return err
	}
	return c.idempotent(func(o *creation) error {
		if err := c.reserveStorage(len(c.body)); err != nil {
			return err
		}
		_, err := h.cfg.Templates.Create(c.ctx(), templates.CreateRequest{
			TenantID: c.tenantID(), Author: c.principal.KeyName, Name: req.Name, Description: req.Description,
			Category: req.Category, Parameters: req.Parameters, Source: src, Admit: c.reserveMemory,
			Keep: func(t templates.Template) *idempotency.Answer {
				c.addStored(len(t.Definition) + 2*len(t.Parameters))
				header := map[string]string{"Location": workflowsBase + "/templates/" + t.ID, "ETag": etag(int64(t.Version))}
				return o.answer(http.StatusCreated, header, createdTemplate{t.ID, templateBodyOf(t)})
			},
		})
		return err
	})
}

func (h *Handler) updateTemplate(c *call, req updateTemplate) error {
	id, err := c.templateID()
	if err != nil {
		return err
	}
	match, err := c.ifMatch()
	if err != nil {
		return err
	}
	src, err := sourceOf(req.WorkflowID, req.Version, &req.Definition)
	if err != nil {
		return err
	}
	if err := c.reserveStorage(len(c.body)); err != nil {
		return err
	}
	t, err := h.cfg.Templates.Update(c.ctx(), templates.UpdateRequest{
		TenantID: c.tenantID(), ID: id, Author: c.principal.KeyName, Name: req.Name, Description: req.Description,
		Category: req.Category, Parameters: req.Parameters, Source: src, IfMatch: match, Admit: c.reserveMemory,
	})
	if err != nil {
		return err
	}
	c.addStored(len(t.Definition) + len(t.Parameters))
	c.setETag(int64(t.Version))
	return c.reply(http.StatusOK, templateAnswer{templateBodyOf(t)})
}

func (h *Handler) deleteTemplate(c *call) error {
	id, err := c.templateID()
	if err != nil {
		return err
	}
	match, err := c.ifMatch()
	if err != nil {
		return err
	}
	if err := h.cfg.Templates.Delete(c.ctx(), c.tenantID(), id, match); err != nil {
		return err
	}
	return c.replyStatus(http.StatusNoContent)
}

func (h *Handler) installTemplate(c *call, req installTemplate) error {
	id, err := c.templateID()
	if err != nil {
		return err
	}
	return c.idempotent(func(o *creation) error {
		if err := c.reserveStorage(len(c.body)); err != nil {
			return err
		}
		_, err := h.cfg.Templates.Install(c.ctx(), templates.InstallRequest{
			TenantID: c.tenantID(), Author: c.principal.KeyName, TemplateID: id,
			Name: req.Name, Slug: req.Slug, Parameters: req.Parameters, Admit: c.reserveMemory,
			Keep: func(w definitions.Workflow, v definitions.NewVersion) *idempotency.Answer {
				c.addStored(2*len(v.Definition) + len(req.Parameters)) // what was installed is kept beside it
				header := map[string]string{"Location": workflowsBase + "/" + w.ID, "ETag": etag(w.Revision)}
				return o.answer(http.StatusCreated, header, installedWorkflow{w.ID})
			},
		})
		return err
	})
}

func (h *Handler) mergeTemplate(c *call, req mergeTemplate) error {
	r, err := c.reference()
	if err != nil {
		return err
	}
	dry, err := c.dryRun()
	if err != nil {
		return err
	}
	if !dry {
		if err := c.reserveStorage(len(c.body)); err != nil {
			return err
		}
	}
	merged, err := h.cfg.Templates.MergeUpdate(c.ctx(), templates.MergeRequest{
		TenantID: c.tenantID(), Ref: r.Workflow, Author: c.principal.KeyName,
		Parameters: req.Parameters, DryRun: dry, IfMatch: r.IfMatch, Admit: c.reserveMemory,
	})
	if err != nil {
		return err
	}
	if !dry {
		c.addStored(len(merged.After))
	}
	body, err := mergeBodyOf(merged, dry)
	if err != nil {
		return err
	}
	c.setETag(merged.Workflow.Revision)
	return c.reply(http.StatusOK, body)
}

// linkTemplates adds to workflows where they came from and whether there is
// something newer.
func (c *call) linkTemplates(list ...*workflowSummary) error {
	ids := make([]string, len(list))
	for i, w := range list {
		ids[i] = w.ID
	}
	links, err := c.h.cfg.Templates.Links(c.ctx(), c.tenantID(), ids...)
	if err != nil {
		return err
	}
	for _, w := range list {
		if link, made := links[w.ID]; made {
			w.Template = &templateLink{link.TemplateID, link.Version, link.Parameters}
			w.UpdateAvailable = link.UpdateAvailable
		}
	}
	return nil
}
