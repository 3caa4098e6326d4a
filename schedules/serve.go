package schedules

import (
	"context"
	"heddle/audit"
	"time"
)

// The loop's rhythm. Due times of the next seconds (horizon) are held in memory,
// so that they fire on the millisecond; the rows are the truth and are read once
// per pollEvery. A node that does not drive runs waits for standbyDelay before it
// fires what is due, so that normally the node that starts the runs also fires.
const (
	pollEvery = time.Second
	horizon   = 5 * time.Second
	// duePage and queuePage bound what one poll reads: due schedules; queues that
	// may move, and runs to cancel. The rest is read by the next one, which follows at once.
	duePage      = 2000
	queuePage    = 200
	standbyDelay = 500 * time.Millisecond
)

// Serve fires schedules until ctx ends. Every node may run it, once. While this
// node's clock differs too much from the database's it fires nothing: another
// node, or this one later, catches up.
func (s *Service) Serve(ctx context.Context) {
	next := s.now()
	var at pollPosition
	for ctx.Err() == nil {
		now := s.now()
		if !s.clock.Accurate(ctx) {
			s.sleepPoll(ctx)
			continue
		}
		if !now.Before(next) || next.Sub(now) > pollEvery {
			next = s.now().Add(pollEvery)
			if s.poll(ctx, now, &at) {
				next = s.now() // a queue of short runs advances without waiting
			}
		}
		s.fireDue(ctx, s.fireCutoff())
		s.sleepUntil(ctx, next)
	}
}

// Tick does one round of Serve: it fires what is due and advances the queues.
func (s *Service) Tick(ctx context.Context) {
	if !s.clock.Accurate(ctx) {
		return
	}
	s.poll(ctx, s.now(), &pollPosition{})
	s.fireDue(ctx, s.now())
}

// pollPosition is how far the lists were read; the zero value is their beginning. A full page is
// followed by the next one, and the last one by the first: what cannot be settled, and so stays in
// its list, does not hide what comes behind it.
type pollPosition struct {
	due    DueSchedule
	queue  string
	cancel CancelRequest
}

// poll reads which schedules come due within the horizon, advances the queues and
// requests cancels, a page of each from at on; it reports whether any queue moved or there is
// another page.
func (s *Service) poll(ctx context.Context, now time.Time, at *pollPosition) (more bool) {
	dues, err := s.store.DueSchedules(ctx, now.Add(horizon), at.due, duePage)
	if err != nil {
		s.warn(ctx, "due schedules could not be read", err)
		return false
	}
	for _, d := range dues {
		s.timers.Set(d.ID, d.At)
	}
	ids, err := s.store.SchedulesToAdvance(ctx, at.queue, queuePage)
	if err != nil {
		s.warn(ctx, "the queues of schedules could not be read", err)
		return false
	}
	var dueMore, queueMore bool
	at.due, dueMore = position(dues, duePage)
	at.queue, queueMore = position(ids, queuePage)
	stored := s.fire(ctx, ids)
	return s.cancelRequested(ctx, at) || dueMore || queueMore || stored > 0
}

// position returns the last entry of a full page, behind which the next one begins; the zero value
// and false where the list has ended.
func position[T any](page []T, size int) (last T, more bool) {
	if len(page) < size {
		return last, false
	}
	return page[len(page)-1], true
}

// scheduleWake holds a schedule's next wake-up in memory if it is within the
// horizon; the poll reads later ones in time. A zero time, or a later one, takes
// away an earlier wake-up of the schedule.
func (s *Service) scheduleWake(id string, at time.Time) {
	if at.IsZero() || at.After(s.now().Add(horizon)) {
		s.timers.Remove(id)
		return
	}
	s.timers.Set(id, at)
}

// cancelRequested cancels the runs that a newer due time replaces, and reports whether there are
// further ones. A request stays stored until its run has ended, so a cancel that is lost is
// repeated.
func (s *Service) cancelRequested(ctx context.Context, at *pollPosition) (more bool) {
	orders, err := s.store.CancelRequests(ctx, at.cancel, queuePage)
	if err != nil {
		s.warn(ctx, "runs to be cancelled could not be read", err)
		return false
	}
	for _, o := range orders {
		by := audit.Actor{Type: audit.Schedule, ID: o.ScheduleID}
		if _, err := s.runs.Cancel(audit.WithActor(ctx, by, "The schedule's next run takes its place."), o.TenantID, o.RunID); err != nil {
			s.log.Debug("a run could not be cancelled yet", "run_id", o.RunID, "error", err)
		}
	}
	at.cancel, more = position(orders, queuePage)
	return more
}

// fireCutoff returns the time up to which this node fires what is due: now, or
// standbyDelay ago on a node that does not drive runs.
func (s *Service) fireCutoff() time.Time {
	if s.runs.Leading() {
		return s.now()
	}
	return s.now().Add(-standbyDelay)
}

// fireDue fires the schedules that wake at or before a time, as far as their
// wake-ups are in memory, in batches of fireBatchSize.
func (s *Service) fireDue(ctx context.Context, until time.Time) {
	for ctx.Err() == nil {
		ids, _ := s.timers.Pop(until, fireBatchSize)
		s.fire(ctx, ids)
		if len(ids) < fireBatchSize {
			return
		}
	}
}

// sleepPoll waits for pollEvery, or until ctx ends, whatever is due.
func (s *Service) sleepPoll(ctx context.Context) {
	t := time.NewTimer(pollEvery)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// sleepUntil waits until a time, the next wake-up in memory, a new one, or the end
// of ctx, whichever is first, and never longer than pollEvery.
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
