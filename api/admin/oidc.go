package admin

import (
	"errors"
	"heddle/api/core"
	"heddle/fault"
	"heddle/signin"
	"net/http"
	"net/url"
	"strings"
)

// signInMethods says how one may sign in, before one has.
type signInMethods struct {
	Methods []string `json:"methods" enum:"key,oidc" doc:"key: POST /v1/session; oidc: GET /v1/session/oidc."`
}

// SignInMethods returns how one may sign in where people are signed in by s, or by no provider
// where it is nil.
func SignInMethods(s *signin.Service) []string {
	if s == nil {
		return []string{"key"}
	}
	return []string{"key", "oidc"}
}

// getSignInMethods needs no key: a page for signing in shows what there is.
func (h *handlers) getSignInMethods(c *core.Call) error {
	return c.Reply(http.StatusOK, signInMethods{SignInMethods(h.SignIn)})
}

// errNoProvider is the answer where the settings name no provider: fault.NotFound oidc_not_configured.
func errNoProvider() error {
	return fault.New(fault.NotFound, "oidc_not_configured", "This server has no provider of identities (HEDDLE_OIDC_ISSUER); sign in with a key.")
}

// beginSignIn sends the browser to the provider: 303, and the ticket as a cookie.
func (h *handlers) beginSignIn(c *core.Call) error {
	if h.SignIn == nil {
		return h.signInFailed(c, errNoProvider())
	}
	q, err := c.Query()
	if err != nil {
		return err
	}
	begun, err := h.SignIn.Begin(c.ClientCtx(), q.Get("return_to"))
	if err != nil {
		return h.signInFailed(c, err)
	}
	core.BrowserOf(c).SetTicket(begun.Ticket, signin.TicketLife)
	return core.BrowserOf(c).Redirect(begun.URL)
}

// completeSignIn is where the provider sends the browser back to: 303 to the path that the sign-in
// was begun with, and the session's cookie. Whatever comes of it, the ticket is used up. Only what
// the browser itself began is counted as an attempt, so that no other page can use them up.
func (h *handlers) completeSignIn(c *core.Call) error {
	if h.SignIn == nil {
		return h.signInFailed(c, errNoProvider())
	}
	q, err := c.Query()
	if err != nil {
		return err
	}
	held := core.BrowserOf(c).Ticket()
	core.BrowserOf(c).SetTicket("", -1)
	attempt, err := h.SignIn.Resume(signin.Answer{
		Ticket: held, State: q.Get("state"), Issuer: q.Get("iss"), Code: q.Get("code"), Error: q.Get("error"),
	})
	if err != nil {
		return h.signInFailed(c, err)
	}
	succeeded, err := core.BrowserOf(c).AttemptSignIn()
	if err != nil {
		return h.signInFailed(c, err)
	}
	made, err := attempt.Complete(c.Ctx(), core.BrowserOf(c).Where(), c.RequestID())
	if err != nil {
		return h.signInFailed(c, err)
	}
	succeeded()
	core.BrowserOf(c).SetSession(made)
	return core.BrowserOf(c).Redirect(attempt.ReturnTo())
}

// signInFailed sends a person to the page for signing in, with the code of the error, and answers
// other clients with the error itself. The log has its cause, by which an operator finds a wrong
// setting.
func (h *handlers) signInFailed(c *core.Call, err error) error {
	c.Log().Warn("a sign-in at the provider failed", "request_id", c.RequestID(), "error", err)
	if h.SignIn == nil || !strings.Contains(c.Request.Header.Get("Accept"), "text/html") {
		return err
	}
	code := "internal"
	if f, ok := errors.AsType[*fault.Error](err); ok {
		code = f.Code
	}
	return core.BrowserOf(c).Redirect(h.SignIn.FailurePath(url.QueryEscape(code)))
}

// oidcRoutes returns the routes of signing in at a provider of identities. All are public.
func (h *handlers) oidcRoutes() []core.Route {
	redirects := func(about string) []core.Answer {
		return []core.Answer{{Status: http.StatusSeeOther, Description: about, Headers: []string{"Location", "Set-Cookie"}}}
	}
	return []core.Route{
		core.Route{
			Method: http.MethodGet, Path: "/v1/session/methods", ID: "getSignInMethods", Tag: "access", Summary: "How one may sign in here",
			Answers: core.OK(signInMethods{}),
		}.Handle(core.NoBody(h.getSignInMethods)),
		core.Route{
			Method: http.MethodGet, Path: "/v1/session/oidc", ID: "beginSignIn", Tag: "access", Summary: "Sign a browser in at the provider of identities",
			Query:   []core.Param{{Name: "return_to", Description: "The path of this server where the browser goes afterwards; / unless given."}},
			Answers: redirects("To the provider."), Codes: []string{"oidc_not_configured", "oidc_unavailable"},
		}.Handle(core.NoBody(h.beginSignIn)),
		// The provider may add parameters of its own.
		core.Route{
			Method: http.MethodGet, Path: signin.CallbackPath, ID: "completeSignIn", Tag: "access", Summary: "Where the provider of identities sends the browser back to",
			AnyQuery: true, Query: []core.Param{
				{Name: "code", Description: "What the provider exchanges for the identity."},
				{Name: "state", Description: "As it was sent to the provider."},
				{Name: "iss", Description: "The provider's name for itself (RFC 9207)."},
				{Name: "error", Description: "Why the provider signed nobody in."},
			},
			Answers: redirects("To the path where the sign-in was begun, or with Accept: text/html to /login?error=CODE."),
			Codes: []string{
				"oidc_not_configured", "oidc_unavailable", "sign_in_expired", "sign_in_refused", "sign_in_used", "user_changing", "identity_rejected",
				"no_role", "user_disabled", "tenant_not_found", "rate_limited", "store_unavailable",
			},
		}.Handle(core.NoBody(h.completeSignIn)),
	}
}
