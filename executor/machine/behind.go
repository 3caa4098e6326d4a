package machine

import (
	"heddle/events"
	"math"
)

// behind is what an input set going and one Apply need not get through: it is
// as much as the run has steps. It is not in the journal. A run that has any
// of it is running, so that it is recovered after a crash, and Recover sets
// all of it going anew.
type behind struct {
	lost  uint64 // attempts in action that started up to this seq are cut off
	kept  bool   // kept signals may fit open waits
	polls polls
}

// polls are the open conditions that were parked after the seq from and up to
// the seq to: they are to be evaluated now.
type polls struct {
	from, to uint64
	plain    bool // those alone that have no probe: nothing else would wake them
}

func (b *behind) some() bool { return b.lost > 0 || b.kept || b.polls.to > 0 }

// workOff goes on with what is behind until the turn has so many events.
func (t *turn) workOff(most int) {
	if t.behind.lost > 0 {
		t.interruptLost(min(most, maxEvents))
	}
	if t.behind.kept {
		t.giveKept(most)
	}
	if t.behind.polls.to > 0 {
		t.pollOpen(most)
	}
}

// interruptLost interrupts the attempts of a process that is gone.
func (t *turn) interruptLost(most int) {
	room := most - len(t.events)
	var cut []place
	t.action.all(func(slot uint64, p place) bool {
		if slot > t.behind.lost || len(cut) >= room {
			return false
		}
		cut = append(cut, p)
		return true
	})
	for _, p := range cut {
		if len(t.events) >= most {
			return
		}
		t.interrupt(p)
	}
	if slot, _, ok := t.action.min(); !ok || slot > t.behind.lost {
		t.behind.lost = 0
	}
}

// giveKept gives the open waits what arrived while nothing could act.
func (t *turn) giveKept(most int) {
	if t.resting() || t.signals.kept.len() == 0 || t.signalWaits == 0 {
		t.behind.kept = false
		return
	}
	var open []place
	t.parked.all(func(_ uint64, p place) bool {
		if st := t.stepAt(p); st.status == StepWaiting && st.wait.Kind == waitSignal {
			open = append(open, p)
		}
		return true
	})
	for _, p := range open {
		if len(t.events) >= most {
			return
		}
		t.takeKept(p)
	}
	t.behind.kept = false
}

// pollOpen evaluates open conditions without waiting for their next poll.
func (t *turn) pollOpen(most int) {
	if t.resting() {
		t.behind.polls = polls{}
		return
	}
	todo := t.behind.polls
	var open []place
	var slots []uint64
	t.parked.all(func(slot uint64, p place) bool {
		if slot > todo.to {
			return false
		}
		st, w := t.stepAt(p), t.node(p).wait
		if slot > todo.from && st.status == StepWaiting && st.wait.Kind == waitCondition && (w.probe == nil || !todo.plain) {
			open, slots = append(open, p), append(slots, slot)
		}
		return true
	})
	for i, p := range open {
		if len(t.events) >= most {
			return
		}
		if t.node(p).wait.probe != nil {
			t.probe(p)
		} else {
			t.poll(p, nil)
		}
		t.behind.polls.from = slots[i]
	}
	t.behind.polls = polls{}
}

// catchUp gives the open waits what arrived while nothing could act.
func (t *turn) catchUp() { t.behind.kept = true }

// recheck lets the open conditions be evaluated again.
func (t *turn) recheck() { t.behind.polls = polls{to: uint64(t.Seq)} }

// recover interrupts every attempt in action: the process that drove the run is
// gone. What it was behind with is begun anew.
func (t *turn) recover() {
	t.behind = behind{lost: uint64(t.Seq), kept: true, polls: polls{to: uint64(t.Seq), plain: true}}
	if u := t.undoing; u != nil && u.Running {
		t.emit(events.StepInterrupted, u.At, u.Attempt, &Detail{Role: roleCompensation})
		if t.node(u.At).step.OnInterrupt == "fail" {
			t.emit(events.CompensationFailed, u.At, u.Attempt, &Detail{Error: interruptedError()})
		}
	}
}

// unbounded is for what a held input lets happen: that has to be got through at
// once, because a run that is held may rest in a state in which no crash is
// noticed. Attempts in action are no such state.
const unbounded = math.MaxInt
