package main

import (
	"encoding/json"
	"heddle/client"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// scrape reads /metrics without a key, as Prometheus does.
func scrape(t *testing.T, base string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	// What Prometheus sends when it would like protobuf better.
	req.Header.Set("Accept", "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,text/plain;version=0.0.4;q=0.3")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/plain; version=0.0.4") {
		t.Fatalf("%v %d %v", err, resp.StatusCode, resp.Header)
	}
	return string(body)
}

// The wired product counts what it does, and no metric names a tenant.
func TestMetricsOfTheProduct(t *testing.T) {
	s := newTestServer(t)
	id, err := s.c.Workflows.Add(t.Context(), json.RawMessage(oneStep), "")
	if err != nil {
		t.Fatal(err)
	}
	run, err := s.c.Runs.StartWith(t.Context(), id, nil, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.c.Runs.Follow(t.Context(), run, 0, func(client.Frame) error { return nil }); err != nil {
		t.Fatal(err)
	}
	var made struct {
		ID string `json:"schedule_id"`
	}
	ask := func(method, path string, body, answer any) {
		t.Helper()
		if err := s.c.Do(t.Context(), client.Request{Method: method, Path: path, Body: body}, answer); err != nil {
			t.Fatal(err)
		}
	}
	ask(http.MethodPost, "/api/workflows/"+id+"/schedules", map[string]string{"cron_expression": "@yearly"}, &made)
	ask(http.MethodPost, "/api/workflows/schedules/"+made.ID+"/trigger", nil, nil)
	_ = s.c.Do(t.Context(), client.Request{Method: http.MethodGet, Path: "/nowhere/" + id}, nil)

	text := scrape(t, s.c.URL())
	for _, want := range []string{
		`heddle_http_requests_total{method="POST",route="/api/workflows/{id}/run",status="202"} 1`,
		`heddle_http_requests_total{method="GET",route="/api/workflows/runs/{run_id}/stream",status="200"} 1`,
		`heddle_http_requests_total{method="any",route="none",status="404"} 1`,
		`heddle_http_request_seconds_count{method="POST",route="/api/workflows"} 1`,
		`heddle_runs_started_total{trigger="manual"} 2`,
		`heddle_runs_ended_total{state="completed"} 2`,
		`heddle_schedule_due_times_total{origin="trigger",outcome="fired",reason=""} 1`,
		`heddle_sse_streams 0`, `heddle_clock_offset_seconds `, `heddle_schedules_wait_for_clock 0`, `heddle_runs_queued 0`, `heddle_lease_held 1`, `heddle_slots 10`, `heddle_slots_used 0`,
		`heddle_commit_seconds_count{of="schedules"} 1`, "heddle_commit_group_size_bucket{of=\"runs\",le=\"1\"}",
		"go_goroutines ", "process_resident_memory_bytes ", `heddle_build_info{version="`,
	} {
		if !strings.Contains(text, "\n"+want) {
			t.Errorf("no %s", want)
		}
	}
	if found := regexp.MustCompile(`[0-9a-f]{24}|nowhere`).FindString(text); found != "" {
		t.Errorf("the measures name %s", found)
	}
}
