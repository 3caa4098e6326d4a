package executor

import (
	"context"
	"errors"
	"sync"
	"time"

	"heddle/executor/machine"
)

// The lease and the polls. A node that could not renew for loseAfter stops its
// effects, well before another may take over at leaseTTL.
const (
	leaseTTL     = 15 * time.Second
	renewEvery   = 4 * time.Second
	loseAfter    = 8 * time.Second
	pollEvery    = time.Second
	timerHorizon = 3 * time.Second
	duePage      = 1000
	queuePage    = 64
	maxLive      = 4096
)

// Serve drives runs until ctx ends, then drains: steps in action get
// Config.Drain to end, the rest is taken up by the next process. While another
// process holds the executor's lease it stands by.
func (s *Service) Serve(ctx context.Context) error {
	defer s.ready.Store(false)
	for ctx.Err() == nil {
		epoch, err := s.cfg.Store.AcquireLease(ctx, s.cfg.Holder, s.now(), leaseTTL)
		switch {
		case err == nil:
			s.lead(ctx, epoch)
		case errors.Is(err, ErrLeaseHeld):
			s.ready.Store(true) // standing by: the API serves all the same
		default:
			s.cfg.Log.Warn("the executor's lease could not be taken", "error", err)
		}
		pause(ctx, pollEvery)
	}
	return nil
}

// lead drives runs while this process holds the lease.
func (s *Service) lead(ctx context.Context, epoch int64) {
	e := s.engine
	s.epoch.Store(epoch)
	e.stopped.Store(false)
	e.driving.Store(true)
	e.backlog.mark()
	loops, end := context.WithCancel(ctx)
	var wg sync.WaitGroup
	for _, loop := range []func(context.Context){e.dispatchLoop, e.timerLoop, e.pollLoop} {
		wg.Add(1)
		go func() {
			defer wg.Done()
			loop(loops)
		}()
	}
	if err := e.recover(loops); err != nil {
		s.cfg.Log.Error("recovery was cut short", "error", err)
	}
	s.ready.Store(true)
	s.cfg.Log.Info("the executor drives runs", "epoch", epoch)
	lost := s.renew(ctx)
	s.ready.Store(!lost && ctx.Err() == nil)
	e.driving.Store(false)
	end()
	wg.Wait()
	if !lost {
		e.drain(s.cfg.Drain)
	}
	e.halt()
	s.epoch.Store(0)
	if !lost {
		release, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		if err := s.cfg.Store.ReleaseLease(release, s.cfg.Holder); err != nil {
			s.cfg.Log.Warn("the executor's lease was not released", "error", err)
		}
	}
}

// renew keeps the lease until ctx ends (false) or it is lost (true).
func (s *Service) renew(ctx context.Context) (lost bool) {
	held := s.now()
	for pause(ctx, renewEvery) {
		epoch, err := s.renewOnce(ctx)
		switch {
		case err == nil && epoch == s.epoch.Load():
			held = s.now()
		case ctx.Err() != nil:
			return false
		case err == nil, errors.Is(err, ErrLeaseHeld):
			s.cfg.Log.Error("the executor's lease is another's")
			return true
		case s.now().Sub(held) > loseAfter:
			s.cfg.Log.Error("the executor's lease could not be renewed in time", "error", err)
			return true
		}
	}
	return false
}

func (s *Service) renewOnce(ctx context.Context) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, renewEvery)
	defer cancel()
	return s.cfg.Store.AcquireLease(ctx, s.cfg.Holder, s.now(), leaseTTL)
}

// recover takes up the runs that a dead process left in action.
func (e *engine) recover(ctx context.Context) error {
	after, found := "", 0
	for {
		ids, err := e.store.Busy(ctx, after, duePage)
		if err != nil {
			if pause(ctx, retryStoreAfter) {
				continue
			}
			return err
		}
		for _, id := range ids {
			e.slots.force()
			e.post(id, envelope{in: machine.Recover{}}, true)
			after = id
		}
		found += len(ids)
		if len(ids) < duePage {
			if found > 0 {
				e.log.Info("runs were taken up again", "runs", found)
			}
			return nil
		}
	}
}

// dispatchLoop gives free slots to woken runs first, then to queued ones.
func (e *engine) dispatchLoop(ctx context.Context) {
	var queued []string
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		queued = e.dispatch(ctx, queued)
		select {
		case <-e.kicks:
		case <-tick.C:
			e.backlog.mark() // another node may have queued a run
		case <-ctx.Done():
			return
		}
	}
}

