package executor

import (
	"context"
	"heddle/events"
	"heddle/executor/machine"
	"heddle/fault"
	"time"
)

// advanceTimeout bounds how long Advance drives runs before it answers.
const advanceTimeout = 20 * time.Second

// Advance lets queued runs that have a name begin, one after another and first come first
// served, each until it has nothing in flight any more: at most maxRuns, and no further one
// once they have begun maxSteps attempts (0: any number). It returns how many began, after
// advanceTimeout at the latest; what was begun goes on by itself. With Config.HoldNamed
// nothing else lets them begin. A node that stands by has the one that drives runs begin
// them; where none does, the error is fault.Unavailable not_ready.
func (s *Steering) Advance(ctx context.Context, tenantID string, maxRuns, maxSteps int) (int, error) {
	if !s.term.state().takesCommands() && !s.term.serving.Load() {
		return 0, notReady("No executor is serving here; try again shortly.")
	}
	ctx, cancel := context.WithTimeout(ctx, advanceTimeout)
	defer cancel()
	ids, err := s.cfg.Store.QueuedNamed(ctx, tenantID, maxRuns)
	if err != nil {
		return 0, err
	}
	began, steps := 0, 0
	for _, id := range ids {
		if ctx.Err() != nil || maxSteps > 0 && steps >= maxSteps {
			break
		}
		before, err := s.cfg.Store.Run(ctx, tenantID, id)
		if err != nil {
			continue
		}
		begun, err := s.beginQueued(ctx, tenantID, id)
		if err != nil && began == 0 && fault.CodeOf(err) == "not_ready" {
			return 0, err
		}
		if !begun {
			continue // another was faster, or it has to wait: it is still queued
		}
		began++
		s.awaitNotBusy(ctx, tenantID, id)
		if maxSteps > 0 {
			n, err := s.attemptsAfter(ctx, tenantID, id, before.Seq)
			if err != nil {
				break
			}
			steps += n
		}
	}
	return began, nil
}

// kindBegin is a posted Begin of a run that is held in the queue.
const kindBegin = "begin"

// beginQueued lets a queued run begin, here or on the node that leads, and reports whether
// it began. False without an error: it has to wait, or another caller was faster.
func (s *Steering) beginQueued(ctx context.Context, tenantID, runID string) (bool, error) {
	if s.term.state().takesCommands() {
		return s.dispatcher.beginNow(ctx, runID), nil
	}
	p := Posted{ID: s.cfg.NewID("inp_"), TenantID: tenantID, RunID: runID, Kind: kindBegin, Data: []byte("{}"), At: s.cfg.now()}
	out, err := s.deliverPosted(ctx, p, machine.Begin{})
	return err == nil && out.effect, err
}

// awaitNotBusy waits while a run has attempts in flight, or until ctx ends or the run
// cannot be read. It looks when the run has grown, and every pollEvery, because what
// another node does may go unheard.
func (s *Steering) awaitNotBusy(ctx context.Context, tenantID, runID string) {
	grown, unwatch := s.cfg.Hub.Watch(runID)
	defer unwatch()
	for {
		row, err := s.cfg.Store.Run(ctx, tenantID, runID)
		if err != nil || !row.State.NeedsRecovery() {
			return
		}
		look := time.NewTimer(pollEvery) // what another node does may go unheard
		select {
		case <-grown:
		case <-look.C:
		case <-ctx.Done():
			look.Stop()
			return
		}
		look.Stop()
	}
}

// attemptsAfter counts the attempts that a run began after seq, retries included. It reads
// that part of the journal.
func (s *Steering) attemptsAfter(ctx context.Context, tenantID, runID string, seq int64) (n int, err error) {
	_, err = s.reader.walk(ctx, tenantID, runID, seq, func(e events.Event) error {
		if e.Kind == events.StepStarted {
			n++
		}
		return nil
	})
	return n, err
}
