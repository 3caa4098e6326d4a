package executor

import (
	"context"
	"errors"
	"sync"
	"time"
)

// The times of the lease and of the polls. A node that could not renew for leaseTimeout
// stops its effects, well before another may take over at leaseTTL. leaseTTL is counted by
// the store from when it took the renewal, leaseTimeout by this node from when it requested
// it, so the node stops earlier in either case.
const (
	leaseTTL        = 15 * time.Second // after it, another node may take the lease
	renewEvery      = 3 * time.Second
	renewTimeout    = 4 * time.Second  // for one renewal to be answered
	leaseTimeout    = 8 * time.Second  // without a renewal for so long, this node drains
	unattendedEvery = 30 * time.Second // between two looks for unattended runs
	pollEvery       = time.Second      // between two looks at the store by each loop
	timerHorizon    = 3 * time.Second  // due times that are this near are held in memory
	duePage         = 1000             // rows read at once: due runs, busy runs
	queuePage       = 64               // rows of the queue read at once, and timers that go off at once
	sweepPolls      = 10               // polls between two looks for due times that passed unseen
	abortTimeout    = 2 * time.Second  // for what is cut off to end
)

// StopsAfter is when a node that could not renew its lease has stopped its effects,
// counted from the last renewal that another node saw. It is below leaseTTL.
const StopsAfter = leaseTimeout + abortTimeout

// leadership takes and keeps the executor's lease, and leads through the states of a term:
// recovery, isolation of suspects, leading, the end. It has no lock: its methods run in the
// goroutine of serve and in those that it starts, which share the atomic term.
type leadership struct {
	cfg        *Config
	term       *term
	ends       *termEnds
	commits    *committer
	registry   *registry
	dispatcher *dispatcher
	performer  *performer
	values     *largeValues
	inbox      *inbox
}

// serve takes the lease whenever it is free and leads a term with it, until ctx ends. While
// another node holds the lease this one stands by. Between two attempts it waits for
// pollEvery. It returns nil, after the last term has ended and the goroutine that listens
// has returned.
func (l *leadership) serve(ctx context.Context) error {
	defer l.term.ready.Store(false)
	l.term.serving.Store(true)
	defer context.AfterFunc(ctx, func() { l.term.serving.Store(false) })()
	var listening sync.WaitGroup
	listening.Go(func() { l.listen(ctx) })
	defer listening.Wait()
	l.ends.load()
	defer func() { l.ends.report(context.WithoutCancel(ctx)) }()
	for ctx.Err() == nil {
		l.ends.report(ctx)
		// Before the call: the store may count the lease from any time after this.
		asked := l.cfg.Now()
		epoch, err := l.cfg.Store.AcquireLease(ctx, l.cfg.Holder, time.Time{}, leaseTTL)
		switch {
		case err == nil && l.cfg.Now().Sub(asked) > leaseTimeout/2:
			continue // taking it has used up much of it; to renew it is quicker
		case err == nil:
			l.lead(ctx, epoch, asked)
		case errors.Is(err, ErrLeaseHeld):
			l.term.ready.Store(true) // standing by: the API serves all the same
		default:
			l.cfg.Log.Warn("the executor's lease could not be taken", "error", err)
		}
		sleep(ctx, pollEvery)
	}
	return nil
}

