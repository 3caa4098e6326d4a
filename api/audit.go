package api

import (
	"context"
	"heddle/access"
	"heddle/audit"
	"heddle/fault"
	"net/http"
	"path"
	"strings"
	"time"
	"unicode"
)

// begin gives the request the context that it is served in: who makes it and
// which line it adds to the audit trail travel with it. What changes something
// is done to its end although the client goes away meanwhile: what follows a
// commit (answers that are kept, runs that are cancelled with their workflow,
// further lines of an import) would be left undone otherwise.
func (c *call) begin() (end func()) {
	action := ""
	if c.route.audited() && !c.asksDryRun() {
		action = c.route.auditAction()
	}
	c.audit = c.h.cfg.Access.Trail(c.principal, action, c.requestID())
	c.work, end = audit.With(c.r.Context(), c.audit), func() {}
	if !c.route.changes() {
		return end
	}
	detached := context.WithoutCancel(c.work)
	if until, bounded := c.r.Context().Deadline(); bounded {
		c.work, end = context.WithDeadline(detached, until)
	} else if c.route.body != bodyLines { // those go on for as long as lines come
		c.work, end = context.WithTimeout(detached, workTime)
	} else {
		c.work = detached
	}
	return end
}

// workTime is how long a change may go on after its client went away.
const workTime = 90 * time.Second

func (c *call) asksDryRun() bool { return c.r.URL.Query().Get("dry_run") == "true" }

// setAuditAction names what the request does from here on for the audit trail.
func (c *call) setAuditAction(action string) { c.audit.Rename(action) }

// writeAudit adds the line of a request that changed something, unless that was
// stored with the change. Starts leave their trace in the run's journal instead; a
// replayed answer and a dry run changed nothing. The deed is done by then, so that
// a line which cannot be written is logged and does not fail the request.
func (c *call) writeAudit() {
	if c.audit == nil || c.audit.Written() || c.notAudited || c.w.Header().Get(headerReplayed) != "" {
		return
	}
	o := c.object(c.route.noun())
	if err := c.h.cfg.Access.RecordAudit(c.ctx(), c.audit, o); err != nil {
		c.h.log.Error("the audit trail could not be written", "request_id", c.requestID(),
			"route", c.route.id, "object", o.String(), "error", fault.CodeOf(err))
	}
}

// changes reports whether requests to the route may change something.
func (r *route) changes() bool {
	return r.method != http.MethodGet && !r.pure && r.action != access.View && r.action != ""
}

// auditActions are the actions of routes whose operation's id says another.
var auditActions = map[string]string{
	"importWorkflows": "workflow.import", "cancelV1Run": "run.cancel", "terminateV1Run": "run.terminate",
	"signalRun": "signal.deliver", "sendInstanceEvent": "signal.deliver", "triggerSchedule": "schedule.trigger",
	"pauseInstance": "run.pause", "resumeInstance": "run.resume", "terminateInstance": "run.terminate", "restartInstance": "run.restart",
	"tickRunnerOfInstances": "runner.tick",
}

// auditAction is what the audit trail says of a request to the route.
func (r *route) auditAction() string {
	if action := auditActions[r.id]; action != "" {
		return action
	}
	noun, verb := nounAndVerb(r.id)
	return noun + "." + verb
}

func (r *route) noun() string {
	noun, _, _ := strings.Cut(r.auditAction(), ".")
	return noun
}

// audited tells whether requests to the route are written to the trail.
func (r *route) audited() bool {
	switch {
	case r.method == http.MethodGet:
		return false
	case auditActions[r.id] != "":
		return true
	case r.action == access.Execute:
		return r.on == onRun
	default:
		return r.action == access.Edit || r.action == access.Operate || r.action == access.Admin
	}
}

// object names what was changed: what was made, else what the path names.
func (c *call) object(noun string) audit.Object {
	if made := c.w.Header().Get("Location"); made != "" {
		return audit.Object{Kind: noun, ID: path.Base(made)}
	}
	if c.steered != "" {
		return audit.Object{Kind: "run", ID: c.steered}
	}
	for _, p := range []struct{ param, noun string }{{"run_id", "run"}, {"secret", "secret"}, {"agent_id", "agent"}, {"id", "workflow"}} {
		v := c.params.Param(p.param)
		if v == "" || !strings.Contains(c.route.path, "{"+p.param+"}") {
			continue
		}
		o := audit.Object{Kind: pathNoun(c.route.path, p.noun), ID: truncate(v)}
		if w, err := c.h.cfg.Definitions.Get(c.ctx(), c.tenantID(), v); o.Kind == "workflow" && err == nil {
			o.ID, o.Slug = w.ID, w.Slug
		}
		return o
	}
	return audit.Object{Kind: noun, ID: "*"}
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

// nounAndVerb makes noun and verb of an operation's id: setWorkflowStatus is
// workflow_status and set.
func nounAndVerb(operation string) (noun, verb string) {
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
