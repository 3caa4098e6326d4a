package executor

import (
	"context"
	"errors"
	"heddle/audit"
	"heddle/executor/machine"
	"heddle/fault"
	"slices"
	"time"
)

// How long the driver waits before it repeats a failed call of the store, and for how
// long it tries to learn the outcome of a commit that was not answered.
const (
	storeRetryDelay = 200 * time.Millisecond
	confirmTimeout  = 10 * time.Second
)

// The causes with which the context of an attempt is cancelled. errAbandoned is also
// the error of a decision that this node may no longer journal; it is never stored.
var (
	errAbandoned = errors.New("the run is not driven here any more") // the attempt's end is not reported
	errStopped   = errors.New("the step was asked to stop")          // its end is reported, as "stopped"
)

// driver feeds the machine: it applies a run's messages, commits what the machine decided,
// and hands the effects to the performer once they are durable. It holds no state of its
// own and needs no lock: what it changes is the driveState of the run that it is given. Its
// methods run in the one goroutine that drives that run, unless they say otherwise; those
// of different runs run at the same time.
//
// The order in which one batch of messages is handled:
//
//	enforceLimit   a queued run whose concurrency limit is reached stays queued
//	applyAll       machine.Apply for each message, each on the outcome of the one before
//	admit          a change that begins attempts needs a slot
//	commitGrowth   one commit for the whole batch
//	committed      watchers, timers, attempts: only now does anything happen outside
//	reply          the callers are answered
type driver struct {
	cfg        *Config
	term       *term
	plans      *planCache
	commits    *committer
	registry   *registry
	dispatcher *dispatcher
	performer  *performer
	values     *largeValues
}

// unload takes a run out of memory that could not be loaded or stored, or that another node
// drives by now. Its attempts are cut off, ends of attempts among its unreceived messages
// are kept for the run's next driver (keepResults), and the senders of those messages are
// refused with not_ready. The caller's goroutine must not use the run after that.
func (d *driver) unload(a *activeRun) {
	d.performer.abandon(a)
	rest := d.registry.forget(a)
	a.endIsolation()
	d.drop(a, rest, notReady("The run is not driven here any more; try again shortly."))
	a.blobs = nil
}

// drive is the goroutine of a run: it feeds the run its messages until there are none left
// (registry.receive then decides whether the run stays in memory), or the run is unloaded.
// A run is loaded from its journal with the first messages that it receives.
func (d *driver) drive(a *activeRun) {
	for {
		messages, more := d.registry.receive(a)
		if !more {
			return
		}
		if a.run == nil && !d.load(a, messages) {
			return
		}
		// What is left after the host waits are the inputs; only those need a commit.
		if messages = d.updateHostWaits(a, messages); len(messages) == 0 {
			continue
		}
		if !d.runAll(a, messages) {
			return
		}
		d.lendSlot(a)
	}
}

// runAll applies messages in batches, one commit each. A message with a successor is a
// batch of its own, because its commit may be refused on account of that other run alone.
// It returns false once the run has been unloaded; the messages that were not applied are
// then dropped.
func (d *driver) runAll(a *activeRun, messages []message) bool {
	for len(messages) > 0 {
		n := slices.IndexFunc(messages, func(m message) bool { return m.successor != nil })
		switch n {
		case -1:
			n = len(messages)
		case 0:
			n = 1
		}
		if !d.runOnce(a, messages[:n]) {
			d.drop(a, messages[n:], notReady("The run is not driven here any more; try again shortly."))
			return false
		}
		messages = messages[n:]
	}
	return true
}

// load folds the run from its journal and sets the rest of its driveState. A run with a
// concurrency limit that has begun is counted in its group, unless it is already. If the
// journal cannot be read the run is unloaded, the callers get the error, and load returns
// false; work that is due is found again by the next poll. A run that is to be recovered
// waits for an unavailable store instead, for as long as this node may journal, because
// Recover is delivered only once per term.
func (d *driver) load(a *activeRun, messages []message) bool {
	for {
		ctx, cancel := context.WithTimeout(context.Background(), confirmTimeout)
		run, row, debt, err := d.plans.restore(ctx, a.id)
		cancel()
		if err == nil {
			a.run, a.trace, a.snapshots, a.key = run, Trace{row.TraceParent, row.TraceState}, debt, row.ConcurrencyKey
			// A queued run is counted by enforceLimit when it begins; one that has ended
			// counts no more.
			if g, _, limited := groupOf(run, a.key); limited && run.State != machine.Queued && !run.State.Terminal() {
				d.dispatcher.limits.addMember(a.id, g)
			}
			return true
		}
		// The loop is bounded by the state: draining lets it go on, aborting ends it.
		if fault.KindOf(err) == fault.Unavailable && hasRecovery(messages) && d.term.state().journals() {
			sleep(context.Background(), storeRetryDelay)
			continue
		}
		if fault.KindOf(err) != fault.NotFound {
			d.cfg.Log.Error("a run could not be loaded", "run_id", a.id, "error", err)
		}
		d.drop(a, messages, err)
		d.unload(a)
		if fault.KindOf(err) == fault.NotFound {
			d.dispatcher.leaveLimits(a.id)
		} else {
			d.dispatcher.backlog.mark() // it may be queued, and waits nowhere in memory
		}
		return false
	}
}

