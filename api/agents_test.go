package api_test

import (
	"net/http"
	"strings"
	"testing"
)

func TestAgentsAreSetUp(t *testing.T) {
	s := newStack(t)
	put := func(id, body, match string) response {
		return s.do(request{method: http.MethodPut, path: "/v1/agents/" + id, body: body, header: map[string]string{"If-Match": match}})
	}
	const writer = `{"provider":"openai","base_url":"https://api.example.com/v1","model":"small","api_key_secret":"KEY","output_micro_usd_per_1k":1500,"token_limit_field":"max_completion_tokens",
		"tools":[{"name":"stock","url":"https://example.com/stock","parameters":{"type":"object"},"headers":{"Authorization":"Bearer {{ secrets.STOCK }}"}}]}`
	made := put("writer", writer, "*").want(t, http.StatusOK)
	if made.header.Get("ETag") != `"r1"` || made.text(t, "tools", 0, "name") != "stock" || made.text(t, "token_limit_field") != "max_completion_tokens" {
		t.Errorf("made: %s", made.body)
	}
	put("writer", strings.Replace(writer, "small", "large", 1), `"r1"`).want(t, http.StatusOK)
	put("writer", writer, `"r1"`).wantCode(t, http.StatusPreconditionFailed, "precondition_failed")
	if got := s.get("/v1/agents/writer").want(t, http.StatusOK); got.text(t, "model") != "large" || got.header.Get("ETag") != `"r2"` {
		t.Errorf("read: %s", got.body)
	}
	for _, bad := range [][2]string{
		{"openai", "other"},
		{"https://api", "ftp://api"},
		{"https://api", "https://me:pw@api"},
		{`"small"`, `""`},
		{`"KEY"`, `"sk-12 34"`},
		{"1500", "-1"},
		{"max_completion_tokens", "tokens"},
		{`"headers":{`, `"headers":{"authorization":"x",`},
		{`"Authorization"`, `"Auth orization"`},
		{"Bearer {", `Bearer\n {`},
		{`"stock"`, `"st ock"`},
		{`"object"`, `"objekt"`},
		{"secrets.STOCK", "input.a"},
		{"https://example.com/stock", "/stock"},
	} {
		put("writer", strings.Replace(writer, bad[0], bad[1], 1), "*").wantCode(t, http.StatusUnprocessableEntity, "invalid_agent")
	}
	put("-writer", writer, "*").wantCode(t, http.StatusUnprocessableEntity, "invalid_agent")
	if list := s.get("/v1/agents").want(t, http.StatusOK); list.text(t, "agents", 0, "id") != "writer" {
		t.Errorf("list: %s", list.body)
	}
	if audit := s.get("/v1/audit?object=agent:writer").want(t, http.StatusOK); audit.text(t, "entries", 0, "action") != "agent.put" {
		t.Errorf("audit: %s", audit.body)
	}
	s.do(request{method: http.MethodDelete, path: "/v1/agents/writer"}).want(t, http.StatusNoContent)
	s.get("/v1/agents/writer").wantCode(t, http.StatusNotFound, "agent_not_found")
	const asking = `{"definition":{"name":"N","steps":[{"id":"l","type":"loop","config":{"items":"2","steps":[{"id":"a","type":"agent_task","config":{"agent_id":"writer","goal":"g"}}]}}]}}`
	found := s.post("/api/workflows/validate", asking).want(t, http.StatusOK)
	if found.text(t, "diagnostics", 0, "code") != "unknown_reference" || found.text(t, "diagnostics", 0, "severity") != "warning" ||
		found.text(t, "diagnostics", 0, "pointer") != "/steps/0/config/steps/0/config/agent_id" {
		t.Errorf("findings: %s", found.body)
	}
	const handling = `{"definition":{"name":"N","steps":[{"id":"s","type":"wait","config":{"seconds":1}}],` +
		`"on_failure":[{"id":"a","type":"agent_task","config":{"agent_id":"writer","goal":"g"}}],"finally":[{"id":"b","type":"agent_task","config":{"agent_id":"writer","goal":"g"}}]}}`
	found = s.post("/api/workflows/validate", handling).want(t, http.StatusOK)
	if found.text(t, "diagnostics", 0, "pointer") != "/on_failure/0/config/agent_id" || found.text(t, "diagnostics", 1, "pointer") != "/finally/0/config/agent_id" {
		t.Errorf("findings of handlers: %s", found.body)
	}
	put("writer", writer, "*").want(t, http.StatusOK)
	if found := s.post("/api/workflows/validate", asking).want(t, http.StatusOK); !strings.Contains(found.body, `"diagnostics":[]`) {
		t.Errorf("findings with the agent: %s", found.body)
	}
}
