package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"heddle/client"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// awaitedInFlight is how many runs are started and awaited at one time, each over a
// connection of its own.
const awaitedInFlight = 50

// awaitedCase measures real work as clients see it: runs of three http_requests in a row to a
// receiver that answers at once, each started by POST and awaited over its event stream.
// The server is a process of its own with slots for all of them, so that its CPU time is
// measured without that of client and receiver.
//
//	awaited    …/s   p50 …  p99 …   … runs of three http_requests, 50 in flight: server CPU …
//	           a run, … rows, … transactions
//
// CPU is what the figure is to be judged by where other work shares the machine. Rows are
// those of the journal and the run's own; transactions are group commits over runs.
func awaitedCase(ctx context.Context, b *session) error {
	return b.awaitedBy(ctx, "awaited", awaitedInFlight, b.plan.Runs)
}

// awaitedAloneCase is awaited with one run at a time: the latency on a server with nothing else
// to do.
func awaitedAloneCase(ctx context.Context, b *session) error {
	return b.awaitedBy(ctx, "awaited-1", 1, min(b.plan.Runs, 1000))
}

// awaitedBy measures and prints one of the cases above.
func (b *session) awaitedBy(ctx context.Context, name string, workers, runs int) error {
	f, err := b.awaitRuns(ctx, workers, runs)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	n := len(f.all)
	b.printf("%-10s %-14s %s   %d runs of three http_requests, %d in flight: server CPU %s a run, %.1f rows, %.2f transactions",
		name, perSecond(n, f.took), f.all, n, workers, millis(f.cpu/time.Duration(n)), float64(f.rows)/float64(n), float64(f.commits)/float64(n))
	return b.raw(ctx)
}

// awaitedFigures are what runs that were started and awaited cost together.
type awaitedFigures struct {
	all     latencies // one of each run
	took    time.Duration
	cpu     time.Duration // of the server
	rows    int64         // of journals and of the runs themselves
	commits int64         // group commits of runs
}

// awaitRuns starts and awaits runs, each of workers one after another, on a fresh server.
// It fails unless each stream ended with a completed run and exactly three requests of each
// arrived.
func (b *session) awaitRuns(ctx context.Context, workers, runs int) (f awaitedFigures, err error) {
	r, stop, err := receiveAtOnce(ctx)
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, stop()) }()
	// With the default limits the figure would be that of the queue.
	limit := strconv.Itoa(2 * awaitedInFlight)
	s, err := b.server(ctx, "HEDDLE_EGRESS_ALLOW=127.0.0.1", "WORKFLOW_MAX_CONCURRENT_RUNS="+limit)
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	workflow, err := s.client.Workflows.Add(ctx, threeRequests(r.url), "")
	if err != nil {
		return f, err
	}
	// The first runs dial connections, fill caches and grow stacks.
	if _, _, err = repeat(ctx, 2*workers, workers, b.plan.Seconds, func(ctx context.Context) error { _, err := s.startAndAwait(ctx, workflow); return err }); err != nil {
		return f, err
	}
	warm := r.requests.Load()
	before, err := s.usage(ctx)
	if err != nil {
		return f, err
	}
	var rows atomic.Int64
	f.all, f.took, err = repeat(ctx, runs, workers, b.plan.Seconds, func(ctx context.Context) error {
		seq, err := s.startAndAwait(ctx, workflow)
		rows.Add(seq + 1)
		return err
	})
	if err != nil {
		return f, err
	}
	after, err := s.usage(ctx)
	if err != nil {
		return f, err
	}
	if got := r.requests.Load() - warm; got != int64(3*len(f.all)) {
		return f, fmt.Errorf("%d requests of %d runs arrived", got, len(f.all))
	}
	f.cpu, f.rows, f.commits = after.cpu-before.cpu, rows.Load(), after.commits-before.commits
	return f, nil
}

// threeRequests returns the workflow of three http_requests to url, each of which waits
// for the one before.
func threeRequests(url string) json.RawMessage {
	text := `{"name":"Three requests","steps":[
		{"id":"a","type":"http_request","config":{"url":"URL"}},
		{"id":"b","type":"http_request","depends_on":["a"],"config":{"url":"URL"}},
		{"id":"c","type":"http_request","depends_on":["b"],"config":{"url":"URL"}}]}`
	return json.RawMessage(strings.ReplaceAll(text, "URL", url))
}

// startAndAwait starts a run over HTTP and reads its stream to the end, as clients do. It
// returns the number of the run's last event; a run that did not complete is an error.
func (s *serverProcess) startAndAwait(ctx context.Context, workflow string) (seq int64, err error) {
	id, err := s.client.Runs.StartWith(ctx, workflow, nil, "")
	if err != nil {
		return 0, err
	}
	last := ""
	err = s.client.Runs.Follow(ctx, id, 0, func(f client.Frame) error {
		seq, last = f.ID, f.Event
		return nil
	})

	if err == nil && last != "run_completed" {
		err = fmt.Errorf("the stream of run %s ended after %q", id, last)
	}
	return seq, err
}

// receiveAtOnce starts a receiver that answers without a delay; see receive.
func receiveAtOnce(ctx context.Context) (*receiver, func() error, error) {
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	r := &receiver{url: "http://" + ln.Addr().String() + "/"}
	srv := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		r.requests.Add(1)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"ok":true}`)
	})}
	go func() { _ = srv.Serve(ln) }()
	return r, srv.Close, nil
}
