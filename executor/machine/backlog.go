package machine

import (
	"heddle/events"
	"math"
)

// workBacklog is what an input set going and one Apply need not get through: it is as much
// as the run has steps. It is not in the journal. A run that has any of it is running, so
// that it is recovered after a crash, and Recover sets all of it going anew. The zero value
// is empty.
type workBacklog struct {
	interruptUpTo uint64 // attempts in flight that started up to this seq are cut off
	keptSignals   bool   // kept signals may fit open waits
	polls         polls
}

// polls are the open conditions that were parked after the seq from and up to
// the seq to: they are to be evaluated now.
type polls struct {
	from, to     uint64
	withoutProbe bool // those alone that have no probe: nothing else would wake them
}

// pending reports whether any of it is left.
func (b *workBacklog) pending() bool { return b.interruptUpTo > 0 || b.keptSignals || b.polls.to > 0 }

// catchUp is the part of a transition that works on the backlog. Each of its methods stops
// at an event limit and leaves in the backlog what it did not come to, so that a run with
// 10,000 open conditions takes a signal in pieces.
type catchUp struct{ *transition }

// processBacklog works on the backlog until the transition has emitted most events; what is
// left stays in it. Interrupted attempts are never left for more than maxEvents at a time,
// whatever most is. The order is fixed: attempts of a dead process are ended before signals
// and conditions let new ones begin.
func (t catchUp) processBacklog(most int) {
	if t.backlog.interruptUpTo > 0 {
		t.interruptAttempts(min(most, maxEvents))
	}
	if t.backlog.keptSignals {
		t.deliverKeptSignals(most)
	}
	if t.backlog.polls.to > 0 {
		t.pollConditions(most)
	}
}

// interruptAttempts interrupts the attempts of a process that is gone, in the order in
// which they started, until the transition has emitted most events.
func (t catchUp) interruptAttempts(most int) {
	room := most - len(t.events)
	var cut []position
	t.attempts.all(func(slot uint64, p position) bool {
		if slot > t.backlog.interruptUpTo || len(cut) >= room {
			return false
		}
		cut = append(cut, p)
		return true
	})
	// One interruption may emit two events, so the room is checked again.
	for _, p := range cut {
		if len(t.events) >= most {
			return
		}
		t.interrupt(p)
	}
	// Attempts that began after the process died have higher keys.
	if slot, _, ok := t.attempts.min(); !ok || slot > t.backlog.interruptUpTo {
		t.backlog.interruptUpTo = 0
	}
}

// deliverKeptSignals delivers to the open waits what arrived while the run could not take
// signals, because it was paused, queued or held. It needs no note of how far it came: a
// wait that took its signal is no longer open.
func (t catchUp) deliverKeptSignals(most int) {
	if t.keepsSignals() || t.signals.kept.len() == 0 || t.signalWaits == 0 {
		t.backlog.keptSignals = false
		return
	}
	// Collected first, because delivering changes the trie.
	var open []position
	t.parked.all(func(_ uint64, p position) bool {
		if st := t.stepAt(p); st.status == StepWaiting && st.wait.Kind == waitSignal {
			open = append(open, p)
		}
		return true
	})
	for _, p := range open {
		if len(t.events) >= most {
			return
		}
		waits(t).takeKeptSignal(p)
	}
	t.backlog.keptSignals = false
}

// pollConditions evaluates open conditions without waiting for their next poll, in the
// order in which they were parked, until the transition has emitted most events. When it is
// called again it goes on after the last one that it evaluated.
func (t catchUp) pollConditions(most int) {
	if t.keepsSignals() {
		t.backlog.polls = polls{}
		return
	}
	todo := t.backlog.polls
	var open []position
	var slots []uint64
	t.parked.all(func(slot uint64, p position) bool {
		if slot > todo.to {
			return false
		}
		st, w := t.stepAt(p), t.node(p).wait
		if slot > todo.from && st.status == StepWaiting && st.wait.Kind == waitCondition && (w.probe == nil || !todo.withoutProbe) {
			open, slots = append(open, p), append(slots, slot)
		}
		return true
	})
	for i, p := range open {
		if len(t.events) >= most {
			return
		}
		if t.node(p).wait.probe != nil {
			waits(t).probe(p)
		} else {
			waits(t).poll(p, nil)
		}
		t.backlog.polls.from = slots[i]
	}
	t.backlog.polls = polls{}
}

// queueKeptSignals lets the open waits take what arrived while they could not.
func (t *transition) queueKeptSignals() { t.backlog.keptSignals = true }

// queuePolls lets the conditions that are open now be evaluated again. Those that are
// parked later are not meant: their seq is higher.
func (t *transition) queuePolls() { t.backlog.polls = polls{to: uint64(t.Seq)} }

// recover interrupts every attempt in flight: the process that drove the run is gone.
// Whatever backlog it had was in memory only, so all of it is taken up anew. A compensation
// is interrupted at once, the attempts of steps through the backlog.
func (t *transition) recover() {
	t.backlog = workBacklog{interruptUpTo: uint64(t.Seq), keptSignals: true, polls: polls{to: uint64(t.Seq), withoutProbe: true}}
	if u := t.compensating; u != nil && u.running {
		t.emit(events.StepInterrupted, u.position, u.attempt, &Detail{Role: roleCompensation})
		if t.node(u.position).step.OnInterrupt == "fail" {
			t.emit(events.CompensationFailed, u.position, u.attempt, &Detail{Error: interruptedError()})
		}
	}
}

// noEventLimit is for what a held input lets happen: the backlog has to be got through at
// once, because a run that is held may rest in a state in which no crash is noticed.
// Attempts in flight are no such backlog: a run with one is busy.
const noEventLimit = math.MaxInt
