package main

import (
	"encoding/json"
	"fmt"
	"heddle/client"
	"heddle/definitions/parser"
	"heddle/definitions/source"
	"heddle/definitions/validation"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

// exampleRun is one run of a workflow of examples/ and the outcome that it must have.
type exampleRun struct {
	file   string            // without .yaml
	input  map[string]any    // replaces members of the input that the file shows
	short  map[string]string // texts of the file that are replaced, so that nothing waits for minutes
	signal string            // name and payload of a signal that is sent as soon as the run has begun
	after  string            // the step that has to have begun before the signal is sent
	status string            // how the run ends
	output string            // its output, as JSON; "": not compared
	sent   []string          // requests that have to arrive, in this order, among others
}

var exampleRuns = []exampleRun{
	{
		file: "order-fulfilment", status: "completed", output: `{"shipment":"sh-1"}`,
		sent: []string{"POST /stock/reservations", "POST /bank/charges", "POST /carrier/shipments"},
	},
	{
		file: "order-fulfilment", input: map[string]any{"sku": "unshippable"}, status: "failed",
		sent: []string{"POST /carrier/shipments", "POST /bank/refunds", "DELETE /stock/reservations/o-1", "POST /hooks/support"},
	},
	{
		file: "nightly-report", status: "completed", output: `{"total":42}`,
		sent: []string{"GET /shop/sales", "POST /hooks/reports"},
	},
	{
		file: "approval", signal: `decision {"approved": true, "by": "ann"}`, status: "completed", output: `{"approved":true}`,
		sent: []string{"POST /hooks/approvers", "POST /ledger/bookings"},
	},
	{
		file: "approval", short: map[string]string{"259200": "1"}, status: "completed", output: `{"approved":false}`,
		sent: []string{"POST /hooks/approvers", "POST /hooks/requesters"},
	},
	{
		file: "fan-out", status: "completed",
		output: `{"scores":[{"customer":"ann","score":3},{"customer":"ben","score":3},{"customer":"cleo","score":4},{"customer":"dan","score":3},{"customer":"eve","score":3}]}`,
		sent:   []string{"GET /scores/customers/cleo", "GET /scores/customers/cleo"},
	},
	{
		file: "webhook-delivery", status: "completed", output: `{"branch":"cases[0]"}`,
		sent: []string{"POST /receivers/s-7", "POST /billing/delivered/i-42"},
	},
	{
		file: "webhook-delivery", input: map[string]any{"subscriber": "gone"}, status: "completed", output: `{"branch":"cases[1]"}`,
		sent: []string{"POST /receivers/gone", "DELETE /billing/subscribers/gone"},
	},
	{
		file: "agent-triage", status: "completed", output: `{"urgency":"high"}`,
		sent: []string{"POST /model/chat/completions", "GET /crm/customers", "POST /model/chat/completions", "POST /hooks/pager"},
	},
	{
		file: "data-sync", status: "completed", output: `{"items":5,"pages":3}`,
		sent: []string{"POST /target/items", "POST /target/items", "POST /target/items"},
	},
	{
		file: "incident-escalation", short: map[string]string{"timeout_seconds: 300": "timeout_seconds: 1"}, after: "second_answer",
		signal: `acknowledged {"by": "ben"}`, status: "completed", output: `{"owner":"ben","escalated":true}`,
		sent: []string{"POST /hooks/pager", "POST /hooks/pager", "POST /incidents/i-1/owner"},
	},
	{
		file: "canary-deploy", status: "completed", output: `{"promoted":true}`,
		sent: []string{"PUT /deploy/shop/canary", "GET /deploy/shop/canary", "GET /metrics/shop/errors", "POST /deploy/shop/promote", "POST /hooks/deploys"},
	},
	{
		file: "canary-deploy", input: map[string]any{"service": "flaky"}, status: "completed", output: `{"promoted":false}`,
		sent: []string{"PUT /deploy/flaky/canary", "DELETE /deploy/flaky/canary", "POST /hooks/deploys"},
	},
	{
		file: "onboarding", status: "completed", output: `{"reminded":true}`,
		sent: []string{"POST /accounts/accounts", "POST /hooks/mail", "GET /accounts/accounts/a-1", "POST /hooks/mail", "POST /metrics/onboarding"},
	},
}

// TestExamplesRun runs every workflow of examples/ to its end on the real
// program. Each run has a local server of its own in place of the hosts that its
// file names, so nothing leaves the machine.
func TestExamplesRun(t *testing.T) {
	const key = "a-key-for-the-examples-0123456789"
	base := startProgram(t, key, "HEDDLE_EGRESS_ALLOW=127.0.0.1", "HEDDLE_SECRET_KEY=a-key-for-this-test", "HEDDLE_LOG_LEVEL=error")
	c := client.New(base, key, client.WithAttempts(1))
	put(t, c, "/v1/secrets/WEBHOOK_SECRET", map[string]string{"value": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"})
	for i, run := range exampleRuns {
		t.Run(fmt.Sprintf("%s-%d", run.file, i), func(t *testing.T) {
			if run.file != "agent-triage" {
				t.Parallel()
			}
			run.check(t, c)
		})
	}
}

func TestEveryExampleIsRunAndListed(t *testing.T) {
	files, err := filepath.Glob("../../examples/*.yaml")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d examples: %v", len(files), err)
	}
	list, err := os.ReadFile("../../examples/README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		if !slices.ContainsFunc(exampleRuns, func(r exampleRun) bool { return r.file == name }) {
			t.Errorf("no run of examples/%s.yaml", name)
		}
		if !strings.Contains(string(list), "("+name+".yaml)") {
			t.Errorf("examples/README.md does not list %s.yaml", name)
		}
	}
}

func put(t *testing.T, c *client.Client, path string, body any) {
	t.Helper()
	if err := c.Do(t.Context(), client.Request{Method: http.MethodPut, Path: path, Body: body}, nil); err != nil {
		t.Fatal(err)
	}
}

func (run exampleRun) check(t *testing.T, c *client.Client) {
	w := newExampleHosts(t)
	if run.file == "agent-triage" {
		put(t, c, "/v1/agents/support", map[string]any{
			"provider": "openai", "base_url": w.URL + "/model", "model": "small",
			"tools": []any{map[string]any{"name": "find_customer", "url": w.URL + "/crm/customers", "method": "GET"}},
		})
	}
	definition, input := run.load(t, w.URL)
	workflow, err := c.Workflows.Add(t.Context(), definition, "")
	if err != nil {
		t.Fatal(err)
	}
	if run.file == "nightly-report" { // the schedule that the file shows
		body := map[string]any{"cron_expression": "30 2 * * *", "timezone": "Europe/Berlin"}
		if err := c.Do(t.Context(), client.Request{Method: http.MethodPost, Path: "/api/workflows/" + workflow + "/schedules", Body: body}, nil); err != nil {
			t.Error(err)
		}
	}
	id, err := c.Runs.StartWith(t.Context(), workflow, input, "")
	if err != nil {
		t.Fatal(err)
	}
	if run.signal != "" && run.after == "" {
		run.send(t, c, id)
	}
	err = c.Runs.Follow(t.Context(), id, 0, func(f client.Frame) error {
		if run.after != "" && f.Event == "step_waiting" && strings.Contains(string(f.Data), `"`+run.after+`"`) {
			run.send(t, c, id)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.Runs.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if got.Status != run.status {
		t.Errorf("the run is %s, not %s: %+v", got.Status, run.status, got.Error)
	}
	var have, want any
	if run.output != "" {
		if err := json.Unmarshal([]byte(run.output), &want); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(got.Output, &have); err != nil || !alike(have, want) {
			t.Errorf("its output is %s, not %s", got.Output, run.output)
		}
	}
	rest := run.sent
	for _, request := range w.requests() {
		if len(rest) > 0 && request == rest[0] {
			rest = rest[1:]
		}
	}
	if len(rest) > 0 {
		t.Errorf("of the requests %q, %q did not arrive in this order", w.requests(), rest)
	}
}

func (run exampleRun) send(t *testing.T, c *client.Client, id string) {
	name, payload, _ := strings.Cut(run.signal, " ")
	err := c.Do(t.Context(), client.Request{
		Method: http.MethodPost, Path: "/v1/runs/" + id + "/signals/" + name,
		Body: map[string]any{"request_id": "once", "payload": json.RawMessage(payload)},
	}, nil)
	if err != nil {
		t.Error(err)
	}
}

var (
	exampleHost  = regexp.MustCompile(`https://([a-z]+)\.example\.com`)
	exampleInput = regexp.MustCompile(`(?m)^# Input: (\{.*\})$`)
)

// load reads the example, with its hosts replaced by paths below base.
func (run exampleRun) load(t *testing.T, base string) (definition json.RawMessage, input map[string]any) {
	t.Helper()
	text, err := os.ReadFile("../../examples/" + run.file + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	shown := exampleInput.FindSubmatch(text)
	if shown == nil {
		t.Fatal("the file shows no input")
	}
	if err := json.Unmarshal(shown[1], &input); err != nil {
		t.Fatalf("its input: %v", err)
	}
	maps.Copy(input, run.input)
	filled := exampleHost.ReplaceAllString(string(text), base+"/$1")
	for from, to := range run.short {
		if !strings.Contains(filled, from) {
			t.Fatalf("the file does not hold %q", from)
		}
		filled = strings.ReplaceAll(filled, from, to)
	}
	doc, found := parser.Parse([]byte(filled), source.YAML)
	if doc == nil || !validation.Valid(found) {
		t.Fatalf("%+v", found)
	}
	return doc.Canonical, input
}

// exampleHosts is all hosts that the examples name. It records the requests in
// the order of their arrival.
type exampleHosts struct {
	*httptest.Server
	mu   sync.Mutex
	seen []string
}

func newExampleHosts(t *testing.T) *exampleHosts {
	w := &exampleHosts{}
	w.Server = httptest.NewServer(w)
	t.Cleanup(w.Close)
	return w
}

func (w *exampleHosts) requests() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.seen)
}

func (w *exampleHosts) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	request := r.Method + " " + r.URL.Path
	w.mu.Lock()
	before := slices.Contains(w.seen, request)
	w.seen = append(w.seen, request)
	w.mu.Unlock()
	rw.Header().Set("Content-Type", "application/json")
	status, answer := http.StatusOK, `{"ok":true}`
	switch request {
	case "POST /carrier/shipments":
		answer = `{"id":"sh-1"}`
		if strings.Contains(string(body), "unshippable") {
			status, answer = http.StatusConflict, `{"error":"too large"}`
		}
	case "GET /shop/sales":
		answer = `{"sales":[{"amount":19},{"amount":23}]}`
	case "GET /scores/customers/cleo":
		answer = `{"score":4}`
		if !before {
			rw.Header().Set("Retry-After", "1")
			status = http.StatusTooManyRequests
		}
	case "POST /receivers/gone":
		status = http.StatusGone
	case "POST /model/chat/completions":
		answer = `{"choices":[{"message":{"role":"assistant","tool_calls":[{"id":"1","type":"function","function":{"name":"find_customer","arguments":"{}"}}]}}],"usage":{"prompt_tokens":30,"completion_tokens":6}}`
		if before {
			answer = `{"choices":[{"message":{"role":"assistant","content":"{\"urgency\":\"high\",\"team\":\"shop\"}"}}],"usage":{"prompt_tokens":60,"completion_tokens":6}}`
		}
	case "GET /source/items":
		answer = map[string]string{
			"": `{"items":[1,2],"next":"b"}`, "b": `{"items":[3,4],"next":"c"}`, "c": `{"items":[5],"next":null}`,
		}[r.URL.Query().Get("cursor")]
	case "GET /deploy/shop/canary", "GET /deploy/flaky/canary":
		answer = fmt.Sprintf(`{"ready":%t}`, before)
	case "GET /metrics/shop/errors":
		answer = `{"rate":0.001}`
	case "GET /metrics/flaky/errors":
		answer = `{"rate":0.2}`
	case "POST /accounts/accounts":
		status, answer = http.StatusCreated, `{"id":"a-1"}`
	case "GET /accounts/accounts/a-1":
		answer = `{"logged_in":false}`
	}
	if strings.HasPrefix(request, "GET /scores/") && answer == `{"ok":true}` {
		answer = `{"score":3}`
	}
	rw.WriteHeader(status)
	_, _ = io.WriteString(rw, answer)
}
