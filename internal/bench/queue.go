package bench

import (
	"context"
	"errors"
	"fmt"
	"heddle/client"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// queueSlots is how many runs the queue case lets be in flight at one time.
const queueSlots = 32

// gatedReceiver is an HTTP server that holds its answers until the gate is opened. Each
// request that arrives is announced on arrived, if anyone listens.
type gatedReceiver struct {
	url      string
	gate     chan struct{} // closed: answers go out
	arrived  chan struct{}
	requests atomic.Int64 // so far
}

// ServeHTTP answers 200 with a small JSON object once the gate is open.
func (r *gatedReceiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.requests.Add(1)
	select {
	case r.arrived <- struct{}{}:
	default:
	}
	select {
	case <-r.gate:
	case <-req.Context().Done():
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"ok":true}`)
}

// receiveGated starts a gatedReceiver, and returns it with the function that closes it.
func receiveGated(ctx context.Context, open bool) (*gatedReceiver, func() error, error) {
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	r := &gatedReceiver{url: "http://" + ln.Addr().String() + "/", gate: make(chan struct{}), arrived: make(chan struct{}, 1<<16)}
	if open {
		close(r.gate)
	}
	srv := &http.Server{Handler: r, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = srv.Serve(ln) }()
	return r, srv.Close, nil
}

// queueCase measures what it costs a run to wait for a slot: the server's CPU time of runs of
// one http_request that find a slot, and of as many that are queued behind the first ones,
// whose answers are held until all are stored. Nobody follows the runs.
//
//	queue      …/s   … runs of one http_request: server CPU … a run without a backlog,
//	           … behind one, … times as much
func queueCase(ctx context.Context, b *session) error {
	n := min(b.plan.Runs, 5000)
	// Half of the slots are in flight, so that a run whose end is not stored yet holds up
	// none.
	direct, _, err := b.queued(ctx, n, queueSlots/2)
	if err != nil {
		return err
	}
	behind, took, err := b.queued(ctx, n, n)
	if err != nil {
		return err
	}
	b.printf("queue      %-14s %d runs of one http_request: server CPU %s a run without a backlog, %s behind one, %.2f times as much",
		perSecond(n, took), n, millis(direct), millis(behind), float64(behind)/float64(direct))
	return nil
}

// queued starts n runs of one http_request over 8 connections, with at most ahead of them in
// flight; where that is n, all but the first are queued before any goes on. It returns the
// server's CPU time of a run, and how long the queued ones took from the first answer on. It
// fails unless exactly n requests arrive.
func (b *session) queued(ctx context.Context, n, ahead int) (cpu, took time.Duration, err error) {
	r, stop, err := receiveGated(ctx, ahead < n)
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, stop()) }()
	s, err := b.server(ctx, "HEDDLE_EGRESS_ALLOW=127.0.0.1", "HEDDLE_MAX_PER_HOST=1000", fmt.Sprint("WORKFLOW_MAX_CONCURRENT_RUNS=", queueSlots))
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	workflow, err := s.client.Workflows.Add(ctx, requests(r.url, 1), "")
	if err != nil {
		return 0, 0, err
	}
	before, err := s.usage(ctx)
	if err != nil {
		return 0, 0, err
	}
	room := make(chan struct{}, n)
	for range ahead {
		room <- struct{}{}
	}
	_, _, err = repeat(ctx, n, 8, b.plan.Seconds*4, func(ctx context.Context) error {
		select {
		case <-room:
		case <-r.arrived:
		case <-ctx.Done():
			return ctx.Err()
		}
		_, err := s.client.Runs.StartWith(ctx, workflow, nil, "")
		return err
	})
	if err != nil {
		return 0, 0, err
	}
	began := time.Now()
	if ahead == n {
		close(r.gate)
	}
	if err := s.awaitSettled(ctx, workflow, n); err != nil {
		return 0, 0, err
	}
	took = time.Since(began)
	after, err := s.usage(ctx)
	if err != nil {
		return 0, 0, err
	}
	if got := r.requests.Load(); got != int64(n) {
		return 0, 0, fmt.Errorf("queue: %d requests of %d runs arrived", got, n)
	}
	return (after.cpu - before.cpu) / time.Duration(n), took, nil
}

// awaitSettled waits until n runs of a workflow have completed, looking once in a quarter of
// a second, so that the looks cost the server little.
func (s *serverProcess) awaitSettled(ctx context.Context, workflow string, n int) error {
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	for {
		var list struct {
			Total int `json:"total"`
		}
		err := s.client.Do(ctx, client.Request{
			Method: http.MethodGet, Path: "/api/workflows/" + workflow + "/runs?status=completed&limit=1&offset=0",
		}, &list)
		if err != nil || list.Total >= n {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
