package machine

import (
	"heddle/events"
	"heddle/fault"
	"time"
)

// maxEvents is about how many events one Apply emits before it says More: it bounds the
// size of a commit and how long one run keeps the others waiting. One piece of work is not
// divided, so there may be somewhat more.
const maxEvents = 500

// transition is one Apply at work: the draft that it may change, and what has happened so
// far. It is used by one goroutine and dropped when Apply returns.
type transition struct {
	draft
	now     int64 // the time of the input, and of every event that it leads to, in milliseconds since 1970
	events  []events.Event
	effects []Effect
	// requests is what happened to input requests; nil in most changes.
	requests []RequestChange
	buf      []byte // the data of all events, one after another
}

// New makes a queued run with one event, state_changed{"state":"queued"}. The header's Hash
// must be that of the plan's definition. The header's values are kept.
func New(plan *Plan, h Header, now time.Time) Change {
	t := transition{draft: draft{&Run{Header: h, stepTree: stepTree{plan: plan, edit: 1}}}, now: now.UnixMilli()}
	t.buf, t.events = make([]byte, 0, 32), make([]events.Event, 0, 1)
	t.emit(events.StateChanged, wholeRun, 0, &Detail{State: Queued, Actor: h.StartedBy})
	return t.change(false)
}

// Apply decides what an input does to the run. The run itself stays as it is
// and may be used again, as long as only one of the resulting changes is kept.
// A command that the run's state refuses is a *fault.Error, and the change is
// then empty.
func Apply(r *Run, in Input, now time.Time) (Change, error) { return ApplyWith(r, in, now, nil) }

// ApplyWith is Apply with large values stored outside the journal: expressions see the
// contents of the references that the run holds, and values above MaxInline that the
// machine makes become references. What blobs lacks for that is returned as a *BlobRequest,
// and nothing has happened; supply it and apply the same input again. With nil, references
// stand for themselves and everything is inline.
func ApplyWith(r *Run, in Input, now time.Time, blobs *Blobs) (Change, error) {
	t := transition{draft: r.fork(), now: now.UnixMilli()}
	t.blobs = blobs
	defer func() { t.Run.blobs = nil }() // the scopes of effects hold this run, too
	c, err := t.apply(r, in)
	// A round that lacked something is dropped as a whole, with its error: that may come of
	// a content which was missing.
	if w := blobs.TakeRequest(); w != nil {
		return Change{Run: r}, w
	}
	return c, err
}

// apply decides the input, then processes what it made possible, then journals the state
// that the run is in. With JournalOnly the second part is left out, but for the backlog: a
// run that rests in a waiting state must not hold work that no recovery would find. Nor is
// the state journalled while something is held: the run keeps one from which it goes on.
func (t *transition) apply(r *Run, in Input) (Change, error) {
	held, hold := in.(JournalOnly)
	if hold {
		in = held.Input
	}
	if err := t.decide(in); err != nil {
		return Change{Run: r}, err
	}
	more := false
	if hold {
		catchUp{t}.processBacklog(noEventLimit)
		more = t.startable()
	} else {
		more = t.processAll()
	}
	if !hold || !more {
		t.settleState()
	}
	// The caller keeps its own run, so that an input without an effect costs no memory.
	if len(t.events) == 0 && len(t.effects) == 0 {
		return Change{Run: r, More: more}, nil
	}
	t.trimTimers()
	return t.change(more), nil
}

// change returns what the transition has come to.
func (t *transition) change(more bool) Change {
	t.settleTally()
	return Change{Run: t.Run, Events: t.events, Effects: t.effects, Requests: t.requests, More: more}
}

// decide emits what follows from the input by itself. Continue and Tick have no consequence
// of their own but for kept signals: what they let happen is processed afterwards. Errors:
// those of the commands, and fault.Internal unknown_input.
func (t *transition) decide(in Input) error {
	switch in := in.(type) {
	case Begin:
		t.begin()
	case Continue:
		t.queueKeptSignals()
	case Tick:
	case StepEnded:
		t.stepEnded(in)
	case Signal:
		return t.signal(in)
	case Cancel:
		t.cancel(in)
	case Terminate:
		return t.terminate(in)
	case Pause:
		return t.pause(in)
	case Resume:
		return t.resume(in)
	case Recover:
		t.recover()
	default:
		return fault.New(fault.Internal, "unknown_input", "The machine has no input %T.", in)
	}
	return nil
}

