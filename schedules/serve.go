package schedules

import (
	"context"
	"heddle/audit"
	"time"
)

// The loop's rhythm. Due times of the horizon are held in memory; the rows are
// the truth, looked at once a poll. A node that does not drive runs leaves due
// schedules to the one that does for standAside.
const (
	pollEvery    = time.Second
	horizon      = 5 * time.Second
	duePage      = 2000
	queuePage    = 200
	standbyDelay = 500 * time.Millisecond
)

// Serve fires schedules until ctx ends. Every node may run it.
func (s *Service) Serve(ctx context.Context) {
	next := s.now()
	for ctx.Err() == nil {
		now := s.now()
		if !s.clock.Right(ctx) {
			s.sleepPoll(ctx)
			continue
		}
		if !now.Before(next) || next.Sub(now) > pollEvery {
			next = s.now().Add(pollEvery)
			if s.poll(ctx, now) {
				next = s.now() // a queue of short runs moves on at once
			}
		}
		s.fireDue(ctx, s.fireCutoff())
		s.sleepUntil(ctx, next)
	}
}

// Tick looks once at everything that is due and at the queues, as Serve does
// all the time.
func (s *Service) Tick(ctx context.Context) {
	if !s.clock.Right(ctx) {
		return
	}
	s.poll(ctx, s.now())
	s.fireDue(ctx, s.now())
}

// poll reads what comes due within the horizon, moves the queues on and tells
// whether any of them moved.
func (s *Service) poll(ctx context.Context, now time.Time) (moved bool) {
	dues, err := s.store.DueSchedules(ctx, now.Add(horizon), duePage)
	if err != nil {
		s.warn(ctx, "due schedules could not be read", err)
		return false
	}
	for _, d := range dues {
		s.timers.Set(d.ID, d.At)
	}
	ids, err := s.store.SchedulesToAdvance(ctx, queuePage)
	if err != nil {
		s.warn(ctx, "the queues of schedules could not be read", err)
		return false
	}
	stored := s.fire(ctx, ids)
	s.cancelRequested(ctx)
	return stored > 0
}

// scheduleWake keeps a schedule's next time in memory when it is near; the poll finds
// the others in time.
func (s *Service) scheduleWake(id string, at time.Time) {
	if at.IsZero() || at.After(s.now().Add(horizon)) {
		s.timers.Forget(id)
		return
	}
	s.timers.Set(id, at)
}

// cancelRequested cancels runs that a newer due time wants gone. Each stays on the
// list until its run has ended, so a lost cancel is asked for again.
func (s *Service) cancelRequested(ctx context.Context) {
	orders, err := s.store.CancelRequests(ctx, queuePage)
	if err != nil {
		s.warn(ctx, "runs to be cancelled could not be read", err)
		return
	}
	for _, o := range orders {
		by := audit.Actor{Type: audit.Schedule, ID: o.ScheduleID}
		if _, err := s.runs.Cancel(audit.As(ctx, by, "The schedule's next run takes its place."), o.TenantID, o.RunID); err != nil {
			s.log.Debug("a run could not be cancelled yet", "run_id", o.RunID, "error", err)
		}
	}
}

// fireCutoff is the time by which this node fires what is due.
func (s *Service) fireCutoff() time.Time {
	if s.runs.Leading() {
		return s.now()
	}
	return s.now().Add(-standbyDelay)
}

// fireDue fires what is due.
func (s *Service) fireDue(ctx context.Context, until time.Time) {
	for ctx.Err() == nil {
		ids, _ := s.timers.Pop(until, fireBatchSize)
		s.fire(ctx, ids)
		if len(ids) < fireBatchSize {
			return
		}
	}
}

// sleepPoll waits for a poll's time, whatever is due.
func (s *Service) sleepPoll(ctx context.Context) {
	t := time.NewTimer(pollEvery)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

func (s *Service) sleepUntil(ctx context.Context, until time.Time) {
	now := s.now()
	wait := min(pollEvery, until.Sub(now))
	if _, next := s.timers.Pop(now, 0); !next.IsZero() {
		if !s.runs.Leading() {
			next = next.Add(standbyDelay)
		}
		wait = min(wait, next.Sub(now))
	}
	t := time.NewTimer(max(wait, time.Millisecond))
	defer t.Stop()
	select {
	case <-t.C:
	case <-s.timers.Changed():
	case <-ctx.Done():
	}
}
