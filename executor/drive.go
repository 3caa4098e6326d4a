package executor

import (
	"context"
	"errors"
	"heddle/audit"
	"heddle/events"
	"heddle/executor/machine"
	"heddle/fault"
	"slices"
)

var (
	errAbandoned = errors.New("the run is not driven here any more")
	errStopped   = errors.New("the step was asked to stop")
)

// drive feeds a run its inputs until there are none left.
func (e *engine) drive(l *activeRun) {
	for {
		envs, more := e.receive(l)
		if !more {
			return
		}
		if l.run == nil && !e.load(l, envs) {
			return
		}
		if envs = e.updateHostWaits(l, envs); len(envs) == 0 {
			continue
		}
		if !e.runAll(l, envs) {
			return
		}
		e.lendSlot(l)
	}
}

// runAll applies inputs in batches. One with which a new run is to be stored
// is a batch of its own.
func (e *engine) runAll(l *activeRun, envs []message) bool {
	for len(envs) > 0 {
		n := slices.IndexFunc(envs, func(env message) bool { return env.successor != nil })
		switch n {
		case -1:
			n = len(envs)
		case 0:
			n = 1
		}
		if !e.runOnce(l, envs[:n]) {
			refuse(envs[n:], notReady("The run is not driven here any more; try again shortly."))
			return false
		}
		envs = envs[n:]
	}
	return true
}

// load folds the run from its journal. Where that fails the run leaves memory;
// the callers are told, and due work is found again by the next poll.
func (e *engine) load(l *activeRun, envs []message) bool {
	for {
		ctx, cancel := context.WithTimeout(context.Background(), confirmTimeout)
		run, row, debt, err := e.svc.restore(ctx, l.id)
		cancel()
		if err == nil {
			l.run, l.trace, l.snapshots, l.key = run, Trace{row.TraceParent, row.TraceState}, debt, row.ConcurrencyKey
			if g, _, limited := groupOf(run, l.key); limited && run.State != machine.Queued && !run.State.Terminal() {
				e.limits.addMember(l.id, g)
			}
			return true
		}
		if fault.KindOf(err) == fault.Unavailable && hasRecovery(envs) && !e.stopped.Load() {
			sleep(context.Background(), retryStoreAfter)
			continue
		}
		if fault.KindOf(err) != fault.NotFound {
			e.log.Error("a run could not be loaded", "run_id", l.id, "error", err)
		}
		refuse(envs, err)
		e.unload(l)
		if fault.KindOf(err) == fault.NotFound {
			e.leaveLimits(l.id)
		}
		return false
	}
}

// hasRecovery: recovery happens once, so it waits for the store.
func hasRecovery(envs []message) bool {
	for _, env := range envs {
		if _, recovery := env.input.(machine.Recover); recovery {
			return true
		}
	}
	return false
}

// runOnce applies a batch of inputs, commits the change and performs its
// effects. False: the run is not driven here any more.
func (e *engine) runOnce(l *activeRun, envs []message) bool {
	if e.stopped.Load() {
		e.keepResults(l, envs)
		refuse(envs, notReady("This node is stopping; try again shortly."))
		e.unload(l)
		return false
	}
	with := envs[0].successor
	envs = e.enforceLimit(l, envs)
	held := !e.driving.Load() || e.isQuarantined(l.id)
	change, answers, err := e.applyAll(l, envs, held)
	if err == nil && !held && !l.slot && (change.Run.InFlight() > 0 || change.More) {
		switch e.admit(l, envs) {
		case deferred:
			return true
		case journalOnly:
			held = true
			change, answers, err = e.applyAll(l, envs, held)
		case admitted:
		}
	}
	written := l.takeUnreferenced(envs)
	defer e.forgetBlobs(written)
	if err == nil && len(change.Events) > 0 {
		err = e.commitGrowth(l, change, answers, named(written, change), with)
	}
	if err != nil && with != nil && refusesSuccessor(err) {
		refuse(envs, asSuccessorRefusal(err))
		return true
	}
	if err != nil {
		e.keepResults(l, envs)
		refuse(envs, err)
		e.unload(l)
		return false
	}
	e.committed(l, change)
	e.reply(l, answers)
	switch {
	case change.More && held:
		e.waitForSlot(l)
	case change.More:
		e.mu.Lock()
		l.mailbox = append([]message{{input: machine.Continue{}}}, l.mailbox...)
		e.mu.Unlock()
	case l.slot && change.Run.InFlight() == 0:
		e.releaseSlot(l)
	}
	return true
}

