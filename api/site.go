package api

import (
	"heddle/access"
	"html/template"
	"net/http"
	"strings"
)

type health struct {
	Status string `json:"status" enum:"ok"`
}

type readiness struct {
	Status string        `json:"status" enum:"ready"`
	Clock  *clockReading `json:"clock,omitempty" doc:"What the last comparison of this server's clock with the database's found. Absent before the first one."`
}

type clockReading struct {
	Offset float64 `json:"offset_seconds" doc:"This server's clock minus the database's."`
	Waits  bool    `json:"schedules_wait" doc:"Whether this server fires no schedules, because its clock is more than 5 s off."`
}

// healthz tells that the process answers at all.
func (h *Handler) healthz(c *call) error { return c.reply(http.StatusOK, health{"ok"}) }

// readyz reports whether this process takes and drives runs. A clock that is
// wrong is said and does not turn it red: the node goes on driving runs.
func (h *Handler) readyz(c *call) error {
	if err := h.cfg.Executor.Ready(c.ctx()); err != nil {
		return err
	}
	answer := readiness{Status: "ready"}
	if s, measured := h.cfg.Clock.State(); measured {
		answer.Clock = &clockReading{Offset: s.Offset.Seconds(), Waits: s.Far}
	}
	return c.reply(http.StatusOK, answer)
}

type info struct {
	Name    string    `json:"name"`
	Version string    `json:"version"`
	Tenant  string    `json:"tenant" doc:"The slug of the caller's tenant."`
	Key     callerKey `json:"key"`
	Scripts string    `json:"scripts" doc:"How scripts are confined on this server, or that they are refused."`
	Limits  string    `json:"script_limits" doc:"Whether a script is limited as a whole or in each of its processes, and why."`
}

type callerKey struct {
	ID   string      `json:"id"`
	Name string      `json:"name"`
	Role access.Role `json:"role" enum:"viewer,editor,operator,admin,none"`
}

func (h *Handler) info(c *call) error {
	scripts, limits := "off: scripts are refused", "scripts are refused"
	if h.cfg.Isolation != nil {
		scripts = h.cfg.Isolation(c.ctx())
	}
	if h.cfg.ScriptLimits != nil {
		limits = h.cfg.ScriptLimits()
	}
	return c.reply(http.StatusOK, info{
		Name: productName, Version: h.cfg.Version, Tenant: c.principal.TenantSlug,
		Key: callerKey{c.principal.KeyID, c.principal.KeyName, c.principal.Role}, Scripts: scripts, Limits: limits,
	})
}

const productName = "Heddle"

func (h *Handler) openAPI(c *call) error {
	c.w.Header().Set("Cache-Control", "no-cache")
	return c.sendFixed(h.openapi)
}

func (h *Handler) definitionSchema(c *call) error {
	c.w.Header().Set("Cache-Control", "no-cache")
	return c.sendFixed(h.schema)
}

// sitePage is everything that the two pages show.
type sitePage struct {
	Name, Version string
	Routes        []siteRoute
}

type siteRoute struct {
	Method, Path, Summary string
}

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

func (h *Handler) front(c *call) error { return h.page(c, frontPage) }

func (h *Handler) docs(c *call) error { return h.page(c, docsPage) }

func (h *Handler) page(c *call, text string) error {
	t, err := template.New("page").Parse(text)
	if err != nil {
		return err
	}
	data := sitePage{Name: productName, Version: h.cfg.Version}
	for _, r := range h.routes {
		data.Routes = append(data.Routes, siteRoute{r.method, r.path, r.summary})
	}
	var out strings.Builder
	if err := t.Execute(&out, data); err != nil {
		return err
	}
	head := c.w.Header()
	head.Set("Cache-Control", "no-cache")
	head.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'")
	return c.send(http.StatusOK, "text/html; charset=utf-8", []byte(out.String()))
}
