package executor

import (
	"context"
	"time"

	"heddle/events"
	"heddle/executor/machine"
)

// advanceFor bounds how long Advance drives runs before it answers.
const advanceFor = 20 * time.Second

// Advance lets queued runs that have a name begin, one after another and first
// come first served, each until it has nothing in action any more: at most
// maxRuns, and no further one once they have begun maxSteps attempts (0: any
// number). It returns how many began, after 20 s at the latest; what was begun
// goes on by itself. With Config.HoldNamed nothing else lets them begin.
func (s *Service) Advance(ctx context.Context, tenantID string, maxRuns, maxSteps int) (int, error) {
	if !s.engine.open.Load() {
		return 0, notReady("No executor is serving here; try again shortly.")
	}
	ctx, cancel := context.WithTimeout(ctx, advanceFor)
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
		if err != nil || !s.engine.beginNow(ctx, id) {
			continue // another was faster, or it has to wait: it is still queued
		}
		began++
		s.untilAtRest(ctx, tenantID, id)
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

// beginNow begins a queued run as soon as there is a slot for it.
func (e *engine) beginNow(ctx context.Context, runID string) (begun bool) {
	for !e.slots.tryTake() {
		if !pause(ctx, 2*time.Millisecond) {
			return false
		}
	}
	answer := make(chan outcome, 1)
	e.post(runID, envelope{in: machine.Begin{}, answer: answer}, true)
	select {
	case out := <-answer:
		return out.err == nil && out.effect
	case <-ctx.Done():
		return false
	}
}

// untilAtRest waits while a run has something in action.
func (s *Service) untilAtRest(ctx context.Context, tenantID, runID string) {
	grown, unwatch := s.cfg.Hub.Watch(runID)
	defer unwatch()
	for {
		row, err := s.cfg.Store.Run(ctx, tenantID, runID)
		if err != nil || !row.State.Busy() {
			return
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return
		}
	}
}

// attemptsAfter counts the attempts that a run began after seq.
func (s *Service) attemptsAfter(ctx context.Context, tenantID, runID string, seq int64) (n int, err error) {
	_, err = s.Walk(ctx, tenantID, runID, seq, func(e events.Event) error {
		if e.Kind == events.StepStarted {
			n++
		}
		return nil
	})
	return n, err
}
