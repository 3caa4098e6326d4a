package api_test

import (
	"bufio"
	"net/http"
	"strings"
	"testing"
)

// ear is a listener of /v1/events.
type ear struct {
	t    testing.TB
	scan *bufio.Scanner
}

// listen opens the stream of a key.
func (s *stack) listen(t testing.TB, key, query, last string) *ear {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/v1/events"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+key)
	if last != "" {
		req.Header.Set("Last-Event-ID", last)
	}
	resp, err := s.client.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("status %d, %s", resp.StatusCode, resp.Header)
	}
	return &ear{t, bufio.NewScanner(resp.Body)}
}

// next returns the id, the event and the data of the next frame.
func (e *ear) next() (id, event, data string) {
	e.t.Helper()
	for e.scan.Scan() {
		name, value, _ := strings.Cut(e.scan.Text(), ": ")
		switch {
		case name == "id":
			id = value
		case name == "event":
			event = value
		case name == "data":
			data = value
		case e.scan.Text() == "" && event != "":
			return id, event, data
		}
	}
	e.t.Fatal("the stream ended")
	return "", "", ""
}

// until reads up to a frame that names the event and has the text, and returns its id. No frame
// on the way may have what is forbidden, unless that is "".
func (e *ear) until(event, text, forbidden string) string {
	e.t.Helper()
	for {
		id, got, data := e.next()
		if forbidden != "" && strings.Contains(data, forbidden) {
			e.t.Fatalf("heard %s %s", got, data)
		}
		if got == event && strings.Contains(data, text) {
			return id
		}
	}
}

// A listener hears of what it may view and wants, and of nothing else: not of another tenant, of
// other workflows, of other topics.
func TestListenersHearWhatTheyMayView(t *testing.T) {
	onBothStores(t, func(t *testing.T, s *stack) {
		s.t = t
		wf := s.create(asks, `"slug":"asking"`)
		other := s.create(asks, `"slug":"other"`)
		foreign := s.tenant("foreign")
		all, theirs := s.listen(t, s.admin, "", ""), s.listen(t, foreign, "", "")
		some := s.listen(t, s.grantee("ann", wf, `"answer"`), "", "")
		flows := s.listen(t, s.admin, "?topics=workflows,approvals&workflow=other", "")

		hidden := s.start(other, "")
		all.until("approval_opened", hidden, "")
		run := s.start(wf, "")
		all.until("run_changed", `"status":"waiting"`, "")
		id := some.until("approval_opened", run, hidden)
		flowsOnly := s.listen(t, s.admin, "?topics=schedules,stats&workflow="+wf, "")
		flows.until("approval_opened", hidden, `"run":`)
		s.post("/api/workflows/approvals/"+s.approval(run, "open").text(t, "approval", "id")+"/answer", `{"payload":{"approved":true}}`).want(t, http.StatusOK)
		some.until("approval_closed", `"status":"answered"`, hidden)
		all.until("run_changed", `"status":"completed"`, "")
		s.do(request{method: "PUT", path: "/api/workflows/other", body: `{"tags":["new"]}`}).want(t, http.StatusOK)
		flows.until("workflow_changed", `"by":{"type":"key"`, run)

		s.do(request{method: "POST", path: "/api/workflows", body: `{"definition":` + trivial + `,"slug":"theirs"}`, key: foreign}).want(t, http.StatusCreated)
		theirs.until("workflow_changed", `"slug":"theirs"`, "other")
		// A run is as lists show it, with what this listener may do.
		first := s.listen(t, s.admin, "?topics=runs", "")
		again := s.start(wf, "")
		for {
			_, _, data := first.next()
			if !strings.Contains(data, again) || !strings.Contains(data, `"waiting_for":{"kind":"signal"`) {
				continue
			}
			if !strings.Contains(data, `"workflow":{"id":"`+wf+`","slug":"asking"`) || !strings.Contains(data, `"can":["view",`) || !strings.Contains(data, `"steps":{"total":`) {
				t.Errorf("%s", data)
			}
			break
		}
		flowsOnly.until("stats", `"open":{"queued":0,"running":0,"waiting":1,"paused":0}`, hidden)
		sched := s.post("/api/workflows/asking/schedules", `{"cron_expression":"@yearly"}`).want(t, http.StatusCreated).text(t, "schedule_id")
		flowsOnly.until("schedule_changed", sched, hidden)
		s.post("/api/workflows/schedules/"+sched+"/trigger", "").want(t, http.StatusAccepted)
		flowsOnly.until("slot_decided", `"origin":"trigger:`, hidden)
		s.send(http.MethodPatch, "/api/workflows/schedules/"+sched, `{"status":"paused","reason":"enough"}`, nil).want(t, http.StatusOK)
		flowsOnly.until("schedule_changed", `"status":"paused","pause_reason":"enough","paused_by":{"type":"key"`, hidden)
		s.send(http.MethodDelete, "/api/workflows/schedules/"+sched, "", nil).want(t, http.StatusNoContent)
		flowsOnly.until("schedule_changed", `"deleted":true`, hidden)
		// One that comes back goes on where it was; what it cannot go on from is a reset.
		s.listen(t, s.admin, "", id).until("approval_closed", run, `"reset"`)
		if _, event, _ := s.listen(t, s.admin, "", "live_0.7").next(); event != "reset" {
			t.Errorf("an unknown id leads to %s", event)
		}
		s.get("/v1/events?topics=slots").wantCode(t, http.StatusBadRequest, "invalid_request")
		s.get("/v1/events?workflow=none").wantCode(t, http.StatusNotFound, "workflow_not_found")
	})
}

