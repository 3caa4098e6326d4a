package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"heddle/client"
	"heddle/definitions/parser"
	"heddle/definitions/source"
	"heddle/definitions/validation"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// example is a step of docs/steps.md with the output that the page promises.
type example struct {
	ID, Source string
	Output     any
}

func stepExamples(t *testing.T) []example {
	t.Helper()
	page, err := os.ReadFile("../../docs/steps.md")
	if err != nil {
		t.Fatal(err)
	}
	var all []example
	block := regexp.MustCompile("(?s)```yaml\n(- id: ([a-z_]+)\n.*?)```\n\nIts output:\n\n```json\n(.*?)```")
	for _, m := range block.FindAllStringSubmatch(string(page), -1) {
		e := example{ID: m[2], Source: m[1]}
		if err := json.Unmarshal([]byte(m[3]), &e.Output); err != nil {
			t.Fatalf("the output of %s: %v", e.ID, err)
		}
		all = append(all, e)
	}
	if n := strings.Count(string(page), "```yaml\n"); n != len(all) || n < 7 {
		t.Fatalf("%d of %d examples have an output", len(all), n)
	}
	return all
}

// world is a server in place of all hosts of the examples: a shop, its stock, a
// receiver of webhooks and a model.
type world struct {
	*httptest.Server
	t *testing.T
}

func newWorld(t *testing.T) *world {
	w := &world{t: t}
	w.Server = httptest.NewServer(w)
	t.Cleanup(w.Close)
	return w
}

func (w *world) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	switch r.URL.Path {
	case "/api/orders/o-1":
		if r.Header.Get("Authorization") != "Bearer token-of-the-shop" {
			w.t.Errorf("the shop received the header %v", r.Header)
		}
		rw.Header().Set("Content-Type", "application/json")
		fmt.Fprint(rw, `{"id":"o-1","lines":[{"sku":"cup","price":400},{"sku":"pot","price":900}]}`)
	case "/stock/cup", "/stock/pot":
		rw.WriteHeader(http.StatusCreated)
	case "/hooks/orders":
		w.verify(r, body)
		rw.WriteHeader(http.StatusNoContent)
	case "/model/chat/completions":
		fmt.Fprint(rw, `{"choices":[{"message":{"role":"assistant","content":"{\"urgency\":\"high\"}"}}],"usage":{"prompt_tokens":30,"completion_tokens":6}}`)
	default:
		w.t.Errorf("no server is at %s %s", r.Method, r.URL)
		rw.WriteHeader(http.StatusNotFound)
	}
}

// verify checks the signature as a receiver of Standard Webhooks does.
func (w *world) verify(r *http.Request, body []byte) {
	mac := hmac.New(sha256.New, []byte("key of the webhooks"))
	fmt.Fprintf(mac, "%s.%s.%s", r.Header.Get("webhook-id"), r.Header.Get("webhook-timestamp"), body)
	want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	if got := r.Header.Get("webhook-signature"); got != want {
		w.t.Errorf("signature %s, want %s", got, want)
	}
	if !strings.Contains(string(body), `"type":"order.paid"`) || !strings.Contains(string(body), `"data":{"id":"o-1","total":1300}`) {
		w.t.Errorf("the webhook is %s", body)
	}
}

// TestTheExamplesOfStepsRun runs the examples of docs/steps.md as they stand
// there, as one workflow, and compares the output of each with what the page says.
func TestTheExamplesOfStepsRun(t *testing.T) {
	w, examples := newWorld(t), stepExamples(t)
	_, c := startServer(t, io.Discard, "HEDDLE_DATABASE_URL=sqlite://"+filepath.Join(t.TempDir(), "h.db"),
		"HEDDLE_EGRESS_ALLOW=127.0.0.1", "HEDDLE_SECRET_KEY=a-key-for-this-test")
	put := func(path string, body any) {
		t.Helper()
		if err := c.Do(t.Context(), client.Request{Method: http.MethodPut, Path: path, Body: body}, nil); err != nil {
			t.Fatal(err)
		}
	}
	put("/v1/secrets/SHOP_TOKEN", map[string]string{"value": "token-of-the-shop"})
	put("/v1/secrets/WEBHOOK_SECRET", map[string]string{"value": "key of the webhooks"})
	put("/v1/agents/support", map[string]string{"provider": "openai", "base_url": w.URL + "/model", "model": "small"})
	id, err := c.Workflows.Add(t.Context(), w.workflow(t, examples), "")
	if err != nil {
		t.Fatal(err)
	}
	run, err := c.Runs.StartWith(t.Context(), id, map[string]string{"order_id": "o-1", "message": "Where is my order?"}, "")
	if err != nil {
		t.Fatal(err)
	}
	answer := client.Request{
		Method: http.MethodPost, Path: "/v1/runs/" + run + "/signals/approved",
		Body: map[string]any{"request_id": "from-ann", "payload": map[string]string{"by": "ann"}},
	}
	if err := c.Do(t.Context(), answer, nil); err != nil {
		t.Fatal(err)
	}
	got := followed(t, c, run)
	if got.Status != "completed" {
		t.Fatalf("the run is %s: %+v", got.Status, got.Error)
	}
	outputs := map[string]any{}
	for _, s := range got.Steps {
		outputs[s.StepID] = s.Output
	}
	for _, e := range examples {
		if !alike(outputs[e.ID], e.Output) {
			t.Errorf("the output of %s is\n%v\nthe page says\n%v", e.ID, outputs[e.ID], e.Output)
		}
	}
}

// workflow puts the examples together, with the hosts of this world.
func (w *world) workflow(t *testing.T, examples []example) json.RawMessage {
	t.Helper()
	text := "name: Examples\ninput: { type: object, properties: { order_id: { type: string }, message: { type: string } } }\nsteps:\n"
	for _, e := range examples {
		text += e.Source
	}
	for host, path := range map[string]string{"api": "/api", "stock": "/stock", "hooks": "/hooks"} {
		text = strings.ReplaceAll(text, "https://"+host+".example.com", w.URL+path)
	}
	doc, found := parser.Parse([]byte(text), source.YAML)
	if doc == nil || !validation.Valid(found) {
		t.Fatalf("%+v", found)
	}
	return doc.Canonical
}

// alike reports whether two JSON values are equal; "…" in want stands for any value.
func alike(got, want any) bool {
	switch want := want.(type) {
	case map[string]any:
		have, ok := got.(map[string]any)
		if !ok || len(have) != len(want) {
			return false
		}
		for name := range want {
			if value, there := have[name]; !there || !alike(value, want[name]) {
				return false
			}
		}
		return true
	case []any:
		have, ok := got.([]any)
		if !ok || len(have) != len(want) {
			return false
		}
		for i := range want {
			if !alike(have[i], want[i]) {
				return false
			}
		}
		return true
	default:
		return want == "…" || got == want
	}
}
