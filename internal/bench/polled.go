package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"heddle/client"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// How the polled case measures: rounds without and with a poller alternate, so that what
// else the machine does falls on both; polledRuns runs are stored before.
const (
	pollEvery    = 20 * time.Millisecond
	polledRounds = 4
	polledRuns   = 100_000
)

// polledLoad is what the rounds of one kind add up to.
type polledLoad struct {
	runs int
	took time.Duration
	cpu  time.Duration // of the server
}

// polledCase measures what a client that reads a list's total 50 times a second takes from a
// load of runs of three conditions, started over HTTP without a pause: the ratio of the
// throughput and of the server's CPU time of a run with and without it.
//
//	polled     … runs/s without, … with … polls: … times the throughput, … times the CPU of a run
func polledCase(ctx context.Context, b *session) (err error) {
	r, err := b.rig(ctx, threeSteps(), Parts{})
	if err != nil {
		return err
	}
	if err := r.Stop(); err != nil {
		return err
	}
	db, err := b.fill(ctx, r.tenant, polledRuns)
	if err == nil {
		err = db.Close()
	}
	if err != nil {
		return fmt.Errorf("fill the database: %w", err)
	}
	s, err := b.server(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	var kinds [2]polledLoad // without and with the poller
	var polls atomic.Int64
	// The first round fills caches and is not counted.
	for round := range 2*polledRounds + 1 {
		end := func() error { return nil }
		if round%2 == 1 {
			end = s.poll(ctx, r.workflow, &polls)
		}
		load, err := s.load(ctx, r.workflow, b.plan.Seconds/2)
		if err := errors.Join(err, end()); err != nil {
			return err
		}
		if k := &kinds[round%2]; round > 0 {
			k.runs, k.took, k.cpu = k.runs+load.runs, k.took+load.took, k.cpu+load.cpu
		}
	}
	alone, beside := kinds[0], kinds[1]
	b.printf("polled     %s without, %s with %d polls: %.2f times the throughput, %.2f times the CPU of a run (%s without)",
		perSecond(alone.runs, alone.took), perSecond(beside.runs, beside.took), polls.Load(),
		float64(beside.runs)/beside.took.Seconds()/(float64(alone.runs)/alone.took.Seconds()),
		float64(beside.cpu)/float64(beside.runs)/(float64(alone.cpu)/float64(alone.runs)), millis(alone.cpu/time.Duration(alone.runs)))
	return nil
}

// load starts runs over 8 connections for the seconds.
func (s *serverProcess) load(ctx context.Context, workflow string, seconds float64) (l polledLoad, err error) {
	before, err := s.usage(ctx)
	if err != nil {
		return l, err
	}
	all, took, err := repeat(ctx, 1<<30, 8, seconds, func(ctx context.Context) error {
		_, err := s.client.Runs.StartWith(ctx, workflow, nil, "")
		return err
	})
	if err != nil {
		return l, err
	}
	after, err := s.usage(ctx)
	if err == nil && len(all) == 0 {
		err = errors.New("no run was started")
	}
	return polledLoad{len(all), took, after.cpu - before.cpu}, err
}

// poll reads the total of the workflow's runs every pollEvery, and counts the reads in
// polls, until the function that it returns is called, which returns the first error.
func (s *serverProcess) poll(ctx context.Context, workflow string, polls *atomic.Int64) func() error {
	ctx, cancel := context.WithCancel(ctx)
	var polling sync.WaitGroup
	var failed error
	polling.Go(func() {
		tick := time.NewTicker(pollEvery)
		defer tick.Stop()
		for ctx.Err() == nil && failed == nil {
			var page struct {
				Total json.Number `json:"total"`
			}
			err := s.client.Do(ctx, client.Request{Method: http.MethodGet, Path: "/api/workflows/" + workflow + "/runs?limit=1&status=completed"}, &page)
			switch {
			case err == nil:
				polls.Add(1)
			case ctx.Err() == nil:
				failed = err
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
			}
		}
	})
	return func() error {
		cancel()
		polling.Wait()
		return failed
	}
}
