package api_test

import (
	"heddle/api"
	"heddle/executor/machine"
	"net/http"
	"strings"
	"testing"
)

// verb makes the request of one way to steer.
type verb func(s *stack, runID string) request

// dialect is how the tests speak one of the product's dialects. A word that a
// dialect does not have is nil.
type dialect struct {
	name   string
	wanted func(machine.State) string                  // its word for a state
	read   func(s *stack, runID string) string         // the word that it prints of a run
	listed func(s *stack, runID, word string) bool     // among the runs of that word
	start  func(s *stack, workflow string) (id string) // the run's id

	pause, resume, cancel, terminate verb
	signal                           verb // sends {"approved":true} to the oldest wait for approve
}

func dialects() []dialect {
	return []dialect{workflowsDialect(), runsDialect(), turnsDialect(), instancesDialect()}
}

// posts is a verb that sends the body to the run's place under base.
func posts(base, rest, body string) verb {
	return func(_ *stack, id string) request {
		return request{method: http.MethodPost, path: base + id + rest, body: body}
	}
}

// holds reports whether a list has an item of that id.
func (r response) holds(t testing.TB, list, field, id string) bool {
	t.Helper()
	for i := range r.field(t, list).([]any) {
		if r.text(t, list, i, field) == id {
			return true
		}
	}
	return false
}

func workflowsDialect() dialect {
	const runs = "/api/workflows/runs/"
	return dialect{
		name:   "workflows",
		wanted: func(state machine.State) string { word, _, _, _ := api.Wanted(state); return word },
		read:   func(s *stack, id string) string { return s.get(runs+id).want(s.t, 200).text(s.t, "run", "status") },
		listed: func(s *stack, id, word string) bool {
			return s.get("/api/workflows/"+s.row(id).WorkflowID+"/runs?status="+word).want(s.t, 200).holds(s.t, "runs", "id", id)
		},
		start:     func(s *stack, workflow string) string { return s.start(workflow, "") },
		pause:     posts(runs, "/pause", ""),
		resume:    posts(runs, "/resume", ""),
		cancel:    posts(runs, "/cancel", ""),
		terminate: posts(runs, "/terminate", ""),
	}
}

func runsDialect() dialect {
	const runs = "/v1/runs/"
	return dialect{
		name:   "runs",
		wanted: func(state machine.State) string { _, word, _, _ := api.Wanted(state); return word },
		read:   func(s *stack, id string) string { return s.get(runs+id).want(s.t, 200).text(s.t, "state") },
		listed: func(s *stack, id, word string) bool {
			return s.get("/v1/runs?status="+word).want(s.t, 200).holds(s.t, "runs", "run_id", id)
		},
		start:     func(s *stack, workflow string) string { return s.begin(`{"workflow_id":"` + workflow + `"}`) },
		cancel:    posts(runs, "/cancel", ""),
		terminate: posts(runs, "/terminate", ""),
		signal:    posts(runs, "/signals/approve", `{"payload":{"approved":true}}`),
	}
}

func turnsDialect() dialect {
	turn := func(input string) verb {
		return func(s *stack, id string) request {
			return request{
				method: http.MethodPost, path: "/v1/workflows/" + s.row(id).WorkflowID + "/execute",
				body: `{"run_id":"` + strings.TrimPrefix(id, "run_") + `","run_input":` + input + `}`,
			}
		}
	}
	pause, stop := turn(`{"command":"pause"}`), turn(`{"command":"stop"}`)
	return dialect{
		name:   "turns",
		wanted: func(state machine.State) string { _, _, word, _ := api.Wanted(state); return word },
		read: func(s *stack, id string) string {
			look := turn(`{"command":"data"}`)
			switch state := s.row(id).State; { // what leaves the run as it is
			case state.Terminal():
				look = stop
			case state == machine.Paused || state == machine.Pausing:
				look = pause
			}
			return s.do(look(s, id)).want(s.t, 200).text(s.t, "status")
		},
		start: func(s *stack, workflow string) string {
			c, _ := s.converse(workflow, `{"run_input":{}}`)
			return "run_" + c.run
		},
		pause: pause, resume: turn(`{"command":"resume"}`), cancel: stop,
		signal: turn(`{"command":"data","dynamic_variables":{"approved":true}}`),
	}
}
