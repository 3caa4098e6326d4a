package executor

import (
	"context"
	"heddle/executor/machine"
	"time"
)

// recoverRuns resumes the runs that a dead process left in flight, and lets this node lead.
// No run begins before all of them are known: one that began earlier would look like one of
// them. It ends in the state leading, without suspects; where there are suspects it returns
// them and the state is isolating: they are to be isolated first, the others are resumed
// after that, and the attempts of all runs wait. What needs no attempt goes on meanwhile,
// and commands are taken. It returns false if ctx ended first, or the term left the states
// in which it could go on.
func (l *leadership) recoverRuns(ctx context.Context) (suspects []Suspect, ok bool) {
	if !l.retryUntilDone(ctx, "the crashes of runs could not be counted", func() (err error) {
		suspects, err = l.cfg.Store.BeginTerm(ctx, l.term.epoch.Load())
		return err
	}) {
		return nil, false
	}
	var ids []string
	if !l.retryUntilDone(ctx, "the runs with a concurrency limit could not be read", func() error { return l.dispatcher.restoreLimits(ctx) }) ||
		!l.retryUntilDone(ctx, "the runs that were in flight could not be read", func() (err error) {
			ids, err = l.busyRuns(ctx)
			return err
		}) {
		return nil, false
	}
	if len(suspects) > 0 {
		// Before commands are taken: without a slot no attempt of another run begins beside
		// a suspect's.
		l.dispatcher.slots.suspend(true)
		l.registry.holdRecovery(ids, suspects)
		l.dispatcher.backlog.mark()
		return suspects, l.term.enter(isolating)
	}
	if !l.setPhase(ctx, PhaseOpen) {
		return nil, false
	}
	l.term.enter(resuming)
	if n := l.resumeRuns(ids); n > 0 {
		l.cfg.Log.Info("runs were resumed after a restart", "runs", n)
	}
	l.dispatcher.backlog.mark()
	return nil, l.term.enter(leading)
}

// retryUntilDone calls do until it succeeds, with a pause of storeRetryDelay, and logs each
// failure under the text failure. It returns false if ctx ended first.
func (l *leadership) retryUntilDone(ctx context.Context, failure string, do func() error) bool {
	for err := do(); err != nil; err = do() {
		l.cfg.Log.Warn(failure, "error", err)
		if !sleep(ctx, storeRetryDelay) {
			return false
		}
	}
	return true
}

// busyRuns returns the ids of all runs that the store has in a busy state, by id. It reads
// them in pages; a run that becomes busy meanwhile may be missing.
func (l *leadership) busyRuns(ctx context.Context) ([]string, error) {
	var all []string
	for after := ""; ; after = all[len(all)-1] {
		ids, err := l.cfg.Store.BusyRuns(ctx, after, duePage)
		all = append(all, ids...)
		if err != nil || len(ids) < duePage {
			return all, err
		}
	}
}

// resumeRuns recovers those of the runs that are not driven here, and returns their number.
// They had slots before, and get them beyond the limit. A run with an attempt in flight on
// this node is always in memory, so none of these has one, and nothing is interrupted that
// still runs.
func (l *leadership) resumeRuns(ids []string) (n int) {
	for _, id := range ids {
		if l.registry.resume(id, nil) {
			n++
		}
	}
	return n
}

// unattendedLoop looks for unattended runs every unattendedEvery until ctx ends.
func (l *leadership) unattendedLoop(ctx context.Context) {
	for sleep(ctx, unattendedEvery) {
		l.resumeUnattended(ctx)
	}
}

// resumeUnattended resumes runs that the store has as in flight and that are not driven: a
// commit that seemed lost may have been stored after all, and a run may have been
// unreadable for a while. Only in the state leading: before that such runs are held on
// purpose. An error is left to the next look.
func (l *leadership) resumeUnattended(ctx context.Context) {
	if l.term.state() != leading {
		return
	}
	ids, err := l.busyRuns(ctx)
	if err == nil {
		l.resumeRuns(ids)
	}
}

// repairCounts has the store compare what it counts with the rows, once in a term. Nothing
// waits for it: until it is done totals may lack what nodes of an earlier version wrote.
func (l *leadership) repairCounts(ctx context.Context) {
	l.retryUntilDone(ctx, "the counters of runs could not be compared with the runs", func() error {
		wrong, err := l.cfg.Store.RepairCounts(ctx)
		if wrong > 0 {
			l.cfg.Log.Warn("counters of runs were wrong and were set right", "counters", wrong)
		}
		return err
	})
}

// drain lets attempts in flight end for at most d. What ends is journalled and starts
// nothing, because the state is draining.
func (l *leadership) drain(d time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	if runs, _ := l.awaitIdle(ctx); runs > 0 {
		l.cfg.Log.Warn("runs are left for the next process", "runs", runs)
	}
}

// abortAll cuts off what is still in flight, so that its attempts count as interrupted, and
// waits until no goroutine of this term drives a run: otherwise a run could be driven twice
// in the next term. A process that ends (ctx) waits no longer than abortTimeout for that.
func (l *leadership) abortAll(ctx context.Context) {
	// The state comes first: an attempt begins either before its run is abandoned
	// below or not at all.
	l.term.enter(aborting)
	rest := l.registry.all()
	for _, a := range rest {
		l.performer.abandon(a)
	}
	l.registry.clearWaiting()
	l.dispatcher.clearQueue()
	for _, a := range rest {
		l.registry.deliver(a.id, message{input: machine.Tick{}}, false) // its driver sees the state and unloads it
	}
	short, cancel := context.WithTimeout(context.Background(), abortTimeout)
	defer cancel()
	if runs, attempts := l.awaitIdle(short); runs+attempts > 0 {
		l.cfg.Log.Warn("attempts or commits do not end", "runs", runs, "attempts", attempts)
	}
	l.registry.awaitEmpty(ctx)
}

// awaitIdle waits until no run is in memory and no attempt is in flight, or ctx ends. It
// returns how many of both are left; the two numbers are not of one moment.
func (l *leadership) awaitIdle(ctx context.Context) (runs, attempts int) {
	for {
		l.registry.awaitEmpty(ctx)
		l.performer.awaitIdle(ctx)
		runs, attempts = l.registry.count(), l.performer.count()
		// The last attempt may have brought its run back into memory.
		if runs+attempts == 0 || ctx.Err() != nil {
			return runs, attempts
		}
	}
}
