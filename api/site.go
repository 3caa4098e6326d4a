package api

import (
	"heddle/access"
	"heddle/api/admin"
	"heddle/api/core"
	"html/template"
	"net/http"
	"strings"
)

// site serves what belongs to no dialect: the pages for people, the documents, health, metrics,
// and who the caller is. It is not changed once the handler is made.
type site struct {
	cfg Config
	// openapi is the OpenAPI document, and schema the JSON Schema of definitions; both are made
	// and compressed once.
	openapi core.FixedText
	schema  core.FixedText // of definitions
	table   []core.Route   // every route, for the page that lists them
}

// health is the answer of a process that serves requests; one that does not answers nothing.
type health struct {
	Status string `json:"status" enum:"ok"`
}

// readiness is the answer of a node that takes requests for runs. One that does not answers 503
// not_ready or store_unavailable.
type readiness struct {
	Status string        `json:"status" enum:"ready"`
	Clock  *clockReading `json:"clock,omitempty" doc:"What the last comparison of this server's clock with the database's found. Absent before the first one."`
}

// clockReading compares this server's clock with the database's. The offset is positive where
// this server's clock is ahead.
type clockReading struct {
	Offset float64 `json:"offset_seconds" doc:"This server's clock minus the database's."`
	Waits  bool    `json:"schedules_wait" doc:"Whether this server fires no schedules, because its clock is more than 5 s off."`
}

// healthz answers 200 while the process serves requests at all. It reads nothing: an unavailable
// database must not make a supervisor restart the process.
func (h *site) healthz(c *core.Call) error { return c.Reply(http.StatusOK, health{"ok"}) }

// readyz reports whether this node takes requests for runs: the store takes writes, and this node
// or another one drives runs. It answers within two seconds, with fault.Unavailable not_ready or
// store_unavailable otherwise. A clock that is wrong is reported and does not make the node
// unready: it goes on driving runs.
func (h *site) readyz(c *core.Call) error {
	if err := h.cfg.Executor.Ready(c.Ctx()); err != nil {
		return err
	}
	answer := readiness{Status: "ready"}
	if s, measured := h.cfg.Clock.State(); measured {
		answer.Clock = &clockReading{Offset: s.Offset.Seconds(), Waits: s.TooFar}
	}
	return c.Reply(http.StatusOK, answer)
}

// info says which server this is, and which key is calling.
type info struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Tenant  string `json:"tenant" doc:"The slug of the caller's tenant."`
	// TenantName stands beside the slug, which was there first.
	TenantName string    `json:"tenant_name" doc:"The name of the caller's tenant, for people."`
	Key        callerKey `json:"key"`
	// Can is for the tenant as a whole; each workflow, run and schedule has its own.
	Can      []access.Action `json:"can" enum:"view,edit,execute,answer,operate,admin" doc:"What the caller's role allows on everything of the tenant."`
	Auth     authInfo        `json:"auth"`
	Time     core.Timestamp  `json:"time" doc:"The server's time."`
	Features []string        `json:"features" enum:"sessions,oidc,scripts,runner_tick" doc:"What this server is set up for."`
	Scripts  string          `json:"scripts" doc:"How scripts are confined on this server, or that they are refused."`
	Limits   string          `json:"script_limits" doc:"Whether a script is limited as a whole or in each of its processes, and why."`
}

// authInfo says how callers may show who they are, and how this one did.
type authInfo struct {
	Methods []string `json:"methods" enum:"key,oidc" doc:"How one may sign in here."`
	Session bool     `json:"session" doc:"Whether the request was made with a session's cookie."`
}

// callerKey is the caller's key without its text, or the user.
type callerKey struct {
	ID   string      `json:"id"`
	Name string      `json:"name"`
	Role access.Role `json:"role" enum:"viewer,editor,operator,admin,none"`
}

// info returns the product's version and the caller's key, by which clients check both. Any valid
// key may call it.
func (h *site) info(c *core.Call) error {
	scripts, limits := "off: scripts are refused", "scripts are refused"
	if h.cfg.Isolation != nil {
		scripts = h.cfg.Isolation(c.Ctx())
	}
	if h.cfg.ScriptLimits != nil {
		limits = h.cfg.ScriptLimits()
	}
	return c.Reply(http.StatusOK, info{
		Name: core.ProductName, Version: h.cfg.Version, Tenant: c.Principal.TenantSlug, TenantName: c.Principal.TenantName,
		Can: c.Can(""), Auth: authInfo{Methods: admin.SignInMethods(h.cfg.SignIn), Session: c.Principal.SessionID != ""}, Time: core.Timestamp(h.cfg.Now()), Features: h.features(scripts),
		Key: callerKey{c.Principal.Actor.ID, c.Principal.Actor.Name, c.Principal.Role}, Scripts: scripts, Limits: limits,
	})
}

// features returns what this server is set up for; scripts is how it confines them.
func (h *site) features(scripts string) []string {
	list := []string{"sessions"}
	if h.cfg.SignIn != nil {
		list = append(list, "oidc")
	}
	if !strings.HasPrefix(scripts, "off") {
		list = append(list, "scripts")
	}
	if h.cfg.RunnerTick {
		list = append(list, "runner_tick")
	}
	return list
}

// openAPI serves the OpenAPI document, without a key. Clients may keep it, but ask again: an
// upgrade changes it.
func (h *site) openAPI(c *core.Call) error {
	c.Writer.Header().Set("Cache-Control", "no-cache")
	return c.SendFixed(h.openapi)
}

// definitionSchema serves the JSON Schema of definitions, without a key.
func (h *site) definitionSchema(c *core.Call) error {
	c.Writer.Header().Set("Cache-Control", "no-cache")
	return c.SendFixed(h.schema)
}

