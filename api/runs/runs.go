// Package runs serves the runs dialect: the same runs in other words, below
// /v1/runs.
//
// It lists runs across workflows, calls steps nodes and names versions by their labels. A
// handler calls the executor once; only the names of versions are looked up beside it. What a
// run has done is read from its journal, by pages of nodes (history) or event by event (stream).
// It knows no other dialect.
package runs

import (
	"heddle/api/core"
	"heddle/definitions/workflows"
	"heddle/executor"
	"heddle/versions"
)

// Services are the use cases that the routes call. None may be nil when a request is served.
type Services struct {
	Definitions *workflows.Service
	Versions    *versions.Service
	Executor    *executor.Service
}

// handlers serves the routes. It may be used concurrently: it does not change.
type handlers struct {
	Services
}

// Routes returns the table of the package, in the order of the documents.
func Routes(s Services) []core.Route { return (&handlers{s}).routes() }
