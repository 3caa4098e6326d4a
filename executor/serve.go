package executor

import (
	"context"
	"errors"
	"heddle/executor/machine"
	"sync"
	"time"
)

// The lease and the polls. A node that could not renew for loseAfter stops its
// effects, well before another may take over at leaseTTL.
const (
	leaseTTL        = 15 * time.Second
	renewEvery      = 3 * time.Second
	renewTimeout    = 4 * time.Second // what one renewal gets to be answered
	leaseTimeout    = 8 * time.Second
	pollEvery       = time.Second
	timerHorizon    = 3 * time.Second
	duePage         = 1000
	queuePage       = 64
	unattendedPolls = 30              // polls between two looks for strays
	sweepPolls      = 10              // polls between two looks for due times that passed unseen
	abortTimeout    = 2 * time.Second // what is cut off gets to end
)

// StopsAfter is when a node that could not renew its lease has stopped its
// effects, counted from the last renewal that another node saw.
const StopsAfter = leaseTimeout + abortTimeout

// Serve drives runs until ctx ends, then drains: steps in action get
// Config.Drain to end, the rest is taken up by the next process. While another
// process holds the executor's lease it stands by: what is asked of runs here is
// stored for that one.
func (s *Service) Serve(ctx context.Context) error {
	defer s.ready.Store(false)
	s.serving.Store(true)
	defer context.AfterFunc(ctx, func() { s.serving.Store(false) })()
	var listening sync.WaitGroup
	listening.Go(func() { s.listen(ctx) })
	defer listening.Wait()
	s.terms.load()
	defer func() { s.terms.report(context.WithoutCancel(ctx)) }()
	for ctx.Err() == nil {
		s.terms.report(ctx)
		asked := s.cfg.Now()
		epoch, err := s.cfg.Store.AcquireLease(ctx, s.cfg.Holder, time.Time{}, leaseTTL)
		switch {
		case err == nil && s.cfg.Now().Sub(asked) > leaseTimeout/2:
			continue // taking it has used up much of it; to renew it is quicker
		case err == nil:
			s.lead(ctx, epoch, asked)
		case errors.Is(err, ErrLeaseHeld):
			s.ready.Store(true) // standing by: the API serves all the same
		default:
			s.cfg.Log.Warn("the executor's lease could not be taken", "error", err)
		}
		sleep(ctx, pollEvery)
	}
	return nil
}

// lead drives runs while this process holds the lease, taken at since.
func (s *Service) lead(ctx context.Context, epoch int64, since time.Time) {
	e := s.engine
	s.renewed.Store(&since)
	s.epoch.Store(epoch)
	e.stopped.Store(false)
	leading, end := context.WithCancel(ctx)
	defer end()
	renewed := make(chan bool, 1)
	go func() {
		defer end()
		renewed <- s.renew(ctx, since)
	}()
	var loops sync.WaitGroup
	if suspects, ok := e.recoverRuns(leading); ok {
		if len(suspects) > 0 {
			loops.Go(func() { e.isolateSuspects(leading, suspects) })
		}
		for _, loop := range []func(context.Context){e.dispatchLoop, e.timerLoop, e.pollLoop, e.inboxLoop, e.sweepLoop} {
			loops.Go(func() { loop(leading) })
		}
		s.ready.Store(true)
		s.cfg.Log.Info("the executor drives runs", "epoch", epoch)
	}
	lost := <-renewed
	s.ready.Store(false)
	e.open.Store(false)
	e.driving.Store(false)
	loops.Wait()
	e.releaseRecovery()
	if !lost {
		e.drain(s.cfg.Drain)
	}
	e.abortAll()
	e.awaitIdle(ctx)
	s.terms.end(epoch)
	s.terms.report(context.WithoutCancel(ctx))
	s.epoch.Store(0)
	if !lost {
		s.release(context.WithoutCancel(ctx))
	}
}

func (s *Service) release(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	if err := s.cfg.Store.ReleaseLease(ctx, s.cfg.Holder); err != nil {
		s.cfg.Log.Warn("the executor's lease was not released", "error", err)
	}
}

