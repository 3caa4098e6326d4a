package admin

import (
	"heddle/access"
	"heddle/api/core"
	"heddle/fault"
	"heddle/internal/elements"
	"net/http"
)

// createSession is a request for a session of a browser, by a key or by a link.
type createSession struct {
	Key  string `json:"key,omitempty" doc:"The text of an API key. It is not kept: the session is the cookie of the answer."`
	Link string `json:"link,omitempty" doc:"In place of key: the token of the link that the server printed when it started. It is good once, and for ten minutes."`
}

// sessionCaller is who makes a request, as GET /v1/session says it.
type sessionCaller struct {
	// Principal is the key or the user.
	Principal  core.ActorBody  `json:"principal"`
	Role       access.Role     `json:"role" enum:"viewer,editor,operator,admin,none"`
	Tenant     string          `json:"tenant" doc:"The slug of the caller's tenant."`
	TenantName string          `json:"tenant_name"`
	Can        []access.Action `json:"can" enum:"view,edit,execute,answer,operate,admin" doc:"What the caller's role allows on everything of the tenant."`
	SessionID  *string         `json:"session_id" doc:"Null where the request carried a key."`
}

// sessionBody is a session as lists show it.
type sessionBody struct {
	ID        string         `json:"id"`
	Principal core.ActorBody `json:"principal"`
	Current   bool           `json:"current" doc:"Whether this request was made with it."`
	CreatedAt core.Timestamp `json:"created_at"`
	SeenAt    core.Timestamp `json:"seen_at" doc:"Of its last request, to the minute; it ends 12 hours later."`
	ExpiresAt core.Timestamp `json:"expires_at" doc:"When it ends at the latest."`
	Agent     string         `json:"agent" doc:"What the browser called itself, shortened."`
	Address   string         `json:"address" doc:"Where the sign-in came from."`
}

// sessionList is a page of sessions, newest first.
type sessionList struct {
	Sessions   []sessionBody `json:"sessions"`
	NextCursor *string       `json:"next_cursor" doc:"Null on the last page."`
}

// createSession signs a browser in with a key or a link: 204, and the cookie. It is taken from pages of this
// server alone, so that another one cannot sign a browser in under its own key. Errors:
// fault.Unauthenticated for what is not a valid key or link; fault.TooMany rate_limited after ten
// of them.
func (h *handlers) createSession(c *core.Call, req createSession) error {
	if err := core.BrowserOf(c).CheckOrigin(); err != nil {
		return err
	}
	succeeded, err := core.BrowserOf(c).AttemptSignIn()
	if err != nil {
		return err
	}
	made, err := h.signIn(c, req)
	if err != nil {
		return err
	}
	succeeded()
	core.BrowserOf(c).SetSession(made)
	return c.ReplyStatus(http.StatusNoContent)
}

// signIn begins the session that a body asks for: by the link where there is one.
func (h *handlers) signIn(c *core.Call, req createSession) (access.NewSession, error) {
	if req.Link != "" && req.Key != "" {
		return access.NewSession{}, fault.New(fault.Malformed, "invalid_request", "Send either a key or a link, not both.")
	}
	if req.Link != "" && h.Links != nil {
		return h.Links.SignIn(c.Ctx(), req.Link, core.BrowserOf(c).Where(), c.RequestID())
	}
	made, err := h.Access.SignIn(c.Ctx(), req.Key, core.BrowserOf(c).Where(), c.RequestID())
	if err != nil && fault.KindOf(err) == fault.Unauthenticated {
		return made, fault.New(fault.Unauthenticated, "unauthenticated", "The key in the body is not valid: send {\"key\": \"iw_live_…\"} with an API key that is not revoked and has not expired.")
	}
	return made, err
}

// getSession returns who is calling, by session or key.
func (h *handlers) getSession(c *core.Call) error {
	p := c.Principal
	return c.Reply(http.StatusOK, sessionCaller{
		Principal: core.ActorBody{Type: p.Actor.Type, ID: p.Actor.ID, Name: p.Actor.Name}, Role: p.Role,
		Tenant: p.TenantSlug, TenantName: p.TenantName, Can: c.Can(""), SessionID: core.TextOrNull(p.SessionID),
	})
}

