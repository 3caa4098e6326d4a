package executor

import (
	"context"
	"heddle/audit"
	"heddle/executor/machine"
	"heddle/executor/queue"
	"sync"
)

// registry holds the runs that are in memory and hands them their messages. A run is there
// while it has something to do; each is driven by at most one goroutine. The registry
// starts that goroutine with the message that finds none, and it ends in receive when there
// are no messages left. A run with attempts in flight stays in memory without a goroutine.
//
// Lock order in this package: registry.mu, then dispatcher.mu or limits.mu. Every other
// lock (of performer, largeValues, slots, backlog, hostLimiter, inbox, storeProbe, the
// caches) is taken alone; a stepLog's is held when logbook.mu is taken. No lock is held
// while the store is called.
type registry struct {
	term       *term
	dispatcher *dispatcher
	drive      func(*activeRun) // driver.drive, called in a goroutine of its own

	mu   sync.Mutex            // guards the fields below, and the mailbox of every run
	runs map[string]*activeRun // by id
	// unrecovered are runs of a dead process that are not driven until the suspects have
	// been isolated. A message for one of them is put behind its recovery, which removes it
	// from here. Empty where none is held.
	unrecovered map[string]bool
	// quarantined are runs that killed the process in isolation and will be failed. Until
	// then messages for them are journalled and start nothing. Empty where there are none.
	quarantined map[string]bool
	// results are ends of attempts that could not be committed; see keepResults.
	results unjournalledResults
	// waiting has the states of queued runs that are not in runs.
	waiting waitingRuns
	shrank  *sync.Cond // broadcast when runs shrinks; over mu
}

// activeRun is a run in memory. A run that is unloaded and loaded again is another
// activeRun, so identity of pointers tells the two apart. id and epoch never change once it
// is in the registry. The mailbox is guarded by registry.mu, attempts by performer.mu;
// driveState belongs to the goroutine that drives the run.
type activeRun struct {
	id    string
	epoch int64 // of the lease under which the run is driven; 0: none
	mailbox
	// attempts has the attempts in flight and how to stop each; nil before the first.
	attempts map[attemptKey]context.CancelCauseFunc
	driveState
}

// mailbox is the part of an activeRun that any goroutine may change. registry.mu guards it.
// A slot passes through granted, so that the driver, which reads slot without the lock,
// sees it change only in calls of its own.
type mailbox struct {
	messages []message // not received yet, in the order in which they are applied
	driven   bool      // a goroutine drives the run
	granted  bool      // the dispatcher took a slot for it; receive turns it into slot
	// slot: the run has a slot. Only the driver changes it, with mu held, so the
	// driver may read it without.
	slot bool
}

// driveState is the part of an activeRun that only its driver touches. Before the first
// driver starts, and after a run has been removed from the registry, it belongs to the code
// that made or removed it.
type driveState struct {
	key   string       // the run's concurrency key; "": none
	run   *machine.Run // the state after the last commit; nil: not loaded yet
	trace Trace
	// snapshots decides when a commit carries a snapshot.
	snapshots snapshotDebt
	// waitingForHost is how many attempts in flight wait for their host.
	waitingForHost int
	// isolationEnded is closed when the run need no longer be isolated; nil: it is not
	// isolated, or was closed.
	isolationEnded chan struct{}
	blobs          []string // ids of those written while the next change is decided
}

// endIsolation lets the next suspect be isolated; it has no effect on a run that is not
// isolated, or a second time. Only the driver calls it.
func (s *driveState) endIsolation() {
	if s.isolationEnded != nil {
		close(s.isolationEnded)
		s.isolationEnded = nil
	}
}

