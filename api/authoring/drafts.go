package authoring

import (
	"heddle/access"
	"heddle/api/core"
	"heddle/audit"
	"heddle/definitions/parser"
	"heddle/definitions/source"
	"heddle/definitions/workflows"
	"heddle/drafts"
	"heddle/fault"
	"heddle/idempotency"
	"heddle/ids"
	"net/http"
)

// saveDraft is a text to keep. It may be unsound.
type saveDraft struct {
	core.Authored
	BaseVersion *int   `json:"base_version,omitempty" doc:"The version that it was made from. Without it, it stays; of a new draft it is the latest version."`
	Note        string `json:"note,omitempty" doc:"At most 2,000 characters."`
}

// draftHead is a draft in a list.
type draftHead struct {
	ID          string          `json:"id"`
	WorkflowID  *string         `json:"workflow_id" doc:"Null of a workflow that is not there yet."`
	Owner       *core.ActorBody `json:"owner,omitempty"`
	BaseVersion int             `json:"base_version" doc:"0: of none."`
	Note        string          `json:"note"`
	CreatedAt   core.Timestamp  `json:"created_at"`
	UpdatedAt   core.Timestamp  `json:"updated_at"`
	ETag        string          `json:"etag" doc:"For If-Match, as in the header."`
}

// draftBody is a draft with its text and what validation finds in it.
type draftBody struct {
	draftHead
	Source       core.SourceText `json:"source"`
	BaseIsLatest bool            `json:"base_is_latest" doc:"No version came after base_version."`
	Diagnostics  []fault.Issue   `json:"diagnostics"`
}

// draftList is a page of drafts, last changed first.
type draftList struct {
	Drafts     []draftHead `json:"drafts"`
	NextCursor *string     `json:"next_cursor" doc:"Null on the last page."`
}

// draftHandlers serves the routes of drafts. It may be used concurrently: it does not change.
type draftHandlers struct{ Services }

// routes returns the routes of drafts. Nothing of them is on the audit trail: an editor saves
// every few seconds, and what is published is.
func (h *draftHandlers) routes() []core.Route {
	const of, all, one = core.WorkflowsBase + "/{id}/draft", core.WorkflowsBase + "/drafts", core.WorkflowsBase + "/drafts/{draft_id}"
	unknown := []string{"draft_not_found"}
	ofWorkflow := []string{"workflow_not_found", "draft_not_found"}
	refused := []string{"secret_in_definition", "invalid_draft"}
	return []core.Route{
		core.Route{
			Method: http.MethodGet, Path: of, ID: "getDraft", Tag: "drafts",
			Summary: "Get the caller's draft of a workflow, or another one's", Action: access.View, On: core.OnWorkflow,
			Query:   append([]core.Param{{Name: "of", Description: "The id of the draft's owner, a key or a person; all lists everyone's."}}, core.CursorPaging()...),
			Answers: []core.Answer{{Status: http.StatusOK, Body: draftBody{}, Or: draftList{}, Headers: []string{"ETag"}}}, Codes: ofWorkflow,
		}.Handle(core.NoBody(h.getDraft)),
		core.Route{
			Method: http.MethodPut, Path: of, ID: "putDraft", Tag: "drafts",
			Summary: "Keep a text as the caller's draft of a workflow, sound or not", Action: access.Edit, On: core.OnWorkflow,
			Body: core.BodyDefinition, Conditional: true, Keeps: true, Answers: core.Tagged(draftBody{}), Codes: append([]string{"workflow_not_found"}, refused...),
		}.Handle(core.WithBody(h.putDraft)),
		core.Route{
			Method: http.MethodDelete, Path: of, ID: "deleteDraft", Tag: "drafts",
			Summary: "Delete the caller's draft of a workflow", Action: access.Edit, On: core.OnWorkflow, Conditional: true,
			Answers: core.NoContent(), Codes: ofWorkflow,
		}.Handle(core.NoBody(h.deleteDraft)),
		// Any key: it lists what the key itself has written.
		core.Route{
			Method: http.MethodGet, Path: all, ID: "listDrafts", Tag: "drafts",
			Summary: "List the caller's own drafts, last changed first", Action: access.View, On: core.FilteredByAccess,
			Query: core.CursorPaging(), Answers: core.OK(draftList{}),
		}.Handle(core.NoBody(h.listDrafts)),
		core.Route{
			Method: http.MethodPost, Path: all, ID: "createDraft", Tag: "drafts",
			Summary: "Keep a text of a workflow that is not there yet", Action: access.Edit, On: core.OnTenant,
			Body: core.BodyDefinition, Keeps: true, Idempotent: true,
			Answers: []core.Answer{{Status: http.StatusCreated, Body: draftBody{}, Headers: []string{"Location", "ETag"}}}, Codes: refused,
		}.Handle(core.WithBody(h.createDraft)),
		core.Route{
			Method: http.MethodGet, Path: one, ID: "getOwnDraft", Tag: "drafts",
			Summary: "Get one of the caller's own drafts", Action: access.View, On: core.FilteredByAccess,
			Answers: core.Tagged(draftBody{}), Codes: unknown,
		}.Handle(core.NoBody(h.getOwnDraft)),
		core.Route{
			Method: http.MethodPut, Path: one, ID: "putOwnDraft", Tag: "drafts",
			Summary: "Change a draft of a workflow that is not there yet", Action: access.Edit, On: core.OnTenant,
			Body: core.BodyDefinition, Conditional: true, Keeps: true, Answers: core.Tagged(draftBody{}), Codes: append(unknown, refused...),
		}.Handle(core.WithBody(h.putOwnDraft)),
		core.Route{
			Method: http.MethodDelete, Path: one, ID: "deleteOwnDraft", Tag: "drafts",
			Summary: "Delete one of the caller's own drafts", Action: access.Edit, On: core.OnTenant, Conditional: true,
			Answers: core.NoContent(), Codes: unknown,
		}.Handle(core.NoBody(h.deleteOwnDraft)),
	}
}

