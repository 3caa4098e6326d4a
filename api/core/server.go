// Package core serves requests for the packages of the API's dialects. It routes,
// authenticates, authorises and rates them, decodes their bodies, keeps their
// idempotent answers and their lines of the audit trail, pages lists, sends
// errors in one envelope, and writes event streams. A dialect hands it a table
// of Routes; each handler receives a Call, which is one request on its way through.
//
// A request passes these steps, each of which may refuse it: the path is made canonical and
// routed; the key is checked (401), its rate (429) and its rights (403); unknown query
// parameters are refused (400); the body is read and decoded (400, 408, 413, 415); then the
// route's handler runs. The line of the audit trail follows the change, and what the request
// had reserved is released after the answer. An error at any step becomes the envelope, by
// the one table of StatusOf.
//
// It must not know SQL, nor any of the dialects: what differs between them is
// data of a Route (TranslateError, Tolerant, AnyQuery, AuditAs).
package core

import (
	"heddle/access"
	"heddle/definitions/workflows"
	"heddle/executor"
	"heddle/idempotency"
	"heddle/quota"
	"heddle/schedules"
	"heddle/secrets"
	"log/slog"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
)

// Config is what every request needs, whatever its dialect. Of the services only Secrets may be
// nil. New copies it and fills in the defaults.
type Config struct {
	// Access authenticates keys and keeps the audit trail. Definitions, Executor and Schedules
	// find the workflow that a path names something of, which the caller must be allowed to act
	// on.
	Access      *access.Service
	Definitions *workflows.Service
	Executor    *executor.Service
	Schedules   *schedules.Service
	// Secrets looks for secrets in text that is stored and shown; nil: it is not
	// looked for.
	Secrets *secrets.Service
	// Answers keeps the answers to requests with an Idempotency-Key.
	Answers idempotency.Store
	// Now returns the present time, and NewID an id with the prefix. Both are called
	// concurrently.
	Now   func() time.Time
	NewID func(prefix string) string
	// Log may be nil: then nothing is logged.
	Log *slog.Logger
	// Meter is told of every answer; nil: nothing is measured.
	Meter Meter
	// StreamWrite is how long one write to a stream may stall before its reader
	// is dropped; 0 is 20 s.
	StreamWrite time.Duration
	// Rate limits each key at this process; the zero value: no limit.
	Rate Rate
	// Stored is how many bytes a tenant may have stored; nil: no limit.
	Stored *quota.Bytes
	// Patience is how long slow clients are waited for.
	Patience Patience
	// StoreTime is how long a request may wait for the database, over all its
	// calls, before it answers 503; 0 is 4 s.
	StoreTime time.Duration
	// Console answers a request that is for a page of the console, and reports whether it
	// was; nil: there is none. It comes before the routes, and no route has its paths.
	Console func(http.ResponseWriter, *http.Request) bool
}

// Server serves a table of routes. Its methods may be called concurrently; its fields do not
// change once New has returned, and those that hold state have locks of their own.
type Server struct {
	cfg Config
	// log is never nil.
	log      *slog.Logger
	echo     *echo.Echo
	buckets  *buckets // nil: no limit
	signIns  *buckets // of addresses, for sign-ins that fail
	policy   []string // the RateLimit-Policy of every answer
	keyLocks *keyLocks
	streams  *openStreams
	// Memory bounds the definitions that are read at a time.
	Memory *MemoryBudget
}

// New returns a server of the routes, which it completes in place: the names of a body's fields
// are read from its type. The slice belongs to the server afterwards. CloseStreams ends its open
// streams; HTTPServer calls it at shutdown.
func New(cfg Config, routes []Route) *Server {
	h := &Server{
		cfg: cfg, log: cfg.Log, echo: echo.New(), keyLocks: newKeyLocks(), signIns: newBuckets(signInRate), streams: newOpenStreams(),
		Memory: NewMemoryBudget(DefinitionMemory, DefinitionWait),
	}
	if h.log == nil {
		h.log = slog.New(slog.DiscardHandler)
	}
	if h.cfg.Meter == nil {
		h.cfg.Meter = noopMeter{}
	}
	if h.cfg.StreamWrite == 0 {
		h.cfg.StreamWrite = 20 * time.Second
	}
	h.cfg.Patience = h.cfg.Patience.withDefaults()
	if h.cfg.StoreTime == 0 {
		h.cfg.StoreTime = storeTime
	}
	if h.buckets = newBuckets(cfg.Rate); h.buckets != nil {
		h.policy = policyOf(cfg.Rate)
	}
	h.echo.HTTPErrorHandler = h.unrouted
	for i := range routes {
		h.register(&routes[i])
	}
	return h
}

// CloseStreams ends every open stream, refuses new ones their own connection, and waits for those
// that have one; their clients reconnect with Last-Event-ID. It may be called more than once.
func (h *Server) CloseStreams() { h.streams.end() }

// ServeHTTP assigns the request its id, wraps its body with deadlines and routes it. A trailing
// slash is optional everywhere, and so is how a path is percent-encoded.
func (h *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	markHandled(r)
	id := h.requestID(r)
	head := w.Header()
	head[headerRequestID] = []string{id}
	head["X-Content-Type-Options"] = nosniff
	pace(w, r, h.cfg.Patience)
	if h.cfg.Console != nil && h.cfg.Console(w, r) {
		return
	}
	// Most paths are canonical already, and looking costs no allocation.
	if !plainPath(r.URL) {
		canonicalPath(r.URL)
	}
	h.echo.ServeHTTP(w, r)
}

// headerRequestID is spelt as net/http canonicalizes it, so that the map of a head can be indexed
// with it.
const headerRequestID = "X-Request-Id"

// nosniff is on every answer: a browser does not guess another type than the declared one. All
// answers share the list, and none changes it.
var nosniff = []string{"nosniff"}

// requestID returns the caller's own id when it is 1 to 128 printable characters, and a new one
// otherwise. It is logged as it is, so that no control character may be in it.
func (h *Server) requestID(r *http.Request) string {
	id := r.Header.Get(headerRequestID)
	if len(id) >= 1 && len(id) <= 128 && Printable(id) {
		return id
	}
	return h.cfg.NewID("req_")
}

// Printable reports whether s consists of printable characters of ASCII, the space included. It
// holds for "".
func Printable(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] > 0x7e {
			return false
		}
	}
	return true
}

// maxHeaderBytes is how long a request's first line and headers may be together. net/http allows
// 4 KiB beyond it.
const maxHeaderBytes = 32 << 10

// HTTPServer returns a server of h with the limits that net/http leaves open. Bodies have a
// deadline for each read, answers and streams one for each piece; WriteTimeout is for what ends
// before either. At its Shutdown the open streams are ended.
func (h *Server) HTTPServer() *http.Server {
	s := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: h.cfg.Patience.Header,
		WriteTimeout:      90 * time.Second,
		IdleTimeout:       h.cfg.Patience.Idle,
		MaxHeaderBytes:    maxHeaderBytes,
		ConnContext:       h.withConn,
		ConnState:         markIdle,
		// OPTIONS * is answered as any other path is.
		DisableGeneralOptionsHandler: true,
		// What net/http logs is about broken connections, which clients cause at will.
		ErrorLog: slog.NewLogLogger(h.log.Handler(), slog.LevelDebug),
	}
	s.RegisterOnShutdown(h.CloseStreams)
	return s
}

// ProductName is what the documents and the pages call this program.
const ProductName = "Heddle"

// WorkflowsBase is where the paths of the workflows dialect begin, and those of definitions,
// templates and schedules.
const WorkflowsBase = "/api/workflows"