// Listeners share what a frame says, but for what each may do with its run.
func TestListenersHearTheirOwnRights(t *testing.T) {
	s := newStack(t)
	wf := s.create(asks, `"slug":"asking"`)
	var heard []*ear
	want := []string{`"can":["view","edit","execute","answer","operate"]`, `"can":["view"]`, `"can":["view","execute","answer"]`}
	for range 3 {
		heard = append(heard, s.listen(t, s.admin, "?topics=runs", ""), s.listen(t, s.key("viewer"), "?topics=runs", ""), s.listen(t, s.grantee("grantee", wf, `"view","execute"`), "?topics=runs", ""))
	}
	run := s.start(wf, "")
	for i, e := range heard {
		if data := e.all("run_changed", `"status":"waiting"`); !strings.Contains(data, run) || !strings.Contains(data, want[i%3]) || strings.Count(data, `"can":`) != strings.Count(data, want[i%3]) {
			t.Errorf("listener %d hears %s", i, data)
		}
	}
}

// Of two nodes on one PostgreSQL the one that stands by tells the same as the one that drives
// runs: runs, schedules, workflows and counts, whoever was asked to change them.
func TestANodeThatStandsByTellsWhatChanges(t *testing.T) {
	leads, standsBy := twoNodes(t)
	wf := leads.create(asks, `"slug":"asking"`)
	there := standsBy.listen(t, standsBy.admin, "", "")
	run := leads.start(wf, "")
	there.until("run_changed", run, `"reset"`)
	there.until("stats", `"workflow_id":"`+wf+`","open":{"queued":0,"running":0,"waiting":1`, `"reset"`)
	sched := leads.post("/api/workflows/asking/schedules", `{"cron_expression":"@yearly"}`).want(t, http.StatusCreated).text(t, "schedule_id")
	there.until("schedule_changed", sched, `"reset"`)
	leads.post("/api/workflows/schedules/"+sched+"/trigger", "").want(t, http.StatusAccepted)
	there.until("slot_decided", sched, `"reset"`)
	leads.do(request{method: "PUT", path: "/api/workflows/asking", body: `{"tags":["new"]}`}).want(t, http.StatusOK)
	there.until("workflow_changed", `"by":{"type":"key"`, `"reset"`)
	// And the other way.
	here := leads.listen(t, leads.admin, "?topics=schedules", "")
	standsBy.send(http.MethodPatch, "/api/workflows/schedules/"+sched, `{"status":"paused"}`, nil).want(t, http.StatusOK)
	here.until("schedule_changed", `"status":"paused"`, `"reset"`)
}
