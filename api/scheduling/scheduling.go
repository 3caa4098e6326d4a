// Package scheduling serves schedules, previews of their due times, and the
// ledger of what became of each.
//
// Durations are seconds here and time.Duration in the service, times RFC 3339 with any offset
// and UTC to the millisecond. What a field may be is for the service to say; this package only
// keeps numbers and times within what can be stored. It knows neither the loop that fires nor
// SQL.
package scheduling

import (
	"heddle/api/core"
	"heddle/definitions/workflows"
	"heddle/schedules"
	"time"
)

// Services are the use cases that the routes call. None may be nil when a request is served.
type Services struct {
	Definitions *workflows.Service
	Schedules   *schedules.Service
	// Now returns the present time, from which previews start.
	Now func() time.Time
}

// handlers serves the routes. It may be used concurrently: it does not change.
type handlers struct {
	Services
}

// Routes returns the table of the package, in the order of the documents.
func Routes(s Services) []core.Route { return (&handlers{s}).routes() }
