// Package instances serves the instances dialect: the same runs, known by a name
// of the caller's within their workflow, in camelCase, with that dialect's own
// codes of errors.
//
// An instance is a series of runs under one name: the first run is started with it, and each
// restart begins the next run of the series. What a request says of an instance holds for its
// latest run, unless it names another by its number, from 0. Where this dialect's clients expect
// leniency they have it: unknown parameters are ignored, and a page size or a cursor that cannot
// be read is the default. Errors are translated at the edge by translateErrorForInstances, so
// that handlers return those of the product. It knows no other dialect.
package instances

import (
	"heddle/api/core"
	"heddle/definitions/workflows"
	"heddle/executor"
)

// Services are the use cases that the routes call. Definitions and Executor may not be nil when a
// request is served.
type Services struct {
	Definitions *workflows.Service
	Executor    *executor.Service
	// RunnerTick serves the call that lets queued instances begin; without it the call is
	// refused.
	RunnerTick bool
	// NewID returns a new id with the prefix; it is called concurrently.
	NewID func(prefix string) string
}

// handlers serves the routes. It may be used concurrently: it does not change.
type handlers struct {
	Services
}

// Routes returns the table of the package, in the order of the documents.
func Routes(s Services) []core.Route { return (&handlers{s}).routes() }
