package core

import (
	"heddle/access"
	"heddle/fault"
	"net/http"
	"reflect"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"
)

// Route is one line of the table: how a request is served and how it is described. The echo
// routes and the OpenAPI document both come from it, so that neither can lack what the other has.
// It is complete once New has returned, and is not changed afterwards. Its fields are not
// grouped: a row of the table names the few that it needs, side by side.
type Route struct {
	Method  string // GET also serves HEAD
	Path    string // OpenAPI form: /api/workflows/{id}
	ID      string // operationId, unique; the action of the audit trail is derived from it
	Tag     string // groups operations in the document
	Summary string // one line for people, without a full stop
	// Action is what the caller must be allowed to do on On; "": public, no key is read.
	Action access.Action // "": public
	On     Object
	// Query is every parameter that the route knows. A list's paging is part of it.
	Query []Param
	Body  BodyRule
	// Request is the type of the body, nil where there is none; Fields (by name,
	// their index) and Names (in order) are read from it by New.
	Request reflect.Type
	Fields  map[string][]int
	Names   []string
	// Answers are the documented successes; Streams and Tagged are read from them.
	Answers []Answer
	Codes   []string // error codes beyond those that every such route has
	// Conditional: honours If-Match. Idempotent: honours Idempotency-Key.
	Conditional, Idempotent bool
	TakesSecret             bool // its body is a secret
	Pure                    bool // computes, and changes nothing: it ends when its client disconnects
	// Keeps: what it stores counts as the tenant's bytes, so that it may be refused with
	// quota_exceeded.
	Keeps bool // what it stores counts as the tenant's bytes
	// LongRunning: it goes on for as long as its caller stays or there is work, so that each call
	// to the database may take StoreTime, and not all of them together.
	LongRunning bool
	// AuditAs is the action in the audit trail; "": it is derived from the ID.
	AuditAs  string
	Tolerant bool // unknown fields of the body are ignored
	AnyQuery bool // unknown query parameters are ignored
	// Unchecked are path parameters that the handler checks in its own words. All others are
	// checked before it is called; pathNames, which New reads from Path, has them.
	Unchecked []string
	pathNames []pathName
	// Serve handles the request; Handle sets it. Its error becomes the envelope.
	Serve func(*Call) error
	// TranslateError returns an error in the words of the route's dialect, TranslateCode a code;
	// nil: unchanged. Both must agree, since the document is made with the second.
	TranslateError func(error) error
	TranslateCode  func(code string) string
}

// Object says what a route's action is authorised on. The zero value is the tenant as a whole,
// which needs the action everywhere.
type Object uint8

// The objects that a route may be authorised on.
const (
	OnTenant         Object = iota // the tenant as a whole
	OnWorkflow                     // the workflow of {id}
	OnRun                          // the workflow of the run of {run_id}
	OnSecret                       // the secret of {secret}
	OnSchedule                     // the workflow of the schedule of {id}
	FilteredByAccess               // any key is accepted, and sees what it may view
	NamedInBody                    // a workflow that the body names: the handler authorises
)

// Answer is one documented success of a route.
type Answer struct {
	Status      int
	Body        any    // zero value of its type, of which the schema is made; nil: no body
	Or          any    // another body that the same status may have
	AlsoText    string // media type of a text that the request may have in the body's place
	Media       string // "": application/json
	Description string // "": the route's summary
	Headers     []string
}

// Param is one query parameter, as the document describes it. Only its name is enforced for all
// routes (see checkQuery); the handler checks the value.
type Param struct {
	Name        string
	Description string
	JSONType    string   // integer, boolean, string (default)
	Enum        []string // nil: any
	Required    bool
	// Repeatable: it may be given up to maxRepeats times.
	Repeatable bool
	// AnyKey: the name's last part, behind a dot, stands for any text.
	AnyKey bool
}

// Is reports whether a parameter of a query string is this one.
func (p Param) Is(name string) bool {
	if !p.AnyKey {
		return p.Name == name
	}
	prefix := p.Name[:strings.LastIndexByte(p.Name, '.')+1]
	return strings.HasPrefix(name, prefix) && len(name) > len(prefix)
}

// Endpoint joins a handler with the type of body that it takes; request is nil where it takes
// none.
type Endpoint struct {
	request reflect.Type
	serve   func(*Call) error
}

// WithBody makes an Endpoint of a handler that wants the request's body decoded into a Q, a
// struct. A reason in the body is recorded for the audit trail before f is called. The errors are
// those of decodeBody, readHead and f.
func WithBody[Q any](f func(*Call, Q) error) Endpoint {
	return Endpoint{reflect.TypeFor[Q](), func(c *Call) error {
		var q Q
		if err := decodeBody(c, &q); err != nil {
			return err
		}
		if err := recordReason(c, reflect.ValueOf(&q).Elem()); err != nil {
			return err
		}
		if err := readHead(c); err != nil {
			return err
		}
		return f(c, q)
	}}
}

// NoBody makes an Endpoint of a handler that takes no body: what is sent is not read. The errors
// are those of readHead and f.
func NoBody(f func(*Call) error) Endpoint {
	return Endpoint{nil, func(c *Call) error {
		if err := readHead(c); err != nil {
			return err
		}
		return f(c)
	}}
}

