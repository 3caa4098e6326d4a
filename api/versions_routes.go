package api

import (
	"heddle/definitions"
	"heddle/versions"
	"net/http"
	"net/url"
)

// reference reads the workflow of the path and If-Match.
func (c *call) reference() (versions.Reference, error) {
	ref, err := c.param("id")
	if err != nil {
		return versions.Reference{}, err
	}
	match, err := c.ifMatch()
	return versions.Reference{TenantID: c.tenantID(), Workflow: ref, IfMatch: match}, err
}

// pathReference is reference with the version of the path.
func (c *call) pathReference() (versions.Reference, error) {
	r, err := c.reference()
	if err != nil {
		return r, err
	}
	r.Version, err = c.param("version")
	return r, err
}

// dryRun tells whether only the consequences are asked for.
func (c *call) dryRun() (bool, error) {
	q, err := c.query()
	if err != nil {
		return false, err
	}
	return boolParam(q, "dry_run")
}

func (h *Handler) publishVersion(c *call, _ publishVersion) error {
	r, err := c.pathReference()
	if err != nil {
		return err
	}
	if dry, err := c.dryRun(); err != nil || dry {
		return h.previewVersion(c, r, err)
	}
	w, err := h.cfg.Versions.Publish(c.ctx(), r)
	if err != nil {
		return err
	}
	return c.replyWorkflow(w)
}

func (h *Handler) rollbackWorkflow(c *call, req rollbackWorkflow) error {
	r, err := c.reference()
	if err != nil {
		return err
	}
	r.Version = string(req.Version)
	if r.Version == "" {
		return malformed("version is missing; name the version to go back to: {\"version\": 2}.")
	}
	ask := versions.RollbackRequest{Reference: r, Author: c.principal.KeyName, ChangeSummary: req.ChangeSummary}
	if dry, err := c.dryRun(); err != nil || dry {
		if err == nil {
			err = definitions.CheckChangeSummary(req.ChangeSummary)
		}
		return h.previewVersion(c, r, err)
	}
	if err := c.reserveStorage(1); err != nil {
		return err
	}
	w, err := h.cfg.Versions.Rollback(c.ctx(), ask)
	if err != nil {
		return err
	}
	return c.replyWorkflow(w)
}

func (h *Handler) previewVersion(c *call, r versions.Reference, err error) error {
	if err != nil {
		return err
	}
	p, err := h.cfg.Versions.PreviewVersion(c.ctx(), r)
	if err != nil {
		return err
	}
	return c.replyPreview(p)
}

// previewUpdate says what a PUT would mean; one without a definition changes
// nothing that runs.
func (h *Handler) previewUpdate(c *call, req definitions.UpdateRequest, err error) error {
	if err != nil {
		return err
	}
	w, doc, err := h.cfg.Definitions.Plan(c.ctx(), &req)
	if err != nil {
		return err
	}
	p, err := h.cfg.Versions.PreviewDefinition(c.ctx(), w, doc)
	if err != nil {
		return err
	}
	return c.replyPreview(p)
}

func (c *call) replyPreview(p versions.Preview) error {
	c.setETag(p.Workflow.Revision)
	return c.reply(http.StatusOK, previewBody{
		DryRun: true, differences: differencesOf(p.Diff),
		OpenRuns: p.OpenRuns, Schedules: p.Schedules, Breaking: p.Breaking,
	})
}

func (h *Handler) labelVersion(c *call, req labelVersion) error {
	if !req.Label.given {
		return malformed("label is missing; send {\"label\": \"v2.4\"}, or null to take it away.")
	}
	r, err := c.pathReference()
	if err != nil {
		return err
	}
	w, v, err := h.cfg.Versions.SetLabel(c.ctx(), r, req.Label.text)
	if err != nil {
		return err
	}
	c.setETag(w.Revision)
	return c.reply(http.StatusOK, versionOf(w, v))
}

func (h *Handler) diffVersions(c *call) error {
	ref, err := c.param("id")
	if err != nil {
		return err
	}
	q, err := c.query()
	if err != nil {
		return err
	}
	v1, err := versionParam(q, "v1")
	if err != nil {
		return err
	}
	v2, err := versionParam(q, "v2")
	if err != nil {
		return err
	}
	found, err := h.cfg.Versions.Diff(c.ctx(), c.tenantID(), ref, v1, v2)
	if err != nil {
		return err
	}
	if c.setETag(found.Workflow.Revision) {
		return c.replyStatus(http.StatusNotModified)
	}
	return c.reply(http.StatusOK, diffOf(found))
}

// versionParam reads a required version from the query.
func versionParam(q url.Values, name string) (string, error) {
	if v := q[name]; len(v) == 1 && versions.ValidName(v[0]) {
		return v[0], nil
	}
	return "", malformed("%s must name one version: its number, such as %s=3 or %s=v3, or its label.", name, name, name)
}

func (h *Handler) diffDraft(c *call, req diffDraft) error {
	ref, err := c.param("id")
	if err != nil {
		return err
	}
	if !req.Definition.given {
		return errNoDefinition()
	}
	found, err := h.cfg.Versions.DiffDraft(c.ctx(), c.tenantID(), ref, req.Definition.Written)
	if err != nil {
		return err
	}
	c.setETag(found.Workflow.Revision)
	return c.reply(http.StatusOK, diffOf(found))
}
