package executor_test

import (
	"context"
	"fmt"
	"heddle/events"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/store/storetest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
)

// longRun has some 4,500 events: waits for signals before and after a loop, and
// a step of a loop's body that is retried.
const longRun = `
name: long
steps:
  - {id: first, type: wait, config: {signal: {name: go}}}
  - id: each
    type: loop
    depends_on: [first]
    config:
      items: "700"
      concurrency: 100
      steps:
        - {id: a, type: condition, config: {expression: "true"}}
        - {id: call, type: http_request, depends_on: [a], retry: {max_attempts: 2, delay_seconds: 0.001}, config: {url: "{{ index }}"}}
  - {id: last, type: wait, depends_on: [each], config: {signal: {name: go}}}
  - {id: skipped, type: condition, depends_on: [each], if: "false", config: {expression: "true"}}
`

// TestPagesOfALongJournalAreItsWalkCutInPieces: pages by index, forth and back,
// hold what a walk over the whole journal finds.
func TestPagesOfALongJournalAreItsWalkCutInPieces(t *testing.T) {
	for name, url := range map[string]func(*testing.T) string{
		"sqlite":   func(t *testing.T) string { return storetest.SQLite(t) },
		"postgres": func(t *testing.T) string { return storetest.Postgres(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := stackOn(t, openDB(t, url(t)), new(atomic.Int64), failsAtFirst())
			id := s.start(s.workflow(longRun), `{}`).RunID
			s.deliver(id, "before")
			s.waitState(id, machine.WaitingSignal)
			s.eventually("the last wait is open", func() bool { return s.run(id).Seq > 2*executor.JournalHead && s.run(id).State == machine.WaitingSignal })
			s.deliver(id, "after")
			s.waitState(id, machine.Completed)

			nodes, of, signals := s.walkWhole(id)
			if n := len(s.journal(id)); n < 2*executor.JournalHead {
				t.Fatalf("the journal has %d events only", n)
			}
			for _, newest := range []bool{false, true} {
				for _, limit := range []int{41, 200} {
					s.comparePages(id, fmt.Sprintf("nodes, %d, newest first %v", limit, newest), executor.JournalPageQuery{TenantID: tenant, RunID: id, Newest: newest, Limit: limit}, s.svc.NodeEvents, nodes, of)
				}
				s.comparePages(id, fmt.Sprintf("signals, newest first %v", newest), executor.JournalPageQuery{TenantID: tenant, RunID: id, Newest: newest, Limit: 1}, s.svc.SignalEvents, signals, nil)
			}
		})
	}
}

// failsAtFirst fails the first attempt of each fifth iteration.
func failsAtFirst() runnerFunc {
	return func(_ context.Context, call executor.Call) (executor.Result, error) {
		if call.Attempt == 1 && strings.HasSuffix(call.Iteration, "5]") {
			return executor.Result{}, fmt.Errorf("not yet")
		}
		return ok("")
	}
}

// walkWhole lists the nodes in the order in which they began, the events of
// each, and the signals, from the whole journal.
func (s *stack) walkWhole(id string) (nodes []events.Event, of map[machine.Ref][]int64, signals []events.Event) {
	of = map[machine.Ref][]int64{}
	for _, e := range s.journal(id) {
		ref := machine.Ref{StepID: e.StepID, Iteration: e.Iteration}
		if e.Kind == events.SignalReceived {
			signals = append(signals, e)
		}
		if e.StepID == "" {
			continue
		}
		if len(of[ref]) == 0 && (e.Kind == events.StepStarted || e.Kind == events.StepSkipped) {
			nodes = append(nodes, e)
		}
		of[ref] = append(of[ref], e.Seq)
	}
	return nodes, of, signals
}

// comparePages walks pages to the end and compares them with the list.
func (s *stack) comparePages(id, what string, q executor.JournalPageQuery, page func(context.Context, executor.JournalPageQuery) (executor.JournalPage, error), list []events.Event, of map[machine.Ref][]int64) {
	s.t.Helper()
	want := slices.Clone(list)
	if q.Newest {
		slices.Reverse(want)
	}
	for len(want) > 0 {
		part, err := page(s.t.Context(), q)
		if err != nil {
			s.t.Fatalf("%s: %v", what, err)
		}
		n := min(q.Limit, len(want))
		got, expected := map[int64]bool{}, 0
		for _, e := range part.Events {
			got[e.Seq] = true
		}
		if !slices.IsSortedFunc(part.Events, func(a, b events.Event) int { return int(a.Seq - b.Seq) }) {
			s.t.Fatalf("%s: the events are not in order", what)
		}
		for _, e := range want[:n] {
			seqs := of[machine.Ref{StepID: e.StepID, Iteration: e.Iteration}]
			if of == nil {
				seqs = []int64{e.Seq}
			}
			for _, seq := range seqs {
				expected++
				if !got[seq] {
					s.t.Fatalf("%s: event %d of node %s %s is missing", what, seq, e.StepID, e.Iteration)
				}
			}
		}
		if of != nil && expected != len(part.Events) {
			s.t.Fatalf("%s: %d events, want %d", what, len(part.Events), expected)
		}
		want = want[n:]
		if (part.Next == 0) != (len(want) == 0) {
			s.t.Fatalf("%s: next is %d with %d left", what, part.Next, len(want))
		}
		q.From = part.Next
	}
}

func (s *stack) deliver(id, requestID string) {
	s.t.Helper()
	if _, err := s.svc.Signal(s.t.Context(), tenant, id, signal("go", requestID, "1")); err != nil {
		s.t.Fatal(err)
	}
}