// readHead reads what handlers rely on besides the body: the names of the path, and If-Match where
// the route honours it.
func readHead(c *Call) error {
	if err := checkNames(c); err != nil || !c.Route.Conditional {
		return err
	}
	var err error
	c.IfMatch, err = readIfMatch(c.Request.Header)
	return err
}

// Handle returns the route with the handler and the type of its body.
func (r Route) Handle(e Endpoint) Route {
	r.Request, r.Serve = e.request, e.serve
	return r
}

// register hands a route to echo, with {id} as :id; a GET also serves HEAD.
func (h *Server) register(r *Route) {
	if r.Request != nil {
		r.Fields, r.Names = FieldsOf(r.Request)
	}
	r.pathNames = pathNamesOf(r)
	serve := func(ec echo.Context) error {
		req := ec.Request()
		c := &Call{server: h, Writer: ec.Response().Writer, Request: req.WithContext(h.withDeadline(req.Context(), r)), PathParams: ec, Route: r}
		// Before it is metered: a path with more segments than the route has is another route.
		if !decodeNames(ec) {
			return echo.ErrNotFound
		}
		h.metered(c, func() { h.run(c) })
		return nil
	}
	path := strings.NewReplacer("{", ":", "}", "").Replace(r.Path)
	h.echo.Add(r.Method, path, serve)
	if r.Method == http.MethodGet {
		h.echo.Add(http.MethodHead, path, serve)
	}
}

// run serves one request. An error or a panic becomes the envelope; what the request reserved,
// memory and quota, is released after its answer, however it ends.
func (h *Server) run(c *Call) {
	defer func() {
		if c.releaseMemory != nil {
			c.releaseMemory()
		}
		releaseStorage(c)
	}()
	defer func() {
		if p := recover(); p != nil {
			if p == http.ErrAbortHandler { //nolint:errorlint // net/http's own sentinel, compared as net/http does
				// It ends the connection: a part of an answer must not look like the whole.
				panic(p)
			}
			h.log.Error("a request panicked", "request_id", c.RequestID(), "route", c.Route.ID,
				"panic", p, "stack", string(debug.Stack()))
			c.fail(fault.New(fault.Internal, "internal", "%s", internalMessage))
		}
	}()
	if err := h.serve(c); err != nil {
		c.fail(err)
	}
}

// serve takes the request through the checks that all routes share, then its handler, then the
// audit trail. A refusal is the error of the check.
func (h *Server) serve(c *Call) error {
	if c.Route.Action != "" {
		var err error
		if c.Principal, err = h.authenticate(c); err != nil {
			return err
		}
		// The rate comes before the rights, whose check may read the store.
		if err := h.rateLimit(c); err != nil {
			return err
		}
		if err := h.authorise(c); err != nil {
			return err
		}
	}
	if err := checkQuery(c); err != nil {
		return err
	}
	if c.Route.Action != "" {
		defer beginWork(c)()
	}
	if err := c.Route.Serve(c); err != nil {
		return err
	}
	writeAudit(c)
	if c.Request.Method == http.MethodDelete {
		// What was deleted frees quota, which the next count is to see.
		h.cfg.Stored.Freed(c.TenantID())
	}
	return nil
}

// unrouted answers what no route serves, echo's 404 and 405, in the one envelope.
func (h *Server) unrouted(err error, ec echo.Context) {
	c := &Call{server: h, Writer: ec.Response().Writer, Request: ec.Request(), PathParams: ec, Route: &Route{}}
	h.metered(c, func() { replyUnrouted(c, err) })
}

// replyUnrouted sends 405 method_not_allowed with Allow where the path exists for other methods, and
// 404 route_not_found for everything else.
func replyUnrouted(c *Call, err error) {
	status := http.StatusNotFound
	if he, ok := err.(*echo.HTTPError); ok { //nolint:errorlint // echo's router returns it bare
		status = he.Code
	}
	if status == http.StatusMethodNotAllowed {
		if allow, ok := c.PathParams.Get(echo.ContextKeyHeaderAllow).(string); ok {
			c.Writer.Header().Set("Allow", allow)
		}
		c.Problem(status, fault.New(fault.Malformed, "method_not_allowed",
			"%s does not answer %s; see the Allow header.", Truncate(c.Request.URL.Path), Truncate(c.Request.Method)))
		return
	}
	c.Problem(http.StatusNotFound, fault.New(fault.NotFound, "route_not_found",
		"There is nothing at %s; /openapi.json lists what there is.", Truncate(c.Request.URL.Path)))
}

// Truncate returns s as it may be quoted back to a caller: control and undecodable characters
// become ?, and after 120 bytes it ends with an ellipsis.
func Truncate(s string) string {
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

// Description returns the operation's text for the document: what it does, and which action its
// key must be allowed.
func (r *Route) Description() string {
	text := strings.TrimSuffix(r.Summary, ".") + "."
	if r.Action == "" {
		return text + " Needs no key."
	}
	return text + " Needs the action " + string(r.Action) + "."
}

// Tagged reports whether the route's success carries an ETag. A GET of that kind also answers
// 304.
func (r *Route) Tagged() bool {
	return slices.ContainsFunc(r.Answers, func(a Answer) bool { return slices.Contains(a.Headers, "ETag") })
}

// Streams reports whether the route answers with an event stream.
func (r *Route) Streams() bool {
	return slices.ContainsFunc(r.Answers, func(a Answer) bool { return a.Media == "text/event-stream" })
}
