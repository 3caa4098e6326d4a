package executor_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"heddle/executor"
	"heddle/executor/machine"
	"strings"
	"testing"
)

// failing returns a runner whose first n attempts of each run fail.
func failing(n int) runnerFunc {
	return func(_ context.Context, call executor.Call) (executor.Result, error) {
		if call.Attempt <= n {
			return executor.Result{}, errors.New("boom")
		}
		return ok(`{}`)
	}
}

// sending is a workflow of one step with retries, whose config has templates and secrets.
func sending(retention, config string) string {
	return "name: One\n" + retention + "steps:\n  - { id: a, type: http_request, retry: { max_attempts: 3, delay_seconds: 0 }, config: " + config + " }\n"
}

// inputsOf returns "number status input" of each attempt of a run's step.
func (s *stack) inputsOf(run string) string {
	s.t.Helper()
	d, err := s.svc.Step(s.t.Context(), tenant, run, machine.Ref{StepID: "a"})
	if err != nil {
		s.t.Fatal(err)
	}
	var list []string
	for _, a := range d.Attempts {
		list = append(list, strings.TrimSpace(fmt.Sprintf("%d %s %s", a.Number, a.Status, a.Rendered)))
	}
	return strings.Join(list, "; ")
}

// TestTheInputsOfFailedAttemptsAreKept: by the workflow's retention, which is that of failed
// ones unless it says otherwise.
func TestTheInputsOfFailedAttemptsAreKept(t *testing.T) {
	s := newStack(t, failing(2))
	const config = `{ url: "http://x/{{ input.n }}", body: { n: "{{ input.n }}" } }`
	const rendered = `{"body":{"n":7},"url":"http://x/7"}`
	for retention, want := range map[string]string{
		"":                    "1 failed " + rendered + "; 2 failed " + rendered + "; 3 completed",
		"retention: failed\n": "1 failed " + rendered + "; 2 failed " + rendered + "; 3 completed",
		"retention: none\n":   "1 failed; 2 failed; 3 completed",
		"retention: all\n":    "1 failed " + rendered + "; 2 failed " + rendered + "; 3 completed " + rendered,
	} {
		id := s.start(s.workflow(sending(retention, config)), `{"n":7}`).RunID
		s.waitState(id, machine.Completed)
		if got := s.inputsOf(id); got != want {
			t.Errorf("%q: %s\nwant %s", retention, got, want)
		}
	}
}

// TestAKeptInputHoldsNoSecret: neither a secret of the tenant, nor a piece of one that went into
// it, nor what has the name of a credential.
func TestAKeptInputHoldsNoSecret(t *testing.T) {
	s := newStack(t, failing(9), withSecrets)
	for config, want := range map[string]string{
		`{ url: x, raw: "a {{ secrets.WORD }} b" }`:                                                                                        `{"raw":"a *** b","url":"x"}`,
		`{ url: x, raw: "{{ input.word }}" }`:                                                                                              `{"raw":"***","url":"x"}`,
		`{ url: x, raw: "{{ secrets.WORD[2:12] }} {{ upper(secrets.KEY) }}" }`:                                                             `{"raw":"*** ***","url":"x"}`,
		`{ url: x, query: { n: "{{ int(secrets.WORD[1:9]) }}" } }`:                                                                         `{"query":{"n":"***"},"url":"x"}`,
		`{ url: x, headers: { Authorization: "Basic {{ input.user }}", X-Api-Key: k, Cookie: [c], X-Trace: t, max_tokens: 5 } }`:           `{"headers":{"Authorization":"***","Cookie":["***"],"X-Api-Key":"***","X-Trace":"t","max_tokens":5},"url":"x"}`,
		`{ url: x, auth: { type: header, name: X-Door, value: v }, body: { client_secret: 12, password: null, n: [1, true, "a\"b"] } }`:    `{"auth":{"name":"X-Door","type":"header","value":"***"},"body":{"client_secret":"***","n":[1,true,"a\"b"],"password":null},"url":"x"}`,
		`{ url: "https://me:pw@x/y?a=1&api_key=k2&b={{ input.user }}", multipart: [{ name: token, value: t }, { name: file, value: f }] }`: `{"multipart":[{"name":"token","value":"***"},{"name":"file","value":"f"}],"url":"https://***@x/y?a=1&api_key=***&b=me"}`,
		`{ url: x, tls: { key: "-----BEGIN EC PRIVATE KEY-----\nabc" } }`:                                                                  `{"tls":{"key":"***"},"url":"x"}`,
	} {
		input, _ := json.Marshal(map[string]string{"word": secretWord, "user": "me"})
		id := s.start(s.workflow(sending("", config)), string(input)).RunID
		s.waitState(id, machine.Failed)
		got := s.inputsOf(id)
		if !strings.HasPrefix(got, "1 failed "+want+";") {
			t.Errorf("%s:\n%s\nwant %s", config, got, want)
		}
	}
}