// message is one input on its way to a run, with the channel for the answer where a caller
// waits for it. Exactly one of input and hostWait is set.
type message struct {
	input     machine.Input
	posted    string         // the input's id in the inbox; "": it came directly
	answer    chan<- outcome // of capacity 1; nil: no caller waits
	blob      string         // of an attempt's end: the output's blob, which no commit has named yet
	rendered  *keptInput     // of an attempt's end: its rendered config; nil: it is not kept
	successor *Commit        // a new run that is stored together with what the input does; nil: none
	audit     []audit.Entry  // added to the audit trail where the input does something
	// hostWait, unless 0, makes this no input: an attempt of the run begins (1) or ends
	// (-1) to wait for its host. Such a message is not journalled. With resumed, the run
	// must have a slot before the driver closes resumed.
	hostWait int
	resumed  chan<- struct{}
}

// outcome is what became of an input: the run's row after it and whether it had any effect,
// or err, why it was refused.
type outcome struct {
	row     Record
	effect  bool // it emitted events; false: the run was already so, or it was refused
	taken   bool // the commit took it from the inbox
	pending bool // it stays in the inbox, and row is how the run stands now
	err     error
}

// newRegistry makes an empty registry. Its dispatcher and drive are set by New before the
// first message is delivered, because those objects need the registry themselves.
func newRegistry(t *term) *registry {
	r := &registry{term: t, runs: make(map[string]*activeRun), waiting: newWaitingRuns()}
	r.shrank = sync.NewCond(&r.mu)
	return r
}

// deliver hands a message to a run and starts a driver where none is active. A run that is
// not in memory is added under the present epoch and, unless its state was kept, loaded by
// its driver; the recovery of a held run goes before the message. With slotTaken the caller has taken a slot for the
// run; it is released again where the run has one already. deliver never blocks on the run
// and may be called by any goroutine, in every state of the term: where nothing may be
// journalled the driver refuses the message.
func (r *registry) deliver(runID string, m message, slotTaken bool) {
	r.mu.Lock()
	a := r.runs[runID]
	if a == nil {
		// The epoch of the lease at this moment: the run is driven under it until it leaves
		// memory, and its commits are refused once the lease is another's.
		a = &activeRun{id: runID, epoch: r.term.epoch.Load()}
		r.runs[runID] = a
		if w, ok := r.waiting.take(runID, a.epoch); ok {
			a.run, a.key, a.trace, a.snapshots = w.run, w.key, w.trace, w.snapshots
		}
		if r.unrecovered[runID] {
			delete(r.unrecovered, runID)
			a.messages = r.recovery(a)
		}
	}
	a.messages = append(a.messages, m)
	spare := slotTaken && (a.slot || a.granted)
	if slotTaken && !spare {
		a.granted = true
	}
	start := !a.driven
	a.driven = true
	r.mu.Unlock()
	// Outside mu: a release wakes the dispatcher.
	if spare {
		r.dispatcher.slots.release()
	}
	if start {
		go r.drive(a)
	}
}

// deliverToDriver is deliver for a message that concerns this activeRun alone, such as a
// host wait of one of its attempts. It reports false, and delivers nothing, if a has been
// unloaded, or is nil: a step test belongs to no run.
func (r *registry) deliverToDriver(a *activeRun, m message) bool {
	if a == nil {
		return false
	}
	r.mu.Lock()
	// Another activeRun of the same id knows nothing of this one's attempts.
	if r.runs[a.id] != a {
		r.mu.Unlock()
		return false
	}
	a.messages = append(a.messages, m)
	start := !a.driven
	a.driven = true
	r.mu.Unlock()
	if start {
		go r.drive(a)
	}
	return true
}

// putFirst puts a message before those that wait, so that a run finishes a change in pieces
// before it sees anything new. Only the run's driver calls it. O(messages).
func (r *registry) putFirst(a *activeRun, m message) {
	r.mu.Lock()
	defer r.mu.Unlock()
	a.messages = append([]message{m}, a.messages...)
}

// track adds a run whose insertion is about to be committed, so that messages for it wait
// for that commit instead of loading it a second time. It counts as driven: the caller has
// to start its driver, or unload it.
func (r *registry) track(a *activeRun) {
	r.mu.Lock()
	defer r.mu.Unlock()
	a.driven = true
	r.runs[a.id] = a
}

