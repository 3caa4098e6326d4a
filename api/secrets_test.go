package api_test

import (
	"net/http"
	"strings"
	"testing"
)

func TestSecretsAreNamedAndNeverShown(t *testing.T) {
	s := newStack(t)
	put := func(name, body string) response {
		return s.do(request{method: http.MethodPut, path: "/v1/secrets/" + name, body: body})
	}
	const value = "hunter2 & <friends>"
	put("B_TOKEN", `{"value":"hunter2 & <friends>"}`).want(t, http.StatusNoContent)
	put("A_TOKEN", `{"value":"`+strings.Repeat("x", 65_536)+`"}`).want(t, http.StatusNoContent)
	put("SHORT", `{"value":"1234567"}`).wantCode(t, http.StatusUnprocessableEntity, "invalid_secret")
	put("LONG", `{"value":"`+strings.Repeat("x", 65_537)+`"}`).wantCode(t, http.StatusUnprocessableEntity, "invalid_secret")
	put("1st", `{"value":"12345678"}`).wantCode(t, http.StatusUnprocessableEntity, "invalid_secret_name")
	put("a-b", `{"value":"12345678"}`).wantCode(t, http.StatusUnprocessableEntity, "invalid_secret_name")

	list := s.get("/v1/secrets?limit=1").want(t, http.StatusOK)
	if list.text(t, "secrets", 0, "name") != "A_TOKEN" || strings.Contains(list.body, "value") {
		t.Errorf("list: %s", list.body)
	}
	list = s.get("/v1/secrets?limit=1&cursor="+list.text(t, "next_cursor")).want(t, http.StatusOK)
	if list.text(t, "secrets", 0, "name") != "B_TOKEN" || !strings.Contains(list.body, `"next_cursor":null`) {
		t.Errorf("second page: %s", list.body)
	}
	audit := s.get("/v1/audit?object=secret:B_TOKEN").want(t, http.StatusOK)
	if audit.text(t, "entries", 0, "action") != "secret.put" || strings.Contains(audit.body, "hunter2") {
		t.Errorf("audit: %s", audit.body)
	}

	const holder = `{"definition":{"name":"N","steps":[{"id":"a","type":"http_request","config":{"url":"https://example.com/?k=hunter2%20%26+<friends>"}}]}}`
	s.post("/api/workflows", strings.Replace(holder, "+", "%20", 1)).wantCode(t, http.StatusUnprocessableEntity, "secret_in_definition")
	line := strings.Replace(oneLine, `"steps"`, `"description":"hunter2 & <friends>","steps"`, 1)
	s.do(request{method: http.MethodPost, path: "/api/workflows/import", body: line, header: map[string]string{"Content-Type": "application/x-ndjson"}}).
		wantCode(t, http.StatusUnprocessableEntity, "secret_in_definition")
	id := s.create(parked, "")
	s.do(request{method: http.MethodPut, path: "/api/workflows/" + id, body: strings.Replace(holder, "+", "%20", 1)}).
		wantCode(t, http.StatusUnprocessableEntity, "secret_in_definition")
	refused := s.post("/api/workflows/"+id+"/run", `{"input_data":{"deep":["x `+value+`"]}}`)
	refused.wantCode(t, http.StatusUnprocessableEntity, "secret_in_input")
	if strings.Contains(refused.body+s.log.String(), "hunter2") {
		t.Errorf("the refusal shows it: %s", refused.body)
	}

	s.do(request{method: http.MethodDelete, path: "/v1/secrets/B_TOKEN"}).want(t, http.StatusNoContent)
	s.do(request{method: http.MethodDelete, path: "/v1/secrets/B_TOKEN"}).wantCode(t, http.StatusNotFound, "secret_not_found")
	s.post("/api/workflows/"+id+"/run", `{"input_data":"`+value+`"}`).want(t, http.StatusAccepted)
}

// What stands beside the definitions of an imported workflow is stored and shown
// too: it holds no secret, in whichever field and encoding.
func TestAnImportedLineHoldsNoSecretInItsTexts(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	const secret = "hunter2-hunter2"
	s.do(request{method: http.MethodPut, path: "/v1/secrets/TOKEN", body: `{"value":"` + secret + `"}`}).want(t, http.StatusNoContent)
	for field, line := range map[string]string{
		"slug":           strings.Replace(oneLine, `"arrived"`, `"`+secret+`"`, 1),
		"tags":           strings.Replace(oneLine, `"tags":[]`, `"tags":["a","x-`+secret+`"]`, 1),
		"change_summary": strings.Replace(oneLine, `"first"`, `"with \u0068unter2-hunter2"`, 1),
		"created_by":     strings.Replace(oneLine, `"somebody"`, `"`+secret+`"`, 1),
		"label":          strings.Replace(oneLine, `{"version":1`, `{"label":"`+secret+`","version":1`, 1),
	} {
		got := s.do(request{method: http.MethodPost, path: "/api/workflows/import", body: line, header: map[string]string{"Content-Type": "application/x-ndjson"}})
		got.wantCode(t, http.StatusUnprocessableEntity, "secret_in_text")
		if !strings.Contains(got.body, field) || !strings.Contains(got.body, "Line 1") || strings.Contains(got.body, secret) {
			t.Errorf("%s: %s", field, got.body)
		}
	}
	if list := s.get("/api/workflows").want(t, http.StatusOK); strings.Contains(list.body, "arrived") {
		t.Errorf("something was stored: %s", list.body)
	}
}

// Lists of secrets and agents say which steps name them, in loops and compensations too.
func TestSecretsAndAgentsSayWhatUsesThem(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.do(request{method: http.MethodPut, path: "/v1/secrets/TOKEN", body: `{"value":"tok-123456789"}`}).want(t, http.StatusNoContent)
	s.do(request{method: http.MethodPut, path: "/v1/agents/writer", body: `{"provider":"openai","base_url":"https://models.example/v1","model":"m"}`}).want(t, http.StatusOK)
	call := func(id string) string {
		return `{"id":"` + id + `","type":"http_request","config":{"url":"https://example.com","headers":{"X":"{{ secrets.TOKEN }} {{ secrets.TOKEN }}"}}}`
	}
	s.create(`{"name":"Uses","steps":[`+call("first")+`,
		{"id":"each","type":"loop","config":{"items":"[1]","steps":[`+call("inner")+`]}},
		{"id":"write","type":"agent_task","config":{"agent_id":"writer","goal":"Write."}}]}`, `"slug":"uses"`)
	s.create(trivial, `"slug":"uses-none"`)
	list := s.get("/v1/secrets").want(t, http.StatusOK)
	if used := list.field(t, "secrets", 0, "used_by").([]any); len(used) != 2 || list.text(t, "secrets", 0, "used_by", 0, "step_id") != "first" ||
		list.text(t, "secrets", 0, "used_by", 1, "step_id") != "inner" || list.text(t, "secrets", 0, "used_by", 0, "workflow", "slug") != "uses" ||
		list.field(t, "secrets", 0, "last_used_at") != nil {
		t.Errorf("%s", list.body)
	}
	for _, got := range []string{
		s.get("/v1/agents").want(t, http.StatusOK).text(t, "agents", 0, "used_by", 0, "step_id"),
		s.get("/v1/agents/writer").want(t, http.StatusOK).text(t, "used_by", 0, "step_id"),
	} {
		if got != "write" {
			t.Errorf("used by %s", got)
		}
	}
}
