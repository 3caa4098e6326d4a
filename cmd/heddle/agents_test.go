package main

import (
	"context"
	"encoding/json"
	"fmt"
	"heddle/client"
	"heddle/internal/await"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// asking is a workflow whose agent's goal is the input.
const asking = `{"name":"Ask","steps":[{"id":"ask","type":"agent_task","config":{"agent_id":"writer","goal":"{{ input.goal }}"%s}}],
	"output":{"answer":"{{ steps.ask.output }}"}}`

// agentServer is the product with an agent at url, whose key is a secret.
func agentServer(t *testing.T, url, tool string) *client.Client {
	t.Helper()
	_, c := startServer(t, io.Discard, "HEDDLE_DATABASE_URL=sqlite://"+filepath.Join(t.TempDir(), "h.db"),
		"HEDDLE_EGRESS_ALLOW=127.0.0.1", "HEDDLE_SECRET_KEY=a-key-for-this-test", "HEDDLE_SCRIPTS=off")
	agent := map[string]any{
		"provider": "openai", "base_url": url, "model": "small", "api_key_secret": "MODEL_KEY",
		"input_micro_usd_per_1k": 1000, "output_micro_usd_per_1k": 2000,
	}
	if tool != "" {
		agent["tools"] = []any{map[string]any{
			"name": "stock", "method": "GET", "url": tool,
			"parameters": map[string]any{"type": "object"}, "headers": map[string]string{"X-Key": "{{ secrets.TOOL_KEY }}"},
		}}
	}
	for path, body := range map[string]any{
		"/v1/secrets/MODEL_KEY": map[string]string{"value": "sk-model-0123456789"},
		"/v1/secrets/TOOL_KEY":  map[string]string{"value": "tool-key-0123456789"},
		"/v1/agents/writer":     agent,
	} {
		if err := c.Do(t.Context(), client.Request{Method: http.MethodPut, Path: path, Body: body}, nil); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// ran starts the workflow and returns the finished run and the text of its stream.
func ran(t *testing.T, c *client.Client, more, goal string) (whole, stream string) {
	t.Helper()
	id, err := c.Workflows.Add(t.Context(), json.RawMessage(fmt.Sprintf(asking, more)), "")
	if err != nil {
		t.Fatal(err)
	}
	run, err := c.Runs.StartWith(t.Context(), id, map[string]string{"goal": goal}, "")
	if err != nil {
		t.Fatal(err)
	}
	var frames strings.Builder
	if err := c.Runs.Follow(t.Context(), run, 0, func(f client.Frame) error {
		frames.Write(f.Data)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	var row json.RawMessage
	if err := c.Do(t.Context(), client.Request{Method: http.MethodGet, Path: "/v1/runs/" + run}, &row); err != nil {
		t.Fatal(err)
	}
	return string(row), frames.String()
}

// TestAnAgentWorksThroughTheProduct follows an agent from its resource through a tool
// call to the run's output and cost, and looks for secrets on the way.
func TestAnAgentWorksThroughTheProduct(t *testing.T) {
	tool := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `{"stock":7,"key":%q}`, r.Header.Get("X-Key"))
	}))
	t.Cleanup(tool.Close)
	var asked []string
	model := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		asked = append(asked, r.Header.Get("Authorization")+" "+string(body))
		message := fmt.Sprintf(`{"content":"There are 7, says %s."}`, r.Header.Get("Authorization"))
		if len(asked) == 1 {
			message = `{"content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"stock","arguments":"{\"sku\":\"a\"}"}}]}`
		}
		fmt.Fprintf(w, `{"choices":[{"message":%s}],"usage":{"prompt_tokens":1000,"completion_tokens":500}}`, message)
	}))
	t.Cleanup(model.Close)
	whole, stream := ran(t, agentServer(t, model.URL, tool.URL), "", "How many?")
	if len(asked) != 2 || !strings.HasPrefix(asked[0], "Bearer sk-model-0123456789 ") || !strings.Contains(asked[1], `\"stock\":7,\"key\":\"***\"`) {
		t.Fatalf("the model was asked %q", asked)
	}
	for _, want := range []string{`"succeeded"`, `"cost_micro_usd":4000`, `"tokens":3000`} {
		if !strings.Contains(whole, want) {
			t.Errorf("no %s in %s", want, whole)
		}
	}
	if !strings.Contains(stream, "There are 7, says Bearer ***.") || strings.Contains(stream+whole, "sk-model") || strings.Contains(asked[1], "tool-key") {
		t.Errorf("stream: %s", stream)
	}
}

