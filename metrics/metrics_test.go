package metrics_test

import (
	"context"
	"errors"
	"heddle/events"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/executor/queue"
	"heddle/fault"
	"heddle/metrics"
	"heddle/schedules"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

// scrape reads the measures as Prometheus does.
func scrape(t *testing.T, m *metrics.Metrics) []string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if w.Code != http.StatusOK || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/plain; version=0.0.4") {
		t.Fatalf("%d %v", w.Code, w.Header())
	}
	return strings.Split(w.Body.String(), "\n")
}

func wantLines(t *testing.T, m *metrics.Metrics, want ...string) {
	t.Helper()
	got := scrape(t, m)
	for _, line := range want {
		if !slices.Contains(got, line) {
			name, _, _ := strings.Cut(line, "{")
			t.Errorf("no line %s; there are\n%s", line, strings.Join(slices.DeleteFunc(slices.Clone(got), func(l string) bool {
				return !strings.HasPrefix(l, strings.Fields(name)[0])
			}), "\n"))
		}
	}
}

var errAway = fault.New(fault.Unavailable, "store_unavailable", "away")

// runStore answers what a test says.
type runStore struct {
	executor.Store
	errs []error
}

func (s runStore) Commit(context.Context, int64, []executor.Commit) []error { return s.errs }
func (s runStore) AcquireLease(context.Context, string, time.Time, time.Duration) (int64, error) {
	return 0, executor.ErrLeaseHeld
}

func (s runStore) QueuedRuns(context.Context, queue.Workflow, bool, int) ([]queue.Run, error) {
	return nil, errAway
}

func TestCommits(t *testing.T) {
	m := metrics.New("test")
	s := m.Runs(runStore{errs: []error{nil, nil, executor.ErrFenced, errAway, errors.New("disk full")}})
	begun := executor.Commit{Row: executor.Record{Header: machine.Header{Trigger: "webhook"}, State: machine.Failed}, Events: []events.Event{{Kind: events.RunFailed}}}
	ended := executor.Commit{Row: executor.Record{State: machine.Completed}, Expected: 4, Events: []events.Event{{Kind: events.RunCompleted}}}
	s.Commit(t.Context(), 1, []executor.Commit{begun, ended, begun, begun, ended})
	_, _ = s.AcquireLease(t.Context(), "", time.Time{}, 0)
	_, _ = s.QueuedRuns(t.Context(), queue.Workflow{}, false, 1)
	wantLines(t, m,
		`heddle_runs_started_total{trigger="webhook"} 1`, `heddle_runs_started_total{trigger="manual"} 0`,
		`heddle_runs_ended_total{state="failed"} 1`, `heddle_runs_ended_total{state="completed"} 1`, `heddle_runs_ended_total{state="cancelled"} 0`,
		`heddle_commit_group_size_sum{of="runs"} 5`, `heddle_commit_seconds_count{of="runs"} 1`,
		`heddle_store_errors_total{operation="commit"} 2`, `heddle_store_errors_total{operation="queue"} 1`)
	for _, line := range scrape(t, m) {
		if strings.Contains(line, `operation="lease"`) {
			t.Errorf("a lease that another holds is no error: %s", line)
		}
	}
}

type scheduleStore struct {
	schedules.Store
	errs []error
}

func (s scheduleStore) Fire(context.Context, []schedules.Firing) []error { return s.errs }

func TestFirings(t *testing.T) {
	m := metrics.New("test")
	run := executor.Prepared{Commit: executor.Commit{Row: executor.Record{Header: machine.Header{Trigger: "schedule"}, State: machine.Completed}, Events: []events.Event{{Kind: events.RunCompleted}}}}
	f := schedules.Firing{Runs: []executor.Prepared{run, run}}
	m.Schedules(scheduleStore{errs: []error{nil, schedules.ErrConflict, errAway}}).Fire(t.Context(), []schedules.Firing{f, f, f})
	wantLines(t, m,
		`heddle_runs_started_total{trigger="schedule"} 2`, `heddle_runs_ended_total{state="completed"} 2`,
		`heddle_commit_group_size_sum{of="schedules"} 3`, `heddle_store_errors_total{operation="fire"} 1`)
}

