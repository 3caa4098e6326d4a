package api_test

import (
	"fmt"
	"heddle/executor/machine"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// ask is do for requests that are made at once: the status and the body.
func (s *stack) ask(method, path, body string) (int, string) {
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Error(err)
		return 0, ""
	}
	req.Header.Set("Authorization", "Bearer "+s.admin)
	req.Header.Set("Content-Type", "application/json")
	resp, err := s.client.RoundTrip(req)
	if err != nil {
		s.t.Error(err)
		return 0, ""
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Error(err)
	}
	return resp.StatusCode, string(text)
}

// atOnce calls f n times, all at once.
func atOnce(n int, f func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { f(i) })
	}
	wg.Wait()
}

func TestOneIDIsOneInstanceUnderARace(t *testing.T) {
	onBothStores(t, func(t *testing.T, s *stack) {
		s.create(approval, `"slug":"flow"`)
		const rounds = 20
		for round := range rounds {
			var won, lost, batched atomic.Int64
			body := fmt.Sprintf(`{"id":"i%d"}`, round)
			atOnce(6, func(i int) {
				if i == 5 {
					_, got := s.ask("POST", instances+"/batch", `{"instances":[`+body+`,`+body+`]}`)
					batched.Store(int64(strings.Count(got, `"id"`)))
					return
				}
				switch status, got := s.ask("POST", instances, body); {
				case status == 200:
					won.Add(1)
				case status == 409 && strings.Contains(got, "INSTANCE_ID_ALREADY_EXISTS"):
					lost.Add(1)
				default:
					t.Errorf("%d %s", status, got)
				}
			})
			if won.Load()+batched.Load() != 1 || won.Load()+lost.Load() != 5 {
				t.Fatalf("round %d: %d created, %d in the batch, %d refused", round, won.Load(), batched.Load(), lost.Load())
			}
		}
		list := s.get(instances + "?pageSize=100")
		if n := len(list.field(t, "instances").([]any)); n != rounds {
			t.Errorf("%d instances are listed", n)
		}
	})
}

// Of events that come at once each wait takes one, and none is taken twice.
func TestOneEventPerWait(t *testing.T) {
	onBothStores(t, func(t *testing.T, s *stack) {
		s.create(`{"name":"Three","steps":[{"id":"a","type":"wait","config":{"signal":{"name":"go"}}},`+
			`{"id":"b","type":"wait","config":{"signal":{"name":"go"}},"depends_on":["a"]},`+
			`{"id":"c","type":"wait","config":{"signal":{"name":"go"}},"depends_on":["b"]},`+
			`{"id":"last","type":"wait","config":{"signal":{"name":"end"}},"depends_on":["c"]}]}`, `"slug":"flow"`)
		for round := range 5 {
			id := fmt.Sprint("e", round)
			s.instantiate("flow", `{"id":"`+id+`"}`)
			atOnce(8, func(i int) {
				switch {
				case i == 3 && round%2 == 1:
					s.ask("POST", instances+"/"+id+"/pause", "")
				default:
					if status, got := s.ask("POST", instances+"/"+id+"/events", fmt.Sprintf(`{"type":"go","payload":%d}`, i)); status != 200 {
						t.Errorf("%d %s", status, got)
					}
				}
			})
			s.post(instances+"/"+id+"/resume", "").want(t, 200)
			s.eventually("the last wait is open", func() bool {
				got := s.get(instances+"/"+id).want(t, 200)
				return got.text(t, "details", "status") == "waiting" && got.text(t, "meta", "currentStep", "stepKey") == "last"
			})
			history := s.get(instances + "/" + id + "/history?order=asc")
			consumers, payloads := map[string]bool{}, map[string]bool{}
			for i := range history.field(t, "events").([]any) {
				by, _ := history.field(t, "events", i, "consumedByStepKey").(string)
				if by == "" {
					continue
				}
				if consumers[by] || (history.field(t, "events", i, "deliveredAt") == nil) {
					t.Errorf("%s took twice, or without a time: %s", by, history.body)
				}
				consumers[by] = true
				payload := fmt.Sprint(history.field(t, "events", i, "payload"))
				payloads[payload] = true
			}
			if len(consumers) != 3 || len(payloads) != 3 {
				t.Errorf("three waits, consumers %v, payloads %v: %s", consumers, payloads, history.body)
			}
		}
	})
}

