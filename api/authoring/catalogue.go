package authoring

import (
	"heddle/access"
	"heddle/api/core"
	"heddle/definitions/validation"
	"heddle/internal/elements"
	"heddle/templates"
	"heddle/versions"
	"net/http"
)

// catalogue serves what is known of templates beside the templates themselves: their versions,
// where they were installed, and what an installation would make. It may be used concurrently.
type catalogue struct{ Services }

// previewInstall answers with what an installation would make; err is that of reading dry_run.
func (h *catalogue) previewInstall(c *core.Call, req installTemplate, err error) error {
	if err != nil {
		return err
	}
	p, err := h.Templates.PreviewInstall(c.Ctx(), templates.InstallRequest{
		TenantID: c.TenantID(), TemplateID: c.Param("id"), Name: req.Name, Parameters: req.Parameters, Admit: c.ReserveMemory,
	})
	if err != nil {
		return err
	}
	return c.Reply(http.StatusOK, installPreview{DryRun: true, Definition: p.Definition, validity: validity{
		Valid: validation.Valid(p.Diagnostics), Errors: validation.Messages(p.Diagnostics), Diagnostics: p.Diagnostics,
	}})
}

// listTemplateVersions lists a template's versions, newest first.
func (h *catalogue) listTemplateVersions(c *core.Call) error {
	_, p, err := c.PageQuery()
	if err != nil {
		return err
	}
	list, next, err := h.Templates.Versions(c.Ctx(), c.TenantID(), c.Param("id"), p.Cursor, p.Limit)
	if err != nil {
		return err
	}
	return c.Reply(http.StatusOK, templateVersionList{
		Versions: elements.Map(list, func(t templates.Template) templateVersion {
			return templateVersion{t.Version, t.Name, t.Description, t.Parameters, t.CreatedBy, core.TimestampOrNil(t.UpdatedAt)}
		}), NextCursor: core.TextOrNull(next),
	})
}

// diffTemplateVersions compares two versions of a template, whose placeholders are values like
// any other.
func (h *catalogue) diffTemplateVersions(c *core.Call) error {
	q, err := c.Query()
	if err != nil {
		return err
	}
	var numbers [2]int
	for i, name := range []string{"v1", "v2"} {
		if numbers[i], err = core.IntParam(q, name, 0, 1, 1_000_000_000); err != nil {
			return err
		}
		if numbers[i] == 0 {
			return core.Malformed("%s is missing; it is the number of a version.", name)
		}
	}
	before, after, err := h.Templates.Pair(c.Ctx(), c.TenantID(), c.Param("id"), numbers[0], numbers[1])
	if err != nil {
		return err
	}
	diff, err := versions.Compare(before.Definition, after.Definition)
	if err != nil {
		return err
	}
	return c.Reply(http.StatusOK, templateDiff{differencesOf(diff), numbers[0], numbers[1]})
}

// listInstalledWorkflows lists the workflows that were made of a template.
func (h *catalogue) listInstalledWorkflows(c *core.Call) error {
	_, p, err := c.PageQuery()
	if err != nil {
		return err
	}
	list, next, err := h.Templates.Installed(c.Ctx(), c.TenantID(), c.Param("id"), p.Cursor, p.Limit)
	if err != nil {
		return err
	}
	return c.Reply(http.StatusOK, installedList{
		Installed: elements.Map(list, func(i templates.Installed) templateWorkflow {
			return templateWorkflow{i.WorkflowID, i.Slug, i.Name, i.Version}
		}),
		NextCursor: core.TextOrNull(next),
	})
}

// routes returns the routes that only read.
func (h *catalogue) routes() []core.Route {
	const one = core.WorkflowsBase + "/templates/{id}"
	unknown := []string{"template_not_found"}
	return []core.Route{
		core.Route{
			Method: http.MethodGet, Path: one + "/versions", ID: "listTemplateVersions", Tag: "templates",
			Summary: "List the versions of a template, newest first", Action: access.View, On: core.OnTenant,
			Query: core.CursorPaging(), Answers: core.OK(templateVersionList{}), Codes: unknown,
		}.Handle(core.NoBody(h.listTemplateVersions)),
		core.Route{
			Method: http.MethodGet, Path: one + "/diff", ID: "diffTemplateVersions", Tag: "templates",
			Summary: "Compare two versions of a template", Action: access.View, On: core.OnTenant,
			Query: []core.Param{
				{Name: "v1", Required: true, JSONType: "integer", Description: "The number of the version before."},
				{Name: "v2", Required: true, JSONType: "integer", Description: "The number of the version after."},
			}, Answers: core.OK(templateDiff{}), Codes: append([]string{"version_not_found"}, unknown...),
		}.Handle(core.NoBody(h.diffTemplateVersions)),
		core.Route{
			Method: http.MethodGet, Path: one + "/workflows", ID: "listInstalledWorkflows", Tag: "templates",
			Summary: "List the workflows that were made of a template, with its version in each", Action: access.View, On: core.OnTenant,
			Query: core.CursorPaging(), Answers: core.OK(installedList{}), Codes: unknown,
		}.Handle(core.NoBody(h.listInstalledWorkflows)),
	}
}
