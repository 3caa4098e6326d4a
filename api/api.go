// Package api is the HTTP edge: it decodes requests, calls one service, encodes
// the answer. Its table of routes is the single source of what is served and of
// the OpenAPI document. All errors leave through one envelope. It must not know
// SQL, and nothing below it knows how many API dialects there are.
package api

import (
	"context"
	"heddle/access"
	"heddle/agents"
	"heddle/clock"
	"heddle/definitions"
	"heddle/executor"
	"heddle/idempotency"
	"heddle/quota"
	"heddle/schedules"
	"heddle/secrets"
	"heddle/templates"
	"heddle/versions"
	"log/slog"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
)

// Config is what the edge serves. Log may be nil. Version is the product's.
type Config struct {
	Access      *access.Service
	Definitions *definitions.Service
	Versions    *versions.Service
	Templates   *templates.Service
	Transfer    *versions.Transfer
	Executor    *executor.Service
	Schedules   *schedules.Service
	// Clock compares this process's clock with the database's; nil: it is right.
	Clock   *clock.Watch
	Secrets *secrets.Service
	Agents  *agents.Service
	Answers idempotency.Store
	// Turns holds what turn a run has under way on any node; nil: on this one.
	Turns TurnStore
	// Isolation says how scripts are confined here; nil: there are none.
	Isolation func(ctx context.Context) string
	// ScriptLimits says whether scripts are limited as a whole; nil: there are none.
	ScriptLimits func() string
	Version      string
	// RunnerTick serves the call that advances queued instances.
	RunnerTick bool
	Now        func() time.Time
	NewID      func(prefix string) string
	Log        *slog.Logger
	// Metrics serves /metrics; Meter is told what is answered. Both may be nil.
	Metrics http.Handler
	Meter   Meter
	// StreamWrite is how long one write to a stream may stall before its reader
	// is dropped; 0 is 20 s.
	StreamWrite time.Duration
	// Rate is how often each key may ask this process; the zero value: as often
	// as it likes.
	Rate Rate
	// Stored is how many bytes a tenant may have stored; nil: as many as it likes.
	Stored *quota.Bytes
	// Patience is how long slow clients are waited for.
	Patience Patience
	// TurnTime is how long a turn of a conversation may take before it answers
	// that the run is still running; 0 is 55 s.
	TurnTime time.Duration
	// StoreTime is how long a request may wait for the database, over all its
	// calls, before it answers 503; 0 is 4 s.
	StoreTime time.Duration
}

// Handler serves every route of the product's API.
type Handler struct {
	cfg      Config
	log      *slog.Logger
	echo     *echo.Echo
	routes   []route
	openapi  fixedText
	schema   fixedText // of definitions
	buckets  *buckets  // nil: every rate is fine
	policy   []string
	keyLocks *keyLocks
	turns    openTurns
	streams  *openStreams
	types    typeCache
	// admission bounds the definitions that are read at a time.
	admission *memoryBudget
	lines     *memoryBudget // the long lines of imports
}

// New makes the handler. CloseStreams ends its open streams; NewServer calls it
// at shutdown.
func New(cfg Config) *Handler {
	h := &Handler{cfg: cfg, log: cfg.Log, echo: echo.New(), keyLocks: newKeyLocks(), admission: newMemoryBudget(definitionMemory, definitionWait), lines: newMemoryBudget(importMemory, definitionWait)}
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
	if h.cfg.TurnTime == 0 {
		h.cfg.TurnTime = 55 * time.Second
	}
	if h.buckets = newBuckets(cfg.Rate); h.buckets != nil {
		h.policy = policyOf(cfg.Rate)
	}
	h.streams = newOpenStreams()
	h.routes = h.table()
	h.openapi = newFixedText("application/json", document(cfg.Version))
	h.schema = newFixedText("application/schema+json", cfg.Definitions.Schema())
	h.echo.HTTPErrorHandler = h.unrouted
	for i := range h.routes {
		h.register(&h.routes[i])
	}
	return h
}

// CloseStreams ends every open stream and waits for those that have their
// connection to themselves; their clients come back with Last-Event-ID.
func (h *Handler) CloseStreams() { h.streams.end() }

// ServeHTTP gives the request its id and routes it. A trailing slash is
// optional everywhere, and so is how a path is percent-encoded.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := h.requestID(r)
	head := w.Header()
	head[headerRequestID] = []string{id}
	head["X-Content-Type-Options"] = nosniff
	pace(w, r, h.cfg.Patience)
	if !plainPath(r.URL) {
		canonicalPath(r.URL)
	}
	h.echo.ServeHTTP(w, r)
}

const headerRequestID = "X-Request-Id"

// nosniff is on every answer: a browser takes it as what it says it is. No one
// changes the list.
var nosniff = []string{"nosniff"}

// requestID keeps the caller's own when it is 1 to 128 printable characters.
func (h *Handler) requestID(r *http.Request) string {
	id := r.Header.Get(headerRequestID)
	if len(id) >= 1 && len(id) <= 128 && printable(id) {
		return id
	}
	return h.cfg.NewID("req_")
}

func printable(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] > 0x7e {
			return false
		}
	}
	return true
}

// NewServer gives the handler a server with the limits that net/http leaves
// open. Bodies have their deadlines read by read, answers and streams piece by
// piece; WriteTimeout is for what ends before either.
func NewServer(h *Handler) *http.Server {
	s := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: h.cfg.Patience.Header,
		WriteTimeout:      90 * time.Second,
		IdleTimeout:       h.cfg.Patience.Idle,
		MaxHeaderBytes:    32 << 10,
		// OPTIONS * is answered as any other path is.
		DisableGeneralOptionsHandler: true,
		ErrorLog:                     slog.NewLogLogger(h.log.Handler(), slog.LevelDebug),
	}
	s.RegisterOnShutdown(h.CloseStreams)
	return s
}
