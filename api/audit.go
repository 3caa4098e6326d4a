package api

import (
	"net/http"
	"path"
	"strings"
	"unicode"

	"heddle/access"
	"heddle/fault"
)

// audit writes who did what. The deed is done by then, so that a trail which
// cannot be written is logged and does not fail the request.
func (c *call) audit(action, object string) {
	c.audited = true
	if err := c.h.cfg.Access.Record(c.ctx(), c.who, action, object, c.requestID()); err != nil {
		c.h.log.Error("the audit trail could not be written", "request_id", c.requestID(),
			"action", action, "object", object, "error", fault.CodeOf(err))
	}
}

// trail writes the entry of a request that changed something, unless its
// handler wrote a better one. Starts and signals leave their trace in the
// run's journal instead; a replayed answer and a dry run changed nothing.
func (c *call) trail() {
	if c.audited || !c.route.audited() || c.w.Header().Get(headerReplayed) != "" ||
		c.r.URL.Query().Get("dry_run") == "true" {
		return
	}
	noun, verb := deed(c.route.id)
	c.audit(noun+"."+verb, c.object(noun))
}

// audited tells whether requests to the route are written to the trail.
func (r *route) audited() bool {
	switch {
	case r.method == http.MethodGet:
		return false
	case r.action == access.Execute:
		return r.on == onRun && !strings.HasPrefix(r.id, "signal")
	default:
		return r.action == access.Edit || r.action == access.Operate || r.action == access.Admin
	}
}

// object names what was changed: what was made, else what the path names.
func (c *call) object(noun string) string {
	if made := c.w.Header().Get("Location"); made != "" {
		return noun + ":" + path.Base(made)
	}
	for _, p := range []struct{ param, noun string }{{"run_id", "run"}, {"secret", "secret"}, {"agent_id", "agent"}, {"id", "workflow"}} {
		if v := c.params.Param(p.param); v != "" && strings.Contains(c.route.path, "{"+p.param+"}") {
			return pathNoun(c.route.path, p.noun) + ":" + clip(v)
		}
	}
	return noun + ":*"
}

// pathNoun is what an {id} in a path is the id of.
func pathNoun(route, fallback string) string {
	before, _, _ := strings.Cut(route, "/{")
	switch collection := path.Base(before); collection {
	case "schedules", "templates", "agents", "secrets":
		return strings.TrimSuffix(collection, "s")
	}
	return fallback
}

// deed makes noun and verb of an operation's id: setWorkflowStatus is
// workflow_status and set.
func deed(operation string) (noun, verb string) {
	i := strings.IndexFunc(operation, unicode.IsUpper)
	if i < 0 {
		return "server", operation
	}
	verb = operation[:i]
	var b strings.Builder
	for j, r := range operation[i:] {
		if unicode.IsUpper(r) && j > 0 {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String(), verb
}
