// Package instances serves the instances dialect: the same runs, known by a name
// of the caller's within their workflow, in camelCase, with that dialect's own
// codes of errors.
package instances

import (
	"heddle/api/core"
	"heddle/definitions/workflows"
	"heddle/executor"
)

// Services are the use cases that the routes call.
type Services struct {
	Definitions *workflows.Service
	Executor    *executor.Service
	// RunnerTick serves the call that lets queued instances begin.
	RunnerTick bool
	NewID      func(prefix string) string
}

// handlers serves the routes. It may be used concurrently.
type handlers struct {
	Services
}

// Routes returns the table of the package.
func Routes(s Services) []core.Route { return (&handlers{s}).routes() }
