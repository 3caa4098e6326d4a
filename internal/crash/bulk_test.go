package crash

import (
	"context"
	"database/sql"
	"fmt"
	"heddle/client"
	"heddle/internal/await"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"
)

// bulkRuns returns how many runs a job is about: HEDDLE_CRASH_RUNS, or otherwise.
func bulkRuns(t *testing.T, otherwise int) int {
	t.Helper()
	text := os.Getenv("HEDDLE_CRASH_RUNS")
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 100 {
		t.Fatalf("HEDDLE_CRASH_RUNS is %q, not a number from 100", text)
	}
	return n
}

// job is a job as its page shows it.
type job struct {
	Status   string `json:"status"`
	Progress struct{ Total, Done, Failed, Skipped int }
}

// jobs are the clients' side of bulk jobs.
type jobs struct {
	t   *testing.T
	ctx context.Context //nolint:containedctx // the test's, for helpers that would all take it
	n   int
}

func newJobs(t *testing.T, runs int) *jobs {
	t.Helper()
	n := bulkRuns(t, runs)
	// A job takes a second for each hundred.
	ctx, cancel := context.WithTimeout(t.Context(), await.Patience+time.Duration(n)*30*time.Millisecond)
	t.Cleanup(cancel)
	return &jobs{t, ctx, n}
}

// begin starts n runs that wait, and returns a job that cancels them.
func (j *jobs) begin(c *client.Client) string {
	j.t.Helper()
	workflow, err := c.Workflows.Add(j.ctx, map[string]any{"name": "Waits", "steps": []any{
		map[string]any{"id": "w", "type": "wait", "config": map[string]any{"signal": map[string]any{"name": "go"}}},
	}}, "")
	if err != nil {
		j.t.Fatal(err)
	}
	numbers, failed := make(chan int), make(chan error, 16)
	var all sync.WaitGroup
	for range cap(failed) {
		all.Go(func() {
			for n := range numbers {
				if _, err := c.Runs.StartWith(j.ctx, workflow, nil, fmt.Sprint("waits-", n)); err != nil {
					select {
					case failed <- err:
					default:
					}
				}
			}
		})
	}
	for n := range j.n {
		numbers <- n
	}
	close(numbers)
	all.Wait()
	select {
	case err := <-failed:
		j.t.Fatal(err)
	default:
	}
	return j.accept(c, map[string]any{
		"action": "cancel", "filter": map[string]any{"workflow": workflow}, "expected": j.n, "reason": "a test",
	})
}

// accept makes a job and returns its id.
func (j *jobs) accept(c *client.Client, body map[string]any) string {
	j.t.Helper()
	var made struct {
		JobID string `json:"job_id"`
	}
	err := c.Do(j.ctx, client.Request{Method: http.MethodPost, Path: "/api/workflows/runs/bulk", Body: body, Key: fmt.Sprint(body["action"])}, &made)
	if err != nil {
		j.t.Fatal(err)
	}
	return made.JobID
}

// until looks at a job until it is as wanted, and returns it. A server that does not answer is
// looked at again: it may have become the other node's turn.
func (j *jobs) until(c *client.Client, id, what string, holds func(job) bool) job {
	j.t.Helper()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		var got struct{ Job job }
		err := c.Do(j.ctx, client.Request{Method: http.MethodGet, Path: "/api/workflows/jobs/" + id}, &got)
		if err == nil && holds(got.Job) {
			return got.Job
		}
		select {
		case <-again.C:
		case <-j.ctx.Done():
			j.t.Fatalf("never %s: %+v, %v", what, got.Job, err)
		}
	}
}

// cancelledOnce checks the journal of every run, in the database of servers that have ended.
func (j *jobs) cancelledOnce(driver, url string) {
	j.t.Helper()
	db, err := sql.Open(driver, url)
	if err != nil {
		j.t.Fatal(err)
	}
	defer db.Close()
	for text, want := range map[string]int{
		"SELECT count(*) FROM runs":                                                  j.n,
		"SELECT count(*) FROM runs WHERE state = 'cancelled'":                        j.n,
		"SELECT count(*) FROM run_events WHERE kind = 'run_cancelled'":               j.n,
		"SELECT count(DISTINCT run_id) FROM run_events WHERE kind = 'run_cancelled'": j.n,
		"SELECT count(*) FROM audit_entries WHERE action = 'job.create'":             1,
		"SELECT count(*) FROM audit_entries WHERE action = 'run.cancel'":             0,
	} {
		got := -1
		if err := db.QueryRowContext(j.ctx, text).Scan(&got); err != nil || got != want {
			j.t.Errorf("%s: %d, want %d (%v)", text, got, want, err)
		}
	}
}

// TestBulkSQLite: the process is killed while a job is under way, at random moments and between
// a commit and what follows it; the next one goes on with the job.
func TestBulkSQLite(t *testing.T) {
	t.Parallel()
	j := newJobs(t, 10_000)
	file := filepath.Join(t.TempDir(), "heddle.db")
	bin, env := build(t), environment("sqlite://"+file, "127.0.0.1:1")
	start := func(more ...string) (*server, *client.Client) {
		s, err := launch(j.ctx, bin, append(slices.Clip(env), more...))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.kill)
		return s, client.New(s.base, adminKey, client.WithAttempts(1))
	}
	s, c := start()
	id := j.begin(c)
	for part := 1; part <= 3; part++ {
		j.until(c, id, "under way", func(got job) bool { return got.Progress.Done >= part*j.n/8 })
		s.kill()
		// The next one dies by itself, soon after a commit.
		s, _ = start(fmt.Sprintf("HEDDLE_TEST_CRASH=after_commit:%d", 30*part))
		select {
		case <-s.dead:
		case <-j.ctx.Done():
			t.Fatal("the server never passed its point")
		}
		s, c = start()
	}
	got := j.until(c, id, "complete", func(got job) bool { return got.Status != "running" })
	if got.Status != "completed" || got.Progress.Total != j.n || got.Progress.Done != j.n {
		t.Errorf("the job is %+v", got)
	}
	if err := s.stop(); err != nil {
		t.Error(err)
	}
	j.cancelledOnce("sqlite", file)
}

// TestBulkTakeover: the node that carries a job out is killed, and the other goes on with it.
func TestBulkTakeover(t *testing.T) {
	t.Parallel()
	j := newJobs(t, 2000)
	n := newNodes(t, build(t))
	n.ctx = j.ctx
	leader, c := n.launch("")
	n.leads(leader)
	other, standby := n.launch("")
	id := j.begin(c)
	j.until(standby, id, "under way", func(got job) bool { return got.Progress.Done >= j.n/4 })
	leader.kill()
	got := j.until(standby, id, "complete", func(got job) bool { return got.Status != "running" })
	if got.Status != "completed" || got.Progress.Total != j.n || got.Progress.Done != j.n {
		t.Errorf("the job is %+v", got)
	}
	if err := other.stop(); err != nil {
		t.Error(err)
	}
	j.cancelledOnce("pgx", n.url)
}
