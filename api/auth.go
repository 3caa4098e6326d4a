package api

import (
	"context"
	"heddle/access"
	"net/http"
	"strings"
)

// authenticate reads the bearer token; whatever is not exactly one is answered
// like an unknown key.
func (h *Handler) authenticate(ctx context.Context, r *http.Request) (access.Principal, error) {
	return h.cfg.Access.Authenticate(ctx, bearer(r))
}

// bearer is the request's token, "" where there is not exactly one.
func bearer(r *http.Request) (token string) {
	if v := r.Header["Authorization"]; len(v) == 1 && len(v[0]) <= 1024 {
		scheme, rest, _ := strings.Cut(v[0], " ")
		if strings.EqualFold(scheme, "Bearer") {
			token = strings.Trim(rest, " ")
		}
	}
	return token
}

// authorise asks whether the caller may do the route's action on its object.
// A role that may do it everywhere costs no read.
func (h *Handler) authorise(c *call) error {
	action := c.route.action
	if c.route.on == filteredByAccess || c.route.on == namedInBody || access.CanEverywhere(c.principal, action) {
		return nil
	}
	switch c.route.on {
	case onWorkflow:
		ref, err := c.param("id")
		if err != nil {
			return err
		}
		w, err := h.cfg.Definitions.Get(c.ctx(), c.tenantID(), ref)
		if err != nil {
			return err
		}
		return allow(c.principal, action, w.ID, w.Slug)
	case onSchedule:
		return h.authoriseSchedule(c)
	case onRun:
		id, err := c.param("run_id")
		if err != nil {
			return err
		}
		run, err := h.cfg.Executor.Run(c.ctx(), c.tenantID(), id)
		if err != nil {
			return err
		}
		return allow(c.principal, action, run.WorkflowID, run.Slug)
	case onSecret:
		return access.Denied(action, "secret:"+truncate(c.params.Param("secret")))
	}
	return allow(c.principal, action, "", "*")
}

func allow(p access.Principal, a access.Action, workflowID, slug string) error {
	if access.Can(p, a, workflowID) {
		return nil
	}
	return access.Denied(a, "workflow:"+slug)
}
