package core

import (
	"context"
	"heddle/access"
	"heddle/fault"
	"heddle/ids"
	"net/http"
	"strings"
)

// authenticate returns the principal of the bearer token; anything that is not exactly one is
// answered like an unknown key: fault.Unauthenticated. An unavailable store is fault.Unavailable.
func (h *Server) authenticate(ctx context.Context, r *http.Request) (access.Principal, error) {
	return h.cfg.Access.Authenticate(ctx, bearer(r))
}

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
	switch c.Route.On {
	case OnWorkflow:
		ref, err := c.Param("id")
		if err != nil {
			return err
		}
		w, err := h.cfg.Definitions.Get(c.Ctx(), c.TenantID(), ref)
		if err != nil {
			return err
		}
		return Allow(c.Principal, action, w.ID, w.Slug)
	case OnSchedule:
		return h.authoriseSchedule(c)
	case OnRun:
		id, err := c.Param("run_id")
		if err != nil {
			return err
		}
		run, err := h.cfg.Executor.Run(c.Ctx(), c.TenantID(), id)
		if err != nil {
			return err
		}
		return Allow(c.Principal, action, run.WorkflowID, run.Slug)
	case OnSecret:
		// No grant reaches secrets: only a role does, and that was checked above.
		return access.Denied(action, "secret:"+Truncate(c.PathParams.Param("secret")))
	default: // nothing to do for the others
	}
	// Of the tenant as a whole: only a role counts.
	return Allow(c.Principal, action, "", "*")
}

// Allow returns nil if the caller may do the action on the workflow, by role or grant, else the
// error fault.Denied acl_denied, which names the action and the slug.
func Allow(p access.Principal, a access.Action, workflowID, slug string) error {
	if access.Can(p, a, workflowID) {
		return nil
	}
	return access.Denied(a, "workflow:"+slug)
}

// ScheduleID returns the id of the path's schedule. What cannot be an id is fault.NotFound
// schedule_not_found: the parameter is called id, which Param takes for a workflow's.
func (c *Call) ScheduleID() (string, error) {
	id := c.RawParam("id")
	if !ids.Valid(id) {
		return "", fault.New(fault.NotFound, "schedule_not_found", "There is no schedule %q.", Truncate(id))
	}
	return id, nil
}

// authoriseSchedule authorises the action on the workflow of the path's schedule. It reads both
// rows.
func (h *Server) authoriseSchedule(c *Call) error {
	id, err := c.ScheduleID()
	if err != nil {
		return err
	}
	s, err := h.cfg.Schedules.Get(c.Ctx(), c.TenantID(), id)
	if err != nil {
		return err
	}
	w, err := h.cfg.Definitions.Get(c.Ctx(), c.TenantID(), s.WorkflowID)
	if err != nil {
		return err
	}
	return Allow(c.Principal, c.Route.Action, w.ID, w.Slug)
}