// drop ends messages that are not applied: the ends of attempts among them are kept for the
// run's next driver, their blobs are left to the sweep, and the senders get err.
func (d *driver) drop(a *activeRun, messages []message, err error) {
	d.registry.keepResults(a, messages)
	d.values.forget(a.unreferenced(messages))
	refuse(messages, err)
}

// hasRecovery reports whether machine.Recover is among the messages.
func hasRecovery(messages []message) bool {
	for _, m := range messages {
		if _, recovery := m.input.(machine.Recover); recovery {
			return true
		}
	}
	return false
}

// runOnce applies a batch of messages, commits the change and performs its effects. Nothing
// outside happens before the commit: an attempt begins, and a caller is answered, only once
// the events are durable. It returns false once the run has been unloaded: when this node
// may no longer journal, or when the commit failed permanently.
//
// held means that the inputs are journalled and start nothing. That is so in a state in
// which no attempts begin, for a quarantined run, and when admit finds no slot.
func (d *driver) runOnce(a *activeRun, messages []message) bool {
	if !d.term.state().journals() {
		// What attempts have returned is not lost if this node gets the same term back.
		d.drop(a, messages, notReady("This node is stopping; try again shortly."))
		d.unload(a)
		return false
	}
	// Forgotten at the end in any case: by then a commit names them, or none will and they
	// are swept. A change that is discarded stores them again when it is decided again.
	defer func() {
		d.values.forget(a.unreferenced(messages))
		a.blobs = nil
	}()
	// runAll sees to it that a message with a successor is alone in its batch.
	with := messages[0].successor
	messages = d.enforceLimit(a, messages)
	state := d.term.state()
	held := !state.drives() || d.registry.isQuarantined(a.id)
	// Decided before a slot is taken, because a change that begins no attempt needs none.
	change, answers, err := d.applyAll(a, messages, held)
	if err == nil && !held && !a.slot && (change.Run.InFlight() > 0 || change.More) {
		switch d.admit(a, state, messages) {
		case deferred:
			return true
		case journalOnly:
			held = true
			change, answers, err = d.applyAll(a, messages, held)
		case admitted:
		}
	}
	if err == nil && len(change.Events) > 0 {
		err = d.commitGrowth(a, change, answers, named(a.unreferenced(messages), change), endedInputs(change, messages), with)
	}
	// The run itself is as it was; only the successor was refused.
	if err != nil && with != nil && refusesSuccessor(err) {
		refuse(messages, asSuccessorRefusal(err))
		return true
	}
	if err != nil {
		d.drop(a, messages, err)
		d.unload(a)
		return false
	}
	d.committed(a, change)
	d.reply(a, answers)
	switch {
	// A Continue would be held again at once. With a slot it starts what was held.
	case change.More && held:
		d.waitForSlot(a)
	case change.More:
		d.registry.putFirst(a, message{input: machine.Continue{}})
	case a.slot && change.Run.InFlight() == 0:
		d.registry.releaseSlot(a)
	}
	return true
}

// waitForSlot queues a run behind those that wait for a slot, because it has work that it
// was not allowed to start. A slot that it holds without an attempt in flight is released
// first. While this node drains, or the run is quarantined, it is not queued: its row says
// that it is busy, so the next term recovers it.
func (d *driver) waitForSlot(a *activeRun) {
	if a.slot && a.run.InFlight() == 0 {
		d.registry.releaseSlot(a)
	}
	if d.term.state().drives() && !d.registry.isQuarantined(a.id) {
		d.dispatcher.enqueueReady(a.run)
		d.dispatcher.wake()
	}
}

// reply answers the callers of a batch that is committed. All of them get the row after the
// whole batch, which may be later than the effect of their own input.
func (d *driver) reply(a *activeRun, answers []answer) {
	if len(answers) == 0 {
		return
	}
	row := rowOf(a.run, a.trace, d.cfg.now())
	for _, a := range answers {
		a.out.row = row
		a.to <- a.out
	}
}

// answer is what a caller is told about one input, once its batch is committed.
type answer struct {
	to     chan<- outcome // of capacity 1: sending never blocks the driver
	posted string         // the input's id in the inbox; "" where it came directly
	out    outcome
	audit  []audit.Entry // stored with the commit if the input has an effect
}

