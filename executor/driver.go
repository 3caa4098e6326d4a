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

// How long a failed call of the store waits before it is made again, and how long
// the outcome of a commit is looked for that could not be learned.
const (
	retryStoreAfter = 200 * time.Millisecond
	confirmTimeout  = 10 * time.Second
)

var (
	errAbandoned = errors.New("the run is not driven here any more")
	errStopped   = errors.New("the step was asked to stop")
)

// driver feeds the machine: it applies a run's messages, commits what the machine
// decided, and hands the effects to the performer once they are durable. Its
// methods run in the goroutine that drives the run which they are given.
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

// unload takes a run out of memory that could not be stored, or that another node
// drives by now. Its attempts are cut off, and its messages are refused.
func (d *driver) unload(a *activeRun) {
	d.performer.abandon(a)
	rest := d.registry.forget(a)
	d.registry.keepResults(a, rest)
	a.endIsolation()
	d.values.forget(a.takeUnreferenced(rest))
	refuse(rest, notReady("The run is not driven here any more; try again shortly."))
}

// drive is the goroutine of a run: it feeds the run its messages until there are
// none left, or the run is unloaded.
func (d *driver) drive(a *activeRun) {
	for {
		messages, more := d.registry.receive(a)
		if !more {
			return
		}
		if a.run == nil && !d.load(a, messages) {
			return
		}
		if messages = d.updateHostWaits(a, messages); len(messages) == 0 {
			continue
		}
		if !d.runAll(a, messages) {
			return
		}
		d.lendSlot(a)
	}
}

// runAll applies messages in batches, one commit each. A message with a successor is
// a batch of its own: its commit may be refused on account of that run alone. False:
// the run has been unloaded, and the rest was refused.
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
			refuse(messages[n:], notReady("The run is not driven here any more; try again shortly."))
			return false
		}
		messages = messages[n:]
	}
	return true
}

// load folds the run from its journal. Where that fails the run is unloaded, false
// is returned and the callers are told; work that is due is found again by the next
// poll. A run that is to be recovered waits for an unavailable store instead, for as
// long as this node may journal: recovery happens once.
func (d *driver) load(a *activeRun, messages []message) bool {
	for {
		ctx, cancel := context.WithTimeout(context.Background(), confirmTimeout)
		run, row, debt, err := d.plans.restore(ctx, a.id)
		cancel()
		if err == nil {
			a.run, a.trace, a.snapshots, a.key = run, Trace{row.TraceParent, row.TraceState}, debt, row.ConcurrencyKey
			if g, _, limited := groupOf(run, a.key); limited && run.State != machine.Queued && !run.State.Terminal() {
				d.dispatcher.limits.addMember(a.id, g)
			}
			return true
		}
		if fault.KindOf(err) == fault.Unavailable && hasRecovery(messages) && d.term.state().journals() {
			sleep(context.Background(), retryStoreAfter)
			continue
		}
		if fault.KindOf(err) != fault.NotFound {
			d.cfg.Log.Error("a run could not be loaded", "run_id", a.id, "error", err)
		}
		refuse(messages, err)
		d.unload(a)
		if fault.KindOf(err) == fault.NotFound {
			d.dispatcher.leaveLimits(a.id)
		}
		return false
	}
}

// hasRecovery reports whether a run's recovery is among the messages.
func hasRecovery(messages []message) bool {
	for _, m := range messages {
		if _, recovery := m.input.(machine.Recover); recovery {
			return true
		}
	}
	return false
}