// waitForSlot lets a run that could go on wait for a slot, or, while this process
// stops, for the next one.
func (e *engine) waitForSlot(l *activeRun) {
	if l.slot && l.run.InFlight() == 0 {
		e.releaseSlot(l)
	}
	if e.driving.Load() && !e.isQuarantined(l.id) {
		e.enqueueReady(l.id)
		e.wakeDispatcher()
	}
}

func (e *engine) reply(l *activeRun, answers []answer) {
	if len(answers) == 0 {
		return
	}
	row := rowOf(l.run, l.trace, e.now())
	for _, a := range answers {
		a.out.row = row
		a.to <- a.out
	}
}

type answer struct {
	to     chan<- outcome
	posted string // the input's id in the inbox; "" where it came directly
	out    outcome
	audit  []audit.Entry
}

// applyAll applies the inputs one after another. An input that the state
// refuses changes nothing; its sender is told. Held: nothing new is started.
// The error is errAbandoned: this node stopped meanwhile.
func (e *engine) applyAll(l *activeRun, envs []message, held bool) (machine.Change, []answer, error) {
	total, now := machine.Change{Run: l.run}, e.now()
	var answers []answer
	for _, env := range envs {
		in := env.input
		if held {
			in = machine.JournalOnly{Input: in}
		}
		c, err := e.decide(l, total.Run, in, now)
		if errors.Is(err, errAbandoned) {
			return total, nil, err
		}
		if err == nil {
			total.Run, total.More = c.Run, c.More
			total.Events = append(total.Events, c.Events...)
			total.Effects = append(total.Effects, c.Effects...)
		}
		if env.answer != nil {
			answers = append(answers, answer{env.answer, env.posted, outcome{effect: len(c.Events) > 0, err: err}, env.audit})
		}
	}
	return total, answers, nil
}

// admission is what becomes of a change that needs a slot.
type admission int

const (
	admitted    admission = iota
	journalOnly           // the inputs are journalled, what they let go waits
	deferred              // the change is thrown away and decided anew later
)

// admit finds a slot for a run that has none and would now begin steps. Timers
// and queued runs are turned away: the store knows of them. What somebody
// waits for is journalled and holds the rest back. Recovery had its slot
// before the crash and gets it beyond the limit.
func (e *engine) admit(l *activeRun, envs []message) admission {
	if e.slots.tryAcquire() {
		e.claimSlot(l)
		return admitted
	}
	known := true
	for _, env := range envs {
		switch env.input.(type) {
		case machine.Recover:
			if e.trying.Load() {
				return journalOnly // its attempts wait until the trials are over
			}
			e.slots.acquireBeyondLimit()
			e.claimSlot(l)
			return admitted
		case machine.Tick, machine.Begin, machine.Continue:
		default:
			known = false
		}
	}
	if !known {
		return journalOnly
	}
	for _, env := range envs {
		switch env.input.(type) {
		case machine.Begin:
			e.backlog.mark() // it is in the store as queued and is found there again
		case machine.Tick:
			e.enqueueIfRoom(l.id)
		default:
			e.enqueueReady(l.id)
		}
	}
	return deferred
}

// enqueueReady puts a woken run at the head of those that want a slot.
func (e *engine) enqueueReady(runID string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.waiting[runID] {
		e.waiting[runID] = true
		e.ready = append(e.ready, runID)
	}
}

// claimSlot makes a slot that was just taken the run's. One that the dispatcher
// granted meanwhile goes back: a run holds one slot.
func (e *engine) claimSlot(l *activeRun) {
	e.mu.Lock()
	spare := l.granted
	l.granted, l.slot = false, true
	e.mu.Unlock()
	if spare {
		e.slots.release()
	}
}

func (e *engine) releaseSlot(l *activeRun) {
	e.mu.Lock()
	l.slot = false
	e.mu.Unlock()
	e.slots.release()
}

