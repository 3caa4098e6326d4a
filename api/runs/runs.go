// Package runs serves the runs dialect: the same runs in other words, below
// /v1/runs.
package runs

import (
	"heddle/api/core"
	"heddle/definitions/workflows"
	"heddle/executor"
	"heddle/versions"
)

// Services are the use cases that the routes call.
type Services struct {
	Definitions *workflows.Service
	Versions    *versions.Service
	Executor    *executor.Service
}

// handlers serves the routes. It may be used concurrently.
type handlers struct {
	Services
}

// Routes returns the table of the package.
func Routes(s Services) []core.Route { return (&handlers{s}).routes() }