// renew keeps the lease until ctx ends (false) or it is lost (true). What
// counts is when a renewal was asked for, not when it was answered: the store
// counts the lease from there.
func (s *Service) renew(ctx context.Context, held time.Time) (lost bool) {
	wait := max(renewEvery-s.cfg.Now().Sub(held), 0) // to take it may have taken long
	for sleep(ctx, wait) {
		asked := s.cfg.Now()
		left := leaseTimeout - asked.Sub(held)
		if left <= 0 {
			s.cfg.Log.Error("the executor's lease could not be renewed in time")
			return true
		}
		epoch, err := s.renewOnce(ctx, min(left, renewTimeout))
		switch {
		case err == nil && epoch == s.epoch.Load():
			held, wait = asked, max(renewEvery-s.cfg.Now().Sub(asked), pollEvery)
			s.renewed.Store(&asked)
		case ctx.Err() != nil:
			return false
		case err == nil, errors.Is(err, ErrLeaseHeld):
			s.cfg.Log.Error("the executor's lease is another's")
			return true
		default:
			s.cfg.Log.Warn("the executor's lease was not renewed", "error", err)
			wait = min(pollEvery, max(leaseTimeout-s.cfg.Now().Sub(held), 0))
		}
	}
	return false
}

// holdsLease reports whether this process may act for its lease: it drives runs,
// and renewed the lease less than loseAfter ago by its own clock, whatever the
// store says or does not say.
func (s *Service) holdsLease() bool {
	at := s.renewed.Load()
	return s.engine.driving.Load() && at != nil && s.cfg.Now().Sub(*at) < leaseTimeout
}

func (s *Service) renewOnce(ctx context.Context, patience time.Duration) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return s.cfg.Store.AcquireLease(ctx, s.cfg.Holder, time.Time{}, leaseTTL)
}

// recoverRuns takes up the runs that a dead process left in action and opens the
// engine. No run begins before all of them are known: one that began earlier
// would look like one of them. Where there are suspects these are to be tried
// first; the others are taken up after that, and attempts of all runs wait. What
// needs no attempt goes on meanwhile, and runs are steered. False: ctx ended
// first.
func (e *engine) recoverRuns(ctx context.Context) (suspects []Suspect, ok bool) {
	if !e.retryUntilDone(ctx, "the crashes of runs could not be counted", func() (err error) {
		suspects, err = e.store.BeginTerm(ctx, e.svc.epoch.Load())
		return err
	}) {
		return nil, false
	}
	var ids []string
	if !e.retryUntilDone(ctx, "the runs with a concurrency limit could not be read", func() error { return e.restoreLimits(ctx) }) ||
		!e.retryUntilDone(ctx, "the runs that were in action could not be read", func() (err error) {
			ids, err = e.busy(ctx)
			return err
		}) {
		return nil, false
	}
	if len(suspects) == 0 && !e.setPhase(ctx, PhaseOpen) {
		return nil, false
	}
	e.driving.Store(true)
	if len(suspects) > 0 {
		e.holdRecovery(ids, suspects)
	} else if n := e.resumeRuns(ids); n > 0 {
		e.log.Info("runs were taken up again", "runs", n)
	}
	e.backlog.mark()
	e.open.Store(true)
	return suspects, true
}

// holdRecovery lets the runs of a dead process wait until the suspects among them are
// tried, and the convicts for ever.
func (e *engine) holdRecovery(ids []string, suspects []Suspect) {
	e.slots.suspend(true)
	e.trying.Store(true)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.unrecovered = make(map[string]bool, len(ids))
	for _, id := range ids {
		e.unrecovered[id] = true
	}
	e.quarantined = make(map[string]bool)
	for _, s := range suspects {
		if s.MustQuarantine() {
			e.quarantined[s.RunID] = true
		}
	}
}

// releaseRecovery forgets trials that the term did not outlast.
func (e *engine) releaseRecovery() {
	e.trying.Store(false)
	e.slots.suspend(false)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.unrecovered, e.quarantined = nil, nil
}

// retryUntilDone does what the store has to do, again until it succeeds. False: ctx
// ended first.
func (e *engine) retryUntilDone(ctx context.Context, failure string, do func() error) bool {
	for err := do(); err != nil; err = do() {
		e.log.Warn(failure, "error", err)
		if !sleep(ctx, retryStoreAfter) {
			return false
		}
	}
	return true
}

// busy lists the runs that the store has as in action.
func (e *engine) busy(ctx context.Context) ([]string, error) {
	var all []string
	for after := ""; ; after = all[len(all)-1] {
		ids, err := e.store.BusyRuns(ctx, after, duePage)
		all = append(all, ids...)
		if err != nil || len(ids) < duePage {
			return all, err
		}
	}
}

// resumeRuns recovers those of the runs that nobody here drives, and counts them.
// They had their slots before, and get them beyond the limit. A run with an
// attempt in action here is always in memory, so none of these has one.
func (e *engine) resumeRuns(ids []string) (n int) {
	for _, id := range ids {
		if e.resumeRun(id, nil) {
			n++
		}
	}
	return n
}

