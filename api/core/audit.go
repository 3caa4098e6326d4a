package core

import (
	"context"
	"heddle/access"
	"heddle/audit"
	"heddle/fault"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"
	"unicode"
)

// beginWork sets the context that the request is served in, which carries who makes it and which
// line it adds to the audit trail. What changes something is completed even if the client
// disconnects meanwhile: what follows a commit (answers that are kept, runs that are cancelled
// with their workflow, further lines of an import) would be left undone otherwise. end releases
// the context and has to be called once.
func beginWork(c *Call) (end func()) {
	action := ""
	if c.Route.audited() && !wantsDryRun(c) {
		action = c.Route.auditAction()
	}
	c.audit = c.server.cfg.Access.Trail(c.Principal, action, c.RequestID())
	c.work, end = audit.WithTrail(c.Request.Context(), c.audit), func() {}
	if !c.Route.Changes() {
		return end
	}
	detached := context.WithoutCancel(c.work)
	if until, bounded := c.Request.Context().Deadline(); bounded {
		c.work, end = context.WithDeadline(detached, until)
	} else if c.Route.Body != BodyLines { // those go on for as long as lines come
		c.work, end = context.WithTimeout(detached, workTime)
	} else {
		c.work = detached
	}
	return end
}

// workTime is how long a change may take in all, its client being connected or not; an import has
// no such limit.
const workTime = 90 * time.Second

// wantsDryRun reports whether the request writes nothing: its route has dry runs,
// and this is one. Elsewhere the parameter means nothing, and some dialects pass
// over parameters that they do not know.
func wantsDryRun(c *Call) bool {
	return slices.ContainsFunc(c.Route.Query, func(p Param) bool { return p.Name == "dry_run" }) &&
		c.Request.URL.Query().Get("dry_run") == "true"
}

// SetAuditAction names what the request does from here on for the audit trail, where the route
// alone does not say it.
func (c *Call) SetAuditAction(action string) { c.audit.SetAction(action) }

// writeAudit adds the line of a request that changed something, unless that was stored with the
// change. Starts leave their trace in the run's journal instead; a replayed answer and a dry run
// changed nothing. The change is committed by then, so that a line which cannot be written is
// logged and does not fail the request.
func writeAudit(c *Call) {
	if !c.audit.Wanted() || c.audit.Written() || c.NotAudited || c.Writer.Header().Get(HeaderReplayed) != "" {
		return
	}
	o := changedObject(c, c.Route.noun())
	if err := c.server.cfg.Access.RecordAudit(c.Ctx(), c.audit, o); err != nil {
		c.server.log.Error("the audit trail could not be written", "request_id", c.RequestID(),
			"route", c.Route.ID, "object", o.String(), "error", fault.CodeOf(err))
	}
}

// Changes reports whether requests to the route may change something: those of a key that are
// neither GET, nor Pure, nor need the right to view alone and leave no line of their own.
func (r *Route) Changes() bool {
	return r.Method != http.MethodGet && !r.Pure && r.Action != "" && (r.Action != access.View || r.AuditAs != "")
}

// auditAction returns what the audit trail says of a request to the route, as noun and verb:
// workflow.create.
func (r *Route) auditAction() string {
	if r.AuditAs != "" {
		return r.AuditAs
	}
	noun, verb := nounAndVerb(r.ID)
	return noun + "." + verb
}

// noun returns the kind of object that the route's action is about.
func (r *Route) noun() string {
	noun, _, _ := strings.Cut(r.auditAction(), ".")
	return noun
}

// audited reports whether requests to the route are written to the trail. What executes is
// written only where it steers a run that is there; a start is in the journal of the new run.
func (r *Route) audited() bool {
	switch {
	case r.Method == http.MethodGet:
		return false
	case r.AuditAs != "":
		return true
	case r.Action == access.Execute:
		return r.On == OnRun
	default:
		return r.Action == access.Edit || r.Action == access.Operate || r.Action == access.Admin
	}
}

// changedObject names what was changed: what was made, by its Location, else what the path names,
// else * for the collection. A workflow's slug is looked up, which reads its row; where that
// fails the path's word stays.
func changedObject(c *Call, noun string) audit.Object {
	if made := c.Writer.Header().Get("Location"); made != "" {
		return audit.Object{Kind: noun, ID: path.Base(made)}
	}
	if c.AuditedRun != "" {
		return audit.Object{Kind: "run", ID: c.AuditedRun}
	}
	for _, p := range []struct{ param, noun string }{{"run_id", "run"}, {"secret", "secret"}, {"agent_id", "agent"}, {"id", "workflow"}} {
		v := c.PathParams.Param(p.param)
		if v == "" || !strings.Contains(c.Route.Path, "{"+p.param+"}") {
			continue
		}
		o := audit.Object{Kind: pathNoun(c.Route.Path, p.noun), ID: Truncate(v)}
		if w, err := c.server.cfg.Definitions.Get(c.Ctx(), c.TenantID(), v); o.Kind == "workflow" && err == nil {
			o.ID, o.Slug = w.ID, w.Slug
		}
		return o
	}
	return audit.Object{Kind: noun, ID: "*"}
}

// pathNoun returns what an {id} in a path is the id of, by the segment before it; fallback where
// that is not one of the collections.
func pathNoun(route, fallback string) string {
	before, _, _ := strings.Cut(route, "/{")
	switch collection := path.Base(before); collection {
	case "schedules", "templates", "agents", "secrets":
		return strings.TrimSuffix(collection, "s")
	}
	return fallback
}

// nounAndVerb splits an operation's id into a noun in snake case and a verb: setWorkflowStatus is
// workflow_status and set, so that the action is workflow_status.set. An id of one word is done
// to the server.
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
