package api_test

import (
	"context"
	"heddle/api"
	"heddle/executor"
	"net/http"
	"strings"
	"testing"
)

// parrot is a runner whose steps return their rendered config, secrets and all.
type parrot struct{}

func (parrot) Run(_ context.Context, call executor.Call) (executor.Result, error) {
	return executor.Result{Output: call.Config}, nil
}

// asksWithSecrets shows an approver what a step returned that had a secret: as it is, inside of a
// text, escaped and encoded, and computed from it.
const asksWithSecrets = `{"name":"Leak","steps":[` +
	`{"id":"call","type":"http_request","config":{"url":"https://parrot.example/","body":{"t":"{{ secrets.TOKEN }}","q":"{{ urlEncode(secrets.TOKEN) }}","b":"{{ toBase64('a' + secrets.TOKEN) }}"}}},` +
	`{"id":"ask","name":"Ask","type":"wait","depends_on":["call"],"config":{"timeout_seconds":3600,"signal":{"name":"ok","prompt":"Send {{ steps.call.output.body.t }} to {{ steps.call.output.body.q }}?",` +
	`"context":{"t":"{{ steps.call.output.body.t }}","in a text":"<{{ steps.call.output.body.t }}>","q":"{{ steps.call.output.body.q }}","b":"{{ steps.call.output.body.b }}","all":"{{ steps.call.output }}","turned":"{{ upper(toJSON(steps.call.output)) }}"},` +
	`"assignees":["{{ steps.call.output.body.t }}","ann"],"schema":{"type":"object"}}}}]}`

// A secret that a step returns is in nothing that an approval shows, and in nothing that shows an
// approval: lists, streams, the run in each dialect, its journal, the audit trail and the log.
func TestAnApprovalShowsNoSecretThatAStepReturned(t *testing.T) {
	onBothStores(t, func(t *testing.T, s *stack) {
		s.t = t
		const secret = "hunter2&Friends"
		s.do(request{method: "PUT", path: "/v1/secrets/TOKEN", body: `{"value":"` + secret + `"}`}).want(t, http.StatusNoContent)
		wf := s.create(asksWithSecrets, `"slug":"leak"`)
		heard := s.listen(t, s.admin, "", "")
		run := s.start(wf, "")
		open := s.approval(run, "open")
		if open.text(t, "approval", "context", "t") != "***" || open.text(t, "approval", "prompt") != "Send *** to ***?" || open.text(t, "approval", "assignees", 0) != "***" {
			t.Errorf("the approval has %s", open.body)
		}
		id := open.text(t, "approval", "id")
		answer := approvalsPath + "/" + id + "/answer"
		s.post(answer, `{"payload":{"note":"`+secret+`"}}`).wantCode(t, http.StatusUnprocessableEntity, "secret_in_input")
		s.post(answer, `{"payload":{},"comment":"`+secret+`"}`).wantCode(t, http.StatusUnprocessableEntity, "secret_in_text")
		seen := map[string]string{"approval": open.body, "live": heard.all("approval_opened", id)}
		look := func(paths ...string) {
			for _, path := range paths {
				seen[path] += s.get(path).want(t, http.StatusOK).body
			}
		}
		runPath := "/api/workflows/runs/" + run
		look(approvalsPath, approvalsPath+"?q="+run, "/api/workflows/runs", "/api/workflows/leak/runs", "/v1/runs", "/v1/runs/"+run, runPath, runPath+"?view=summary",
			runPath+"/steps?output=head", runPath+"/steps/ask", runPath+"/steps/call")
		s.post(answer, `{"payload":{"fine":true},"comment":"Looked at it."}`).want(t, http.StatusOK)
		seen["live"] += heard.all("run_changed", `"status":"completed"`)
		s.until(run, "completed")
		look(approvalsPath+"/"+id, approvalsPath+"?status=answered", runPath, runPath+"/steps/ask", runPath+"/stream", runPath+"/logs", runPath+"/definition",
			"/v1/runs/"+run, "/v1/runs/"+run+"/history", "/v1/runs/"+run+"/events", "/v1/audit", "/v1/search?q="+run[:20])
		for _, e := range s.journal(run) {
			seen["journal"] += string(e.Data)
		}
		seen["log"] = s.log.String()
		for where, text := range seen {
			for _, piece := range []string{secret, "hunter2", "Friends", "HUNTER2", "aHVudGVyMi", "h1bnRlcjIm", "odW50ZXIyJ"} {
				if strings.Contains(text, piece) {
					t.Errorf("%s shows %q: %s", where, piece, text)
				}
			}
		}
	}, func(_ *api.Config, c *executor.Config) { c.Runner = parrot{} })
}

// all returns the data of the frames up to one that names the event and has the text.
func (e *ear) all(event, text string) string {
	e.t.Helper()
	var seen strings.Builder
	for {
		_, got, data := e.next()
		seen.WriteString(data + "\n")
		if got == event && strings.Contains(data, text) {
			return seen.String()
		}
	}
}