// lead is one term: it goes from recovering to standby, and returns when no goroutine of
// the term is left. since is when the lease was requested; it is valid from there.
//
// The end has an order. The loops return first, so that nothing new is dispatched. Then
// attempts in flight may end for Config.Drain, unless the lease is lost, because their ends
// could not be committed. Then all is cut off. The term's end is recorded before the epoch
// is cleared and the lease released, so that the next term counts no crash.
func (l *leadership) lead(ctx context.Context, epoch int64, since time.Time) {
	l.term.renewed.Store(&since)
	l.term.epoch.Store(epoch)
	l.term.enter(recovering)
	inTerm, end := context.WithCancel(ctx)
	defer end()
	// Of capacity 1: the goroutine ends whether or not its result is read by then.
	renewed := make(chan bool, 1)
	go func() {
		defer end()
		renewed <- l.renew(ctx, since)
	}()
	var loops sync.WaitGroup
	if suspects, ok := l.recoverRuns(inTerm); ok {
		if len(suspects) > 0 {
			loops.Go(func() { l.isolateSuspects(inTerm, suspects) })
		}
		for _, loop := range []func(context.Context){l.dispatcher.dispatchLoop, l.dispatcher.timerLoop, l.dispatcher.pollLoop, l.unattendedLoop, l.repairCounts, l.inbox.loop, l.values.sweepLoop} {
			loops.Go(func() { loop(inTerm) })
		}
		l.term.ready.Store(true)
		l.cfg.Log.Info("the executor drives runs", "epoch", epoch)
	}
	lost := <-renewed
	l.term.ready.Store(false)
	l.term.enter(draining)
	loops.Wait()
	if !lost {
		l.drain(l.cfg.Drain)
	}
	l.abortAll(ctx)
	// No run is in memory any more. Before, a late message would load a run that is held as
	// if it needed no recovery.
	l.registry.endRecovery()
	l.dispatcher.slots.suspend(false)
	l.term.enter(standby)
	// Only here: a process that dies before this line has not ended its term in order.
	l.ends.end(epoch)
	l.ends.report(context.WithoutCancel(ctx))
	l.term.epoch.Store(0)
	if !lost {
		l.release(context.WithoutCancel(ctx))
	}
}

// release gives the lease up, so that another node need not wait until it expires. It waits
// two seconds at most; a failure is logged only.
func (l *leadership) release(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	if err := l.cfg.Store.ReleaseLease(ctx, l.cfg.Holder); err != nil {
		l.cfg.Log.Warn("the executor's lease was not released", "error", err)
	}
}

// renew keeps the lease until ctx ends (false) or it is lost (true): held by another node,
// of another epoch, or not renewed within leaseTimeout. held is when it was last requested
// with success. What counts is when a renewal was requested, not when it was answered. A
// failed call is repeated every pollEvery while there is time.
func (l *leadership) renew(ctx context.Context, held time.Time) (lost bool) {
	wait := max(renewEvery-l.cfg.Now().Sub(held), 0) // to take it may have taken long
	for sleep(ctx, wait) {
		asked := l.cfg.Now()
		left := leaseTimeout - asked.Sub(held)
		if left <= 0 {
			l.cfg.Log.Error("the executor's lease could not be renewed in time")
			return true
		}
		epoch, err := l.renewOnce(ctx, min(left, renewTimeout))
		switch {
		case err == nil && epoch == l.term.epoch.Load():
			held, wait = asked, max(renewEvery-l.cfg.Now().Sub(asked), pollEvery)
			l.term.renewed.Store(&asked)
		case ctx.Err() != nil:
			return false
		case err == nil, errors.Is(err, ErrLeaseHeld):
			l.cfg.Log.Error("the executor's lease is another's")
			return true
		default:
			l.cfg.Log.Warn("the executor's lease was not renewed", "error", err)
			wait = min(pollEvery, max(leaseTimeout-l.cfg.Now().Sub(held), 0))
		}
	}
	return false
}

// holdsLease reports whether this node may act for its lease: it drives runs, and its last
// renewal was requested less than leaseTimeout ago by its own clock, whatever the store
// says. Any goroutine may call it.
func (l *leadership) holdsLease() bool {
	at := l.term.renewed.Load()
	return l.term.state().drives() && at != nil && l.cfg.Now().Sub(*at) < leaseTimeout
}

// renewOnce renews the lease once, waiting for patience at most, and returns its epoch. An
// epoch other than the term's means that the lease was lost and taken again.
func (l *leadership) renewOnce(ctx context.Context, patience time.Duration) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return l.cfg.Store.AcquireLease(ctx, l.cfg.Holder, time.Time{}, leaseTTL)
}