// An event is for the run that it was sent to: while instances are restarted,
// none is taken by a later run.
func TestAnEventNeverWakesALaterRun(t *testing.T) {
	onBothStores(t, func(t *testing.T, s *stack) {
		s.create(approval, `"slug":"flow"`)
		for round := range 8 {
			id := fmt.Sprint("r", round)
			s.instantiate("flow", `{"id":"`+id+`"}`)
			var sent atomic.Int64
			atOnce(4, func(i int) {
				if i%2 == 0 {
					if status, got := s.ask("POST", instances+"/"+id+"/restart", ""); status != 200 {
						t.Errorf("restart: %d %s", status, got)
					}
					return
				}
				status, got := s.ask("POST", instances+"/"+id+"/events", `{"type":"approve","payload":{"approved":true}}`)
				switch {
				case status == 200:
					sent.Add(1)
				case status != 409:
					t.Errorf("event: %d %s", status, got)
				}
			})
			taken := 0
			for n := range 3 {
				history := s.get(fmt.Sprintf("%s/%s/history?runNumber=%d", instances, id, n)).want(t, 200)
				received := len(history.field(t, "events").([]any))
				taken += received
				for i := range history.field(t, "steps").([]any) {
					if history.text(t, "steps", i, "stepKey") == "ask" && history.text(t, "steps", i, "status") == "completed" && received == 0 {
						t.Errorf("run %d went on without an event of its own: %s", n, history.body)
					}
				}
			}
			if int64(taken) != sent.Load() || s.latest("flow", id).Number != 2 {
				t.Errorf("%d events were accepted, %d journalled; run %d", sent.Load(), taken, s.latest("flow", id).Number)
			}
		}
	})
}

// walk reads a list page by page.
func (s *stack) walk(t *testing.T, path, list, cursor string, id func(r response, i int) string, between func()) []string {
	t.Helper()
	var seen []string
	for at := ""; ; between() {
		page := s.get(path+"&"+cursor+"="+url.QueryEscape(at)).want(t, http.StatusOK)
		for i := range page.field(t, list).([]any) {
			seen = append(seen, id(page, i))
		}
		var more bool
		if at, more = page.field(t, cursor).(string); !more {
			return seen
		}
	}
}

// Instances that were there at a walk's beginning are seen once, whatever is
// created and restarted meanwhile.
func TestWalksOfInstancesHaveNoGapAndNoRepeat(t *testing.T) {
	onBothStores(t, func(t *testing.T, s *stack) {
		s.create(parked, `"slug":"flow"`)
		const there = 25
		for i := range there {
			s.instantiate("flow", fmt.Sprintf(`{"id":"w%02d"}`, i))
		}
		var n atomic.Int64
		stop, done := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(done)
			for {
				select {
				case <-stop:
					return
				default:
				}
				i := n.Add(1)
				s.ask("POST", instances, fmt.Sprintf(`{"id":"late%d"}`, i))
				s.ask("POST", fmt.Sprintf("%s/w%02d/restart", instances, i%there), "")
			}
		}()
		for range 5 {
			seen := map[string]int{}
			for _, id := range s.walk(t, instances+"?pageSize=4", "instances", "cursor", func(r response, i int) string { return r.text(t, "instances", i, "id") }, func() {}) {
				seen[id]++
			}
			for i := range there {
				if id := fmt.Sprintf("w%02d", i); seen[id] != 1 {
					t.Errorf("%s was seen %d times", id, seen[id])
				}
			}
			for id, times := range seen {
				if times > 1 {
					t.Errorf("%s was seen %d times", id, times)
				}
			}
		}
		close(stop)
		<-done
	})
}

// The three lists of a history are walked apart, in both orders, while steps
// begin and events come in.
func TestWalksOfAHistoryHaveNoGapAndNoRepeat(t *testing.T) {
	s := newStack(t)
	s.create(`{"name":"L","steps":[{"id":"each","type":"loop","config":{"items":"400","steps":[`+
		`{"id":"ask","type":"wait","config":{"signal":{"name":"go"}}}]}}]}`, `"slug":"flow"`)
	s.instantiate("flow", `{"id":"h"}`)
	send := func() { s.post(instances+"/h/events", `{"type":"go"}`).want(t, 200) }
	for range 12 {
		send()
	}
	for _, list := range []struct{ name, cursor string }{{"steps", "stepsCursor"}, {"events", "eventsCursor"}} {
		for _, order := range []string{"asc", "desc"} {
			path := instances + "/h/history?pageSize=3&order=" + order
			whole := s.walk(t, instances+"/h/history?pageSize=100&order="+order, list.name, list.cursor,
				func(r response, i int) string { return r.text(t, list.name, i, "id") }, func() {})
			got := s.walk(t, path, list.name, list.cursor, func(r response, i int) string { return r.text(t, list.name, i, "id") }, send)
			if order == "asc" && len(got) > len(whole) {
				got = got[:len(whole)] // a walk towards the end sees what comes
			}
			if fmt.Sprint(got) != fmt.Sprint(whole) || len(whole) < 12 {
				t.Errorf("%s, %s: walked %v of %v", list.name, order, got, whole)
			}
		}
	}
	// A cursor of another list's place or of another run is not accepted: the first page.
	first := s.get(instances + "/h/history?pageSize=2")
	s.instantiate("flow", `{"id":"other"}`)
	other := s.get(instances + "/other/history?pageSize=2&stepsCursor=" + first.text(t, "stepsCursor"))
	if plain := s.get(instances + "/other/history?pageSize=2"); other.body != plain.body {
		t.Errorf("with another's cursor %s, without %s", other.body, plain.body)
	}
	// A cursor keeps its order.
	next := first.text(t, "stepsCursor")
	if a, b := s.get(instances+"/h/history?pageSize=2&order=asc&stepsCursor="+next), s.get(instances+"/h/history?pageSize=2&stepsCursor="+next); a.text(t, "steps", 0, "id") != b.text(t, "steps", 0, "id") {
		t.Error("a cursor changed its order")
	}
}

