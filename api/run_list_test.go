package api_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// listed returns the ids of the runs of a list, in one text.
func (r response) listed(t testing.TB) string {
	t.Helper()
	var ids []string
	for _, run := range r.want(t, http.StatusOK).field(t, "runs").([]any) {
		ids = append(ids, run.(map[string]any)["id"].(string))
	}
	return strings.Join(ids, " ")
}

// TestRunsOfAllWorkflowsAreListed: by what they are, were started with and wait for, each filter
// alone and by the workflow's own list; and a run says all that the list shows of it.
func TestRunsOfAllWorkflowsAreListed(t *testing.T) {
	s := newStack(t)
	flow, other := s.create(parked, `"slug":"waits"`), s.create(trivial, `"slug":"ends"`)
	labelled := s.post("/api/workflows/"+flow+"/run", `{"labels":{"customer":"acme","env":"prod"}}`).want(t, http.StatusAccepted).text(t, "run_id")
	plain := s.start(other, "")
	s.until(labelled, "waiting")
	s.until(plain, "completed")
	for path, want := range map[string]string{
		"":                                      plain + " " + labelled,
		"?order=created":                        labelled + " " + plain,
		"?order=-ended":                         plain,
		"?order=-duration":                      plain,
		"?status=waiting,paused":                labelled,
		"?status=failed":                        "",
		"?workflow=waits,ends&status=completed": plain,
		"?workflow=waits":                       labelled,
		"?label.customer=acme":                  labelled,
		"?label.customer=acme&label.env=test":   "",
		"?q=acme":                               labelled,
		"?q=" + plain:                           plain,
		"?q=acm":                                "",
		"?error_code=timeout":                   "",
		"?min_duration=3600":                    "",
		"?version=1&workflow=ends":              plain,
		"?created_before=2020-01-01T00:00:00Z":  "",
		"?trigger=manual,api&limit=1":           plain,
		"?schedule_id=sched_none":               "",
		"?tag=none":                             "",
	} {
		if got := s.get("/api/workflows/runs" + path).listed(t); got != want {
			t.Errorf("%s lists %q, not %q", path, got, want)
		}
	}
	list := s.get("/api/workflows/waits/runs?label.env=prod&version=v1").want(t, http.StatusOK)
	for field, want := range map[string]any{"slug": "waits", "id": flow} {
		if got := list.field(t, "runs", 0, "workflow", field); got != want {
			t.Errorf("workflow.%s is %v", field, got)
		}
	}
	if got := list.field(t, "runs", 0, "waiting_for", "kind"); got != "timer" {
		t.Errorf("it waits for %v: %s", got, list.body)
	}
	if got := list.field(t, "runs", 0, "labels", "customer"); got != "acme" {
		t.Errorf("its label is %v", got)
	}
	starter := list.field(t, "runs", 0, "started_by", "id").(string)
	if got := s.get("/api/workflows/runs?started_by=" + starter).listed(t); got != plain+" "+labelled {
		t.Errorf("%s started %q", starter, got)
	}
}

// TestRunListsRefuseWhatCannotBe: a filter that is not understood is never an empty list.
func TestRunListsRefuseWhatCannotBe(t *testing.T) {
	s := newStack(t)
	s.create(trivial, `"slug":"one"`)
	for _, query := range []string{
		"status=sleeping", "status=failed,", "trigger=hand", "order=newest", "min_duration=-1", "max_duration=NaN", "min_duration=1e12", "created_after=monday",
		"version=1", "workflow=" + strings.Repeat("one,", 20) + "one", "q=" + strings.Repeat("x", 201), "label.=x", "label=x",
		"label.a=1&label.b=1&label.c=1&label.d=1&label.e=1&label.f=1", "offset=1",
	} {
		if r := s.get("/api/workflows/runs?" + query); r.status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", query, r.status, r.body)
		}
	}
	s.get("/api/workflows/runs?workflow=nowhere").want(t, http.StatusNotFound)
	s.get("/api/workflows/one/runs?version=9").want(t, http.StatusNotFound)
	s.get("/api/workflows/one/runs?offset=1&q=x").want(t, http.StatusBadRequest)
	for _, labels := range []string{`{"":"x"}`, `{"a b":"x"}`, `{"a":""}`, `{"a":"` + strings.Repeat("x", 201) + `"}`, `{"a":"\n"}`} {
		if r := s.post("/api/workflows/one/run", `{"labels":`+labels+`}`); r.status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d %s", labels, r.status, r.body)
		}
	}
	if r := s.get("/api/workflows/runs?label." + url.QueryEscape("a b") + "=1"); r.listed(t) != "" {
		t.Errorf("a label that cannot be: %s", r.body)
	}
}

// TestTheFirstWrongFilterIsNamed: of several it is always the same one.
func TestTheFirstWrongFilterIsNamed(t *testing.T) {
	s := newStack(t)
	want := s.get("/api/workflows/runs?min_duration=x&max_duration=x&created_after=x&created_before=x&ended_after=x&ended_before=x").wantCode(t, http.StatusBadRequest, "invalid_request").text(t, "message")
	if !strings.HasPrefix(want, "created_after") {
		t.Errorf("first is %s", want)
	}
	for range 20 {
		if got := s.get("/api/workflows/runs?ended_before=x&ended_after=x&created_before=x&created_after=x").text(t, "message"); got != want {
			t.Fatalf("%s, and before %s", got, want)
		}
	}
}