func TestRequests(t *testing.T) {
	m := metrics.New("test")
	m.Request("/api/workflows/{id}", "GET", 200, 3*time.Millisecond)
	m.Request("/api/workflows/runs/{run_id}/stream", "GET", 200, 0)
	m.Request("", "EVIL-"+strings.Repeat("x", 90), 405, time.Second)
	m.Stream(1)
	wantLines(t, m,
		`heddle_http_requests_total{method="GET",route="/api/workflows/{id}",status="200"} 1`,
		`heddle_http_request_seconds_bucket{method="GET",route="/api/workflows/{id}",le="0.005"} 1`,
		`heddle_http_requests_total{method="GET",route="/api/workflows/runs/{run_id}/stream",status="200"} 1`,
		`heddle_http_requests_total{method="any",route="none",status="405"} 1`,
		`heddle_sse_streams 1`, `heddle_build_info{version="test"} 1`)
	for _, line := range scrape(t, m) {
		if strings.Contains(line, "EVIL") || strings.HasPrefix(line, "heddle_http_request_seconds") && strings.Contains(line, "stream") {
			t.Error(line)
		}
	}
}

func (s runStore) Isolate(context.Context, string) error { return nil }

// A successor counts as any run does, and an event of a run that has ended is not
// another end.
func TestRunsAreCountedOnce(t *testing.T) {
	m := metrics.New("test")
	s := m.Runs(runStore{errs: make([]error, 2)})
	ended := executor.Commit{Row: executor.Record{State: machine.Cancelled, Seq: 5}, Expected: 4, Events: []events.Event{{Kind: events.RunCancelled}}}
	ended.With = &executor.Commit{Row: executor.Record{Header: machine.Header{Trigger: "manual"}, State: machine.Queued}}
	late := executor.Commit{Row: executor.Record{State: machine.Cancelled, Seq: 6}, Expected: 5, Events: []events.Event{{Kind: events.StepInterrupted}}}
	s.Commit(t.Context(), 1, []executor.Commit{ended, late})
	wantLines(t, m, `heddle_runs_started_total{trigger="manual"} 1`, `heddle_runs_ended_total{state="cancelled"} 1`)
}

// What is done about runs that kill the process can be watched.
func TestTrials(t *testing.T) {
	m := metrics.New("test")
	wantLines(t, m, `heddle_runs_recovered_alone_total 0`, `heddle_runs_quarantined_total 0`)
	s := m.Runs(runStore{errs: []error{nil, executor.ErrFenced, nil}})
	_ = s.Isolate(t.Context(), "run_1")
	_ = s.Isolate(t.Context(), "run_1")
	convict := executor.Commit{Row: executor.Record{State: machine.Failed, Seq: 5, Error: &machine.Error{Code: "run_quarantined"}}, Expected: 3, Events: []events.Event{{Kind: events.RunFailed}}}
	other := executor.Commit{Row: executor.Record{State: machine.Failed, Seq: 5, Error: &machine.Error{Code: "http_500"}}, Expected: 3}
	s.Commit(t.Context(), 1, []executor.Commit{convict, convict, other})
	wantLines(t, m, `heddle_runs_recovered_alone_total 2`, `heddle_runs_quarantined_total 1`)
}

// queueLength counts how often it is counted.
type queueLength struct{ asked int }

func (q *queueLength) QueueLength(context.Context) (int, error) {
	q.asked++
	return 7, nil
}

func TestLoad(t *testing.T) {
	m, q := metrics.New("test"), &queueLength{}
	exec := executor.New(executor.Config{Hub: events.NewHub(), Now: time.Now, Admission: executor.Admission{MaxRuns: 3}})
	defer exec.Close()
	m.Watch(exec, q)
	scrape(t, m)
	wantLines(t, m, `heddle_runs_queued 7`, `heddle_lease_held 0`, `heddle_slots 3`, `heddle_slots_used 0`, `heddle_steps_in_action 0`)
	if q.asked != 1 {
		t.Errorf("two scrapes in a second counted the queue %d times", q.asked)
	}
}
