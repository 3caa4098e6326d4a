package crash

import (
	"bytes"
	"encoding/json"
	"fmt"
	"heddle/client"
	"heddle/executor/machine"
	"io"
	"maps"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestBadInputOfEveryKind sends bad input of every kind to each operation of the OpenAPI
// document over a real connection. Every answer has one of the documented statuses below
// 500, and every refusal is in the envelope with a documented code.
func TestBadInputOfEveryKind(t *testing.T) {
	t.Parallel()
	s := newSweep(t)
	for _, op := range s.operations(t) {
		t.Run(op.method+" "+op.path, func(t *testing.T) {
			s.without(t, op)
			s.paths(t, op)
			s.queries(t, op)
			s.headers(t, op)
			if op.hasBody {
				s.bodies(t, op)
			}
		})
	}
	s.unrouted(t)
	t.Logf("%d requests", s.sent)
}

// sweep is what requests to the server need.
type sweep struct {
	c     *client.Client
	sent  int
	bases map[string]string // path of an operation that leaves its objects alone
}

// newSweep starts the binary, which ends in order with the test.
func newSweep(t *testing.T) *sweep {
	t.Helper()
	s, err := launch(t.Context(), build(t), environment("sqlite://"+filepath.Join(t.TempDir(), "heddle.db"), "127.0.0.1:1"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.stop(); err != nil {
			t.Error(err)
		}
	})
	return &sweep{c: client.New(s.base, adminKey, client.WithAttempts(1), client.WithHTTPClient(&http.Client{Timeout: 20 * time.Second})), bases: map[string]string{}}
}

// operation is one method of one path of the document.
type operation struct {
	method, path string
	params       map[string]string // name: in
	documented   map[int]string    // of a refusal: its codes
	hasBody      bool
	lines        bool // the body is lines of JSON, of any number
}

func (s *sweep) operations(t *testing.T) []operation {
	t.Helper()
	var document struct {
		Paths map[string]map[string]struct {
			Parameters []struct{ Name, In string }
			Body       json.RawMessage `json:"requestBody"`
			Responses  map[string]struct{ Description string }
		}
	}
	if err := s.c.Do(t.Context(), client.Request{Method: http.MethodGet, Path: "/openapi.json"}, &document); err != nil {
		t.Fatal(err)
	}
	var all []operation
	for _, path := range slices.Sorted(maps.Keys(document.Paths)) {
		for _, method := range slices.Sorted(maps.Keys(document.Paths[path])) {
			d := document.Paths[path][method]
			op := operation{method: strings.ToUpper(method), path: path, params: map[string]string{}, documented: map[int]string{}, hasBody: d.Body != nil, lines: bytes.Contains(d.Body, []byte("ndjson"))}
			for _, p := range d.Parameters {
				op.params[p.Name] = p.In
			}
			for status, answer := range d.Responses {
				n, err := strconv.Atoi(status)
				if err != nil {
					t.Fatalf("%s %s documents the status %q", method, path, status)
				}
				op.documented[n] = answer.Description
			}
			all = append(all, op)
		}
	}
	if len(all) < 20 {
		t.Fatalf("the document has %d operations", len(all))
	}
	return all
}

// unknownPart is a part of a path that the sweep has no object for.
var unknownPart = regexp.MustCompile(`\{[a-z_]+\}`)

// sweepWorkflow ends at once and has what paths can name.
const sweepWorkflow = `{"name":"Sweep","output":"{{ [input.text ?? 0, input.text ?? 0] }}","steps":[{"id":"each","type":"loop","config":{"items":"2","steps":[
	{"id":"check","type":"condition","config":{"expression":"true"}}]}}]}`

// fresh makes a workflow with a finished run and returns the operation's path on
// them; only a DELETE needs new ones each time.
func (s *sweep) fresh(t *testing.T, op operation) string {
	t.Helper()
	if path, made := s.bases[op.path]; made && op.method != http.MethodDelete {
		return path
	}
	id, err := s.c.Workflows.Add(t.Context(), json.RawMessage(sweepWorkflow), "")
	if err != nil {
		t.Fatal(err)
	}
	blob := "unknown"
	var input any
	if strings.Contains(op.path, "{blob_id}") {
		input = map[string]string{"text": strings.Repeat("x", 600_000)}
	}
	run, err := s.c.Runs.StartWith(t.Context(), id, input, "")
	if err != nil {
		t.Fatal(err)
	}
	if input != nil {
		blob = s.blobOf(t, run)
	}
	s.bases[op.path] = strings.NewReplacer("{id}", id, "{run_id}", run, "{version}", "1", "{step_id}", "each", "{blob_id}", blob, "{key_id}", "key_000000000000000000000000").Replace(op.path)
	s.bases[op.path] = unknownPart.ReplaceAllString(s.bases[op.path], "unknown")
	return s.bases[op.path]
}

// blobOf waits for a run's output, which is stored apart.
func (s *sweep) blobOf(t *testing.T, runID string) string {
	t.Helper()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for {
		got, err := s.c.Runs.Get(t.Context(), runID)
		if err != nil || got.Status == "failed" {
			t.Fatalf("%+v: %v", got, err)
		}
		if ref, large := machine.ParseReference(got.Output); large {
			return ref.ID
		}
		select {
		case <-look.C:
		case <-t.Context().Done():
			t.Fatal(t.Context().Err())
		}
	}
}

// ask sends one request and checks the answer. want is its status; 0: any documented
// one.
func (s *sweep) ask(t *testing.T, op operation, target string, header http.Header, body []byte, want int) {
	t.Helper()
	s.sent++
	req, err := http.NewRequestWithContext(t.Context(), op.method, s.c.URL()+target, bytes.NewReader(body))
	if err != nil {
		t.Fatalf("%s: %v", target, err)
	}
	req.Header.Set("Authorization", "Bearer "+adminKey)
	if op.hasBody {
		req.Header.Set("Content-Type", "application/json")
	}
	maps.Copy(req.Header, header)
	resp, err := s.c.HTTP().Do(req)
	if err != nil {
		t.Errorf("%s: %v", target, err)
		return
	}
	defer resp.Body.Close()
	var text []byte
	if op.path != "/v1/events" || resp.StatusCode != http.StatusOK { // which has no end
		text, err = io.ReadAll(resp.Body)
	}
	about := fmt.Sprintf("%s %.120s %v %.80q: %d %.200s", op.method, target, header, body, resp.StatusCode, text)
	switch {
	case err != nil:
		t.Errorf("%s: %v", about, err)
	case resp.StatusCode >= 500:
		t.Errorf("a server's error: %s", about)
	case want != 0 && resp.StatusCode != want:
		t.Errorf("not %d: %s", want, about)
	case want == 0 && op.documented[resp.StatusCode] == "":
		t.Errorf("not documented: %s", about)
	case resp.StatusCode >= 400:
		code := enveloped(t, about, resp.Header.Get("X-Request-Id"), text)
		if codes := op.documented[resp.StatusCode]; want == 0 && !slices.Contains(strings.Split(codes, ", "), code) {
			t.Errorf("only %s is documented: %s", codes, about)
		}
	}
}

// enveloped checks that the body is the product's error envelope with the request's id,
// and returns the code in it.
func enveloped(t *testing.T, about, requestID string, text []byte) (code string) {
	t.Helper()
	var e struct {
		Error struct {
			Code      string
			Message   string
			RequestID string `json:"request_id"`
		}
		Code, Message string
	}
	err := json.Unmarshal(text, &e)
	if err != nil || e.Code == "" || e.Message == "" || e.Code != e.Error.Code || e.Message != e.Error.Message || e.Error.RequestID == "" || e.Error.RequestID != requestID {
		t.Errorf("not the envelope (X-Request-Id %q): %s", requestID, about)
	}
	return e.Code
}

func (s *sweep) without(t *testing.T, op operation) {
	// Whoever signs in has the key in the body, and none in the head.
	if op.documented[http.StatusUnauthorized] == "" || op.method+op.path == "POST/v1/session" {
		return
	}
	for _, value := range []string{"", "Bearer", "Bearer ", "Basic dTpw", "Bearer iw_live_0", "Bearer " + strings.Repeat("x", 3000), "Bearer " + adminKey + " x", adminKey} {
		s.ask(t, op, s.fresh(t, op), http.Header{"Authorization": {value}}, nil, http.StatusUnauthorized)
	}
}

// odd values for a place in a path or a query.
var odd = []string{
	"-", "0", "null", "%00", "a%2Fb", "..%2F..", "%20", "%F0%9F%92%A5", "%FF%FE", "'%20OR%201=1--", "%25", "9999999999999999999999",
	"run_zzzzzzzzzzzzzzzzzzzzzzzz", "wf_000000000000000000000000", "v0", "v99999999999999999999", strings.Repeat("x", 5000),
}

func (s *sweep) paths(t *testing.T, op operation) {
	for name, in := range op.params {
		if in != "path" {
			continue
		}
		for _, v := range odd {
			target := strings.ReplaceAll(op.path, "{"+name+"}", v)
			for other := range op.params {
				target = strings.ReplaceAll(target, "{"+other+"}", "wf_000000000000000000000000")
			}
			s.ask(t, op, target, nil, []byte("{}"), 0)
		}
	}
}

func (s *sweep) queries(t *testing.T, op operation) {
	base := s.fresh(t, op)
	for name, in := range op.params {
		if in != "query" || op.method == http.MethodDelete && name == "force" {
			continue
		}
		for _, v := range odd {
			s.ask(t, op, base+"?"+url.QueryEscape(name)+"="+v, nil, nil, 0)
		}
		s.ask(t, op, base+"?"+name+"=1&"+name+"=2", nil, nil, 0)
		s.ask(t, op, base+"?"+name, nil, nil, 0)
	}
	for _, limit := range []string{"0", "1001", "-1", "1e3", "NaN", ""} {
		if op.params["limit"] == "query" && !strings.Contains(base, "unknown") {
			s.ask(t, op, base+"?limit="+limit, nil, nil, http.StatusBadRequest)
		}
	}
	if op.method == http.MethodGet {
		s.ask(t, op, base+"?%zz=1&;;&=", nil, nil, 0)
	}
}

func (s *sweep) headers(t *testing.T, op operation) {
	odd := []string{"junk", "\xff\xfe", strings.Repeat("k", 9000)}
	for _, name := range []string{"Traceparent", "Tracestate", "X-Request-Id", "Accept", "Accept-Encoding", "Content-Encoding", "Content-Type"} {
		for _, v := range odd {
			s.ask(t, op, s.fresh(t, op), http.Header{http.CanonicalHeaderKey(name): {v}}, []byte("{}"), 0)
		}
	}
	odd = append(odd, "", `"r0"`, `W/"r1"`, "*", `"r99999999999999999999"`, "-1", "99999999999999999999", strings.Repeat("k", 256), "a,b", "\t")
	for name, in := range op.params {
		for _, v := range odd {
			if in == "header" {
				s.ask(t, op, s.fresh(t, op), http.Header{http.CanonicalHeaderKey(name): {v}}, []byte("{}"), 0)
			}
		}
	}
}

func (s *sweep) bodies(t *testing.T, op operation) {
	deep := strings.Repeat(`{"definition":`, 5000) + "1" + strings.Repeat("}", 5000)
	for _, body := range []string{
		"", " ", "{", "}", "[]", "null", "0", `"text"`, "{}{}", "\x00", "\xff\xfe{}", "{\"a\":\"\xff\"}", `{"a":"\u0000"}`, `{"a":"\ud800"}`,
		`{"unknown":1}`, `{"definition":1}`, `{"definition":null}`, `{"definition":[]}`, `{"definition":{},"definition":{}}`,
		`{"definition":{"name":1,"steps":{"a":[]}}}`, `{"definition":{"name":"x","steps":[null]}}`, `{"definition":{"name":"x","steps":[]},"slug":"../x"}`,
		`{"input_data":1e999999}`, `{"input_data":` + strings.Repeat("9", 2000) + `}`, `{"input_data":"x","trigger":"none","version":{}}`,
		`{"status":"gone"}`, `{"status":1}`, `{"name":"","role":"king","expires_at":"soon"}`, `{"slug":"DEFAULT","name":1}`,
		`{"key_id":1,"workflow":[],"actions":"all"}`, deep, strings.Repeat("[", 100_000), `{"a":"` + strings.Repeat("x", 1<<20) + `"}`,
	} {
		s.ask(t, op, s.fresh(t, op), nil, []byte(body), 0)
	}
	size := 5 << 20
	if op.lines {
		size = 64 << 20 // of one line
	}
	huge := []byte(`{"a":"` + strings.Repeat("x", size) + `"}`)
	s.ask(t, op, s.fresh(t, op), nil, huge, http.StatusRequestEntityTooLarge)
	for _, media := range []string{"text/plain", "application/xml", "multipart/form-data", "application/json; charset=latin1", ";;;"} {
		s.ask(t, op, s.fresh(t, op), http.Header{"Content-Type": {media}}, []byte("{}"), http.StatusUnsupportedMediaType)
	}
}

// unrouted sends requests to paths that are not routes, and methods that a route does
// not have.
func (s *sweep) unrouted(t *testing.T) {
	for _, path := range []string{"/nope", "/api", "/api/workflow", "/v1", "/v1/runs2", "/api/workflows/x/y/z", "/%2e%2e/etc/passwd"} {
		s.ask(t, operation{method: http.MethodGet}, path, nil, nil, http.StatusNotFound)
	}
	for _, method := range []string{"PATCH", "PUT", "DELETE", "TRACE", "BREW"} {
		s.ask(t, operation{method: method}, "/api/workflows", nil, nil, http.StatusMethodNotAllowed)
	}
}