// owner returns the caller as the owner of drafts.
func owner(c *core.Call) audit.Actor {
	who, _ := audit.ActorOf(c.Ctx())
	return who
}

// getDraft returns the caller's draft of a workflow, that of another owner, or lists all.
func (h *draftHandlers) getDraft(c *core.Call) error {
	q, p, err := c.PageQuery()
	if err != nil {
		return err
	}
	of := q.Get("of")
	if of == "all" {
		page, err := h.Drafts.ListOf(c.Ctx(), c.Param("id"), drafts.Query{TenantID: c.TenantID(), Limit: p.Limit, Cursor: p.Cursor})
		if err != nil {
			return err
		}
		return c.Reply(http.StatusOK, draftListOf(page))
	}
	who := owner(c)
	if of != "" {
		if !ids.Valid(of) {
			return core.NotFound("draft", of)
		}
		who = audit.Actor{ID: of}
	}
	v, err := h.Drafts.Of(c.Ctx(), c.TenantID(), c.Param("id"), who)
	if err != nil {
		return err
	}
	return h.replyDraft(c, http.StatusOK, v)
}

// listDrafts lists what the caller has written and not published.
func (h *draftHandlers) listDrafts(c *core.Call) error {
	_, p, err := c.PageQuery()
	if err != nil {
		return err
	}
	who := owner(c)
	page, err := h.Drafts.List(c.Ctx(), drafts.Query{TenantID: c.TenantID(), OwnerType: who.Type, OwnerID: who.ID, Limit: p.Limit, Cursor: p.Cursor})
	if err != nil {
		return err
	}
	return c.Reply(http.StatusOK, draftListOf(page))
}

// getOwnDraft returns a draft by its id.
func (h *draftHandlers) getOwnDraft(c *core.Call) error {
	v, err := h.Drafts.Get(c.Ctx(), c.TenantID(), c.Param("draft_id"), owner(c))
	if err != nil {
		return err
	}
	return h.replyDraft(c, http.StatusOK, v)
}

// putDraft keeps the caller's text for a workflow.
func (h *draftHandlers) putDraft(c *core.Call, req saveDraft) error {
	return h.save(c, req, drafts.SaveRequest{Workflow: c.Param("id")})
}

// createDraft keeps a text of a workflow that is not there yet, at most once per Idempotency-Key.
func (h *draftHandlers) createDraft(c *core.Call, req saveDraft) error {
	return c.Idempotent(func(o *core.Creation) error {
		ask, err := asked(c, req, drafts.SaveRequest{})
		if err != nil {
			return err
		}
		found, err := h.findings(c, req.Definition.ParsedDefinition)
		if err != nil {
			return err
		}
		ask.Keep = func(d drafts.Draft) *idempotency.Answer {
			header := map[string]string{"Location": core.WorkflowsBase + "/drafts/" + d.ID, "ETag": core.ETag(d.Revision)}
			return o.Answer(http.StatusCreated, header, draftBody{draftHeadOf(d), *core.SourceOf(d.Written), drafts.View{Draft: d}.BaseIsLatest(), found})
		}
		v, _, err := h.Drafts.Save(c.Ctx(), ask)
		if err == nil {
			c.AddStored(v.Stored())
		}
		return err
	})
}

// putOwnDraft changes a draft by its id.
func (h *draftHandlers) putOwnDraft(c *core.Call, req saveDraft) error {
	return h.save(c, req, drafts.SaveRequest{ID: c.Param("draft_id")})
}