// deleteSession ends the session that the request was made with: 204. With a key there is none,
// and nothing is changed.
func (h *handlers) deleteSession(c *core.Call) error {
	if c.Principal.SessionID == "" {
		c.NotAudited = true
		return c.ReplyStatus(http.StatusNoContent)
	}
	if err := h.Access.EndSession(c.Ctx(), c.TenantID(), c.Principal.SessionID); err != nil {
		return err
	}
	core.BrowserOf(c).ClearSession()
	return c.ReplyStatus(http.StatusNoContent)
}

// listSessions lists the tenant's sessions that have not ended, newest first.
func (h *handlers) listSessions(c *core.Call) error {
	_, p, err := c.PageQuery()
	if err != nil {
		return err
	}
	found, next, err := h.Access.Sessions(c.Ctx(), c.TenantID(), p.Cursor, p.Limit)
	if err != nil {
		return err
	}
	return c.Reply(http.StatusOK, sessionList{
		Sessions: elements.Map(found, func(s access.Session) sessionBody {
			return sessionBody{
				ID: s.ID, Principal: core.ActorBody{Type: s.Holder.Type, ID: s.Holder.ID, Name: s.Holder.Name}, Current: s.ID == c.Principal.SessionID,
				CreatedAt: core.Timestamp(s.CreatedAt), SeenAt: core.Timestamp(s.SeenAt), ExpiresAt: core.Timestamp(s.ExpiresAt),
				Agent: s.Agent, Address: s.Address,
			}
		}), NextCursor: core.TextOrNull(next),
	})
}

// endSession ends any session of the tenant: 204; fault.NotFound session_not_found.
func (h *handlers) endSession(c *core.Call) error {
	if err := h.Access.EndSession(c.Ctx(), c.TenantID(), c.Param("session_id")); err != nil {
		return err
	}
	return c.ReplyStatus(http.StatusNoContent)
}

// sessionRoutes returns the routes of browsers' sessions.
func (h *handlers) sessionRoutes() []core.Route {
	return []core.Route{
		core.Route{
			Method: http.MethodPost, Path: "/v1/session", ID: "createSession", Tag: "access", TakesSecret: true,
			Summary: "Sign a browser in with a key, or with the link that the server printed; the answer sets a cookie", Body: core.BodyRequired,
			Answers: []core.Answer{{Status: http.StatusNoContent, Headers: []string{"Set-Cookie"}}},
			Codes:   []string{"unauthenticated", "cross_origin", "rate_limited", "store_unavailable"},
		}.Handle(core.WithBody(h.createSession)),
		// Any key or session may ask who it is.
		core.Route{
			Method: http.MethodGet, Path: "/v1/session", ID: "getSession", Tag: "access", Summary: "Who is calling, and what that allows",
			Action: access.View, On: core.FilteredByAccess, Answers: core.OK(sessionCaller{}),
		}.Handle(core.NoBody(h.getSession)),
		core.Route{
			Method: http.MethodDelete, Path: "/v1/session", ID: "deleteSession", Tag: "access", Summary: "Sign out: end the session that the request is made with",
			Action: access.View, On: core.FilteredByAccess, AuditAs: "session.delete", Answers: core.NoContent(),
		}.Handle(core.NoBody(h.deleteSession)),
		core.Route{
			Method: http.MethodGet, Path: "/v1/sessions", ID: "listSessions", Tag: "access", Summary: "List the sessions of browsers, newest first",
			Action: access.Admin, On: core.OnTenant, Query: core.CursorPaging(), Answers: core.OK(sessionList{}),
		}.Handle(core.NoBody(h.listSessions)),
		core.Route{
			Method: http.MethodDelete, Path: "/v1/sessions/{session_id}", ID: "endSession", Tag: "access", Summary: "End a session at once",
			Action: access.Admin, On: core.OnTenant, AuditAs: "session.delete", Answers: core.NoContent(), Codes: []string{"session_not_found"},
		}.Handle(core.NoBody(h.endSession)),
	}
}
