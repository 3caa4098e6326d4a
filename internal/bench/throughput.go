package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"heddle/client"
	"heddle/events"
	"heddle/executor"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// manyConnections returns a client that keeps enough idle connections for no request to
// wait for a dial once they are made.
func manyConnections() *http.Client {
	return &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1024}}
}

// repeat calls one n times from the given number of goroutines. It ends when all calls
// are made, when the seconds have passed (calls in flight are finished), or when a call
// fails, and returns the duration of each call, the total duration, and the first error.
// one must be safe for concurrent use; its context ends with the first error.
func repeat(ctx context.Context, n, workers int, seconds float64, one func(context.Context) error) (latencies, time.Duration, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	begun := time.Now()
	// Looked at before each call and not during it, so that none is cut off.
	deadline := begun.Add(time.Duration(seconds * float64(time.Second)))
	var next atomic.Int64              // calls taken so far
	took := make([]latencies, workers) // one for each goroutine, so that none needs a lock
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			// A number is taken before the call is made, so that no more than n are ever
			// begun.
			for next.Add(1) <= int64(n) && ctx.Err() == nil {
				t := time.Now()
				if t.After(deadline) {
					return
				}
				if err := one(ctx); err != nil {
					cancel(err)
					return
				}
				took[w] = append(took[w], time.Since(t))
			}
		})
	}
	wg.Wait()
	total := time.Since(begun)
	var all latencies
	for _, l := range took {
		all = append(all, l...)
	}
	// nil unless a call failed or the caller's context ended: cancel(nil) has not run yet.
	return all, total, context.Cause(ctx)
}

// executor measures runs from Start to completion, without HTTP. The latency is that of
// a whole run:
//
//	executor   …/s   p50 …  p99 …   (… runs of three steps, … in flight, no HTTP)
func (b *session) executor(ctx context.Context) error {
	r, err := b.rig(ctx, threeSteps(), Parts{})
	if err != nil {
		return err
	}
	all, took, err := repeat(ctx, b.plan.Runs, b.plan.InFlight, b.plan.Seconds, r.startAndFinish)
	if err := errors.Join(err, r.Stop()); err != nil {
		return err
	}
	b.printf("executor   %-14s %s   (%d runs of three steps, %d in flight, no HTTP)", perSecond(len(all), took), all, len(all), b.plan.InFlight)
	return nil
}

// startAndFinish starts one run through the executor and follows it to its end.
func (r *rig) startAndFinish(ctx context.Context) error {
	rec, err := r.Executor.Start(ctx, executor.StartRequest{
		TenantID: r.tenant, Workflow: r.workflow, Trigger: "manual", Input: json.RawMessage("null"),
	})
	// The run may have ended within Start, and then there is nothing to follow.
	if err != nil || rec.State.Terminal() {
		return err
	}
	return r.Executor.Follow(ctx, r.tenant, rec.RunID, 0, discard{})
}

// discard is an executor.Sink that ignores what it receives.
type discard struct{}

func (discard) Events([]events.Event) error { return nil }
func (discard) Idle() error                 { return nil }

// http measures runs that are accepted over HTTP, until all are completed. The latency
// is that of the response that accepts a run, the rate that of completed runs: the two
// differ where runs are accepted faster than they complete.
func (b *session) http(ctx context.Context) error {
	r, err := b.rig(ctx, threeSteps(), Parts{})
	if err != nil {
		return err
	}
	// More connections than this measure the client rather than the server.
	begun, connections := time.Now(), min(b.plan.InFlight, 50)
	all, _, err := repeat(ctx, b.plan.Runs, connections, b.plan.Seconds, func(ctx context.Context) error {
		_, err := r.client.Runs.StartWith(ctx, r.workflow, nil, "")
		return err
	})
	if err == nil {
		err = r.awaitCompleted(ctx, len(all))
	}
	took := time.Since(begun)
	if err := errors.Join(err, r.Stop()); err != nil {
		return err
	}
	b.printf("http       %-14s %s   (%d runs accepted and completed, %d connections; latency is of the answer)", perSecond(len(all), took), all, len(all), connections)
	return nil
}

// awaitCompleted polls until the server lists n completed runs of the workflow. More
// than n is an error.
func (r *rig) awaitCompleted(ctx context.Context, n int) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		var list struct {
			Total int `json:"total"`
		}
		err := r.client.Do(ctx, client.Request{
			Method: http.MethodGet, Path: "/api/workflows/" + r.workflow + "/runs?status=completed&limit=1&offset=0",
		}, &list)
		if err != nil {
			return err
		}
		if list.Total == n {
			return nil
		}
		// A request was counted as failed although its run was stored, so the rate would be
		// too low.
		if list.Total > n {
			return fmt.Errorf("%d runs were started and %d are completed", n, list.Total)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// single measures one run at a time over HTTP, from the request to the response that
// shows it completed. It takes at most two seconds and 1,000 runs. A run alone cannot
// share its commits, so this is the latency that a caller sees on an idle server.
func (b *session) single(ctx context.Context) error {
	r, err := b.rig(ctx, threeSteps(), Parts{})
	if err != nil {
		return err
	}
	all, _, err := repeat(ctx, min(b.plan.Runs, 1000), 1, min(b.plan.Seconds, 2), r.startAndRead)
	if err := errors.Join(err, r.Stop()); err != nil {
		return err
	}
	b.printf("single     %-14s %s   (%d runs one after another over HTTP, request to completion seen)", "", all, len(all))
	return nil
}

// startAndRead starts one run over HTTP and reads it until it has completed. The stream
// is opened only for a run that was not completed at the first look.
func (r *rig) startAndRead(ctx context.Context) error {
	id, err := r.client.Runs.StartWith(ctx, r.workflow, nil, "")
	if err != nil {
		return err
	}
	// Short runs are often completed by the first look, which is what a client would do.
	run, err := r.client.Runs.Get(ctx, id)
	if err == nil && run.Status != "completed" {
		err = r.client.Runs.Follow(ctx, id, 0, func(client.Frame) error { return nil })
	}
	return err
}