// emit journals an event and evolves the draft by it. It is the only way in which a
// transition changes state, and d must not be changed afterwards. All events of one
// transition share one buffer for their data and one slice, so that a small run costs few
// allocations. attempt is 0 for an event that belongs to none.
func (t *transition) emit(kind events.Kind, p position, attempt int, d *Detail) {
	if t.buf == nil {
		t.buf = make([]byte, 0, 768)
		t.events = make([]events.Event, 0, 12)
	}
	start := len(t.buf)
	t.buf = d.encode(t.buf, kind)
	ev := events.Event{RunID: t.RunID, Seq: t.Seq + 1, Kind: kind, Iteration: p.path(), Attempt: attempt, At: time.UnixMilli(t.now).UTC()}
	if end := len(t.buf); end > start {
		// The capacity ends with the data, so that appending to it cannot reach the next
		// event's.
		ev.Data = t.buf[start:end:end]
	}
	switch {
	case p.step >= 0:
		ev.StepID = t.node(p).step.ID
	case p.frame != nil:
		ev.StepID = p.frame.loop.step.ID
	}
	// At once, so that the next decision of this transition is made on the state after it.
	before := t.beforeRequests(p)
	evolver{t.draft}.evolve(&ev, p, d)
	t.noteRequests(before, &ev, p, d)
	t.events = append(t.events, ev)
}

// startable reports whether processAll would find work that needs no timer.
func (t *transition) startable() bool {
	return t.backlog.pending() || !t.suspended() && (t.agenda.len() > 0 || t.ending != nil && t.InFlight() == 0)
}

// processAll goes on with whatever can go on, and reports whether something is left after
// maxEvents. Work that journals nothing would come up again endlessly, so it ends the loop;
// the tests see that as a run that is stuck. A missing content ends it too: the transition
// is going to be dropped and made again.
func (t *transition) processAll() (more bool) {
	// First, so that a run which always has more to do still gets through it.
	catchUp{t}.processBacklog(maxEvents)
	for len(t.events) < maxEvents {
		if before := t.Seq; !t.processNext() || t.Seq == before || t.blobs.incomplete() {
			return false
		}
	}
	return true
}

// processNext does one piece of work, in this order: the run's timeout, the end of a run
// that is ending, the agenda, a due timer. It returns false when there is none. The timeout
// comes first so that a run which always has more to do still meets it.
func (t *transition) processNext() bool {
	if due := t.deadline(); due != 0 && due <= t.now {
		endings{t}.timeoutRun()
		return true
	}
	if t.suspended() {
		return false
	}
	if t.ending != nil {
		return endings{t}.finishEnding()
	}
	if _, p, ok := t.agenda.min(); ok {
		t.process(p)
		return true
	}
	return t.fireTimer()
}

// process works on one entry of the agenda. It always emits an event that removes the
// entry. The cases are in order of precedence: a step that is to be skipped has that done,
// whatever else is true of it.
func (t *transition) process(p position) {
	if p.step < 0 {
		loops{t}.endScope(p.frame)
		return
	}
	st := t.stepAt(p)
	switch {
	case st.skipReason != "":
		t.emit(events.StepSkipped, p, 0, &Detail{Reason: st.skipReason})
	case st.fallbackRunning:
		t.fallbackEnded(p, st)
	case st.status == StepWaiting:
		waits{t}.probe(p)
	case st.loop != nil && st.status == StepRunning:
		loops{t}.advanceLoop(p)
	case st.interrupted:
		t.attempt(p)
	default:
		t.start(p)
	}
}

// settleState journals the state that the run's parts amount to, where it is not the
// present one.
func (t *transition) settleState() {
	if word := t.derivedState(); word != t.State {
		t.emit(events.StateChanged, wholeRun, 0, &Detail{State: word, From: t.State})
	}
}