// asked completes a request to store a draft, and reserves the storage for it.
func asked(c *core.Call, req saveDraft, ask drafts.SaveRequest) (drafts.SaveRequest, error) {
	c.NotAudited = true
	ask.Written = req.Definition.Written
	if !ask.Written.Given() {
		return ask, core.Malformed("source is missing; a draft is kept as its text: {\"source\": {\"format\": \"yaml\", \"text\": \"…\"}}.")
	}
	ask.TenantID, ask.Owner, ask.Note, ask.Base, ask.IfMatch = c.TenantID(), owner(c), req.Note, req.BaseVersion, c.IfMatch
	return ask, c.ReserveStorage(len(c.Body))
}

// save stores a draft that has a place already and answers with it.
func (h *draftHandlers) save(c *core.Call, req saveDraft, ask drafts.SaveRequest) error {
	ask, err := asked(c, req, ask)
	if err != nil {
		return err
	}
	v, before, err := h.Drafts.Save(c.Ctx(), ask)
	if err != nil {
		return err
	}
	// An editor saves every few seconds: only what the draft has grown is added.
	c.AddStored(max(0, v.Stored()-before))
	return h.replyFound(c, http.StatusOK, v, req.Definition.ParsedDefinition)
}

// deleteDraft deletes the caller's draft of a workflow.
func (h *draftHandlers) deleteDraft(c *core.Call) error { return h.drop(c, c.Param("id"), "") }

// deleteOwnDraft deletes a draft by its id.
func (h *draftHandlers) deleteOwnDraft(c *core.Call) error { return h.drop(c, "", c.Param("draft_id")) }

// drop deletes a draft, by its workflow or by its id.
func (h *draftHandlers) drop(c *core.Call, workflow, id string) error {
	c.NotAudited = true
	if err := h.Drafts.Delete(c.Ctx(), c.TenantID(), workflow, id, owner(c), c.IfMatch); err != nil {
		return err
	}
	return c.ReplyStatus(http.StatusNoContent)
}

// replyDraft answers with a draft that was read; it is parsed to be validated.
func (h *draftHandlers) replyDraft(c *core.Call, status int, v drafts.View) error {
	if c.SetETag(v.Revision) {
		return c.ReplyStatus(http.StatusNotModified)
	}
	d, err := parseWritten(c, v.Written)
	if err != nil {
		return err
	}
	return h.replyFound(c, status, v, d)
}

// replyFound answers with a draft whose text was parsed.
func (h *draftHandlers) replyFound(c *core.Call, status int, v drafts.View, d parser.ParsedDefinition) error {
	found, err := h.findings(c, d)
	if err != nil {
		return err
	}
	c.SetETag(v.Revision)
	return c.Reply(status, draftBody{draftHeadOf(v.Draft), *core.SourceOf(v.Written), v.BaseIsLatest(), found})
}

// findings validates a draft's text; an empty list where nothing was found.
func (h *draftHandlers) findings(c *core.Call, d parser.ParsedDefinition) ([]fault.Issue, error) {
	found, err := h.Definitions.ValidateFor(c.Ctx(), c.TenantID(), d)
	if found == nil {
		found = []fault.Issue{}
	}
	return found, err
}

// parseWritten parses a text that is stored, within the memory of definitions.
func parseWritten(c *core.Call, w source.Written) (parser.ParsedDefinition, error) {
	if err := c.ReserveMemory(source.Weight([]byte(w.Text), w.Format)); err != nil {
		return parser.ParsedDefinition{}, err
	}
	doc, found := parser.Parse([]byte(w.Text), w.Format)
	return parser.ParsedDefinition{Document: doc, Found: found, Written: w}, nil
}

// useDraft makes the caller's draft the definition of an update, which deletes it. It returns how many
// bytes the update may store.
func (h *handlers) useDraft(c *core.Call, ask *workflows.UpdateRequest, given bool) (int, error) {
	if given {
		return 0, core.Malformed("The body has from_draft and a definition; send one of them.")
	}
	v, err := h.Drafts.Of(c.Ctx(), c.TenantID(), ask.Ref, owner(c))
	if err != nil {
		return 0, err
	}
	d, err := parseWritten(c, v.Written)
	ask.Definition = &d
	ask.Draft = &workflows.SavedDraft{ID: v.ID, Revision: v.Revision, Base: v.BaseVersion}
	return 2 * len(v.Written.Text), err
}

// draftHeadOf returns a draft as lists show it.
func draftHeadOf(d drafts.Draft) draftHead {
	return draftHead{
		ID: d.ID, WorkflowID: core.TextOrNull(d.WorkflowID), Owner: core.ActorOf(d.Owner), BaseVersion: d.BaseVersion, Note: d.Note,
		CreatedAt: core.Timestamp(d.CreatedAt), UpdatedAt: core.Timestamp(d.UpdatedAt), ETag: core.ETag(d.Revision),
	}
}

// draftListOf returns a page of drafts.
func draftListOf(p drafts.Page) draftList {
	list := draftList{Drafts: make([]draftHead, len(p.Drafts)), NextCursor: core.TextOrNull(p.Next)}
	for i, d := range p.Drafts {
		list.Drafts[i] = draftHeadOf(d)
	}
	return list
}
