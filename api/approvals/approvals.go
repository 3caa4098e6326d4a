// Package approvals serves approvals: lists, counts, and answers.
//
// Its words for states are those of package approvals. A list shows what the caller may view or
// answer; whether an answer counts is for the service to say. It knows no other dialect.
package approvals

import (
	"encoding/json"
	"heddle/access"
	"heddle/api/core"
	"heddle/approvals"
	"heddle/definitions/workflows"
	"heddle/internal/elements"
	"net/http"
	"slices"
	"strings"
)

// Services are the use cases that the routes call. None may be nil when a request is served.
type Services struct {
	Approvals   *approvals.Service
	Definitions *workflows.Service
}

// handlers serves the routes. It may be used concurrently.
type handlers struct{ Services }

// Routes returns the table of the package.
func Routes(s Services) []core.Route {
	h := &handlers{s}
	const base = core.WorkflowsBase + "/approvals"
	states := elements.Map(approvals.States(), func(s approvals.State) string { return string(s) })
	return []core.Route{
		// Any key: the service lists what it may view or answer.
		core.Route{
			Method: http.MethodGet, Path: base, ID: "listApprovals", Tag: "approvals",
			Summary: "List the approvals that the caller may see, oldest first", Action: access.View, On: core.FilteredByAccess,
			Query: append([]core.Param{
				{Name: "status", Enum: states, Description: "Approvals of this status; all without it."},
				{Name: "workflow", Description: "Of this workflow, by id or slug."},
				{Name: "signal", Description: "Those answered by a signal of exactly this name."},
				{Name: "mine", JSONType: "boolean", Description: "What the caller is asked: it may answer, and is an assignee or there are none."},
				{Name: "q", Description: "The beginning of an approval's or a run's id, of 12 characters at least."},
				{Name: "order", Enum: []string{"opened", "-opened", "expires"}, Description: "Oldest first (opened) unless given; with expires, those that never do come last."},
			}, core.CursorPaging()...),
			Answers: core.OK(approvalList{}), Codes: []string{"workflow_not_found"},
		}.Handle(core.NoBody(h.list)),
		core.Route{
			Method: http.MethodGet, Path: base + "/count", ID: "countApprovals", Tag: "approvals",
			Summary: "Count the open approvals that the caller may see, and those that it is asked", Action: access.View, On: core.FilteredByAccess,
			Answers: core.OK(approvalCount{}),
		}.Handle(core.NoBody(h.count)),
		// The service authorises: either view or answer on the workflow will do.
		core.Route{
			Method: http.MethodGet, Path: base + "/{approval_id}", ID: "getApproval", Tag: "approvals",
			Summary: "Get an approval", Action: access.View, On: core.NamedInBody,
			Answers: core.OK(approvalAnswer{}), Codes: []string{"approval_not_found"},
		}.Handle(core.NoBody(h.get)),
		core.Route{
			Method: http.MethodPost, Path: base + "/{approval_id}/answer", ID: "answerApproval", AuditAs: "approval.answer", Tag: "approvals",
			Summary: "Answer an approval, once", Action: access.Answer, On: core.NamedInBody, Body: core.BodyRequired, Idempotent: true, Keeps: true,
			Answers: core.OK(approvalAnswer{}),
			Codes:   []string{"approval_not_found", "approval_closed", "not_assigned", "invalid_payload", "secret_in_input", "secret_in_text", "invalid_reason", "secret_key_unavailable", "not_ready", "outcome_unknown"},
		}.Handle(core.WithBody(h.answer)),
	}
}

// list answers a page of approvals. An unknown workflow is fault.NotFound workflow_not_found, and
// not an empty list.
func (h *handlers) list(c *core.Call) error {
	q, p, err := c.PageQuery()
	if err != nil {
		return err
	}
	r := approvals.ListRequest{Query: approvals.Query{
		State: approvals.State(q.Get("status")), Signal: q.Get("signal"), Prefix: q.Get("q"), Order: approvals.Order(q.Get("order")), Limit: p.Limit, Cursor: p.Cursor,
	}}
	if r.State != "" && !slices.Contains(approvals.States(), r.State) {
		return core.Malformed("status must be open, answered, expired or cancelled, not %q.", core.Truncate(string(r.State)))
	}
	if orders := []approvals.Order{"", approvals.Oldest, approvals.Newest, approvals.ByExpiry}; !slices.Contains(orders, r.Order) {
		return core.Malformed("order must be opened, -opened or expires, not %q.", core.Truncate(string(r.Order)))
	}
	if r.Mine, err = core.BoolParam(q, "mine"); err != nil {
		return err
	}
	if ref := q.Get("workflow"); ref != "" {
		w, err := h.Definitions.Get(c.Ctx(), c.TenantID(), ref)
		if err != nil {
			return err
		}
		r.WorkflowID = w.ID
	}
	page, err := h.Approvals.List(c.Ctx(), c.Principal, r)
	if err != nil {
		return err
	}
	open, err := h.Approvals.OpenTotal(c.Ctx(), c.Principal)
	if err != nil {
		return err
	}
	return c.Reply(http.StatusOK, approvalList{
		Approvals:  elements.Map(page.Approvals, func(a approvals.Approval) approvalBody { return bodyOf(c, a) }),
		TotalOpen:  open,
		NextCursor: core.TextOrNull(page.Next),
	})
}

// count answers how many approvals are open.
func (h *handlers) count(c *core.Call) error {
	n, err := h.Approvals.Count(c.Ctx(), c.Principal)
	if err != nil {
		return err
	}
	return c.Reply(http.StatusOK, approvalCount{Open: n.Open, Mine: n.Mine, MineCapped: n.Mine == approvals.CountMost})
}

// get answers one approval.
func (h *handlers) get(c *core.Call) error {
	a, err := h.Approvals.Get(c.Ctx(), c.Principal, c.Param("approval_id"))
	if err != nil {
		return err
	}
	return c.Reply(http.StatusOK, approvalAnswer{Approval: bodyOf(c, a)})
}

// answer answers an approval. A repetition under the same Idempotency-Key is told the same; of two
// others one is fault.Conflict approval_closed. The journal keeps the key with the answer, so that
// no crash comes between the two.
func (h *handlers) answer(c *core.Call, req answerRequest) error {
	key, err := core.RequestKey(c)
	if err != nil {
		return err
	}
	if err := core.RecordReason(c, "comment", strings.TrimSpace(req.Comment)); err != nil {
		return err
	}
	done, err := h.Approvals.Answer(c.Ctx(), c.Principal, approvals.Answer{ID: c.Param("approval_id"), Payload: core.PayloadOf(req.Payload), Key: key})
	if err != nil {
		return err
	}
	if done.Repeated {
		c.NotAudited = true
		c.Writer.Header().Set(core.HeaderReplayed, "true")
	}
	return c.Reply(http.StatusOK, approvalAnswer{bodyOf(c, done.Approval), done.Pending})
}

// answerRequest is an answer.
type answerRequest struct {
	// Payload has to fit the approval's schema; null unless given.
	Payload json.RawMessage `json:"payload,omitempty" doc:"The answer; it has to fit schema."`
	Comment string          `json:"comment,omitempty" doc:"For the history and the audit trail: at most 1,000 characters."`
}
