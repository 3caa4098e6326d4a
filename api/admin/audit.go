package admin

import (
	"encoding/json"
	"heddle/access"
	"heddle/api/core"
	"heddle/audit"
	"heddle/internal/elements"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"
)

// auditEntry is one line of the audit trail: who did what to which object, and why. Names are
// those of the time: what they name may be renamed or gone.
type auditEntry struct {
	ID        string `json:"id"`
	Actor     string `json:"actor" doc:"Who did it: a key's name, as it was then."`
	ActorType string `json:"actor_type" enum:"key,user,schedule,run,system"`
	// ActorID is the id of the key, schedule or run; "" for the product itself.
	ActorID string `json:"actor_id"`
	// Action is a noun and a verb: workflow.create.
	Action string `json:"action"`
	// Object is a kind and an id; * stands for no single one.
	Object     string `json:"object" doc:"What was changed, by its id: workflow:wf_…. Lines of earlier versions have what the caller wrote."`
	ObjectSlug string `json:"object_slug,omitempty" doc:"The object's slug or name, as it was then."`
	// RequestID is that of the request, which logs and its answer have too.
	RequestID string `json:"request_id"`
	Reason    string `json:"reason,omitempty" doc:"As the caller wrote it."`
	// Detail is left out where the action says it all.
	Detail json.RawMessage `json:"detail,omitempty" kind:"object" doc:"What became what: of a workflow the active version, its hash and the status, from and to."`
	At     core.Timestamp  `json:"at"`
}

// auditList is a page of the audit trail, newest first.
type auditList struct {
	Entries    []auditEntry `json:"entries"`
	NextCursor *string      `json:"next_cursor" doc:"Null on the last page."`
}

// auditEntryOf returns a line as answers show it. Lines of earlier versions have no type of
// actor; then only keys acted.
func auditEntryOf(e audit.Entry) auditEntry {
	b := auditEntry{
		ID: e.ID, Actor: e.Actor, ActorType: e.ActorType, ActorID: e.ActorID, Action: e.Action,
		Object: e.Object, ObjectSlug: e.ObjectSlug, RequestID: e.RequestID, Reason: e.Reason, Detail: e.Detail, At: core.Timestamp(e.At),
	}
	// A line without a type was written when only keys could act.
	if b.ActorType == "" {
		b.ActorType = audit.Key
	}
	return b
}

// auditRoutes returns the routes of the audit trail.
func (h *observers) auditRoutes() []core.Route {
	return []core.Route{
		// A download may last, so that each page of it has the time for the database.
		core.Route{
			Method: http.MethodGet, Path: "/v1/audit", ID: "listAudit", Tag: "access", LongRunning: true,
			Summary: "Who did what to which object, newest first; as CSV with Accept: text/csv", Action: access.Admin, On: core.OnTenant,
			Query: append([]core.Param{
				{Name: "actor", Description: "The name of who did it, as it was then."},
				{Name: "action", Description: "What was done, such as workflow.create."},
				{Name: "object", Description: "What it was done to, with its kind: workflow:wf_…, or workflow:SLUG for the one that was last to bear the slug."},
				{Name: "object_prefix", Description: "How the object begins: its kind (run:), or more."},
				{Name: "from", Description: "Since this time (RFC 3339)."},
				{Name: "to", Description: "Before this time (RFC 3339)."},
				{Name: "q", Description: "A text that the line holds anywhere, whatever the case. With two filters or more, and with this one, a page may be short before the last."},
			}, core.CursorPaging()...),
			Answers: []core.Answer{{Status: http.StatusOK, Body: auditList{}, AlsoText: core.CSV}},
		}.Handle(core.NoBody(h.listAudit)),
	}
}

// auditQueryOf reads the filters of a query string. The error is fault.Malformed invalid_request.
func auditQueryOf(q url.Values) (access.AuditQuery, error) {
	ask := access.AuditQuery{
		Actor: q.Get("actor"), Action: q.Get("action"), Object: q.Get("object"), ObjectPrefix: q.Get("object_prefix"), Text: strings.TrimSpace(q.Get("q")),
	}
	// A text without a kind is the object of no line, and would list nothing in silence.
	if o := ask.Object; o != "" {
		if kind, name, ok := strings.Cut(o, ":"); !ok || kind == "" || name == "" {
			return ask, core.Malformed("object must say of which kind it is: workflow:%s for a workflow by its id or slug, run:run_… for a run.", core.Truncate(strings.Trim(o, ":")))
		}
	}
	if utf8.RuneCountInString(ask.Text) > 200 {
		return ask, core.Malformed("q has at most 200 characters.")
	}
	for name, at := range map[string]*time.Time{"from": &ask.From, "to": &ask.To} {
		t, err := core.TimeParam(q, name)
		if err != nil {
			return ask, err
		}
		*at = t
	}
	return ask, nil
}

// listAudit lists the lines of the caller's tenant that match all of the given filters, newest
// first, or sends all of them as CSV.
func (h *observers) listAudit(c *core.Call) error {
	q, p, err := c.PageQuery()
	if err != nil {
		return err
	}
	ask, err := auditQueryOf(q)
	if err != nil {
		return err
	}
	ask.TenantID, ask.Limit, ask.Cursor = c.TenantID(), p.Limit, p.Cursor
	if c.WantsCSV() {
		if q.Has("limit") || q.Has("cursor") {
			return core.Malformed("text/csv has all lines that match, and no pages; leave out limit and cursor.")
		}
		return h.downloadAudit(c, ask)
	}
	entries, next, err := h.Access.Audit(c.Ctx(), ask)
	if err != nil {
		return err
	}
	return c.Reply(http.StatusOK, auditList{Entries: elements.Map(entries, auditEntryOf), NextCursor: core.TextOrNull(next)})
}
