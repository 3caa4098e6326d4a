package api_test

import (
	"fmt"
	"heddle/api"
	"heddle/executor"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestRunsAreCountedByTime: what started and ended, how long it took, what is open; by workflow
// and version, for those who may see only some.
func TestRunsAreCountedByTime(t *testing.T) {
	now := time.Date(2026, 3, 29, 12, 34, 56, 0, time.UTC)
	s := newStack(t, func(a *api.Config, c *executor.Config) {
		a.Now = func() time.Time { return now }
		c.Now = a.Now
	})
	good := s.create(`{"name":"Good","steps":[{"id":"a","type":"condition","config":{"expression":"true"}}]}`, "")
	bad := s.create(`{"name":"Bad","steps":[{"id":"a","type":"condition","config":{"expression":"input.x.y > 1"}}]}`, "")
	waits := s.create(`{"name":"Waits","steps":[{"id":"a","type":"wait","config":{"signal":{"name":"go"}}}]}`, "")
	for _, id := range []string{good, good, bad} {
		run := s.start(id, "")
		s.until(run, map[string]string{good: "completed", bad: "failed"}[id])
	}
	s.until(s.start(waits, ""), "waiting")
	base := "/api/workflows/runs/stats"
	all := s.get(base).want(t, 200)
	buckets, _ := all.field(t, "buckets").([]any)
	if len(buckets) != 24 || all.text(t, "from") != "2026-03-28T13:00:00.000Z" || all.text(t, "to") != "2026-03-29T13:00:00.000Z" || all.text(t, "bucket") != "1h" {
		t.Fatalf("%d buckets: %s", len(buckets), all.body)
	}
	last := func(got response) string {
		t.Helper()
		list, _ := got.field(t, "buckets").([]any)
		at := len(list) - 1
		var words []string
		for _, name := range []string{"at", "started", "completed", "failed", "cancelled"} {
			words = append(words, fmt.Sprint(got.field(t, "buckets", at, name)))
		}
		return strings.Join(append(words, fmt.Sprint(got.field(t, "buckets", at, "p50") != nil)), " ")
	}
	for query, want := range map[string]string{
		"":                              "2026-03-29T12:00:00.000Z 4 2 1 0 true",
		"?bucket=1d":                    "2026-03-29T00:00:00.000Z 4 2 1 0 true",
		"?bucket=5m":                    "2026-03-29T12:30:00.000Z 4 2 1 0 true",
		"?workflow=" + good:             "2026-03-29T12:00:00.000Z 2 2 0 0 true",
		"?workflow=" + bad + "," + good: "2026-03-29T12:00:00.000Z 3 2 1 0 true",
		"?workflow=" + waits:            "2026-03-29T12:00:00.000Z 1 0 0 0 false",
		"?trigger=schedule":             "2026-03-29T12:00:00.000Z 0 0 0 0 false",
		"?version=2&workflow=" + good:   "2026-03-29T12:00:00.000Z 0 0 0 0 false",
		"?by=version&workflow=" + bad:   "2026-03-29T12:00:00.000Z 1 0 1 0 true",
	} {
		if got := last(s.get(base+query).want(t, 200)); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
	if by, _ := s.get(base+"?by=workflow").want(t, 200).field(t, "buckets").([]any); len(by) != 3 {
		t.Errorf("by workflow: %v", by)
	}
	if all.field(t, "open", "waiting") != jsonNumber(1) || all.field(t, "open", "queued") != jsonNumber(0) {
		t.Errorf("open: %s", all.body)
	}
	if all.field(t, "slots", "of") == nil || all.field(t, "slots", "queued_oldest_seconds") != nil {
		t.Errorf("slots: %s", all.body)
	}
	for _, wrong := range []string{
		"bucket=2h", "by=day", "version=1", "by=version", "trigger=cron", "from=x", "from=2026-03-29T13:00:00Z&to=2026-03-29T12:00:00Z",
		"from=2020-01-01T00:00:00Z", "bucket=5m&from=2026-03-20T00:00:00Z&to=2026-03-20T01:00:00Z", "limit=5",
	} {
		s.get(base+"?"+wrong).wantCode(t, 400, "invalid_request")
	}
	s.get(base+"?workflow=unknown").wantCode(t, 404, "workflow_not_found")
	admin := s.admin
	s.admin = s.grantee("reader", good, `"view"`)
	for query, want := range map[string]string{
		"":                              "2026-03-29T12:00:00.000Z 2 2 0 0 true",
		"?workflow=" + good + "," + bad: "2026-03-29T12:00:00.000Z 2 2 0 0 true",
		"?workflow=" + bad:              "2026-03-29T12:00:00.000Z 0 0 0 0 false",
	} {
		got := s.get(base+query).want(t, 200)
		if last(got) != want || got.field(t, "open", "waiting") != jsonNumber(0) {
			t.Errorf("who may view one workflow asks %q and sees %s", query, got.body)
		}
	}
	s.admin = admin
	s.admin = s.tenant("other")
	if got := last(s.get(base).want(t, 200)); got != "2026-03-29T12:00:00.000Z 0 0 0 0 false" {
		t.Errorf("another tenant sees %s", got)
	}
}

// TestAListOfWorkflowsSaysHowTheyGo: how the last runs ended, what is open, what failed today,
// when it is due next, whether a version is unpublished.
func TestAListOfWorkflowsSaysHowTheyGo(t *testing.T) {
	s := newStack(t)
	flaky := s.create(`{"name":"Flaky","input":{"type":"object","properties":{"n":{"type":"integer"}}},"steps":[{"id":"a","type":"condition","config":{"expression":"10 / input.n > 1"}}]}`, `"slug":"flaky"`)
	s.create(`{"name":"New","steps":[{"id":"a","type":"wait","config":{"signal":{"name":"go"}}}]}`, `"slug":"new"`)
	s.until(s.start(flaky, `{"input_data":{"n":5}}`), "completed")
	last := s.start(flaky, `{}`)
	s.until(last, "failed")
	s.until(s.start("new", ""), "waiting")
	s.do(request{method: "PUT", path: "/api/workflows/flaky", body: `{"publish":false,"definition":{"name":"Flaky","steps":[{"id":"b","type":"condition","config":{"expression":"true"}}]}}`}).want(t, 200)
	due := s.post("/api/workflows/new/schedules", `{"cron_expression":"0 3 * * *"}`).want(t, 201)
	list := s.get("/api/workflows").want(t, 200)
	at := map[string]int{}
	for i := range 2 {
		at[list.text(t, "workflows", i, "slug")] = i
	}
	of := func(slug string, path ...any) any {
		return list.field(t, append([]any{"workflows", at[slug]}, path...)...)
	}
	if got := fmt.Sprint(of("flaky", "recent"), of("flaky", "last_run", "id"), of("flaky", "last_run", "status"), of("flaky", "open_runs"), of("flaky", "unpublished"), of("flaky", "next_run_at")); got != fmt.Sprint([]any{"failed", "completed"}, last, "failed", jsonNumber(0), true, nil) {
		t.Errorf("flaky: %s", got)
	}
	if of("flaky", "failed_24h") != jsonNumber(1) {
		t.Errorf("failed_24h %v", of("flaky", "failed_24h"))
	}
	if got := fmt.Sprint(of("new", "recent"), of("new", "last_run"), of("new", "open_runs"), of("new", "unpublished"), of("new", "next_run_at")); got != fmt.Sprint([]any{}, nil, jsonNumber(1), false, due.text(t, "schedule", "next_run_at")) {
		t.Errorf("new: %s", got)
	}
}

// Lists of workflows are filtered by several tags, template and health and ordered by name, and say
// who has a draft.
func TestListsOfWorkflowsAreFilteredFurther(t *testing.T) {
	onBothStores(t, func(t *testing.T, s *stack) {
		s.t = t
		s.create(failing("input.n.m > 1"), `"slug":"beta","tags":["a","b"]`)
		s.create(trivial, `"slug":"alpha","tags":["a"]`)
		s.until(s.start("beta", `{"input_data":{"n":1}}`), "failed")
		s.do(request{method: "PUT", path: "/api/workflows/alpha/draft", body: `{"source":{"format":"yaml","text":"name: X"}}`}).want(t, http.StatusOK)
		list := func(query string) response { return s.get("/api/workflows"+query).want(t, http.StatusOK) }
		slugs := func(query string) string {
			text := ""
			for _, row := range list(query).field(t, "workflows").([]any) {
				text += row.(map[string]any)["slug"].(string)
			}
			return text
		}
		for query, want := range map[string]string{
			"": "alphabeta", "?tag=a": "alphabeta", "?tag=a&tag=b": "beta", "?tag=b&tag=c": "", "?health=failing": "beta", "?template_id=tpl_none": "", "?order=-updated": "alphabeta", "?health=failing&tag=a&order=name": "beta",
		} {
			if got := slugs(query); got != want {
				t.Errorf("%s lists %s, not %s", query, got, want)
			}
		}
		if got := len(slugs("?order=name")); got != len("alphabeta") {
			t.Errorf("by name %d letters are listed", got)
		}
		if got := list("?tag=a&tag=a"); got.text(t, "workflows", 0, "draft", "by", "type") != "key" || got.field(t, "workflows", 1, "draft") != nil {
			t.Errorf("%s", got.body)
		}
		for _, query := range []string{"?order=-last_run", "?health=late", "?tag=1" + strings.Repeat("&tag=a", 10), "?status=active&status=draft", "?health=failing&offset=1"} {
			s.get("/api/workflows"+query).wantCode(t, http.StatusBadRequest, "invalid_request")
		}
	})
}