// dispatch fills the free slots and returns the queued runs that are left.
func (e *engine) dispatch(ctx context.Context, queued []string) []string {
	for ctx.Err() == nil && e.slots.tryTake() {
		if id, ok := e.popReady(); ok {
			e.post(id, envelope{in: machine.Tick{}}, true)
			continue
		}
		if len(queued) == 0 {
			queued = e.queuedRuns(ctx)
		}
		if len(queued) == 0 {
			e.slots.giveBackQuietly()
			return nil
		}
		e.post(queued[0], envelope{in: machine.Begin{}}, true)
		queued = queued[1:]
	}
	return queued
}

func (e *engine) popReady() (string, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.ready) == 0 {
		return "", false
	}
	id := e.ready[0]
	e.ready = e.ready[1:]
	delete(e.waiting, id)
	return id, true
}

// queuedRuns reads the head of the queue, without the runs that are already
// being driven.
func (e *engine) queuedRuns(ctx context.Context) []string {
	if !e.backlog.some() {
		return nil
	}
	foundEmpty := e.backlog.look()
	ids, err := e.store.Queued(ctx, queuePage)
	if err != nil {
		e.log.Warn("the queue could not be read", "error", err)
		return nil
	}
	if len(ids) == 0 {
		foundEmpty()
		return nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	kept := ids[:0]
	for _, id := range ids {
		if e.live[id] == nil {
			kept = append(kept, id)
		}
	}
	return kept
}

// timerLoop wakes the runs whose time has come.
func (e *engine) timerLoop(ctx context.Context) {
	for ctx.Err() == nil {
		if e.crowded() {
			pause(ctx, 5*time.Millisecond)
			continue
		}
		ids, next := e.timers.pop(e.now(), queuePage)
		for _, id := range ids {
			e.crash("timer_due")
			e.post(id, envelope{in: machine.Tick{}}, false)
		}
		if len(ids) == queuePage {
			continue
		}
		e.sleepUntil(ctx, next)
	}
}

// crowded holds back wake-ups while very many runs are in memory.
func (e *engine) crowded() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.live) > maxLive || len(e.ready) > maxLive
}

func (e *engine) sleepUntil(ctx context.Context, next time.Time) {
	wait := pollEvery
	if !next.IsZero() {
		wait = min(wait, max(next.Sub(e.svc.cfg.Now()), time.Millisecond))
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-t.C:
	case <-e.timers.changed:
	case <-ctx.Done():
	}
}

// pollLoop brings the due times of the next seconds into memory.
func (e *engine) pollLoop(ctx context.Context) {
	for ctx.Err() == nil {
		if e.timers.len() < 4*duePage {
			e.pollDue(ctx)
		}
		pause(ctx, pollEvery)
	}
}

func (e *engine) pollDue(ctx context.Context) {
	dues, err := e.store.Due(ctx, e.now().Add(timerHorizon), duePage)
	if err != nil {
		if ctx.Err() == nil {
			e.log.Warn("due runs could not be read", "error", err)
		}
		return
	}
	for _, d := range dues {
		e.mu.Lock()
		waits := e.waiting[d.RunID]
		e.mu.Unlock()
		if !waits {
			e.timers.set(d.RunID, d.At)
		}
	}
}

// drain waits until no run is in memory, at most for d.
func (e *engine) drain(d time.Duration) {
	timeout := time.AfterFunc(d, e.idle.Broadcast)
	defer timeout.Stop()
	deadline := e.svc.cfg.Now().Add(d)
	e.mu.Lock()
	defer e.mu.Unlock()
	for len(e.live) > 0 && e.svc.cfg.Now().Before(deadline) {
		e.idle.Wait()
	}
	if n := len(e.live); n > 0 {
		e.log.Warn("runs are left for the next process", "runs", n)
	}
}

// halt cuts off what is still in action; its attempts count as interrupted.
func (e *engine) halt() {
	e.stopped.Store(true)
	e.mu.Lock()
	var rest []*live
	for _, l := range e.live {
		rest = append(rest, l)
		for _, stop := range l.attempts {
			stop(errAbandoned)
		}
	}
	e.ready, e.waiting = nil, make(map[string]bool)
	e.mu.Unlock()
	for _, l := range rest {
		e.post(l.id, envelope{in: machine.Tick{}}, false) // its driver sees the stop and lets go
	}
}
