package executor

import (
	"context"
	"fmt"
	"time"

	"heddle/events"
	"heddle/executor/machine"
	"heddle/fault"
)

// A run that kills the process would do so again at each recovery and take all
// others with it. So crashes are counted for each run that was in action, since
// a step of it ended last. From the second one on it is a suspect: it is
// recovered with nothing else in action. When the process died twice so, the
// run is quarantined: it is failed and not driven any more.
const (
	suspectAfter    = 2
	quarantineAfter = 2
)

// How long a suspect stays alone while none of its steps ends: short at first,
// because most suspects are innocent and keep all others waiting; twice as long
// with each further crash, because what kills may take its time. Many suspects
// share a longer time.
const (
	aloneFirst  = time.Second
	aloneShared = 20 * time.Second
	aloneMost   = 5 * time.Minute
)

// Suspect is a run that was in action at more than one crash, and how often
// with nothing else in action.
type Suspect struct {
	RunID    string
	TenantID string
	Crashes  int
	Alone    int
}

// patience is how long the suspect is alone where there are so many of them.
func (s Suspect) patience(many int) time.Duration {
	more := min(max(s.Crashes-suspectAfter, 0), 10)
	return min(aloneFirst<<more, aloneShared<<more/time.Duration(max(many, 1)), aloneMost)
}

// alone recovers one of many suspects and waits until a step of it ended, or
// none is in action, or its time is up. False: ctx ended first.
func (e *engine) alone(ctx context.Context, s Suspect, many int) bool {
	e.log.Warn("a run was in action at several crashes; it is recovered alone", "run_id", s.RunID, "crashes", s.Crashes, "alone", s.Alone)
	if !e.insist(ctx, "a run could not be isolated", func() error { return e.store.Isolate(ctx, s.RunID, true) }) {
		return false
	}
	over := make(chan struct{})
	if e.takeUpOne(s.RunID, over) {
		patience := time.NewTimer(s.patience(many))
		defer patience.Stop()
		select {
		case <-over:
		case <-patience.C:
		case <-ctx.Done():
			return false
		}
	}
	return e.insist(ctx, "a run's isolation could not be ended", func() error { return e.store.Isolate(ctx, s.RunID, false) })
}

func (l *live) noLongerAlone() {
	if l.over != nil {
		close(l.over)
		l.over = nil
	}
}

// endsAttempt tells whether an attempt ended among the events.
func endsAttempt(evs []events.Event) bool {
	for i := range evs {
		switch evs[i].Kind {
		case events.StepCompleted, events.StepFailed, events.StepRetrying, events.CompensationCompleted, events.CompensationFailed:
			return true
		}
	}
	return false
}

// quarantineAll fails those of the suspects that are convicted, and gives the
// others. False: ctx ended first.
func (e *engine) quarantineAll(ctx context.Context, suspects []Suspect) (rest []Suspect, ok bool) {
	for _, s := range suspects {
		if s.Alone < quarantineAfter {
			rest = append(rest, s)
			continue
		}
		if !e.insist(ctx, "a run could not be quarantined", func() error { return e.quarantine(ctx, s) }) {
			return nil, false
		}
	}
	return rest, true
}

// quarantine ends a run without loading it: that may be what kills.
func (e *engine) quarantine(ctx context.Context, s Suspect) error {
	row, err := e.store.Run(ctx, s.TenantID, s.RunID)
	if fault.KindOf(err) == fault.NotFound || err == nil && !row.State.Busy() {
		return e.store.Forgive(ctx, s.RunID)
	}
	if err != nil {
		return err
	}
	acting, err := e.lastActing(ctx, row)
	if err != nil {
		return err
	}
	now := e.now()
	before := row.Seq
	evs := machine.FailUnseen(row.RunID, row.State, row.Seq, row.StartedAt, now, convicted(s, acting))
	row.State, row.Seq, row.Error = machine.Failed, row.Seq+int64(len(evs)), convicted(s, acting)
	row.CompletedAt, row.UpdatedAt, row.WakeAt = now, now, time.Time{}
	commit := Commit{Row: row, Expected: before, Events: evs}
	if err := e.commits.submit(e.svc.epoch.Load(), commit); err != nil {
		return err
	}
	e.log.Error("a run was quarantined: it keeps killing the process", "run_id", s.RunID, "crashes", s.Crashes, "steps", acting)
	e.svc.cfg.Hub.Wake(s.RunID)
	return e.store.Forgive(ctx, s.RunID)
}

func convicted(s Suspect, acting []string) *machine.Error {
	return &machine.Error{
		Code: "run_quarantined",
		Message: fmt.Sprintf("The server died %d times while this run was in action, %d times while nothing else was. "+
			"It is not driven any more; find out what its steps in action do to the server, then resume it or leave it.", s.Crashes, s.Alone),
		Details: map[string]any{"crashes": s.Crashes, "alone": s.Alone, "steps": acting},
	}
}

// lastActing names the places whose attempts were in action at the end of the
// journal, as far as its newest events tell; ten at the most.
func (e *engine) lastActing(ctx context.Context, row Record) ([]string, error) {
	const look, most = 500, 10
	evs, err := e.store.Events(ctx, row.RunID, max(row.Seq-look, 0), look)
	if err != nil {
		return nil, err
	}
	var order []string
	acting := make(map[string]bool)
	for i := range evs {
		name := evs[i].StepID
		if evs[i].Iteration != "" {
			name += " in " + evs[i].Iteration
		}
		switch evs[i].Kind {
		case events.StepStarted, events.CompensationStarted:
			acting[name] = true
			order = append(order, name)
		case events.StateChanged, events.SignalReceived, events.SignalRejected, events.InputRequested:
		default:
			delete(acting, name)
		}
	}
	names := []string{}
	for _, name := range order {
		if acting[name] && len(names) < most {
			names = append(names, name)
			delete(acting, name)
		}
	}
	return names, nil
}
