package authoring

import (
	"heddle/api/core"
	"heddle/definitions/workflows"
	"heddle/idempotency"
	"heddle/ids"
	"heddle/internal/elements"
	"heddle/templates"
	"net/http"
)

// listTemplates lists built-in templates, then the tenant's own. The filters are category,
// compared exactly, and is_builtin.
func (h *handlers) listTemplates(c *core.Call) error {
	q, p, err := c.PageQuery()
	if err != nil {
		return err
	}
	ask := templates.Query{
		TenantID: c.TenantID(), Category: q.Get("category"),
		Limit: p.Limit, Offset: p.Offset, Cursor: p.Cursor, WantTotal: p.WantTotal(),
	}
	// Absent is both, which false is not.
	if q.Has("is_builtin") {
		builtin, err := core.BoolParam(q, "is_builtin")
		if err != nil {
			return err
		}
		ask.Builtin = &builtin
	}
	found, err := h.Templates.List(c.Ctx(), ask)
	if err != nil {
		return err
	}
	return c.Reply(http.StatusOK, templateList{
		Templates: elements.Map(found.Templates, templateSummaryOf),
		Total:     core.TotalOrNothing(found.Total, p.WantTotal()), NextCursor: core.TextOrNull(found.Next),
	})
}

// getTemplate returns a template's newest version. Its version is its ETag, since a template
// changes by new versions alone.
func (h *handlers) getTemplate(c *core.Call) error {
	t, err := h.Templates.Get(c.Ctx(), c.TenantID(), c.Param("id"))
	if err != nil {
		return err
	}
	if c.SetETag(int64(t.Version)) {
		return c.ReplyStatus(http.StatusNotModified)
	}
	return c.Reply(http.StatusOK, templateAnswer{templateBodyOf(t)})
}

// sourceOf returns what a template is to be made of, as the request names it; that exactly one
// source is named is for the service to check. d is kept, not copied. Errors: fault.NotFound for
// names that can name nothing.
func sourceOf(workflow string, version workflows.VersionRef, d *core.ParsedDefinition) (templates.Source, error) {
	if workflow != "" && !ids.Valid(workflow) {
		return templates.Source{}, core.NotFound("workflow", workflow)
	}
	if v := string(version); v != "" && !ids.Valid(v) {
		return templates.Source{}, core.NotFound("version", v)
	}
	src := templates.Source{Workflow: workflow, Version: string(version)}
	// nil means no definition to the service, not one with errors.
	if d.Given {
		src.Definition = &d.ParsedDefinition
	}
	return src, nil
}

// createTemplate stores a template, at most once per Idempotency-Key. It counts as
// stored bytes before it is stored, so that a quota cannot be overrun by
// concurrent requests.
func (h *handlers) createTemplate(c *core.Call, req createTemplate) error {
	src, err := sourceOf(req.WorkflowID, req.Version, &req.Definition)
	if err != nil {
		return err
	}
	return c.Idempotent(func(o *core.Creation) error {
		if err := c.ReserveStorage(len(c.Body)); err != nil {
			return err
		}
		_, err := h.Templates.Create(c.Ctx(), templates.CreateRequest{
			TenantID: c.TenantID(), Author: c.Principal.Actor.Name, Name: req.Name, Description: req.Description,
			Category: req.Category, Parameters: req.Parameters, Source: src, Admit: c.ReserveMemory,
			Keep: func(t templates.Template) *idempotency.Answer {
				// Only here is it known how much is stored: the definition may be that of a
				// workflow.
				c.AddStored(len(t.Definition) + 2*len(t.Parameters))
				header := map[string]string{"Location": core.WorkflowsBase + "/templates/" + t.ID, "ETag": core.ETag(int64(t.Version))}
				return o.Answer(http.StatusCreated, header, createdTemplate{t.ID, templateBodyOf(t)})
			},
		})
		return err
	})
}

