package api_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite testdata/golden")

// scrub replaces what differs from run to run by names that say what it was.
type scrub struct{ seen map[string]string }

var (
	anID       = regexp.MustCompile(`\b(wf|run|req|key)_[0-9a-f]{24}\b`)
	aTime      = regexp.MustCompile(`"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"`)
	aDuration  = regexp.MustCompile(`("duration_seconds": |"duration_seconds":)[0-9.]+`)
	aLatencyMS = regexp.MustCompile(`("latency_ms":) ?\d+`)
)

func (s *scrub) clean(text string) string {
	text = anID.ReplaceAllStringFunc(text, func(id string) string {
		if _, ok := s.seen[id]; !ok {
			prefix, _, _ := strings.Cut(id, "_")
			n := 1
			for other := range s.seen {
				if strings.HasPrefix(other, prefix+"_") {
					n++
				}
			}
			s.seen[id] = fmt.Sprintf("%s_<%d>", prefix, n)
		}
		return s.seen[id]
	})
	text = aTime.ReplaceAllString(text, `"<time>"`)
	text = aDuration.ReplaceAllString(text, `${1}0`)
	return aLatencyMS.ReplaceAllString(text, `${1}0`)
}

// golden compares an answer with its file: status, the headers that matter,
// the body.
func (s *scrub) golden(t *testing.T, name string, got response) {
	t.Helper()
	var out strings.Builder
	fmt.Fprintf(&out, "%d %s\n", got.status, http.StatusText(got.status))
	for _, h := range []string{"Content-Type", "Location", "ETag"} {
		if v := got.header.Get(h); v != "" {
			fmt.Fprintf(&out, "%s: %s\n", h, v)
		}
	}
	out.WriteString("\n")
	var pretty bytes.Buffer
	if json.Indent(&pretty, []byte(got.body), "", "  ") == nil {
		out.Write(pretty.Bytes())
	} else {
		out.WriteString(got.body)
	}
	text := s.clean(out.String())
	path := filepath.Join("testdata", "golden", name+".txt")
	if *update {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != text {
		t.Errorf("%s is not as in %s (-update rewrites it):\n%s", name, path, text)
	}
}

// The documented answers, as a client sees them.
func TestGoldenAnswers(t *testing.T) {
	s := newStack(t)
	g := &scrub{map[string]string{}}
	created := s.post("/api/workflows", `{"definition":`+trivial+`,"trigger_type":"manual","tags":["notifications"],"slug":"fetch-and-notify"}`)
	g.golden(t, "create", created)
	wf := "/api/workflows/" + created.text(t, "id")
	g.golden(t, "list", s.get("/api/workflows"))
	g.golden(t, "get", s.get(wf))
	g.golden(t, "update", s.do(request{method: "PUT", path: wf, body: `{"definition":` + parked + `,"change_summary":"Added error handling step"}`}))
	g.golden(t, "status", s.do(request{method: "PATCH", path: wf + "/status", body: `{"status":"paused"}`}))
	s.do(request{method: "PATCH", path: wf + "/status", body: `{"status":"active"}`}).want(t, http.StatusOK)
	g.golden(t, "versions", s.get(wf+"/versions"))
	g.golden(t, "version", s.get(wf+"/versions/1"))
	g.golden(t, "validate", s.post("/api/workflows/validate", `{"definition":{"name":"x","steps":[
		{"id":"step_a","type":"condition","config":{"expression":"true"},"depends_on":["step_b"]},
		{"id":"step_b","type":"condition","config":{"expression":"true"},"depends_on":["step_a"]},
		{"id":"notify","type":"wait","config":{"seconds":1},"depends_on":["fetch"]}]}}`))
	started := s.post(wf+"/run", `{"input_data":{"dataset_id":"ds_123"},"trigger":"manual","version":1}`)
	g.golden(t, "run", started)
	g.golden(t, "run_get", s.until(started.text(t, "run_id"), "completed"))
	waiting := s.start(created.text(t, "id"), "")
	g.golden(t, "run_waiting", s.until(waiting, "waiting"))
	g.golden(t, "runs", s.get(wf+"/runs?status=completed"))
	g.golden(t, "pause", s.post("/api/workflows/runs/"+waiting+"/pause", ""))
	s.until(waiting, "paused")
	s.post("/api/workflows/runs/"+waiting+"/cancel", "").want(t, http.StatusOK)
	s.until(waiting, "cancelled")
	g.golden(t, "cancel", s.post("/api/workflows/runs/"+waiting+"/cancel", ""))
	g.golden(t, "run_cancelled", s.get("/api/workflows/runs/"+waiting))
	g.golden(t, "denied", s.do(request{method: "POST", path: wf + "/run", key: s.key("viewer")}))
	g.golden(t, "unauthenticated", s.do(request{method: "GET", path: wf, key: "-"}))
	g.golden(t, "not_found", s.get("/api/workflows/nothing"))
	g.golden(t, "invalid_definition", s.post("/api/workflows", `{"definition":{"name":"x","steps":[{"id":"a","type":"http_requets"}]}}`))
	var frames strings.Builder
	for _, f := range s.follow(started.text(t, "run_id"), "").rest() {
		fmt.Fprintf(&frames, "id: %d\nevent: %s\ndata: %s\n\n", f.id, f.event, f.data)
	}
	g.golden(t, "stream", response{200, http.Header{"Content-Type": {"text/event-stream"}}, frames.String()})
}
