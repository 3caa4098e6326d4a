package executor

import (
	"context"
	"errors"
	"heddle/audit"
	"heddle/deadline"
	"heddle/executor/machine"
	"heddle/fault"
	"heddle/timers"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// How long the engine waits before it asks a store again that was away, and
// how long it looks for the outcome of a commit that it could not learn.
const (
	retryStoreAfter = 200 * time.Millisecond
	confirmTimeout  = 10 * time.Second
)

// engine drives runs: it feeds the machine one run at a time, commits what the
// machine decided and performs the effects afterwards. A run is in memory only
// while it has something to do.
type engine struct {
	svc        *Service
	store      Store
	log        *slog.Logger
	now        func() time.Time
	crash      func(string)
	commits    *committer
	slots      *slots
	timers     *timers.Timers
	maxActive  int
	limits     *limits
	inbox      *inbox
	backlog    backlog
	steps      *gate
	scripts    *gate
	blobs      BlobStore
	workBudget *memoryBudget
	sendBudget *memoryBudget
	logs       *logbook
	hosts      *hostLimiter

	// driving: this process holds the lease and starts steps. open: it also
	// takes new inputs; recovery has been put in front of them. trying: suspects
	// are tried, and the attempts of all other runs wait. stopped: nothing may be
	// journalled any more.
	driving atomic.Bool
	open    atomic.Bool
	trying  atomic.Bool
	stopped atomic.Bool
	wakes   chan struct{}

	mu      sync.Mutex
	runs    map[string]*activeRun
	ready   []string // woken runs that wait for a slot, the head first
	waiting map[string]bool
	// unrecovered are runs of a dead process that wait until the trials of the
	// suspects are over. An input that reaches one of them before is put behind
	// its recovery.
	unrecovered map[string]bool
	// quarantined are runs that are not driven any more and will be quarantined.
	// Inputs for them are journalled.
	quarantined  map[string]bool
	results      unjournalledResults
	unreferenced map[string]unreferencedBlob
	inFlight     int        // performers of attempts, those of forgotten runs included
	idle         *sync.Cond // signalled when live or acting shrinks
}

// activeRun is a run in memory. Its fields belong to the goroutine that drives it;
// inbox, driven and slot grants are guarded by engine.mu.
type activeRun struct {
	id             string
	key            string // the run's concurrency key
	epoch          int64  // of the lease under which the run is driven
	mailbox        []message
	driven         bool
	granted        bool // a slot was taken for it by the dispatcher
	slot           bool
	run            *machine.Run
	trace          Trace
	attempts       map[attemptKey]context.CancelCauseFunc
	waitingForHost int // attempts in action that wait for room at their place
	snapshots      snapshotDebt
	isolationEnded chan struct{} // of a run that is alone in action: closed when it need not be any more
	blobs          []string      // blobs written while the next change is decided
}

type attemptKey struct {
	ref machine.Ref
	n   int
}

// message is one input on its way to a run, with the place for the answer
// where somebody waits for it.
type message struct {
	input     machine.Input
	posted    string // the input's id in the inbox; "" where it came directly
	answer    chan<- outcome
	blob      string        // what a step's end brings that no commit has named yet
	successor *Commit       // a new run that is stored together with what the input does
	audit     []audit.Entry // what is added to the audit trail where the input does something
	// hostWait is no input: an attempt of the run stepped aside (1) or came back
	// (-1), and wants the run to have a slot before back is closed.
	hostWait int
	resumed  chan<- struct{}
}

// outcome is what became of an input: the run's row after it, whether it did
// anything, or why it was refused. taken: the commit took it from the inbox.
// pending: it is stored there, and what is told is how things stand.
type outcome struct {
	row     Record
	effect  bool
	taken   bool
	pending bool
	err     error
}

func newEngine(s *Service) *engine {
	e := &engine{
		svc: s, store: s.cfg.Store, log: s.cfg.Log, now: s.now, crash: s.cfg.Crash,
		timers: timers.New(), maxActive: maxActiveRuns, limits: newLimits(), inbox: newInbox(), wakes: make(chan struct{}, 1),
		steps: newGate(s.cfg.MaxSteps), scripts: newGate(s.cfg.MaxScripts), hosts: newHostLimiter(s.cfg.MaxPerHost),
		runs: make(map[string]*activeRun), waiting: make(map[string]bool),
		blobs: s.cfg.Blobs, workBudget: newMemoryBudget(workBudgetSize), sendBudget: newMemoryBudget(sendBudgetSize), unreferenced: make(map[string]unreferencedBlob),
	}
	e.idle = sync.NewCond(&e.mu)
	e.slots = &slots{free: s.cfg.MaxRuns, onRelease: e.wakeDispatcher}
	e.commits = newCommitter(s.cfg.Store, s.cfg.Writers, s.cfg.Group, storedBy(s))
	e.logs = newLogbook(e)
	return e
}

// now is the time that is stored and that due times are judged by, in the
// precision that is stored: the service's clock, or the database's where the two
// are far apart. Deadlines within the process are measured by cfg.Now alone.
func (s *Service) now() time.Time {
	return s.cfg.Now().Add(s.cfg.Clock.Correction()).UTC().Truncate(time.Millisecond)
}

// wakeDispatcher makes the dispatcher look for work. It never blocks.
func (e *engine) wakeDispatcher() {
	select {
	case e.wakes <- struct{}{}:
	default:
	}
}

// deliver hands an input to a run and starts driving it where nobody does.
func (e *engine) deliver(runID string, env message, slotTaken bool) {
	e.mu.Lock()
	l := e.runs[runID]
	if l == nil {
		l = &activeRun{id: runID, epoch: e.svc.epoch.Load()}
		e.runs[runID] = l
		if e.unrecovered[runID] {
			delete(e.unrecovered, runID)
			l.mailbox = e.recovery(l)
		}
	}
	l.mailbox = append(l.mailbox, env)
	spare := slotTaken && (l.slot || l.granted)
	if slotTaken && !spare {
		l.granted = true
	}
	start := !l.driven
	l.driven = true
	e.mu.Unlock()
	if spare {
		e.slots.release()
	}
	if start {
		go e.drive(l)
	}
}

// askWith posts an input and waits for what became of it.
func (e *engine) askWith(ctx context.Context, runID string, env message) (outcome, error) {
	if !e.open.Load() {
		return outcome{}, notReady("No executor is serving here; try again shortly.")
	}
	answer := make(chan outcome, 1)
	env.answer = answer
	e.deliver(runID, env, false)
	bounded, call := deadline.Begin(ctx)
	defer call.End()
	select {
	case out := <-answer:
		return out, out.err
	case <-bounded.Done():
		if errors.Is(ctx.Err(), context.Canceled) {
			return outcome{}, ctx.Err()
		}
		return outcome{}, outcomeUnknown()
	}
}

// outcomeUnknown is the answer to a caller who has waited for the database for as
// long as a request may. What was handed in goes on.
func outcomeUnknown() error {
	return fault.New(fault.Unavailable, "outcome_unknown",
		"The database does not answer: what was asked for may be done yet or not. Look before trying again.")
}

// track makes a run that is just being stored known, so that inputs for it
// wait for its first commit instead of loading it a second time.
func (e *engine) track(l *activeRun) {
	e.mu.Lock()
	defer e.mu.Unlock()
	l.driven = true
	e.runs[l.id] = l
}

// unload forgets a run that could not be stored or is another's by now.
func (e *engine) unload(l *activeRun) {
	e.mu.Lock()
	if e.runs[l.id] == l {
		delete(e.runs, l.id)
	}
	inbox := l.mailbox
	l.mailbox = nil
	granted := l.slot || l.granted
	l.slot, l.granted = false, false
	for _, stop := range l.attempts {
		stop(errAbandoned)
	}
	e.idle.Broadcast()
	e.mu.Unlock()
	e.keepResults(l, inbox)
	l.endIsolation()
	if granted {
		e.slots.release()
	}
	e.forgetBlobs(l.takeUnreferenced(inbox))
	refuse(inbox, notReady("The run is not driven here any more; try again shortly."))
}

func notReady(message string) error { return fault.New(fault.Unavailable, "not_ready", "%s", message) }

func refuse(envs []message, err error) {
	for _, env := range envs {
		if env.answer != nil {
			env.answer <- outcome{err: err}
		}
	}
}

// receive empties the run's inbox. When there is nothing left to do the run
// leaves memory and false is returned.
func (e *engine) receive(l *activeRun) ([]message, bool) {
	e.mu.Lock()
	if l.granted {
		l.granted, l.slot = false, true
	}
	if len(l.mailbox) > 0 {
		envs := l.mailbox
		l.mailbox = nil
		e.mu.Unlock()
		return envs, true
	}
	l.driven = false
	parked := l.run == nil || l.run.InFlight() == 0
	if parked && e.runs[l.id] == l {
		delete(e.runs, l.id)
		e.idle.Broadcast()
	}
	release := parked && l.slot
	if release {
		l.slot = false
	}
	if parked {
		l.endIsolation()
	}
	queued := parked && l.run != nil && l.run.State == machine.Queued
	e.mu.Unlock()
	if queued {
		e.queued() // the dispatcher passes over runs that are in memory
	}
	if release {
		e.slots.release()
	}
	return nil, false
}

// queued tells the dispatcher that there is a run in the store's queue.
func (e *engine) queued() {
	e.backlog.mark()
	e.wakeDispatcher()
}

// backlog knows whether queued runs may be in the store. It errs towards yes.
type backlog struct {
	mu     sync.Mutex
	marked uint64
	empty  bool
}

func (b *backlog) mark() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.marked++
	b.empty = false
}

func (b *backlog) mayExist() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return !b.empty
}

// observe returns a function that records that the store was found empty, unless
// something was queued since look was called.
func (b *backlog) observe() (foundEmpty func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	seen := b.marked
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.marked == seen {
			b.empty = true
		}
	}
}

// sleep waits, or tells that ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