// TestAnAgentIsTried has an agent answer by itself: once, bounded, with its key, which is not in
// the answer; a model that refuses is said, and the trail has a line of each.
func TestAnAgentIsTried(t *testing.T) {
	var asked []string
	model := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		asked = append(asked, r.Header.Get("Authorization")+" "+string(body))
		if strings.Contains(string(body), "refuse") {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		fmt.Fprintf(w, `{"choices":[{"message":{"content":"I am here, says %s."}}],"usage":{"prompt_tokens":10,"completion_tokens":5}}`, r.Header.Get("Authorization"))
	}))
	t.Cleanup(model.Close)
	c := agentServer(t, model.URL, "")
	try := func(goal string) string {
		t.Helper()
		var got json.RawMessage
		if err := c.Do(t.Context(), client.Request{Method: http.MethodPost, Path: "/v1/agents/writer/test", Body: map[string]string{"goal": goal}}, &got); err != nil {
			t.Fatal(err)
		}
		return string(got)
	}
	if got := try("Say hello."); !strings.Contains(got, `"ok":true`) || !strings.Contains(got, "I am here, says Bearer ***.") || strings.Contains(got, "sk-model") {
		t.Errorf("%s", got)
	}
	if len(asked) != 1 || !strings.HasPrefix(asked[0], "Bearer sk-model-0123456789 ") || !strings.Contains(asked[0], `"max_tokens":256`) || !strings.Contains(asked[0], "Say hello.") {
		t.Errorf("the model was asked %q", asked)
	}
	if got := try("refuse"); !strings.Contains(got, `"ok":false`) || !strings.Contains(got, `"error":{`) || len(asked) != 2 {
		t.Errorf("%s after %d requests", got, len(asked))
	}
	if err := c.Do(t.Context(), client.Request{Method: http.MethodPost, Path: "/v1/agents/writer/test", Body: map[string]string{"goal": "{{ secrets.MODEL_KEY }}"}}, nil); err == nil {
		t.Error("a template was taken as a goal")
	}
	var trail json.RawMessage
	if err := c.Do(t.Context(), client.Request{Method: http.MethodGet, Path: "/v1/audit?action=agent.test"}, &trail); err != nil || strings.Count(string(trail), `"object":"agent:writer"`) != 2 {
		t.Errorf("%s %v", trail, err)
	}
}

// TestAnAgentAsksMockLLM asks a chat completions server of another project. It
// is installed from the npm registry, so it runs where HEDDLE_TEST_MOCK_LLM is
// set: to 1, or to a directory where it is installed already.
func TestAnAgentAsksMockLLM(t *testing.T) {
	dir := os.Getenv("HEDDLE_TEST_MOCK_LLM")
	if dir == "" {
		t.Skip("HEDDLE_TEST_MOCK_LLM is not set: mock-llm would be installed from the npm registry")
	}
	if _, err := exec.LookPath("npm"); err != nil {
		t.Skip("npm is not installed")
	}
	if dir == "1" {
		dir = t.TempDir()
		install := exec.CommandContext(t.Context(), "npm", "install", "--no-audit", "--no-fund", "--prefix", dir, "@dwmkerr/mock-llm@0.1.29")
		if out, err := install.CombinedOutput(); err != nil {
			t.Fatalf("npm install: %v\n%s", err, out)
		}
	}
	c := agentServer(t, mockLLM(t, dir)+"/v1", "")
	if _, stream := ran(t, c, "", "Say this back."); !strings.Contains(stream, `"Say this back."`) {
		t.Errorf("stream: %s", stream)
	}
	if _, stream := ran(t, c, `,"output_schema":{"type":"object","required":["n"]}`, "shape"); !strings.Contains(stream, `{"n":1}`) {
		t.Errorf("structured: %s", stream)
	}
	if _, stream := ran(t, c, "", "error-401"); !strings.Contains(stream, "unexpected_status") || !strings.Contains(stream, "401") {
		t.Errorf("refused: %s", stream)
	}
}

// Of the rules that match, the last one answers.
const mockRules = `rules:
  - path: "/v1/chat/completions"
    match: "@"
    response: {status: 200, content: '{"choices":[{"message":{"role":"assistant","content":"{{jmes request body.messages[-1].content}}"},"finish_reason":"stop"}]}'}
  - path: "/v1/chat/completions"
    match: "contains(body.messages[-1].content, 'error-401')"
    response: {status: 401, content: '{"error":{"message":"Incorrect API key provided."}}'}
  - path: "/v1/chat/completions"
    match: "contains(body.messages[-1].content, 'shape')"
    response: {status: 200, content: '{"choices":[{"message":{"role":"assistant","content":"{\"n\":1}"},"finish_reason":"stop"}]}'}
`

// mockLLM starts the server and returns its address.
func mockLLM(t *testing.T, dir string) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	_ = ln.Close()
	rules := filepath.Join(t.TempDir(), "rules.yaml")
	if err := os.WriteFile(rules, []byte(mockRules), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, "node", filepath.Join(dir, "node_modules/@dwmkerr/mock-llm/dist/main.js"), "--config", rules)
	cmd.Env = append(os.Environ(), "PORT="+port, "HOST=127.0.0.1")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stop()
		_ = cmd.Wait()
	})
	await.True(t, "mock-llm answers", func() bool {
		res, err := http.Get("http://127.0.0.1:" + port + "/health")
		if err == nil {
			_ = res.Body.Close()
		}
		return err == nil
	})
	return "http://127.0.0.1:" + port
}

// A piece of a tool's secret that a server quotes is taken out of the error, as a piece of
// the agent's key is.
func TestAnErrorQuotesNoPieceOfAToolsSecret(t *testing.T) {
	var told string
	answer := func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"error":{"message":"keys `+told+` do not work"}}`)
	}
	model := httptest.NewServer(http.HandlerFunc(answer))
	t.Cleanup(model.Close)
	c := agentServer(t, model.URL, model.URL+"/stock")
	told = "sk-model and tool-key"
	whole, _ := ran(t, c, "", "Ask.")
	for _, piece := range []string{"sk-model", "tool-key"} {
		if strings.Contains(whole, piece) {
			t.Errorf("%s is shown: %s", piece, whole)
		}
	}
	if !strings.Contains(whole, "do not work") {
		t.Errorf("the server's words are missing: %s", whole)
	}
}
