// Package workflows serves the runs of the workflows dialect: start, list, read,
// follow and steer them, and what they wrote and used.
//
// It is the dialect with every operation on a run: from a step, on another version, in memory
// alone. Each handler decodes a request, calls the executor once and encodes the answer in the
// words of core.Words.Workflows. Starts and restarts are idempotent by their key; commands are
// answered with the state that the run had when they were taken. It knows no other dialect.
package workflows

import (
	"heddle/api/core"
	"heddle/definitions/workflows"
	"heddle/executor"
	"heddle/live"
	"heddle/search"
	"heddle/versions"
	"slices"
	"time"
)

// Services are the use cases that the routes call. None may be nil when a request is served.
type Services struct {
	Definitions *workflows.Service
	Versions    *versions.Service
	Executor    *executor.Service
	Live        *live.Service
	Search      *search.Service
	// Now returns the present time, for a usage that reaches up to now.
	Now func() time.Time
}

// handlers serves the routes. It may be used concurrently.
type handlers struct{ Services }

// Routes returns the table of the package, in the order of the documents.
func Routes(s Services) []core.Route {
	h := &handlers{Services: s}
	return slices.Concat(h.runRoutes(), h.blobRoutes(), h.steeringRoutes(), h.logRoutes(), h.usageRoutes(), h.statsRoutes(), h.compareRoutes(), h.liveRoutes(), (&searcher{s}).searchRoutes())
}
