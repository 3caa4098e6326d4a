// Package turns serves the turns dialect: a run as a conversation, of which each
// request takes one turn and waits for what the run answers.
//
// The one route takes a command: start, data, resume, pause, stop. The first turn starts the
// run; a later one answers the oldest wait for a signal, or steers the run. Then the request
// waits until the run needs its user again, has ended, or TurnTime is over, and answers with the
// events since the turn began. A run has one turn in progress at a time, on all nodes: a second
// one is fault.Conflict turn_in_progress. Ids are printed without their prefix. It knows no
// other dialect.
package turns

import (
	"heddle/api/core"
	"heddle/definitions/workflows"
	"heddle/executor"
	"sync"
	"time"
)

// Services are the use cases that the routes call. Definitions and Executor may not be nil when a
// request is served.
type Services struct {
	Definitions *workflows.Service
	Executor    *executor.Service
	// Store holds which turn a run has in progress on any node; nil: on this one
	// alone.
	Store Store
	// TurnTime is how long a turn may take before it answers that the run is
	// still running; 0 is 55 s.
	TurnTime time.Duration
	NewID    func(prefix string) string
}

// handlers serves the routes. It may be used concurrently.
type handlers struct {
	Services
	// open holds the ids of the runs that have a turn in progress in this process, as keys;
	// takeTurn adds and removes them.
	open sync.Map
}

// Routes returns the table of the package, which is one route. A TurnTime of 0 becomes 55 s,
// which is below the time after which proxies commonly give up on an answer.
func Routes(s Services) []core.Route {
	if s.TurnTime == 0 {
		s.TurnTime = 55 * time.Second
	}
	return (&handlers{Services: s}).routes()
}