// runOnce applies a batch of messages, commits the change and performs its effects.
// Nothing outside happens before the commit: an attempt begins, and a caller is
// answered, only once the events are durable. False: the run has been unloaded.
func (d *driver) runOnce(a *activeRun, messages []message) bool {
	if !d.term.state().journals() {
		d.registry.keepResults(a, messages)
		refuse(messages, notReady("This node is stopping; try again shortly."))
		d.unload(a)
		return false
	}
	with := messages[0].successor
	messages = d.enforceLimit(a, messages)
	state := d.term.state()
	held := !state.drives() || d.registry.isQuarantined(a.id)
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
	written := a.takeUnreferenced(messages)
	defer d.values.forget(written)
	if err == nil && len(change.Events) > 0 {
		err = d.commitGrowth(a, change, answers, named(written, change), with)
	}
	if err != nil && with != nil && refusesSuccessor(err) {
		refuse(messages, asSuccessorRefusal(err))
		return true
	}
	if err != nil {
		d.registry.keepResults(a, messages)
		refuse(messages, err)
		d.unload(a)
		return false
	}
	d.committed(a, change)
	d.reply(a, answers)
	switch {
	case change.More && held:
		d.waitForSlot(a)
	case change.More:
		d.registry.putFirst(a, message{input: machine.Continue{}})
	case a.slot && change.Run.InFlight() == 0:
		d.registry.releaseSlot(a)
	}
	return true
}

// waitForSlot lets a run that could go on wait for a slot; while this node stops, or
// the run is quarantined, the next term finds it.
func (d *driver) waitForSlot(a *activeRun) {
	if a.slot && a.run.InFlight() == 0 {
		d.registry.releaseSlot(a)
	}
	if d.term.state().drives() && !d.registry.isQuarantined(a.id) {
		d.dispatcher.enqueueReady(a.id)
		d.dispatcher.wake()
	}
}

// reply answers the callers of a batch that is committed.
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

// answer is what a caller of a batch is told once the batch is committed.
type answer struct {
	to     chan<- outcome
	posted string // the input's id in the inbox; "" where it came directly
	out    outcome
	audit  []audit.Entry
}

// applyAll applies the messages one after another, each to the outcome of the one
// before, and joins their changes. An input that the run's state refuses changes
// nothing; its sender is told. Held: nothing new is started. The error is
// errAbandoned alone: this node stopped meanwhile.
func (d *driver) applyAll(a *activeRun, messages []message, held bool) (machine.Change, []answer, error) {
	total, now := machine.Change{Run: a.run}, d.cfg.now()
	var answers []answer
	for _, m := range messages {
		in := m.input
		if held {
			in = machine.JournalOnly{Input: in}
		}
		c, err := d.decide(a, total.Run, in, now)
		if errors.Is(err, errAbandoned) {
			return total, nil, err
		}
		if err == nil {
			total.Run, total.More = c.Run, c.More
			total.Events = append(total.Events, c.Events...)
			total.Effects = append(total.Effects, c.Effects...)
		}
		if m.answer != nil {
			answers = append(answers, answer{m.answer, m.posted, outcome{effect: len(c.Events) > 0, err: err}, m.audit})
		}
	}
	return total, answers, nil
}

// admission is what becomes of a change that needs a slot.
type admission int

const (
	admitted    admission = iota
	journalOnly           // the inputs are journalled, what they let go waits
	deferred              // the change is discarded and decided again later
)

// admit finds a slot for a run that has none and would now begin attempts; state is
// the one in which the batch was decided. Without a free slot, timers and queued
// runs are deferred, because the store knows of them; an input for which a caller
// waits is journalled and what it lets go waits. Recovery had its slot before the
// crash, so it gets one beyond the limit.
func (d *driver) admit(a *activeRun, state termState, messages []message) admission {
	if d.dispatcher.slots.tryAcquire() {
		d.registry.claimSlot(a)
		return admitted
	}
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
		case machine.Begin:
			d.dispatcher.backlog.mark() // it is in the store as queued and is found there again
		case machine.Tick:
			d.dispatcher.enqueueIfRoom(a.id)
		default:
			d.dispatcher.enqueueReady(a.id)
		}
	}
	return deferred
}

// refuse answers all callers among the messages with err.
func refuse(messages []message, err error) {
	for _, m := range messages {
		if m.answer != nil {
			m.answer <- outcome{err: err}
		}
	}
}

// notReady is fault.Unavailable not_ready: the caller may try again, here or on
// another node.
func notReady(message string) error { return fault.New(fault.Unavailable, "not_ready", "%s", message) }

// decide applies an input and supplies the contents of blobs that the machine wants
// for it, as often as it asks. Outputs that become too large for the journal are
// stored on the way; their ids are added to the run's blobs. The error is the
// machine's refusal, or errAbandoned when this node stopped.
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
