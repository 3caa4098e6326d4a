package authoring

import (
	"heddle/api/core"
	"heddle/definitions/source"
	"heddle/definitions/workflows"
	"heddle/internal/elements"
	"heddle/versions"
	"net/http"
	"net/url"
)

// reference returns the workflow and the version of the path, "" where it has none, and the
// revisions of If-Match, which the service checks in the transaction of the write.
func reference(c *core.Call) versions.Reference {
	return versions.Reference{TenantID: c.TenantID(), Workflow: c.Param("id"), Version: c.Param("version"), IfMatch: c.IfMatch}
}

// publishVersion makes a version the active one; publishing the active one changes nothing. Open
// runs keep the version that they started on. The answer is the workflow, or a preview.
func (h *handlers) publishVersion(c *core.Call, _ publishVersion) error {
	r := reference(c)
	if dry, err := c.DryRun(); err != nil || dry {
		return h.previewVersion(c, r, err)
	}
	w, err := h.Versions.Publish(c.Ctx(), r)
	if err != nil {
		return err
	}
	return h.replyWorkflow(c, w)
}

// rollbackWorkflow publishes a new version with the definition of an earlier one:
// history only grows, so that a rollback can be undone by another.
func (h *handlers) rollbackWorkflow(c *core.Call, req rollbackWorkflow) error {
	r := reference(c)
	// The version stands in the body, not in the path: the new version has a number of its own.
	r.Version = string(req.Version)
	if r.Version == "" {
		// An absent version would be the active one, to which there is nothing to go back.
		return core.Malformed("version is missing; name the version to go back to: {\"version\": 2}.")
	}
	// The author is the key's name as it is now; versions keep a copy.
	ask := versions.RollbackRequest{Reference: r, Author: c.Principal.Actor.Name, ChangeSummary: req.ChangeSummary}
	// What a rollback checks beyond the preview is checked here, so that both refuse the same.
	if dry, err := c.DryRun(); err != nil || dry {
		if err == nil {
			err = workflows.CheckChangeSummary(req.ChangeSummary)
		}
		return h.previewVersion(c, r, err)
	}
	// The size of the earlier definition is not known yet.
	if err := c.ReserveStorage(1); err != nil {
		return err
	}
	w, err := h.Versions.Rollback(c.Ctx(), ask)
	if err != nil {
		return err
	}
	v, err := h.Versions.Active(c.Ctx(), w)
	if err != nil {
		return err
	}
	c.AddStored(len(v.Definition) + len(v.Written.Text))
	return h.replyVersion(c, w, v)
}

// previewVersion answers a dry run of publishing a version, or of going back to it. err is that
// of the steps before and is returned as it is.
func (h *handlers) previewVersion(c *core.Call, r versions.Reference, err error) error {
	if err != nil {
		return err
	}
	p, err := h.Versions.PreviewVersion(c.Ctx(), r)
	if err != nil {
		return err
	}
	return h.replyPreview(c, p)
}

// previewUpdate answers what a PUT would mean; one without a definition changes nothing that
// runs. It makes all checks of the update. err is that of the steps before.
func (h *handlers) previewUpdate(c *core.Call, req workflows.UpdateRequest, err error) error {
	if err != nil {
		return err
	}
	w, doc, err := h.Definitions.Plan(c.Ctx(), &req)
	if err != nil {
		return err
	}
	p, err := h.Versions.PreviewDefinition(c.Ctx(), w, doc, writtenIn(req))
	if err != nil {
		return err
	}
	return h.replyPreview(c, p)
}

// writtenIn returns the text of an update's definition, if it has one.
func writtenIn(req workflows.UpdateRequest) source.Written {
	if req.Definition == nil {
		return source.Written{}
	}
	return req.Definition.Written
}

// replyPreview sends what a write would mean, with the ETag that the write may name in If-Match,
// so that nothing changes between the two.
func (h *handlers) replyPreview(c *core.Call, p versions.Preview) error {
	c.SetETag(p.Workflow.Revision)
	return c.Reply(http.StatusOK, previewBody{
		DryRun: true, differences: differencesOf(p.Diff),
		OpenRuns: p.OpenRuns, Schedules: p.Schedules, Breaking: p.Breaking,
		Callers:        elements.Map(p.Callers, func(v versions.Caller) lastTrigger { return lastTrigger{v.Trigger, core.Timestamp(v.LastUsed)} }),
		OpenApprovals:  p.OpenApprovals,
		Resumable:      elements.Map(p.Resumable, func(id string) runLink { return runLink{id} }),
		SecretsMissing: p.SecretsMissing, AgentsMissing: p.AgentsMissing, SourceChanged: p.SourceChanged,
	})
}

// labelVersion sets or clears a label, which is unique within its workflow: fault.Conflict
// label_taken. The answer is the version, with the workflow's ETag.
func (h *handlers) labelVersion(c *core.Call, req labelVersion) error {
	if !req.Label.given {
		return core.Malformed("label is missing; send {\"label\": \"v2.4\"}, or null to take it away.")
	}
	r := reference(c)
	// A label of "" is cleared; null was read as that.
	if label := req.Label.text; label != "" {
		if err := c.ReserveStorage(len(label)); err != nil {
			return err
		}
	}
	w, v, err := h.Versions.SetLabel(c.Ctx(), r, req.Label.text)
	if err != nil {
		return err
	}
	c.SetETag(w.Revision)
	return c.Reply(http.StatusOK, versionOf(w, v))
}

// diffVersions compares two stored versions, in the order v1 to v2. Its ETag is the workflow's,
// whose labels may name the versions.
func (h *handlers) diffVersions(c *core.Call) error {
	q, err := c.Query()
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
	found, err := h.Versions.Diff(c.Ctx(), c.TenantID(), c.Param("id"), v1, v2)
	if err != nil {
		return err
	}
	if c.SetETag(found.Workflow.Revision) {
		return c.ReplyStatus(http.StatusNotModified)
	}
	return c.Reply(http.StatusOK, diffOf(found))
}

// versionParam returns a required version from the query, given once: a number or a label. The
// error is fault.Malformed invalid_request.
func versionParam(q url.Values, name string) (string, error) {
	if v := q[name]; len(v) == 1 && versions.ValidName(v[0]) {
		return v[0], nil
	}
	return "", core.Malformed("%s must name one version: its number, such as %s=3 or %s=v3, or its label.", name, name, name)
}

// diffTexts compares two definitions, of which none needs to be stored or valid.
func (h *handlers) diffTexts(c *core.Call, req diffTexts) error {
	if !req.Before.Given || !req.After.Given {
		return core.Malformed("Send {\"before\": …, \"after\": …}, each with a definition or a source.")
	}
	d, err := versions.DiffDefinitions(req.Before.ParsedDefinition.ParsedDefinition, req.After.ParsedDefinition.ParsedDefinition)
	if err != nil {
		return err
	}
	return c.Reply(http.StatusOK, differencesOf(d))
}

// diffDraft compares a version, the active one unless another is named, with a definition that is not stored. It may be invalid,
// but must be readable: fault.Unacceptable invalid_definition otherwise.
func (h *handlers) diffDraft(c *core.Call, req diffDraft) error {
	if !req.Definition.Given {
		return errNoDefinition()
	}
	found, err := h.Versions.DiffDraft(c.Ctx(), c.TenantID(), c.Param("id"), string(req.Base), req.Definition.ParsedDefinition)
	if err != nil {
		return err
	}
	c.SetETag(found.Workflow.Revision)
	return c.Reply(http.StatusOK, diffOf(found))
}
