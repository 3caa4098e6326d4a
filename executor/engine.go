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
	settleFor       = 10 * time.Second
)

// engine drives runs: it feeds the machine one run at a time, commits what the
// machine decided and performs the effects afterwards. A run is in memory only
// while it has something to do.
type engine struct {
	svc     *Service
	store   Store
	log     *slog.Logger
	now     func() time.Time
	crash   func(string)
	commits *committer
	slots   *slots
	timers  *timers.Timers
	maxLive int
	limits  *limits
	inbox   *inbox
	backlog backlog
	steps   *gate
	scripts *gate
	blobs   BlobStore
	work    *room
	sending *room
	logs    *logbook
	places  *places

	// driving: this process holds the lease and starts steps. open: it also
	// takes new inputs; recovery has been put in front of them. trying: suspects
	// are tried, and the attempts of all other runs wait. stopped: nothing may be
	// journalled any more.
	driving atomic.Bool
	open    atomic.Bool
	trying  atomic.Bool
	stopped atomic.Bool
	kicks   chan struct{}

	mu      sync.Mutex
	live    map[string]*live
	ready   []string // woken runs that wait for a slot, the head first
	waiting map[string]bool
	// unrecovered are runs of a dead process that wait until the trials of the
	// suspects are over. An input that reaches one of them before is put behind
	// its recovery.
	unrecovered map[string]bool
	// convicts are runs that are not driven any more and will be quarantined.
	// Inputs for them are journalled.
	convicts map[string]bool
	kept     keptEnds
	loose    map[string]looseBlob
	acting   int        // performers of attempts, those of forgotten runs included
	idle     *sync.Cond // signalled when live or acting shrinks
}

// live is a run in memory. Its fields belong to the goroutine that drives it;
// inbox, driven and slot grants are guarded by engine.mu.
type live struct {
	id       string
	key      string // the run's concurrency key
	epoch    int64  // of the lease under which the run is driven
	inbox    []envelope
	driven   bool
	granted  bool // a slot was taken for it by the dispatcher
	slot     bool
	run      *machine.Run
	trace    Trace
	attempts map[attempt]context.CancelCauseFunc
	aside    int // attempts in action that wait for room at their place
	snapshot snapshotDebt
	over     chan struct{} // of a run that is alone in action: closed when it need not be any more
	made     []string      // blobs written while the next change is decided
}

type attempt struct {
	ref machine.Ref
	n   int
}

// envelope is one input on its way to a run, with the place for the answer
// where somebody waits for it.
type envelope struct {
	in     machine.Input
	posted string // the input's id in the inbox; "" where it came directly
	answer chan<- outcome
	blob   string        // what a step's end brings that no commit has named yet
	with   *Commit       // a new run that is stored together with what the input does
	audit  []audit.Entry // what is added to the audit trail where the input does something
	// step is no input: an attempt of the run stepped aside (1) or came back
	// (-1), and wants the run to have a slot before back is closed.
	step int
	back chan<- struct{}
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
		timers: timers.New(), maxLive: maxLive, limits: newLimits(), inbox: newInbox(), kicks: make(chan struct{}, 1),
		steps: newGate(s.cfg.MaxSteps), scripts: newGate(s.cfg.MaxScripts), places: newPlaces(s.cfg.MaxPerPlace),
		live: make(map[string]*live), waiting: make(map[string]bool),
		blobs: s.cfg.Blobs, work: newRoom(workRoom), sending: newRoom(sendRoom), loose: make(map[string]looseBlob),
	}
	e.idle = sync.NewCond(&e.mu)
	e.slots = &slots{free: s.cfg.MaxRuns, freed: e.kick}
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

// kick makes the dispatcher look for work. It never blocks.
func (e *engine) kick() {
	select {
	case e.kicks <- struct{}{}:
	default:
	}
}

// post hands an input to a run and starts driving it where nobody does.
func (e *engine) post(runID string, env envelope, slotTaken bool) {
	e.mu.Lock()
	l := e.live[runID]
	if l == nil {
		l = &live{id: runID, epoch: e.svc.epoch.Load()}
		e.live[runID] = l
		if e.unrecovered[runID] {
			delete(e.unrecovered, runID)
			l.inbox = e.recovery(l)
		}
	}
	l.inbox = append(l.inbox, env)
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
func (e *engine) askWith(ctx context.Context, runID string, env envelope) (outcome, error) {
	if !e.open.Load() {
		return outcome{}, notReady("No executor is serving here; try again shortly.")
	}
	answer := make(chan outcome, 1)
	env.answer = answer
	e.post(runID, env, false)
	bounded, call := deadline.Begin(ctx)
	defer call.End()
	select {
	case out := <-answer:
		return out, out.err
	case <-bounded.Done():
		if errors.Is(ctx.Err(), context.Canceled) {
			return outcome{}, ctx.Err()
		}
		return outcome{}, outcomeLate()
	}
}

// outcomeLate is the answer to a caller who has waited for the database for as
// long as a request may. What was handed in goes on.
func outcomeLate() error {
	return fault.New(fault.Unavailable, "outcome_unknown",
		"The database does not answer: what was asked for may be done yet or not. Look before trying again.")
}

// adopt makes a run that is just being stored known, so that inputs for it
// wait for its first commit instead of loading it a second time.
func (e *engine) adopt(l *live) {
	e.mu.Lock()
	defer e.mu.Unlock()
	l.driven = true
	e.live[l.id] = l
}

// abandon forgets a run that could not be stored or is another's by now.
func (e *engine) abandon(l *live) {
	e.mu.Lock()
	if e.live[l.id] == l {
		delete(e.live, l.id)
	}
	inbox := l.inbox
	l.inbox = nil
	granted := l.slot || l.granted
	l.slot, l.granted = false, false
	for _, stop := range l.attempts {
		stop(errAbandoned)
	}
	e.idle.Broadcast()
	e.mu.Unlock()
	e.keepEnds(l, inbox)
	l.noLongerAlone()
	if granted {
		e.slots.release()
	}
	e.release(l.written(inbox))
	refuse(inbox, notReady("The run is not driven here any more; try again shortly."))
}

func notReady(message string) error { return fault.New(fault.Unavailable, "not_ready", "%s", message) }

func refuse(envs []envelope, err error) {
	for _, env := range envs {
		if env.answer != nil {
			env.answer <- outcome{err: err}
		}
	}
}

// take empties the run's inbox. When there is nothing left to do the run
// leaves memory and false is returned.
func (e *engine) take(l *live) ([]envelope, bool) {
	e.mu.Lock()
	if l.granted {
		l.granted, l.slot = false, true
	}
	if len(l.inbox) > 0 {
		envs := l.inbox
		l.inbox = nil
		e.mu.Unlock()
		return envs, true
	}
	l.driven = false
	parked := l.run == nil || l.run.InAction() == 0
	if parked && e.live[l.id] == l {
		delete(e.live, l.id)
		e.idle.Broadcast()
	}
	release := parked && l.slot
	if release {
		l.slot = false
	}
	if parked {
		l.noLongerAlone()
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
	e.kick()
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

func (b *backlog) some() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return !b.empty
}

// look returns a function that records that the store was found empty, unless
// something was queued since look was called.
func (b *backlog) look() (foundEmpty func()) {
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

// pause waits, or tells that ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