// commitGrowth makes a change durable. It returns an error only when the run
// is another's, when with is refused, or when the run had to be given up: a
// store that is away is asked again until it answers.
func (e *engine) commitGrowth(l *activeRun, change machine.Change, answers []answer, blobs []string, with *Commit) error {
	commit := Commit{
		Row:      rowOf(change.Run, l.trace, e.now()),
		Expected: l.run.Seq,
		Events:   change.Events,
		Snapshot: l.snapshots.take(change),
		Blobs:    blobs,
		With:     with,
	}
	commit.Taken = taken(answers, commit.Row)
	for _, a := range answers {
		if a.out.effect {
			commit.Audit = append(commit.Audit, a.audit...)
		}
	}
	var tries refusals
	for {
		if l.epoch == 0 || e.stopped.Load() {
			return ErrFenced // journalled by this node no more
		}
		e.crashBefore(change)
		err := e.commits.submit(l.epoch, commit)
		if err == nil {
			e.crash("after_commit")
			return nil
		}
		if with != nil && refusesSuccessor(err) {
			return err
		}
		if errors.Is(err, ErrFenced) || fault.KindOf(err) == fault.NotFound || e.stopped.Load() {
			e.log.Warn("a run moved on without this node", "run_id", l.id, "error", err)
			return err
		}
		if tries.note(err) {
			return e.failUnjournalable(l, err)
		}
		e.log.Warn("a commit failed and is tried again", "run_id", l.id, "in", tries.wait, "error", err)
		e.sleepUnlessHalted(tries.wait)
		if settled, err := e.confirmCommit(commit); settled || err != nil {
			return err
		}
	}
}

// confirmCommit reads back whether a commit that failed was stored after all.
func (e *engine) confirmCommit(c Commit) (bool, error) {
	ctx, cancel := context.WithTimeout(context.Background(), confirmTimeout)
	defer cancel()
	row, err := e.store.Run(ctx, c.Row.TenantID, c.Row.RunID)
	switch {
	case err != nil && fault.KindOf(err) == fault.NotFound:
		return false, ErrFenced
	case err != nil:
		return false, nil // still away
	case row.Seq == c.Row.Seq && row.UpdatedAt.Equal(c.Row.UpdatedAt):
		return true, nil
	case row.Seq == c.Expected:
		return false, nil
	default:
		return false, ErrFenced
	}
}

// committed takes over what is durable now: watchers look again, timers are
// set, effects are performed.
func (e *engine) committed(l *activeRun, change machine.Change) {
	e.trace(l, change)
	l.run = change.Run
	if len(change.Events) > 0 {
		e.svc.cfg.Hub.Wake(l.id)
	}
	if l.key != "" && change.Run.State.Terminal() {
		e.leaveLimits(l.id)
	}
	if l.isolationEnded != nil && endsAttempt(change.Events) {
		l.endIsolation()
	}
	if at, ok := change.Run.Due(); ok && at.Before(e.now().Add(timerHorizon)) {
		e.timers.Sooner(l.id, at)
	}
	for _, effect := range change.Effects {
		switch f := effect.(type) {
		case machine.Execute:
			e.startAttempt(l, f)
		case machine.Stop:
			e.stopAttempt(l, attemptKey{f.Ref, f.Attempt})
		}
	}
}

func (e *engine) crashBefore(change machine.Change) {
	if change.Run.State.Terminal() {
		e.crash("terminal_write")
		return
	}
	e.crash("before_commit")
}

// snapshotDebt decides when a run's state is worth writing as a whole: after
// at least snapshotEvents events whose size is at least that of the last
// snapshot, so that the cost stays proportional to the journal.
type snapshotDebt struct {
	events int
	bytes  int
	last   int
}

const snapshotEvents = 1000

// debtOf is what a journal as it was loaded still owes: without it a run that
// wakes often and briefly would never have a snapshot.
func debtOf(j Journal) snapshotDebt {
	return snapshotDebt{events: len(j.Events), bytes: size(j.Events), last: len(j.Snapshot)}
}

func (d *snapshotDebt) take(change machine.Change) []byte {
	d.events += len(change.Events)
	d.bytes += size(change.Events)
	if d.events < snapshotEvents || d.bytes < d.last || change.Run.State.Terminal() {
		return nil
	}
	snapshot, err := change.Run.Snapshot()
	if err != nil {
		return nil
	}
	*d = snapshotDebt{last: len(snapshot)}
	return snapshot
}

func size(evs []events.Event) int {
	n := 0
	for i := range evs {
		n += len(evs[i].Data) + 64
	}
	return n
}
