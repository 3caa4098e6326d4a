package crash

import (
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// ticker orders what the test sees: effects and frames get rising numbers.
type ticker struct {
	mu sync.Mutex
	n  int64
}

func (t *ticker) next() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.n++
	return t.n
}

// effectID is where an effect comes from: a step of a run, and in a loop body the
// index of the iteration.
type effectID struct {
	Run   string
	Step  string
	Index string
}

// effect is one request that a step made.
type effect struct {
	Place effectID
	Key   string
	At    int64 // the ticker's number when it arrived
}

// receiver is the outside world of the runs: it writes each effect down and
// answers every request of one key with the same number, as a receiver that
// honours Idempotency-Key does.
type receiver struct {
	clock   *ticker
	addr    string
	mu      sync.Mutex
	effects []effect
	numbers map[string]int
}

func newReceiver(t *testing.T, clock *ticker) *receiver {
	t.Helper()
	r := &receiver{clock: clock, numbers: make(map[string]int)}
	srv := httptest.NewServer(r)
	t.Cleanup(srv.Close)
	r.addr = srv.Listener.Addr().(*net.TCPAddr).String()
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	q := req.URL.Query()
	key := req.Header.Get("Idempotency-Key")
	number := r.record(effect{
		Place: effectID{Run: q.Get("run"), Step: q.Get("step"), Index: q.Get("index")},
		Key:   key,
		At:    r.clock.next(),
	})
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"number": number, "even": number%2 == 0})
}

func (r *receiver) record(e effect) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.effects = append(r.effects, e)
	n, seen := r.numbers[e.Key]
	if !seen {
		n = len(r.numbers) + 1
		r.numbers[e.Key] = n
	}
	return n
}

// byPlace gives the effects of each place in the order of their arrival.
func (r *receiver) byPlace() map[effectID][]effect {
	r.mu.Lock()
	defer r.mu.Unlock()
	m := make(map[effectID][]effect)
	for _, e := range r.effects {
		m[e.Place] = append(m[e.Place], e)
	}
	return m
}

// workflow is what the runs do: effects in a row, in parallel branches and in
// a loop, a condition on what the receiver said, a wait, and in every fourth
// run a script.
func workflow(addr string) string {
	return strings.ReplaceAll(definition, "RECEIVER", addr)
}

const definition = `{
  "name": "Crash me",
  "input": {"type": "object", "properties": {"script": {"type": "boolean"}}, "required": ["script"]},
  "steps": [
    {"id": "first", "type": "http_request",
     "config": {"method": "POST", "url": "http://RECEIVER/effect?run={{ run.id }}&step=first"}},
    {"id": "compute", "type": "script", "depends_on": ["first"], "if": "input.script",
     "config": {"script": "echo '{\"answer\": 42}'"}},
    {"id": "decide", "type": "condition", "depends_on": ["first"],
     "config": {"expression": "steps.first.output.body.even", "then": ["even"], "else": ["odd"]}},
    {"id": "even", "type": "http_request", "depends_on": ["decide"],
     "config": {"method": "POST", "url": "http://RECEIVER/effect?run={{ run.id }}&step=even"}},
    {"id": "odd", "type": "http_request", "depends_on": ["decide"],
     "config": {"method": "POST", "url": "http://RECEIVER/effect?run={{ run.id }}&step=odd"}},
    {"id": "pause", "type": "wait", "depends_on": ["first"], "config": {"seconds": 0.15}},
    {"id": "each", "type": "loop", "depends_on": ["pause", "even", "odd"],
     "config": {"items": "3", "concurrency": 2, "collect": "steps.call.output.body.number", "steps": [
       {"id": "call", "type": "http_request",
        "config": {"method": "POST", "url": "http://RECEIVER/effect?run={{ run.id }}&step=call&index={{ index }}"}}]}},
    {"id": "last", "type": "http_request", "depends_on": ["each", "compute"],
     "config": {"method": "POST", "url": "http://RECEIVER/effect?run={{ run.id }}&step=last"}}
  ],
  "output": {"first": "{{ steps.first.output.body.number }}", "items": "{{ steps.each.output.results }}", "last": "{{ steps.last.output.body.number }}"}
}`
