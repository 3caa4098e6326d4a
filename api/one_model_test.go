package api_test

import (
	"heddle/api"
	"heddle/executor"
	"heddle/executor/machine"
	"strings"
	"testing"
	"time"
)

// undoable fails after a step whose compensation is held.
var undoable = `{"name":"Undoable","steps":[` +
	gated("a", "ok", `,"compensate":{"type":"http_request","config":{"url":"`+gateURL+`hold"}}`) + `,` +
	gated("b", "fail", `,"depends_on":["a"]`) + `]}`

func single(step string) string { return `{"name":"Single","steps":[` + step + `]}` }

// waysTo says for each state how a run comes to be in it: a definition, and
// what is then done to the run.
func waysTo(s *stack) map[machine.State]func() string {
	begin := func(definition string) string { return s.start(s.create(definition, ""), "") }
	held := func() string {
		id := begin(single(gated("a", "hold", "")))
		s.gate.holds(s.t, "a")
		return id
	}
	then := func(id, verb string) string {
		if got := s.post("/api/workflows/runs/"+id+"/"+verb, ""); got.status/100 != 2 {
			s.t.Fatalf("%s: %s", verb, got.body)
		}
		return id
	}
	return map[machine.State]func() string{
		machine.Queued: func() string {
			limited := s.create(strings.Replace(parked, `"steps"`, `"concurrency":{"limit":1,"on_limit":"queue"},"steps"`, 1), "")
			s.start(limited, "")
			return s.start(limited, "")
		},
		machine.Running: held,
		machine.Backoff: func() string {
			return begin(single(gated("a", "later", `,"retry":{"delay_seconds":3600,"max_delay_seconds":3600}`)))
		},
		machine.WaitingTimer:  func() string { return begin(parked) },
		machine.WaitingSignal: func() string { return begin(approval) },
		machine.Pausing:       func() string { return then(held(), "pause") },
		machine.Paused:        func() string { return then(begin(parked), "pause") },
		machine.Cancelling:    func() string { return then(held(), "cancel") },
		machine.Compensating: func() string {
			id := begin(undoable)
			s.gate.holds(s.t, "a")
			return id
		},
		machine.Completed: func() string { return begin(trivial) },
		machine.Failed:    func() string { return begin(single(gated("a", "fail", ""))) },
		machine.Cancelled: func() string { return then(begin(parked), "cancel") },
	}
}

// row is a run beneath all dialects.
func (s *stack) row(runID string) executor.Record {
	s.t.Helper()
	j, err := s.db.Journal(s.t.Context(), runID)
	if err != nil {
		s.t.Fatal(err)
	}
	return j.Row
}

// Each state is reached and read in the words of each dialect, by itself and in
// the lists that are filtered by that word. A new state has no way to it and
// fails the test.
func TestEveryStateIsReadInEveryDialect(t *testing.T) {
	short := func(a *api.Config, e *executor.Config) { a.TurnTime, e.MaxRuns = time.Millisecond, 50 }
	onBothStores(t, func(t *testing.T, s *stack) {
		ways := waysTo(s)
		for _, state := range machine.States {
			way := ways[state]
			if way == nil {
				t.Errorf("no way to %s: add one", state)
				continue
			}
			id := way()
			s.becomes(id, state)
			for _, d := range dialects() {
				if got, want := d.read(s, id), d.wanted(state); got != want {
					t.Errorf("%s in the %s dialect: %q, want %q", state, d.name, got, want)
				}
				if d.listed != nil && !d.listed(s, id, d.wanted(state)) {
					t.Errorf("%s: the %s dialect's list of %s lacks it", state, d.name, d.wanted(state))
				}
			}
			if got := s.row(id).State; got != state {
				t.Errorf("to be read made %s of %s", got, state)
			}
		}
		if len(ways) != len(machine.States) {
			t.Errorf("%d states, %d ways", len(machine.States), len(ways))
		}
	}, short)
}

// Whoever started a run, every dialect steers it with every word that it has.
func TestARunIsSteeredThroughEveryDialect(t *testing.T) {
	onBothStores(t, func(t *testing.T, s *stack) {
		s.create(approval, `"slug":"flow"`)
		for _, starter := range dialects() {
			for _, by := range dialects() {
				begin := func() string {
					id := starter.start(s, "flow")
					s.becomes(id, machine.WaitingSignal)
					return id
				}
				steer := func(id, name string, v verb, want machine.State) {
					if v == nil {
						return
					}
					if got := s.do(v(s, id)); got.status/100 != 2 {
						t.Fatalf("started by %s, %s by %s: %d %s", starter.name, name, by.name, got.status, got.body)
					}
					s.becomes(id, want)
				}
				id := begin()
				if by.pause != nil {
					steer(id, "pause", by.pause, machine.Paused)
					steer(id, "resume", by.resume, machine.WaitingSignal)
				}
				steer(id, "signal", by.signal, machine.Completed)
				steer(begin(), "cancel", by.cancel, machine.Cancelled)
				steer(begin(), "terminate", by.terminate, machine.Cancelled)
			}
		}
	})
}

func (s *stack) becomes(id string, state machine.State) {
	s.t.Helper()
	s.eventually(id+" is "+string(state), func() bool { return s.row(id).State == state })
}
