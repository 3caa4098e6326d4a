package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"heddle/client"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"
)

// parallelRequests is how many http_requests are made at once.
const parallelRequests = 1000

// receiver is an HTTP server that answers each request after answersAfter, and counts
// requests. Its counters may be read while it serves.
type receiver struct {
	url      string
	requests atomic.Int64 // so far
	inFlight atomic.Int64 // requests without an answer yet
	most     atomic.Int64 // highest inFlight so far
}

// answersAfter is long enough for a thousand requests to be in flight at once.
const answersAfter = 250 * time.Millisecond

// ServeHTTP answers 200 with a small JSON object, earlier if the client leaves.
func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.requests.Add(1)
	n := r.inFlight.Add(1)
	defer r.inFlight.Add(-1)
	// Another request may raise most between the load and the swap; then it is compared
	// anew.
	for most := r.most.Load(); n > most && !r.most.CompareAndSwap(most, n); most = r.most.Load() {
	}
	after := time.NewTimer(answersAfter)
	defer after.Stop()
	select {
	case <-after.C:
	// The client has gone, so no answer reaches anyone; the handler ends to free its
	// goroutine.
	case <-req.Context().Done():
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write([]byte(`{"ok":true}`))
}

// receive starts a receiver on a free port, and returns it with the function that closes
// it.
func receive(ctx context.Context) (*receiver, func() error, error) {
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	r := &receiver{url: "http://" + ln.Addr().String() + "/"}
	srv := &http.Server{Handler: r, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = srv.Serve(ln) }()
	return r, srv.Close, nil
}

// parallelStepsCase measures one run whose steps all begin at once.
func parallelStepsCase(ctx context.Context, b *session) error {
	return b.parallel(ctx, "steps-1k", "one run of 1,000 steps", func(url string) json.RawMessage { return requests(url, parallelRequests) },
		func(ctx context.Context, s *serverProcess, workflow string) ([]string, error) {
			id, err := s.client.Runs.StartWith(ctx, workflow, nil, "")
			return []string{id}, err
		})
}

// parallelRunsCase measures runs of one step each, started over 50 connections.
func parallelRunsCase(ctx context.Context, b *session) error {
	return b.parallel(ctx, "runs-1k", "1,000 runs of one step", func(url string) json.RawMessage { return requests(url, 1) },
		func(ctx context.Context, s *serverProcess, workflow string) ([]string, error) {
			// Buffered for all of them, so that no worker waits for a reader.
			ids := make(chan string, parallelRequests)
			_, _, err := repeat(ctx, parallelRequests, 50, 60, func(ctx context.Context) error {
				id, err := s.client.Runs.StartWith(ctx, workflow, nil, "")
				ids <- id
				return err
			})
			close(ids)
			var all []string
			for id := range ids {
				all = append(all, id)
			}
			return all, err
		})
}

// requests returns a workflow of n http_requests to url, none of which waits for
// another.
func requests(url string, n int) json.RawMessage {
	list := make([]map[string]any, n)
	for i := range list {
		list[i] = map[string]any{"id": "s" + strconv.Itoa(i), "type": "http_request", "config": map[string]string{"url": url}}
	}
	text, _ := json.Marshal(map[string]any{"name": "Parallel", "steps": list}) // strings and lists always encode
	return text
}

// parallel measures parallelRequests requests, from the first start until all runs have
// completed, on a server whose limits admit all of them at once. definition returns the
// workflow for the receiver's URL; start starts its runs and returns their ids. It fails
// unless exactly that many requests arrived.
//
//	steps-1k   …/s   one run of 1,000 steps: … in all, a request (its answer takes
//	           250ms) p50 …  p99 …, 1000 at once, resident … → … MiB at most
func (b *session) parallel(ctx context.Context, name, what string, definition func(url string) json.RawMessage,
	start func(context.Context, *serverProcess, string) ([]string, error),
) (err error) {
	// In this process: the server's memory is measured without it.
	r, stop, err := receive(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	// With the default limits the figure would be that of the queue.
	limit := strconv.Itoa(parallelRequests)
	s, err := b.server(ctx, "HEDDLE_EGRESS_ALLOW=127.0.0.1", "HEDDLE_MAX_STEPS="+limit, "WORKFLOW_MAX_CONCURRENT_RUNS="+limit)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	workflow, err := s.client.Workflows.Add(ctx, definition(r.url), "")
	if err != nil {
		return err
	}
	// Before the first request, so that the difference is that of the requests.
	before, _, err := s.memory()
	if err != nil {
		return err
	}
	began := time.Now()
	ids, err := start(ctx, s, workflow)
	for _, id := range ids {
		if err == nil {
			err = s.client.Runs.Follow(ctx, id, 0, func(client.Frame) error { return nil })
		}
	}
	if err != nil {
		return err
	}
	took := time.Since(began)
	// After the clock has stopped: reading them is not part of the figure.
	steps, err := s.stepTimes(ctx, ids)
	if err != nil {
		return err
	}
	_, peak, err := s.memory()
	if err != nil {
		return err
	}
	// More would mean that a request was repeated, fewer that a run completed without one.
	if n := r.requests.Load(); n != parallelRequests {
		return fmt.Errorf("%s: %d requests arrived", name, n)
	}
	b.printf("%-10s %-14s %s: %s in all, a request (its answer takes %s) %s, %d at once, resident %d → %d MiB at most",
		name, perSecond(parallelRequests, took), what, took.Round(time.Millisecond), answersAfter, steps, r.most.Load(), before>>20, peak>>20)
	return nil
}

// stepTimes returns how long each step of the runs took, as the server reports it. A
// step that did not complete is an error.
func (s *serverProcess) stepTimes(ctx context.Context, runs []string) (latencies, error) {
	var all latencies
	for _, id := range runs {
		var answer struct {
			Run struct {
				StepRuns []struct {
					Status          string
					DurationSeconds float64 `json:"duration_seconds"`
				} `json:"step_runs"`
			}
		}
		if err := s.client.Do(ctx, client.Request{Method: http.MethodGet, Path: "/api/workflows/runs/" + id}, &answer); err != nil {
			return nil, err
		}
		for _, step := range answer.Run.StepRuns {
			if step.Status != "completed" {
				return nil, fmt.Errorf("a step of run %s is %s", id, step.Status)
			}
			all = append(all, time.Duration(step.DurationSeconds*float64(time.Second)))
		}
	}
	return all, nil
}
