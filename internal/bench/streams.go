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
	"sync"
	"sync/atomic"
	"time"
)

// awaitsGo is a workflow that waits for the signal go, so that its streams stay open.
var awaitsGo = json.RawMessage(`{"name":"Awaits","steps":[{"id":"go","type":"wait","config":{"signal":{"name":"go"}}}]}`)

// streamsCase opens event streams of a server in its own process: half of them of one run,
// the others of a run each. It measures the server's memory, and how long an event of
// the one run takes to reach all its readers while further clients of that run never
// read. It fails where the memory grows by more than streamsWithin.
//
//	streams    1000 streams open in …: resident … → … MiB, peak … MiB;
//	           an event reaches all 500 readers of its run in p50 … (20 readers stalled)
//
// The order is: start the runs, read the memory, open the streams and wait until each
// has caught up, read the memory again, send the events, and read the peak.
func streamsCase(ctx context.Context, b *session) (err error) {
	// Half of the streams share a run, so that both costs show: that of a stream, and that
	// of an event with many readers.
	const n, stalled, signals = 1000, 20, 20
	s, err := b.server(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	// One run with n/2 readers, and n/2 with one each.
	runs, err := s.startRuns(ctx, n/2+1)
	if err != nil {
		return err
	}
	// After the runs are stored: the figure is that of the streams alone.
	before, _, err := s.memory()
	if err != nil {
		return err
	}
	// The readers run in this process, so that their buffers do not count for the server.
	a := &audience{client: s.client, busy: runs[0], arrived: make(map[string]*arrival)}
	reading, stop := context.WithCancel(ctx)
	defer func() { stop(); a.wg.Wait() }()
	began := time.Now()
	for i := range n {
		a.open(reading, runs[max(0, i-n/2+1)])
	}
	// They do not count for ready: nothing is read from them, not even the answer's
	// header.
	for range stalled {
		a.stall(reading)
	}
	if err := a.ready(ctx, n); err != nil {
		return err
	}
	opened := time.Since(began)
	open, _, err := s.memory()
	if err != nil {
		return err
	}
	took, err := a.broadcast(ctx, signals, n/2)
	if err != nil {
		return err
	}
	_, peak, err := s.memory()
	if err != nil {
		return err
	}
	b.printf("%-10s %d streams open in %s: resident %d → %d MiB, peak %d MiB; an event reaches all %d readers of its run in %s (%d readers stalled)",
		"streams", n, opened.Round(time.Millisecond), before>>20, open>>20, peak>>20, n/2, took, stalled)
	if peak-before > streamsWithin {
		return fmt.Errorf("%d streams take %d MiB of memory; they are to stay within %d", n, (peak-before)>>20, streamsWithin>>20)
	}
	return a.err()
}

// streamsWithin is the promised bound of memory for a thousand streams, in bytes, over
// what the server took before they were opened.
const streamsWithin = 64 << 20

// startRuns stores awaitsGo as a workflow, starts n runs of it, and returns their ids.
func (s *serverProcess) startRuns(ctx context.Context, n int) ([]string, error) {
	workflow, err := s.client.Workflows.Add(ctx, awaitsGo, "")
	runs := make([]string, n)
	for i := range runs {
		if err != nil {
			return nil, err
		}
		runs[i], err = s.client.Runs.StartWith(ctx, workflow, nil, "")
	}
	return runs, err
}

// audience is the readers of all streams. Its methods may be called concurrently.
type audience struct {
	client *client.Client
	busy   string         // id of the run that receives signals
	wg     sync.WaitGroup // the readers' goroutines
	opened atomic.Int64   // streams that have shown their run waiting

	mu      sync.Mutex          // guards arrived and failure
	arrived map[string]*arrival // by the signal's payload
	failure error               // the first
}

// arrival counts the readers that an event has not reached yet. audience.mu guards left.
type arrival struct {
	left int
	all  chan struct{} // closed when none is left
}

// open reads a run's stream in a goroutine of its own until ctx ends. A stream that ends
// earlier is a failure.
func (a *audience) open(ctx context.Context, run string) {
	a.wg.Go(func() {
		// The frame step_waiting is the last one of a run at rest: the stream is
		// then open and has caught up.
		waiting := false
		err := a.client.Runs.Follow(ctx, run, 0, func(f client.Frame) error {
			if f.Event == "step_waiting" && !waiting {
				waiting = true
				a.opened.Add(1)
			}
			if f.Event == "signal_received" && run == a.busy {
				a.arrive(f)
			}
			return nil
		})

		if ctx.Err() == nil {
			a.fail(fmt.Errorf("a stream ended: %w", err))
		}
	})
}

// arrive counts a frame of the busy run that carries a signal, by the mark in its
// payload.
func (a *audience) arrive(f client.Frame) {
	a.mu.Lock()
	defer a.mu.Unlock()
	// The payload is searched and not decoded: this runs for every frame of 500 readers.
	for mark, at := range a.arrived {
		if strings.Contains(string(f.Data), mark) {
			if at.left--; at.left == 0 {
				close(at.all)
			}
		}
	}
}

// stall opens a stream of the busy run on a connection with the smallest receive buffer,
// and never reads from it. So the server has to hold what it cannot send. The connection
// is closed when ctx ends.
func (a *audience) stall(ctx context.Context) {
	host := strings.TrimPrefix(a.client.URL(), "http://")
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", host)
	if err != nil {
		a.fail(err)
		return
	}
	context.AfterFunc(ctx, func() { _ = conn.Close() })
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetReadBuffer(1)
	}
	_, err = io.WriteString(conn, "GET /api/workflows/runs/"+a.busy+"/stream HTTP/1.1\r\nHost: "+host+"\r\nAuthorization: Bearer "+a.client.Key()+"\r\n\r\n")
	if err != nil {
		a.fail(err)
	}
}

// fail keeps the first failure.
func (a *audience) fail(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.failure == nil {
		a.failure = err
	}
}

// err returns the first failure; nil: there is none.
func (a *audience) err() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.failure
}

// ready waits until n streams have delivered the events so far, and returns the first
// failure of any.
func (a *audience) ready(ctx context.Context, n int) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for a.opened.Load() < int64(n) && a.err() == nil {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return a.err()
}

// broadcast sends signals that no step waits for, one after another, and returns for
// each the time from its request to its arrival at the last reader. One that does not
// reach all within 20 seconds is an error.
func (a *audience) broadcast(ctx context.Context, signals, readers int) (latencies, error) {
	var took latencies
	for i := range signals {
		mark := "mark-" + strconv.Itoa(i) + "-"
		at := &arrival{left: readers, all: make(chan struct{})}
		a.mu.Lock()
		// The mark ends with "-", so that none is the beginning of another.
		a.arrived = map[string]*arrival{mark: at}
		a.mu.Unlock()
		began := time.Now()
		// 16 KiB each, so that the kernel's buffers of a stalled reader fill.
		err := a.client.Do(ctx, client.Request{
			Method: http.MethodPost, Path: "/v1/runs/" + a.busy + "/signals/other",
			Body: map[string]any{"request_id": mark, "payload": mark + strings.Repeat("x", 16<<10)},
		}, nil)
		if err != nil {
			return nil, err
		}
		select {
		case <-at.all:
		case <-time.After(20 * time.Second):
			return nil, fmt.Errorf("event %d did not reach %d readers", i, at.left)
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		took = append(took, time.Since(began))
	}
	return took, nil
}
