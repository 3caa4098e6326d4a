package api_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// TestTheTrailTellsWhoDidWhat walks a workflow through its life and reads the
// entries, newest first.
func TestTheTrailTellsWhoDidWhat(t *testing.T) {
	s := newStack(t)
	const definition = `{"definition":{"name":"Wait","steps":[{"id":"w","type":"wait","config":{"seconds":3600}}]},"slug":"wait"}`
	s.post("/api/workflows", definition).want(t, http.StatusCreated)
	s.post("/api/workflows", definition).wantCode(t, http.StatusConflict, "slug_taken") // no entry
	started := s.post("/api/workflows/wait/run", `{}`).want(t, http.StatusAccepted)
	var run struct {
		RunID string `json:"run_id"`
	}
	if err := json.Unmarshal([]byte(started.body), &run); err != nil {
		t.Fatal(err)
	}
	s.post("/api/workflows/validate", definition) // no entry
	s.post("/api/workflows/runs/"+run.RunID+"/cancel", `{}`).want(t, http.StatusOK)
	var trail struct {
		Entries []struct{ Actor, Action, Object string }
	}
	if err := json.Unmarshal([]byte(s.get("/v1/audit").want(t, http.StatusOK).body), &trail); err != nil {
		t.Fatal(err)
	}
	want := []string{"run.cancel run:" + run.RunID, "workflow.create workflow:wf_"}
	if len(trail.Entries) != len(want) {
		t.Fatalf("entries %+v", trail.Entries)
	}
	for i, e := range trail.Entries {
		if got := e.Action + " " + e.Object; !strings.HasPrefix(got, want[i]) || e.Actor == "" {
			t.Errorf("entry %d is %s by %q, want %s", i, got, e.Actor, want[i])
		}
	}
}

// Whoever steers a run, in whatever dialect, leaves the same entry.
func TestSteeringIsOnTheTrailInEveryDialect(t *testing.T) {
	s := newStack(t)
	s.create(approval, `"slug":"flow"`)
	for _, d := range dialects() {
		id := d.start(s, "flow")
		for _, deed := range []struct {
			action string
			by     verb
		}{{"run.pause", d.pause}, {"run.resume", d.resume}, {"run.cancel", d.cancel}, {"run.terminate", d.terminate}} {
			if deed.by == nil {
				continue
			}
			if deed.action == "run.terminate" {
				id = d.start(s, "flow")
			}
			s.do(deed.by(s, id))
			if got := s.get("/v1/audit?limit=1").want(t, http.StatusOK); got.text(t, "entries", 0, "action") != deed.action || got.text(t, "entries", 0, "object") != "run:"+id {
				t.Errorf("%s by %s: %s", deed.action, d.name, got.body)
			}
		}
	}
}
