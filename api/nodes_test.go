package api_test

import (
	"heddle/api"
	"heddle/events"
	"heddle/executor"
	"heddle/store/storetest"
	"io"
	"net/http"
	"strings"
	"testing"
)

// twoNodes are two nodes on one PostgreSQL: the one that drives runs, and the one that stands by.
func twoNodes(t *testing.T, opts ...stackOption) (leads, standsBy *stack) {
	t.Helper()
	url := storetest.Postgres(t)
	leads, standsBy = newStackOn(t, url, opts...), newStackOn(t, url, opts...)
	if !leads.exec.Leading() || standsBy.exec.Leading() {
		t.Fatal("the first node does not lead alone")
	}
	return leads, standsBy
}

// An answer that reaches the node which stands by is taken by the one that drives the run, once,
// whichever nodes are asked, how often, and under which keys.
func TestAnAnswerReachesTheNodeThatDrivesTheRunOnce(t *testing.T) {
	leads, standsBy := twoNodes(t)
	wf := leads.create(consent, `"slug":"consent"`)
	run := leads.start(wf, `{"input_data":{"sum":7,"boss":"nobody"}}`)
	path := approvalsPath + "/" + standsBy.approval(run, "open").text(t, "approval", "id") + "/answer"
	under := func(s *stack, key, body string) response {
		return s.do(request{method: "POST", path: path, body: body, header: map[string]string{"Idempotency-Key": key}})
	}
	standsBy.post(path, `{"payload":"maybe"}`).wantCode(t, http.StatusUnprocessableEntity, "invalid_payload")
	first := under(standsBy, "k1", `{"payload":"yes","comment":"Seen."}`).want(t, http.StatusOK)
	if first.text(t, "approval", "status") != "answered" || first.text(t, "approval", "payload") != "yes" || first.header.Get("Idempotency-Replayed") != "" {
		t.Errorf("answered: %s", first.body)
	}
	for name, s := range map[string]*stack{"leads": leads, "stands by": standsBy} {
		if again := under(s, "k1", `{"payload":"yes","comment":"Seen."}`).want(t, http.StatusOK); again.header.Get("Idempotency-Replayed") != "true" {
			t.Errorf("the node that %s answers the repetition %v %s", name, again.header, again.body)
		}
		under(s, "k2", `{"payload":"yes","comment":"Seen."}`).wantCode(t, http.StatusConflict, "approval_closed")
		s.post(path, `{"payload":"no"}`).wantCode(t, http.StatusConflict, "approval_closed")
	}
	if got := leads.until(run, "completed"); !strings.Contains(got.body, `"payload":"yes"`) {
		t.Errorf("the run has %s", got.body)
	}
	leads.answeredOnce(t, run)

	run = leads.start(wf, `{"input_data":{"sum":8,"boss":"nobody"}}`)
	path = approvalsPath + "/" + standsBy.approval(run, "open").text(t, "approval", "id") + "/answer"
	statuses := make(chan int, 12)
	for i := range cap(statuses) {
		s := []*stack{leads, standsBy}[i%2]
		go func() { statuses <- s.statusOf(path, `{"payload":"no"}`) }()
	}
	won := 0
	for range cap(statuses) {
		switch status := <-statuses; status {
		case http.StatusOK:
			won++
		case http.StatusConflict:
		default:
			t.Errorf("an answer beside others is %d", status)
		}
	}
	if won != 1 {
		t.Errorf("%d answers won", won)
	}
	leads.until(run, "completed")
	leads.answeredOnce(t, run)
}

// statusOf posts from any goroutine, and returns the status, 0 without an answer.
func (s *stack) statusOf(path, body string) int {
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.url+path, strings.NewReader(body))
	if err != nil {
		return 0
	}
	req.Header.Set("Authorization", "Bearer "+s.admin)
	req.Header.Set("Content-Type", "application/json")
	resp, err := s.client.RoundTrip(req)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode
}

// answeredOnce fails unless the run's journal and the audit trail have one answer of the run.
func (s *stack) answeredOnce(t *testing.T, run string) {
	t.Helper()
	taken := 0
	for _, e := range s.journal(run) {
		if e.Kind == events.SignalReceived {
			taken++
		}
	}
	lines := 0
	for _, line := range s.trailOf("run:" + run) {
		if line.Action == "approval.answer" {
			lines++
		}
	}
	if taken != 1 || lines != 1 {
		t.Errorf("%d signals in the journal, %d lines on the trail", taken, lines)
	}
}

// The lines of a run are streamed by the node that stands by too, as the other stores them, and to
// the run's end.
func TestANodeThatStandsByStreamsLogs(t *testing.T) {
	leads, standsBy := twoNodes(t, func(_ *api.Config, c *executor.Config) { c.Runner = talker{} })
	id := leads.start(leads.create(talks, ""), "")
	open := standsBy.followAt("/api/workflows/runs/"+id+"/logs/stream", "")
	if got := open.lines(3); !strings.Contains(got, `"message":"a three"`) {
		t.Errorf("while it waits: %s", got)
	}
	standsBy.post("/v1/runs/"+id+"/signals/go", `{"payload":1}`).want(t, http.StatusAccepted)
	if rest := open.lines(100); strings.Count(rest, "event: log\n") != 3 || !strings.HasSuffix(rest, "event: end\ndata: {\"run_id\":\""+id+"\",\"status\":\"completed\"}\n\n") {
		t.Errorf("to the end: %s", rest)
	}
}