// Whatever retries, pauses and resumes, attempts stay within their maximum.
func TestAttemptsStayWithinTheirMaximum(t *testing.T) {
	s := newStack(t)
	s.create(`{"name":"T","steps":[`+gated("a", "later", `,"on_error":"continue","retry":{"max_attempts":4,"delay_seconds":0.002,"backoff":"fixed"}`)+`,`+
		`{"id":"ask","type":"wait","config":{"signal":{"name":"go"}},"depends_on":["a"]}]}`, `"slug":"flow"`)
	atOnce(6, func(i int) {
		id := fmt.Sprint("t", i)
		s.ask("POST", instances, `{"id":"`+id+`"}`)
		for range 5 {
			s.ask("POST", instances+"/"+id+"/pause", "")
			s.ask("POST", instances+"/"+id+"/resume", "")
		}
	})
	for i := range 6 {
		id := fmt.Sprint("t", i)
		s.becomes(s.latest("flow", id).RunID, machine.WaitingSignal)
		history := s.get(instances + "/" + id + "/history?order=asc")
		if history.field(t, "steps", 0, "attempts") != jsonNumber(4) || history.field(t, "steps", 0, "maxAttempts") != jsonNumber(4) || history.text(t, "steps", 0, "status") != "failed" {
			t.Errorf("history %s", history.body)
		}
		s.post(instances+"/"+id+"/events", `{"type":"go"}`).want(t, 200)
		s.becomes(s.latest("flow", id).RunID, machine.Completed)
	}
}

// Timers and retries that fall due while an instance is paused wait for the
// resume. Another instance, whose timer is longer, shows that they were due.
func TestNothingAdvancesWhilePaused(t *testing.T) {
	onBothStores(t, func(t *testing.T, s *stack) {
		var ids []string
		for nap := 0.1; len(ids) == 0; nap *= 4 { // until some are paused in time
			ids = s.paused(nap)
		}
		seqs := make([]int64, len(ids))
		for i, id := range ids {
			s.untilInstance(id, "paused")
			seqs[i] = s.latest("flow", id).Seq
		}
		s.becomes(s.start("clock", ""), machine.Completed)
		for i, id := range ids {
			if got := s.latest("flow", id); got.State != machine.Paused || got.Seq != seqs[i] {
				t.Errorf("%s is %s and went from %d to %d while paused", id, got.State, seqs[i], got.Seq)
			}
			s.post(instances+"/"+id+"/resume", "").want(t, 200)
		}
		for _, id := range ids {
			s.untilInstance(id, "complete")
		}
	})
}

// paused returns instances of flow that were paused while they wait for a timer
// and a retry of nap seconds; a run of clock takes longer.
func (s *stack) paused(nap float64) (ids []string) {
	s.t.Helper()
	wait := func(name string, seconds float64) string {
		return fmt.Sprintf(`{"name":"%s","steps":[{"id":"nap","type":"wait","config":{"seconds":%v}},`, name, seconds) +
			gated("a", "later", fmt.Sprintf(`,"on_error":"continue","retry":{"max_attempts":2,"delay_seconds":%v}`, seconds)) + `]}`
	}
	for slug, definition := range map[string]string{"flow": wait("F", nap), "clock": wait("C", 3*nap)} {
		s.do(request{method: "DELETE", path: "/api/workflows/" + slug + "?force=true"})
		s.create(definition, `"slug":"`+slug+`"`)
	}
	var mu sync.Mutex
	atOnce(8, func(i int) {
		id := fmt.Sprint("p", i)
		s.ask("POST", instances, `{"id":"`+id+`"}`)
		if status, _ := s.ask("POST", instances+"/"+id+"/pause", ""); status == 200 {
			mu.Lock()
			defer mu.Unlock()
			ids = append(ids, id)
		}
	})
	return ids
}
