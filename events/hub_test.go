package events_test

import (
	"heddle/events"
	"sync"
	"testing"
)

func woken(ch <-chan struct{}) bool {
	select {
	case <-ch:
		return true
	default:
		return false
	}
}

func TestWakeReachesEveryWatcherOfTheRunAndNoOther(t *testing.T) {
	h := events.NewHub()
	a, endA := h.Watch("run_1")
	b, endB := h.Watch("run_1")
	other, endOther := h.Watch("run_2")
	defer endB()
	defer endOther()
	h.Wake("run_1")
	if !woken(a) || !woken(b) || woken(other) {
		t.Error("the wrong watchers were woken")
	}
	endA()
	h.Wake("run_1")
	if woken(a) || !woken(b) {
		t.Error("a watch that ended is woken, or the other is not")
	}
	h.WakeAll()
	if !woken(b) || !woken(other) {
		t.Error("WakeAll leaves a watcher asleep")
	}
}

func TestWakeNeverBlocksAndIsNotLost(t *testing.T) {
	h := events.NewHub()
	ch, end := h.Watch("run_1")
	defer end()
	for range 1000 {
		h.Wake("run_1") // nobody reads meanwhile
	}
	if !woken(ch) || woken(ch) {
		t.Error("many growths give one wake-up that waits for the reader")
	}
}

func TestWatchesComeAndGoConcurrently(t *testing.T) {
	h := events.NewHub()
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			ch, end := h.Watch("run_1")
			h.Wake("run_1")
			<-ch
			end()
		})
	}
	wg.Wait()
	late, end := h.Watch("run_1")
	defer end()
	if woken(late) {
		t.Error("a new watch begins awake")
	}
}

func TestTerminalKindsAreTheLastOfARun(t *testing.T) {
	for kind, want := range map[events.Kind]bool{
		events.RunCompleted: true, events.RunFailed: true, events.RunCancelled: true,
		events.StateChanged: false, events.StepFailed: false, events.StepCompleted: false,
	} {
		if kind.Terminal() != want {
			t.Errorf("%s: Terminal is %v", kind, !want)
		}
	}
}
