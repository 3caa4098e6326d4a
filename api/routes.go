package api

import (
	"heddle/api/admin"
	"heddle/api/approvals"
	"heddle/api/authoring"
	"heddle/api/bulk"
	"heddle/api/core"
	"heddle/api/instances"
	"heddle/api/openapi"
	"heddle/api/runs"
	"heddle/api/scheduling"
	"heddle/api/turns"
	"heddle/api/workflows"
	"net/http"
	"slices"
	"sync"
)

// routesOf returns every route there is, in the order of the documents. lines bounds the memory
// of imports. Every DELETE takes a reason, as a parameter or in a body, so that no dialect has to
// think of it. It calls no service: one may be nil where the routes are only described.
func routesOf(cfg Config, s *site, lines *core.MemoryBudget) []core.Route {
	list := slices.Concat(
		s.routes(),
		authoring.Routes(authoring.Services{
			Definitions: cfg.Definitions, Versions: cfg.Versions, Templates: cfg.Templates, Transfer: cfg.Transfer, Drafts: cfg.Drafts,
			Runs: cfg.Executor, Schedules: cfg.Schedules, Lines: lines, Now: cfg.Now,
		}),
		scheduling.Routes(scheduling.Services{Definitions: cfg.Definitions, Schedules: cfg.Schedules, Now: cfg.Now}),
		approvals.Routes(approvals.Services{Approvals: cfg.Approvals, Definitions: cfg.Definitions}),
		bulk.Routes(bulk.Services{Bulk: cfg.Bulk, Definitions: cfg.Definitions, Versions: cfg.Versions}),
		workflows.Routes(workflows.Services{Definitions: cfg.Definitions, Versions: cfg.Versions, Executor: cfg.Executor, Live: cfg.Live, Search: cfg.Search, Now: cfg.Now}),
		runs.Routes(runs.Services{Definitions: cfg.Definitions, Versions: cfg.Versions, Executor: cfg.Executor}),
		turns.Routes(turns.Services{Definitions: cfg.Definitions, Executor: cfg.Executor, Store: cfg.Turns, TurnTime: cfg.TurnTime, NewID: cfg.NewID}),
		instances.Routes(instances.Services{Definitions: cfg.Definitions, Executor: cfg.Executor, RunnerTick: cfg.RunnerTick, NewID: cfg.NewID}),
		admin.Routes(admin.Services{Access: cfg.Access, Links: cfg.Links, Definitions: cfg.Definitions, Secrets: cfg.Secrets, Agents: cfg.Agents, System: cfg.System, Executor: cfg.Executor, SignIn: cfg.SignIn}),
	)
	for i, r := range list {
		if r.Method == http.MethodDelete {
			list[i] = r.WithReason()
		}
	}
	return list
}

// routesAlone returns every route without a service behind it, which is enough to describe them.
func routesAlone() []core.Route { return routesOf(Config{}, &site{}, nil) }

// undatedDocument is the OpenAPI document before it has a version. It is made once in a process,
// at the first call: it does not depend on a handler. The bytes are shared and must not be
// changed.
var undatedDocument = sync.OnceValue(func() []byte { return openapi.Describe(routesAlone(), openapi.VersionMark) })

// documentOf returns the OpenAPI document of the version.
func documentOf(version string) []byte { return openapi.WithVersion(undatedDocument(), version) }