// resumeRun recovers a run, unless somebody here drives it. over, if there is
// one, is closed as soon as a step of it ended or it has none in action.
func (e *engine) resumeRun(id string, over chan struct{}) bool {
	l := &activeRun{id: id, epoch: e.svc.epoch.Load(), driven: true, granted: true, isolationEnded: over}
	e.mu.Lock()
	known := e.runs[id] != nil || e.waiting[id] || e.quarantined[id] || over != nil && !e.unrecovered[id]
	if !known {
		delete(e.unrecovered, id)
		l.mailbox = e.recovery(l)
		e.runs[id] = l
	}
	e.mu.Unlock()
	if known {
		return false
	}
	e.slots.acquireBeyondLimit()
	go e.drive(l)
	return true
}

// dispatchLoop gives free slots to woken runs first, then to queued ones.
func (e *engine) dispatchLoop(ctx context.Context) {
	var queued []string
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		queued = e.dispatch(ctx, queued)
		select {
		case <-e.wakes:
		case <-tick.C:
			e.backlog.mark() // another node may have queued a run
			queued = nil     // and another tenant wants its turn
		case <-ctx.Done():
			return
		}
	}
}

// dispatch fills the free slots and returns the queued runs that are left.
func (e *engine) dispatch(ctx context.Context, queued []string) []string {
	for ctx.Err() == nil && e.slots.tryAcquire() {
		if id, ok := e.popReady(); ok {
			e.deliver(id, message{input: machine.Tick{}}, true)
			continue
		}
		if id, ok := e.limits.popAdmitted(); ok {
			e.deliver(id, message{input: machine.Begin{}}, true)
			continue
		}
		if len(queued) == 0 {
			queued = e.queuedRuns(ctx)
		}
		if len(queued) == 0 {
			e.slots.releaseQuietly()
			return nil
		}
		e.deliver(queued[0], message{input: machine.Begin{}}, true)
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
	if !e.backlog.mayExist() {
		return nil
	}
	// Runs that are just beginning are queued in the store still; with many
	// slots they may fill a page.
	queue := e.store.Queued
	if e.svc.cfg.HoldNamed {
		queue = e.store.QueuedUnnamed
	}
	for limit := queuePage; ; limit *= 2 {
		foundEmpty := e.backlog.observe()
		ids, err := queue(ctx, limit)
		if err != nil {
			e.log.Warn("the queue could not be read", "error", err)
			return nil
		}
		if len(ids) == 0 {
			foundEmpty()
			return nil
		}
		if kept := e.withoutActive(ids); len(kept) > 0 || len(ids) < limit {
			return kept
		}
	}
}

// withoutActive leaves out the runs that are in memory, or wait for room below their
// workflow's limit.
func (e *engine) withoutActive(ids []string) []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	kept := ids[:0]
	for _, id := range ids {
		if e.runs[id] == nil && !e.limits.isQueued(id) {
			kept = append(kept, id)
		}
	}
	return kept
}

// drain gives steps in action d to end.
func (e *engine) drain(d time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	if runs, _ := e.waitUntilIdle(ctx, true); runs > 0 {
		e.log.Warn("runs are left for the next process", "runs", runs)
	}
}

// awaitIdle waits after a halt until nothing of this term is under way, or a
// run could be driven twice in the next. A process that ends waits less.
func (e *engine) awaitIdle(ctx context.Context) {
	short, cancel := context.WithTimeout(context.Background(), abortTimeout)
	defer cancel()
	if runs, acts := e.waitUntilIdle(short, true); runs+acts > 0 {
		e.log.Warn("steps or commits do not end", "runs", runs, "steps", acts)
	}
	e.waitUntilIdle(ctx, false)
}

// waitUntilIdle waits until no run is in memory, and with acts until no step is
// performed, or ctx ends. It returns what is left of both.
func (e *engine) waitUntilIdle(ctx context.Context, acts bool) (runs, acting int) {
	defer context.AfterFunc(ctx, func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.idle.Broadcast()
	})()
	e.mu.Lock()
	defer e.mu.Unlock()
	for ctx.Err() == nil && (len(e.runs) > 0 || acts && e.inFlight > 0) {
		e.idle.Wait()
	}
	return len(e.runs), e.inFlight
}

// abortAll cuts off what is still in action; its attempts count as interrupted.
func (e *engine) abortAll() {
	e.stopped.Store(true)
	e.mu.Lock()
	var rest []*activeRun
	for _, l := range e.runs {
		rest = append(rest, l)
		for _, stop := range l.attempts {
			stop(errAbandoned)
		}
	}
	e.ready, e.waiting = nil, make(map[string]bool)
	e.mu.Unlock()
	for _, l := range rest {
		e.deliver(l.id, message{input: machine.Tick{}}, false) // its driver sees the stop and lets go
	}
}
