package api_test

import (
	"net/http"
	"strings"
	"testing"
)

// What an error quotes of a request does not make the answer as large as the
// request.
func TestErrorsStayShort(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	long := strings.Repeat("ü", 400_000)
	workflow := s.post("/api/workflows", `{"definition":{"name":"w","steps":[{"id":"a","type":"script","config":{"script":"exit 1"}}]}}`).want(t, http.StatusCreated).text(t, "id")
	for path, body := range map[string]string{
		"/v1/keys":                                 `{"name":"k","role":"` + long + `"}`,
		"/api/workflows/" + workflow + "/run":      `{"trigger":"` + long + `"}`,
		"/api/workflows/" + workflow + "/dry-run":  `{"input_data":{},"mocks":{"` + long + `":{"output":1}}}`,
		"/api/workflows/" + workflow + "/rollback": `{"version":"` + long + `"}`,
		"/api/workflows/schedules/preview":         `{"cron_expression":"* * * * *","timezone":"` + long + `"}`,
		"/v1/runs":                                 `{"workflow_id":"` + long + `"}`,
		"/v1/workflows/" + workflow + "/execute":   `{"run_input":{"command":"` + long + `"}}`,
		"/v1/grants":                               `{"key_id":"` + long + `","workflow":"` + workflow + `","actions":["view"]}`,
	} {
		method := http.MethodPost
		if path == "/v1/grants" {
			method = http.MethodPut
		}
		answer := s.do(request{method: method, path: path, body: body})
		if answer.status < 400 || answer.status >= 500 || len(answer.body) > 10_000 {
			t.Errorf("%s: %d with %d bytes", path, answer.status, len(answer.body))
		}
	}
}