// receive empties the run's mailbox in order. When it is empty the driver has to end:
// receive returns false, and a run without attempts in flight leaves memory and releases
// its slot. The look and the decision are one step under mu, so that a message comes either
// before it or starts a new driver; none is lost between the two.
func (r *registry) receive(a *activeRun) ([]message, bool) {
	r.mu.Lock()
	if a.granted {
		a.granted, a.slot = false, true
	}
	if len(a.messages) > 0 {
		received := a.messages
		a.messages = nil
		r.mu.Unlock()
		return received, true
	}
	a.driven = false
	// A run with an attempt in flight stays: the attempt's end comes to this activeRun.
	parked := a.run == nil || a.run.InFlight() == 0
	if parked && r.runs[a.id] == a {
		delete(r.runs, a.id)
		r.shrank.Broadcast()
	}
	release := parked && a.slot
	if release {
		a.slot = false
	}
	// A suspect with nothing in flight cannot kill the process by its attempts any more.
	if parked {
		a.endIsolation()
	}
	var queued *machine.Run
	if parked && a.run != nil && a.run.State == machine.Queued && r.term.state().drives() {
		queued = a.run
		r.waiting.put(a.id, waitingRun{epoch: a.epoch, run: a.run, key: a.key, trace: a.trace, snapshots: a.snapshots})
	}
	r.mu.Unlock()
	if queued != nil {
		r.dispatcher.enqueueAgain(queued)
	}
	if release {
		r.dispatcher.slots.release()
	}
	return nil, false
}

// forget takes a run out of memory and returns the messages that it has not received. Its
// slot, or one that was granted, is released. Later messages for the run load it anew. Only
// the driver calls it.
func (r *registry) forget(a *activeRun) []message {
	r.mu.Lock()
	if r.runs[a.id] == a {
		delete(r.runs, a.id)
	}
	rest := a.messages
	a.messages = nil
	release := a.slot || a.granted
	a.slot, a.granted = false, false
	r.shrank.Broadcast()
	r.mu.Unlock()
	if release {
		r.dispatcher.slots.release()
	}
	return rest
}

// claimSlot records that the driver has just taken a slot for its run. One that the
// dispatcher granted meanwhile is released: a run holds at most one. Only the driver calls
// it.
func (r *registry) claimSlot(a *activeRun) {
	r.mu.Lock()
	spare := a.granted
	a.granted, a.slot = false, true
	r.mu.Unlock()
	if spare {
		r.dispatcher.slots.release()
	}
}

// releaseSlot releases the run's slot, which wakes the dispatcher. The run must have one.
// Only the driver calls it.
func (r *registry) releaseSlot(a *activeRun) {
	r.mu.Lock()
	a.slot = false
	r.mu.Unlock()
	r.dispatcher.slots.release()
}

// withoutActive returns those runs that are neither in memory nor wait for their workflow's
// concurrency limit, in the same order. It overwrites list.
func (r *registry) withoutActive(list []queue.Run) []queue.Run {
	r.mu.Lock()
	defer r.mu.Unlock()
	kept := list[:0]
	for _, run := range list {
		if r.runs[run.ID] == nil && !r.dispatcher.limits.isQueued(run.ID) {
			kept = append(kept, run)
		}
	}
	return kept
}

// count returns how many runs are in memory.
func (r *registry) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.runs)
}

// all returns the runs in memory at one moment, in no order.
func (r *registry) all() []*activeRun {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := make([]*activeRun, 0, len(r.runs))
	for _, a := range r.runs {
		list = append(list, a)
	}
	return list
}

// awaitEmpty waits until no run is in memory, or ctx ends. Runs may come back afterwards,
// unless the state of the term prevents it.
func (r *registry) awaitEmpty(ctx context.Context) {
	// A sync.Cond does not know of ctx, so its end wakes the wait.
	defer context.AfterFunc(ctx, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.shrank.Broadcast()
	})()
	r.mu.Lock()
	defer r.mu.Unlock()
	for ctx.Err() == nil && len(r.runs) > 0 {
		r.shrank.Wait()
	}
}