// TestALargeInputIsStoredApart: above 64 KiB, once however often it failed, and deleted with its run.
func TestALargeInputIsStoredApart(t *testing.T) {
	s := newStack(t, failing(2))
	id := s.start(s.workflow(sending("", `{ url: x, raw: "{{ input.text }}" }`)), `{"text":"`+strings.Repeat("x", 70_000)+`"}`).RunID
	s.waitState(id, machine.Completed)
	d, err := s.svc.Step(t.Context(), tenant, id, machine.Ref{StepID: "a"})
	if err != nil {
		t.Fatal(err)
	}
	ref, apart := machine.ParseReference(d.Attempts[0].Rendered)
	if !apart || string(d.Attempts[1].Rendered) != string(d.Attempts[0].Rendered) {
		t.Fatalf("the inputs are %.80s and %.80s", d.Attempts[0].Rendered, d.Attempts[1].Rendered)
	}
	// The sweep takes what no commit names.
	if _, err := s.db.SweepBlobs(t.Context(), s.run(id).CompletedAt.AddDate(1, 0, 0), nil, 10); err != nil {
		t.Fatal(err)
	}
	content, err := s.db.BlobChunk(t.Context(), ref.ID, 0)
	if err != nil || len(content) != 70_000+len(`{"raw":"","url":"x"}`) || int64(len(content)) != ref.Size {
		t.Fatalf("%d bytes, %+v, %v", len(content), ref, err)
	}
	if err := s.db.DeleteRun(t.Context(), tenant, id); err != nil {
		t.Fatal(err)
	}
	if _, err := s.db.BlobChunk(t.Context(), ref.ID, 0); err == nil {
		t.Error("the input is still stored")
	}
}

// TestAPanicKeepsItsInput, and an attempt whose config cannot be rendered has none.
func TestAPanicKeepsItsInput(t *testing.T) {
	s := newStack(t, func(context.Context, executor.Call) (executor.Result, error) { panic(errors.New("boom")) })
	for config, want := range map[string]string{`{ url: "{{ input.u }}" }`: `1 failed {"url":"here"}`, `{ url: "{{ input.none.x }}" }`: `1 failed`} {
		id := s.start(s.workflow(sending("", config)), `{"u":"here"}`).RunID
		s.waitState(id, machine.Failed)
		if got := s.inputsOf(id); got != want {
			t.Errorf("%s: %s", config, got)
		}
	}
}

// TestInputsAreCountedApart: those that are stored apart fail no step that stores a large output,
// however many there are, and are no longer kept where they are more than their share.
func TestInputsAreCountedApart(t *testing.T) {
	const size = 600_000
	s := newStack(t, func(_ context.Context, call executor.Call) (executor.Result, error) {
		if call.StepID == "a" && call.Attempt < 3 {
			return executor.Result{}, errors.New("boom")
		}
		return ok(`"` + strings.Repeat(call.StepID, 2*size) + `"`)
	}, func(c *executor.Config) { c.RunBlobs = 4*size + 100 })
	text := "name: Two\nsteps:\n" +
		"  - { id: a, type: http_request, retry: { max_attempts: 3, delay_seconds: 0 }, config: { raw: \"{{ input.text }}\" } }\n" +
		"  - { id: b, type: http_request, depends_on: [a], config: { url: x } }\n"
	for n, blobs := range map[int]int{size: 2, size + 100: 0} {
		id := s.start(s.workflow(text), `{"text":"`+strings.Repeat("y", n-len(`{"raw":""}`))+`"}`).RunID
		s.waitState(id, machine.Completed)
		if got := s.inputsOf(id); strings.Count(got, "$blob") != blobs {
			t.Errorf("%d bytes: %d of two inputs are kept", n, strings.Count(got, "$blob"))
		}
	}
}
