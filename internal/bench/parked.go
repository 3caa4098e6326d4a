package bench

import (
	"context"
	"encoding/json"
	"errors"
	"heddle/executor"
	"time"
)

// parked stores runs that wait for an hour, then starts a fresh server process on them
// and measures its start-up and its memory.
//
//	parking    …/s   p50 …  p99 …   (100000 runs)
//	parked     start-up …, resident … MiB (peak … MiB), with all runs parked
func (b *session) parked(ctx context.Context) error {
	waiting := json.RawMessage(`{"name":"Parked","steps":[{"id":"rest","type":"wait","config":{"seconds":3600}}]}`)
	r, err := b.rig(ctx, waiting, Parts{})
	if err != nil {
		return err
	}
	// The plan's seconds do not hold here: all runs have to be parked before the restart.
	// Ten minutes end it all the same.
	all, took, err := repeat(ctx, b.plan.Parked, b.plan.InFlight, 600, func(ctx context.Context) error {
		_, err := r.Executor.Start(ctx, executor.StartRequest{
			TenantID: r.tenant, Workflow: r.workflow, Trigger: "manual", Input: json.RawMessage("null"),
		})
		return err
	})
	if err := errors.Join(err, r.Stop()); err != nil {
		return err
	}
	b.printf("parking    %-14s %s   (%d runs)", perSecond(len(all), took), all, len(all))
	return b.restart(ctx)
}

// restart starts a fresh process over the parked runs, waits three seconds, and prints
// its start-up time and its memory.
func (b *session) restart(ctx context.Context) error {
	begun := time.Now()
	s, err := b.server(ctx)
	if err != nil {
		return err
	}
	// server returns once requests are answered, so this is the time until then.
	started := time.Since(begun)
	select {
	case <-time.After(3 * time.Second): // so that its periodic queries have run
	case <-ctx.Done():
	}
	// Parked runs are rows, so the memory should not depend on their number.
	resident, peak, err := s.memory()
	if err := errors.Join(err, s.stop()); err != nil {
		return err
	}
	b.printf("parked     start-up %s, resident %d MiB (peak %d MiB), with all runs parked", started.Round(time.Millisecond), resident>>20, peak>>20)
	return nil
}