// updateTemplate stores a template's next version; where nothing changes there is none, and the
// current one is answered. Workflows that were made of it show update_available from then on and
// do not change.
func (h *handlers) updateTemplate(c *core.Call, req updateTemplate) error {
	src, err := sourceOf(req.WorkflowID, req.Version, &req.Definition)
	if err != nil {
		return err
	}
	if err := c.ReserveStorage(len(c.Body)); err != nil {
		return err
	}
	t, err := h.Templates.Update(c.Ctx(), templates.UpdateRequest{
		TenantID: c.TenantID(), ID: c.Param("id"), Author: c.Principal.Actor.Name, Name: req.Name, Description: req.Description,
		Category: req.Category, Parameters: req.Parameters, Source: src, IfMatch: c.IfMatch, Admit: c.ReserveMemory,
	})
	if err != nil {
		return err
	}
	c.AddStored(len(t.Definition) + len(t.Parameters))
	c.SetETag(int64(t.Version))
	return c.Reply(http.StatusOK, templateAnswer{templateBodyOf(t)})
}

// deleteTemplate deletes a template of the tenant's own: 204, or fault.Denied template_builtin.
// Workflows made of it stay.
func (h *handlers) deleteTemplate(c *core.Call) error {
	if err := h.Templates.Delete(c.Ctx(), c.TenantID(), c.Param("id"), c.IfMatch); err != nil {
		return err
	}
	return c.ReplyStatus(http.StatusNoContent)
}

// installTemplate makes a workflow of a template, at most once per Idempotency-Key. What was
// installed is stored beside the workflow, because a later merge has three sides.
func (h *handlers) installTemplate(c *core.Call, req installTemplate) error {
	if dry, err := c.DryRun(); err != nil || dry {
		return (&catalogue{h.Services}).previewInstall(c, req, err)
	}
	return c.Idempotent(func(o *core.Creation) error {
		if err := c.ReserveStorage(len(c.Body)); err != nil {
			return err
		}
		_, err := h.Templates.Install(c.Ctx(), templates.InstallRequest{
			TenantID: c.TenantID(), Author: c.Principal.Actor.Name, TemplateID: c.Param("id"),
			Name: req.Name, Slug: req.Slug, Parameters: req.Parameters, Admit: c.ReserveMemory,
			Keep: func(w workflows.Workflow, v workflows.NewVersion) *idempotency.Answer {
				c.AddStored(2*len(v.Definition) + len(req.Parameters)) // what was installed is kept beside it
				// The location is that of the workflow: the template was there before.
				header := map[string]string{"Location": core.WorkflowsBase + "/" + w.ID, "ETag": core.ETag(w.Revision)}
				return o.Answer(http.StatusCreated, header, installedWorkflow{w.ID})
			},
		})
		return err
	})
}

// mergeTemplate merges a template's newest version into a workflow, as an unpublished version.
// Where both sides changed the same place the edit stays and is listed as a conflict. With
// dry_run nothing is stored.
func (h *handlers) mergeTemplate(c *core.Call, req mergeTemplate) error {
	r := reference(c)
	dry, err := c.DryRun()
	if err != nil {
		return err
	}
	// A dry run stores nothing, so that a full quota does not refuse it.
	if !dry {
		if err := c.ReserveStorage(len(c.Body)); err != nil {
			return err
		}
	}
	// The service merges what is edited meanwhile too, unless If-Match forbids it.
	merged, err := h.Templates.MergeUpdate(c.Ctx(), templates.MergeRequest{
		TenantID: c.TenantID(), Ref: r.Workflow, Author: c.Principal.Actor.Name,
		Parameters: req.Parameters, Resolutions: elements.Map(req.Resolutions, func(r mergeResolution) templates.Resolution { return templates.Resolution(r) }),
		DryRun: dry, IfMatch: r.IfMatch, Admit: c.ReserveMemory,
	})
	if err != nil {
		return err
	}
	if !dry {
		c.AddStored(len(merged.After))
	}
	body, err := mergeBodyOf(merged, dry)
	if err != nil {
		return err
	}
	c.SetETag(merged.Workflow.Revision)
	return c.Reply(http.StatusOK, body)
}

// linkTemplates adds to workflows where they came from and whether there is something newer, in
// place. It reads the links of all of them at once. list points at the summaries of the answer.
func (h *handlers) linkTemplates(c *core.Call, list ...*workflowSummary) error {
	ids := elements.Map(list, func(w *workflowSummary) string { return w.ID })
	links, err := h.Templates.Links(c.Ctx(), c.TenantID(), ids...)
	if err != nil {
		return err
	}
	// A workflow that was not made of a template has no link, and keeps its zero fields.
	for _, w := range list {
		if link, made := links[w.ID]; made {
			w.Template = &templateLink{link.TemplateID, link.Version, link.Parameters}
			w.UpdateAvailable = link.UpdateAvailable
		}
	}
	return nil
}