// applyAll applies the messages one after another, each to the outcome of the one before,
// and joins their changes. An input that the run's state refuses changes nothing, and its
// sender gets the machine's error. With held every input is wrapped in machine.JournalOnly.
// All inputs have the same time. The only error is errAbandoned: this node stopped while
// the decision waited for the store, and nothing may be committed. The run itself is not
// changed; a.run is replaced after the commit.
func (d *driver) applyAll(a *activeRun, messages []message, held bool) (machine.Change, []answer, error) {
	total, now := machine.Change{Run: a.run}, d.cfg.now()
	var answers []answer
	for _, m := range messages {
		in := m.input
		if held {
			in = machine.JournalOnly{Input: in}
		}
		c, err := d.decide(a, total.Run, in, now)
		// Any other error is a refusal of one input and says nothing about the others.
		if errors.Is(err, errAbandoned) {
			return total, nil, err
		}
		if err == nil {
			total.Run, total.More = c.Run, c.More
			total.Events = append(total.Events, c.Events...)
			total.Effects = append(total.Effects, c.Effects...)
			total.Requests = append(total.Requests, c.Requests...)
		}
		if m.answer != nil {
			answers = append(answers, answer{m.answer, m.posted, outcome{effect: len(c.Events) > 0, err: err}, m.audit})
		}
	}
	return total, answers, nil
}

// admission is what becomes of a change that would begin attempts in a run without a slot.
type admission int

const (
	admitted    admission = iota // the run has a slot now
	journalOnly                  // the inputs are journalled, what they let go waits
	deferred                     // the change is discarded and decided again later
)

// admit finds a slot for a run that has none and would now begin attempts; state is the one
// in which the batch was decided. A free slot is taken. Otherwise it depends on the
// messages:
//
//	Recover               the run had a slot before the crash, so it gets one beyond
//	                      the limit; while suspects are isolated it is journalOnly
//	Tick, Begin,          deferred if there is nothing else: the store knows that the
//	Continue              run is due or queued, so nothing is lost by deciding later
//	any other             journalOnly: a result or a command must become durable now,
//	                      and what it sets going waits for a slot
func (d *driver) admit(a *activeRun, state termState, messages []message) admission {
	if d.dispatcher.slots.tryAcquire() {
		d.registry.claimSlot(a)
		return admitted
	}
	// known: every message is one that can be made again from what is stored.
	known := true
	for _, m := range messages {
		switch m.input.(type) {
		case machine.Recover:
			if state == isolating {
				return journalOnly // its attempts wait until all suspects were isolated
			}
			d.dispatcher.slots.acquireBeyondLimit()
			d.registry.claimSlot(a)
			return admitted
		case machine.Tick, machine.Begin, machine.Continue:
		default:
			known = false
		}
	}
	if !known {
		return journalOnly
	}
	for _, m := range messages {
		switch m.input.(type) {
		case machine.Begin: // it is queued still, and waits again once it leaves memory
		case machine.Tick:
			d.dispatcher.enqueueIfRoom(a.run)
		default:
			d.dispatcher.enqueueReady(a.run)
		}
	}
	return deferred
}

// refuse answers all callers among the messages with err. It never blocks, because each
// channel has room for its one answer.
func refuse(messages []message, err error) {
	for _, m := range messages {
		if m.answer != nil {
			m.answer <- outcome{err: err}
		}
	}
}

// notReady returns fault.Unavailable not_ready: this node does not take the request now,
// nothing has happened, and the caller may try again here or on another node.
func notReady(message string) error { return fault.New(fault.Unavailable, "not_ready", "%s", message) }

// decide applies one input and supplies what the machine asks for about large values, as
// often as it asks: contents are loaded, and outputs that are too large for the journal are
// stored as blobs, whose ids are added to a.blobs until a commit names them. Each round
// applies the input anew from the same run, so an incomplete round leaves nothing behind.
// The memory for the contents is released when decide returns. The error is the machine's
// refusal, or errAbandoned when this node stopped.
func (d *driver) decide(a *activeRun, run *machine.Run, in machine.Input, now time.Time) (machine.Change, error) {
	if d.values.blobs == nil {
		return apply(d.cfg.Log, run, in, now, nil)
	}
	var loads []machine.BlobRef
	b, work := machine.NewBlobs(), reservation{budget: d.values.work}
	defer work.release()
	for {
		c, err := apply(d.cfg.Log, run, in, now, b)
		var w *machine.BlobRequest
		if !errors.As(err, &w) {
			return c, err
		}
		loads = append(loads, w.Load...)
		if len(w.Load) > 0 {
			if err := d.values.load(context.Background(), &work, b, loads); err != nil {
				return machine.Change{Run: run}, err
			}
		}
		for _, v := range w.Store {
			ref, id, failure := d.values.store(run.TenantID, run.RunID, v)
			if id != "" {
				a.blobs = append(a.blobs, id)
			}
			if ref == nil && failure == nil {
				return machine.Change{Run: run}, errAbandoned
			}
			b.AddReference(v, ref, failure)
		}
	}
}
