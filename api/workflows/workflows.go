// Package workflows serves the runs of the workflows dialect: start, list, read,
// follow and steer them, and what they wrote and used.
package workflows

import (
	"heddle/api/core"
	"heddle/definitions/workflows"
	"heddle/executor"
	"slices"
	"time"
)

// Services are the use cases that the routes call.
type Services struct {
	Definitions *workflows.Service
	Executor    *executor.Service
	Now         func() time.Time
}

// handlers serves the routes. It may be used concurrently.
type handlers struct {
	Services
	types typeCache
}

// Routes returns the table of the package.
func Routes(s Services) []core.Route {
	h := &handlers{Services: s}
	return slices.Concat(h.runRoutes(), h.blobRoutes(), h.steeringRoutes(), h.logRoutes(), h.usageRoutes())
}
