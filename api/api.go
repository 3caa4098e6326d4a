// Package api is the HTTP edge: it joins the packages of the dialects to one
// handler. api/core serves their requests and knows none of them; a dialect's
// package decodes a request, calls one service and encodes the answer, and
// imports no other dialect. The table of routes is the single source of what is
// served and of the OpenAPI document. Nothing here knows SQL, and nothing below
// knows how many dialects there are.
package api

import (
	"context"
	"encoding/json"
	"heddle/access"
	"heddle/agents"
	"heddle/api/authoring"
	"heddle/api/core"
	"heddle/api/turns"
	apiworkflows "heddle/api/workflows"
	"heddle/approvals"
	"heddle/bulk"
	"heddle/clock"
	"heddle/definitions/workflows"
	"heddle/drafts"
	"heddle/executor"
	"heddle/idempotency"
	"heddle/live"
	"heddle/quota"
	"heddle/schedules"
	"heddle/search"
	"heddle/secrets"
	"heddle/signin"
	"heddle/system"
	"heddle/templates"
	"heddle/versions"
	"log/slog"
	"net/http"
	"time"
)

// What callers set, from the packages below.
type (
	// Rate limits how often each key may call this process.
	Rate = core.Rate
	// Patience is how long slow clients are waited for.
	Patience = core.Patience
	// Meter is told of answered requests and of open streams.
	Meter = core.Meter
	// TurnStore holds which turn a run has in progress, for all nodes.
	TurnStore = turns.Store
)

// Config is what the edge serves. New copies the struct. Now and NewID are called concurrently.
type Config struct {
	Services
	Limits
	Observers
	// Version is the product's.
	Version string
	Now     func() time.Time
	NewID   func(prefix string) string
	// Clock compares this process's clock with the database's; nil: it is right.
	Clock *clock.Watch
	// RunnerTick serves the call that lets queued instances begin; without it the call is refused
	// with RUNNER_TICK_DISABLED.
	RunnerTick bool
	// Console is that of core.Config.
	Console func(http.ResponseWriter, *http.Request) bool
}

// Services are what the routes call. Only Links, Secrets, Turns and SignIn may be nil, and the
// two functions.
type Services struct {
	Access *access.Service
	// Links sign browsers in once; nil: none is taken.
	Links       *access.Links
	Definitions *workflows.Service
	Versions    *versions.Service
	Templates   *templates.Service
	Transfer    *versions.Transfer
	Drafts      *drafts.Service
	Executor    *executor.Service
	Schedules   *schedules.Service
	Approvals   *approvals.Service
	Bulk        *bulk.Service
	Live        *live.Service
	Secrets     *secrets.Service
	Agents      *agents.Service
	System      *system.Service
	Search      *search.Service
	// SignIn signs people in at a provider of identities; nil: there is none.
	SignIn  *signin.Service
	Answers idempotency.Store
	// Turns holds which turn a run has in progress on any node; nil: on this one alone.
	Turns TurnStore
	// Isolation says how scripts are confined here; nil: there are none. It is called for each
	// request for /v1/info.
	Isolation func(ctx context.Context) string
	// ScriptLimits says whether scripts are limited as a whole; nil: there are none.
	ScriptLimits func() string
}

// Limits bound what one caller may take; the zero value has the defaults.
type Limits struct {
	// Rate is how often each key may call this process; the zero value: no limit.
	Rate Rate
	// Stored is how many bytes a tenant may have stored; nil: no limit.
	Stored *quota.Bytes
	// Patience is how long slow clients are waited for.
	Patience Patience
	// StreamWrite is how long one write to a stream may stall before its reader
	// is dropped; 0 is 20 s.
	StreamWrite time.Duration
	// TurnTime is how long a turn of a conversation may take before it answers
	// that the run is still running; 0 is 55 s.
	TurnTime time.Duration
	// StoreTime is how long a request may wait for the database, over all its
	// calls, before it answers 503; 0 is 4 s.
	StoreTime time.Duration
}

// Observers are told what is served. Each may be nil.
type Observers struct {
	Log *slog.Logger
	// Metrics serves /metrics; Meter is told what is answered.
	Metrics http.Handler
	Meter   Meter
}

// Handler serves every route of the product's API. It is safe for concurrent use.
type Handler struct {
	*core.Server
	lines *core.MemoryBudget // of imports' long lines
}

// New returns the handler. The caller keeps what is in cfg and closes it after the server.
// CloseStreams ends the handler's open streams; NewServer calls it at shutdown.
func New(cfg Config) *Handler {
	s := &site{
		cfg: cfg, openapi: core.NewFixedText("application/json", documentOf(cfg.Version)),
		schema: core.NewFixedText("application/schema+json", cfg.Definitions.Schema()),
	}
	lines := core.NewMemoryBudget(authoring.LineMemory, core.DefinitionWait)
	s.table = routesOf(cfg, s, lines)
	return &Handler{lines: lines, Server: core.New(core.Config{
		Access: cfg.Access, Definitions: cfg.Definitions, Executor: cfg.Executor, Schedules: cfg.Schedules, Secrets: cfg.Secrets,
		Answers: cfg.Answers, Now: cfg.Now, NewID: cfg.NewID, Log: cfg.Log, Meter: cfg.Meter, StreamWrite: cfg.StreamWrite,
		Rate: cfg.Rate, Stored: cfg.Stored, Patience: cfg.Patience, StoreTime: cfg.StoreTime, Console: cfg.Console,
	}, s.table)}
}

// EncodeChange returns the data of a frame of GET /v1/events, for live.Config.
func EncodeChange(c live.Change) (json.RawMessage, error) { return apiworkflows.EncodeChange(c) }

// NewServer returns an HTTP server of the handler with the limits that net/http leaves open. Its
// Addr is not set: pass Serve a listener of Listen.
func NewServer(h *Handler) *http.Server { return h.HTTPServer() }
