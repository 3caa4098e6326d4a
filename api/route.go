package api

import (
	"heddle/access"
	"heddle/fault"
	"net/http"
	"reflect"
	"runtime/debug"
	"strings"

	"github.com/labstack/echo/v4"
)

// route is one line of the table: how a request is served and how it is
// described. The echo routes and the OpenAPI document both come from it.
type route struct {
	method  string
	path    string // OpenAPI form: /api/workflows/{id}
	id      string // operationId
	tag     string
	summary string
	action  access.Action // "": public
	on      object
	query   []param
	body    bodyRule
	// request is the type of the body's fields, nil where there is none; fields
	// and names are what register reads from it.
	request reflect.Type
	fields  map[string][]int
	names   []string
	answers []answer
	codes   []string // beyond those that commonCodes adds
	// conditional: honours If-Match. idempotent: honours Idempotency-Key.
	conditional, idempotent bool
	takesSecret             bool // its body is a secret
	pure                    bool // computes, and changes nothing: it ends when its client goes away
	keeps                   bool // what it stores counts as the tenant's bytes
	tolerant                bool // unknown fields of the body are passed over
	anyQuery                bool // unknown query parameters are passed over
	serve                   func(*call) error
	// translateError gives an error in the words of the route's dialect, rename a code;
	// nil: as it is.
	translateError func(error) error
	translateCode  func(code string) string
}

// object says what a route's action is asked on.
type object uint8

const (
	onTenant         object = iota // the tenant as a whole
	onWorkflow                     // the workflow of {id}
	onRun                          // the workflow of the run of {run_id}
	onSecret                       // the secret of {secret}
	onSchedule                     // the workflow of the schedule of {id}
	filteredByAccess               // any key may ask; it sees what it may view
	namedInBody                    // a workflow that the body names: the handler asks
)

// answer is one documented success.
type answer struct {
	status      int
	body        any // zero value of its type; nil: no body
	or          any // another body that the same status may have
	media       string
	description string
	headers     []string
}

// param is one query parameter.
type param struct {
	name        string
	description string
	jsonType    string   // integer, boolean, string (default)
	enum        []string // nil: any
	required    bool
}

// endpoint joins a handler with the type of body that it takes.
type endpoint struct {
	request reflect.Type
	serve   func(*call) error
}

// withBody makes an endpoint of a handler that wants the request's body decoded.
func withBody[Q any](f func(*call, Q) error) endpoint {
	return endpoint{reflect.TypeFor[Q](), func(c *call) error {
		var q Q
		if err := c.decode(&q); err != nil {
			return err
		}
		if err := c.recordReason(reflect.ValueOf(&q).Elem()); err != nil {
			return err
		}
		return f(c, q)
	}}
}

func noBody(f func(*call) error) endpoint { return endpoint{nil, f} }

// handle sets the route's handler.
func (r route) handle(e endpoint) route {
	r.request, r.serve = e.request, e.serve
	return r
}

// register hands a route to echo; a GET answers HEAD as well.
func (h *Handler) register(r *route) {
	if r.request != nil {
		r.fields, r.names = fieldsOf(r.request)
	}
	serve := func(ec echo.Context) error {
		req := ec.Request()
		c := &call{h: h, w: ec.Response().Writer, r: req.WithContext(h.withDeadline(req.Context(), r)), params: ec, route: r}
		if !decodeNames(ec) {
			return echo.ErrNotFound
		}
		h.metered(c, func() { h.run(c) })
		return nil
	}
	path := strings.NewReplacer("{", ":", "}", "").Replace(r.path)
	h.echo.Add(r.method, path, serve)
	if r.method == http.MethodGet {
		h.echo.Add(http.MethodHead, path, serve)
	}
}

// run serves one request: who asks, may they, then the handler. An error or a
// panic becomes the envelope.
func (h *Handler) run(c *call) {
	defer func() {
		if c.releaseMemory != nil {
			c.releaseMemory()
		}
		c.releaseStorage()
	}()
	defer func() {
		if p := recover(); p != nil {
			if p == http.ErrAbortHandler { //nolint:errorlint // net/http's own sentinel, compared as net/http does
				panic(p)
			}
			h.log.Error("a request panicked", "request_id", c.requestID(), "route", c.route.id,
				"panic", p, "stack", string(debug.Stack()))
			c.fail(fault.New(fault.Internal, "internal", "%s", internalMessage))
		}
	}()
	if err := h.serve(c); err != nil {
		c.fail(err)
	}
}

func (h *Handler) serve(c *call) error {
	if c.route.action != "" {
		var err error
		if c.principal, err = h.authenticate(c.ctx(), c.r); err != nil {
			return err
		}
		if err := h.rateLimit(c); err != nil {
			return err
		}
		if err := h.authorise(c); err != nil {
			return err
		}
	}
	if err := c.checkQuery(); err != nil {
		return err
	}
	if c.route.action != "" {
		defer c.begin()()
	}
	if err := c.route.serve(c); err != nil {
		return err
	}
	c.writeAudit()
	if c.r.Method == http.MethodDelete {
		h.cfg.Stored.Freed(c.tenantID())
	}
	return nil
}

// unrouted answers what no route serves: echo's 404 and 405.
func (h *Handler) unrouted(err error, ec echo.Context) {
	c := &call{h: h, w: ec.Response().Writer, r: ec.Request(), params: ec, route: &route{}}
	h.metered(c, func() { c.unrouted(err) })
}

func (c *call) unrouted(err error) {
	status := http.StatusNotFound
	if he, ok := err.(*echo.HTTPError); ok { //nolint:errorlint // echo's router returns it bare
		status = he.Code
	}
	if status == http.StatusMethodNotAllowed {
		if allow, ok := c.params.Get(echo.ContextKeyHeaderAllow).(string); ok {
			c.w.Header().Set("Allow", allow)
		}
		c.problem(status, fault.New(fault.Malformed, "method_not_allowed",
			"%s does not answer %s; see the Allow header.", truncate(c.r.URL.Path), truncate(c.r.Method)))
		return
	}
	c.problem(http.StatusNotFound, fault.New(fault.NotFound, "route_not_found",
		"There is nothing at %s; /openapi.json lists what there is.", truncate(c.r.URL.Path)))
}

// truncate keeps what is quoted back to a caller short and printable.
func truncate(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f || r == 0xfffd {
			return '?'
		}
		return r
	}, s)
	if len(s) > 120 {
		return strings.ToValidUTF8(s[:120], "") + "…"
	}
	return s
}