// sitePage is everything that the two pages show.
type sitePage struct {
	Name, Version string
	Routes        []siteRoute
}

// siteRoute is one line of the page of routes.
type siteRoute struct {
	Method, Path, Summary string
}

// The templates of the pages. Both begin with siteHead and are executed with a sitePage.
const siteHead = `<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{{.Name}} {{.Version}}</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:3rem auto;padding:0 1rem}
td{padding:.15rem .8rem .15rem 0;vertical-align:top}code{font-size:.95em}</style>
<h1>{{.Name}} <small>{{.Version}}</small></h1>
`

const frontPage = siteHead + `<p>Durable workflow definitions and runs. This server speaks HTTP and JSON:</p>
<ul><li><a href="/docs">what it answers</a>, route by route</li>
<li><a href="/openapi.json">the OpenAPI document</a></li>
<li><a href="/schemas/definition.json">the JSON Schema of a workflow definition</a></li>
<li><a href="/healthz">/healthz</a>, <a href="/readyz">/readyz</a> and <a href="/metrics">/metrics</a></li></ul></html>
`

const docsPage = siteHead + `<p>Every request but for those of this site carries <code>Authorization: Bearer iw_live_…</code>.
Bodies, answers, parameters and error codes: <a href="/openapi.json">the OpenAPI document</a>.</p>
<table>{{range .Routes}}<tr><td><code>{{.Method}}</code></td><td><code>{{.Path}}</code></td><td>{{.Summary}}</td></tr>
{{end}}</table></html>
`

// front serves the first page.
func (h *site) front(c *core.Call) error { return h.page(c, frontPage) }

// docs serves the page of routes.
func (h *site) docs(c *core.Call) error { return h.page(c, docsPage) }

// page renders a template. Nothing on it is loaded from elsewhere, as its Content-Security-Policy
// says, and what it shows is escaped by html/template.
func (h *site) page(c *core.Call, text string) error {
	t, err := template.New("page").Parse(text)
	if err != nil {
		return err
	}
	data := sitePage{Name: core.ProductName, Version: h.cfg.Version}
	for _, r := range h.table {
		data.Routes = append(data.Routes, siteRoute{r.Method, r.Path, r.Summary})
	}
	var out strings.Builder
	if err := t.Execute(&out, data); err != nil {
		return err
	}
	head := c.Writer.Header()
	head.Set("Cache-Control", "no-cache")
	head.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'")
	return c.Send(http.StatusOK, "text/html; charset=utf-8", []byte(out.String()))
}

// metrics answers in Prometheus's text format, whatever format is requested; without metrics the
// answer is empty. The figures are of this process, not of a tenant, which is why no key is read.
func (h *site) metrics(c *core.Call) error {
	if h.cfg.Metrics == nil {
		return c.Send(http.StatusOK, "text/plain; charset=utf-8", nil)
	}
	r := c.Request.Clone(c.Ctx())
	r.Header.Del("Accept")
	c.Answered = true
	c.Writer.Header().Set("Cache-Control", "no-store")
	h.cfg.Metrics.ServeHTTP(c.Writer, r)
	return nil
}

// routes returns the routes of the site. Only /v1/info needs a key.
func (h *site) routes() []core.Route {
	return []core.Route{
		core.Route{
			Method: http.MethodGet, Path: "/", ID: "front", Tag: "site", Summary: "What this server is, and where its API is described",
			Answers: core.HTMLPage(),
		}.Handle(core.NoBody(h.front)),
		core.Route{
			Method: http.MethodGet, Path: "/docs", ID: "docs", Tag: "site", Summary: "The routes, as a page",
			Answers: core.HTMLPage(),
		}.Handle(core.NoBody(h.docs)),
		core.Route{
			Method: http.MethodGet, Path: "/openapi.json", ID: "getOpenAPI", Tag: "site", Summary: "This document",
			Answers: []core.Answer{{Status: http.StatusOK, Body: core.AnyObject{}, Description: "OpenAPI 3.1"}},
		}.Handle(core.NoBody(h.openAPI)),
		core.Route{
			Method: http.MethodGet, Path: "/schemas/definition.json", ID: "getDefinitionSchema", Tag: "site",
			Summary: "The JSON Schema of a workflow definition",
			Answers: []core.Answer{{Status: http.StatusOK, Body: core.AnyObject{}, Media: "application/schema+json", Description: "JSON Schema 2020-12"}},
		}.Handle(core.NoBody(h.definitionSchema)),
		core.Route{
			Method: http.MethodGet, Path: "/healthz", ID: "healthz", Tag: "site", Summary: "Whether the process answers",
			Answers: core.OK(health{}),
		}.Handle(core.NoBody(h.healthz)),
		core.Route{
			Method: http.MethodGet, Path: "/readyz", ID: "readyz", Tag: "site", Summary: "Whether the process takes and drives runs",
			Answers: core.OK(readiness{}), Codes: []string{"not_ready", "store_unavailable"},
		}.Handle(core.NoBody(h.readyz)),
		core.Route{
			Method: http.MethodGet, Path: "/metrics", ID: "metrics", Tag: "site", Summary: "What this process counts and measures, for Prometheus",
			Answers: []core.Answer{{Status: http.StatusOK, Body: "", Media: "text/plain", Description: "Prometheus's text format."}},
		}.Handle(core.NoBody(h.metrics)),
		core.Route{
			Method: http.MethodGet, Path: "/v1/info", ID: "getInfo", Tag: "site", Summary: "The product's version, and who is asking",
			Action: access.View, On: core.FilteredByAccess, Answers: core.OK(info{}),
		}.Handle(core.NoBody(h.info)),
	}
}
