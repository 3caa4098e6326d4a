package core

import (
	"heddle/access"
	"net/http"
	"strings"
)

// bearer returns the request's token (RFC 6750); "" where there is not exactly one Authorization
// of at most 1,024 bytes.
func bearer(r *http.Request) (token string) {
	// Spelt as net/http canonicalizes it.
	if v := r.Header["Authorization"]; len(v) == 1 && len(v[0]) <= 1024 {
		scheme, rest, _ := strings.Cut(v[0], " ")
		if strings.EqualFold(scheme, "Bearer") {
			token = strings.Trim(rest, " ")
		}
	}
	return token
}

// authorise returns fault.Denied acl_denied unless the caller may do the route's action on its
// object, and the error of reading that object, such as fault.NotFound run_not_found. A role that
// may do it everywhere costs no read; a grant costs one or two rows.
func (h *Server) authorise(c *Call) error {
	action := c.Route.Action
	if c.Route.On == FilteredByAccess || c.Route.On == NamedInBody || access.CanEverywhere(c.Principal, action) {
		return nil
	}
	// No grant reaches secrets or the tenant as a whole: only a role does, and that was checked
	// above.
	if c.Route.On == OnSecret {
		return access.Denied(action, "secret:"+Truncate(c.Param("secret")))
	}
	if c.Route.On == OnTenant {
		return access.Denied(action, "workflow:*")
	}
	workflowID, slug, err := h.workflowOf(c)
	if err != nil {
		return err
	}
	return Allow(c.Principal, action, workflowID, slug)
}

// workflowOf returns the id and the slug of the workflow that the path's object belongs to: the
// workflow itself, or that of a run or a schedule, which is read first.
func (h *Server) workflowOf(c *Call) (workflowID, slug string, err error) {
	if err := checkNames(c); err != nil {
		return "", "", err
	}
	if c.Route.On == OnRun {
		run, err := h.cfg.Executor.Run(c.Ctx(), c.TenantID(), c.Param("run_id"))
		return run.WorkflowID, run.Slug, err
	}
	ref := c.Param("id")
	if c.Route.On == OnSchedule {
		s, err := h.cfg.Schedules.Get(c.Ctx(), c.TenantID(), ref)
		if err != nil {
			return "", "", err
		}
		ref = s.WorkflowID
	}
	w, err := h.cfg.Definitions.Get(c.Ctx(), c.TenantID(), ref)
	return w.ID, w.Slug, err
}

// Can returns what the caller may do on the workflow with that id, which its rows and those of its
// runs and schedules show; "": on the tenant as a whole. It reads nothing.
func (c *Call) Can(workflowID string) []access.Action {
	return access.Permitted(c.Principal, workflowID)
}

// Rights is embedded in answers about an object: what the caller may do with it. It is not part of
// what an ETag names, because rights change without the object.
type Rights struct {
	Can []access.Action `json:"can" enum:"view,edit,execute,answer,operate" doc:"What the caller may do here, by role and grant, when it was answered. It is not part of the ETag."`
}

// RightsOn returns the caller's rights on a workflow, or on a run or schedule of it.
func (c *Call) RightsOn(workflowID string) Rights { return Rights{c.Can(workflowID)} }

// Allow returns nil if the caller may do the action on the workflow, by role or grant, else the
// error fault.Denied acl_denied, which names the action and the slug.
func Allow(p access.Principal, a access.Action, workflowID, slug string) error {
	if access.Can(p, a, workflowID) {
		return nil
	}
	return access.Denied(a, "workflow:"+slug)
}
