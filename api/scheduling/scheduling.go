// Package scheduling serves schedules, previews of their due times, and the
// ledger of what became of each.
package scheduling

import (
	"heddle/api/core"
	"heddle/definitions/workflows"
	"heddle/schedules"
	"time"
)

// Services are the use cases that the routes call.
type Services struct {
	Definitions *workflows.Service
	Schedules   *schedules.Service
	Now         func() time.Time
}

// handlers serves the routes. It may be used concurrently.
type handlers struct {
	Services
}

// Routes returns the table of the package.
func Routes(s Services) []core.Route { return (&handlers{s}).routes() }
