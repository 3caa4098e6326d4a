package executor

import (
	"cmp"
	"context"
	"fmt"
	"heddle/events"
	"heddle/executor/machine"
	"heddle/fault"
	"maps"
	"slices"
	"strings"
	"time"
)

// A run that kills the process would do so again at each recovery and take all
// others with it. So crashes are counted for each run that was in action, since
// a step or an iteration of it ended last. From the second one on it is a
// suspect: it is tried alone, with the attempts of all other runs held back.
// When the process died twice so, the run is quarantined: it is failed and not
// driven any more.
//
// What kills the process from outside does so at any moment. Four rules keep a
// run from paying for that: a crash counts only for what was in action; a run
// that outlives its window alone begins anew; one that the process died with is
// tried again only after a rest, and a death while nothing is in action clears
// all; and a conviction holds only once the process has lived for a while
// without the run.
const (
	suspectCrashes    = 2
	quarantineCrashes = 2
)

// Isolation says how suspects are tried. Zero fields take the defaults named
// beside them.
type Isolation struct {
	// Window is how long a suspect is alone while none of its steps ends: short,
	// because most suspects are innocent and the attempts of all others wait.
	// Each window that it outlives doubles the next one, because what kills may
	// take its time: 500 ms.
	Window time.Duration
	// Shared is what very many suspects have together: 5 s, doubled likewise.
	Shared time.Duration
	// Rest is the least time in which nothing is in action before a run that the
	// process died with alone is tried again: 5 s. It is ten windows where that is
	// more, and RestMost, a minute, at the most.
	Rest    time.Duration
	MaxRest time.Duration
	// Confirm is how long the process has to live without a run, with all others
	// in action, before that is quarantined: 15 s.
	Confirm time.Duration
}

const (
	maxWindow   = 5 * time.Minute
	restWindows = 10
)

func (t Isolation) withDefaults() Isolation {
	return Isolation{
		Window: orDefault(t.Window, 500*time.Millisecond),
		Shared: orDefault(t.Shared, 5*time.Second),
		Rest:   orDefault(t.Rest, 5*time.Second), MaxRest: orDefault(t.MaxRest, time.Minute),
		Confirm: orDefault(t.Confirm, 15*time.Second),
	}
}

// window is how long the suspect is alone where there are so many of them.
func (t Isolation) window(s Suspect, many int) time.Duration {
	more := min(s.Survived, 12)
	return min(t.Window<<more, t.Shared<<more/time.Duration(max(many, 1)), maxWindow)
}

// rest is how long nothing is in action before these are tried; 0: no need. A
// convict is not tried.
func (t Isolation) rest(suspects []Suspect) time.Duration {
	rest := time.Duration(0)
	for _, s := range suspects {
		if s.Alone > 0 && !s.MustQuarantine() {
			rest = max(rest, t.Rest, min(restWindows*t.window(s, len(suspects)), t.MaxRest))
		}
	}
	return rest
}

// Suspect is a run in action and what is known of it since a step of it ended.
type Suspect struct {
	RunID    string
	TenantID string
	LastEnd  int64 // seq of that end, 0: none
	Crashes  int   // with the run in action
	Alone    int   // of them the latest ones in succession with nothing else in action
	Survived int   // windows alone that it outlived
	Isolated bool  // it was alone in action when the term ended
}

// MustQuarantine reports whether the process died with the run alone in action so often
// that it is not driven any more.
func (s Suspect) MustQuarantine() bool { return s.Alone >= quarantineCrashes }

// Phase is what may be in action in a term.
type Phase int

// The phases of a term. It begins with PhaseIsolation.
const (
	PhaseOpen      Phase = iota // any run
	PhaseIsolation              // suspects only, those that were isolated
	PhaseRest                   // nothing
)

// UpdateSuspects says what is known of runs after a crash: known is what was before it,
// busy the runs that the store has as in action, with the seq of their last end.
// A run of which nothing is known is left out.
func UpdateSuspects(phase Phase, known, busy []Suspect) []Suspect {
	if phase == PhaseRest {
		return nil // the process dies without any of them
	}
	before := make(map[string]Suspect, len(known))
	for _, s := range known {
		before[s.RunID] = s
	}
	var list []Suspect
	for _, s := range busy {
		old, seen := before[s.RunID]
		isolated := seen && old.Isolated
		if seen && old.LastEnd == s.LastEnd {
			s = old
		}
		s.Isolated = false
		switch {
		case phase == PhaseIsolation && isolated:
			s.Crashes, s.Alone = s.Crashes+1, s.Alone+1
		case phase == PhaseIsolation:
			s.Alone = 0 // the process died without it
		case s.MustQuarantine():
			s.Alone = 0 // likewise: it was not driven
		default:
			s.Crashes, s.Alone = s.Crashes+1, 0
		}
		if s.Crashes > 0 {
			list = append(list, s)
		}
	}
	return list
}

// SelectSuspects picks the runs of those in action that are tried, in the order in
// which they are: what the process died with alone goes first, what outlived
// most windows last.
func SelectSuspects(known, busy []Suspect) []Suspect {
	ends := make(map[string]int64, len(busy))
	for _, s := range busy {
		ends[s.RunID] = s.LastEnd
	}
	var list []Suspect
	for _, s := range known {
		if end, there := ends[s.RunID]; there && end == s.LastEnd && s.Crashes >= suspectCrashes {
			list = append(list, s)
		}
	}
	slices.SortFunc(list, func(a, b Suspect) int {
		return cmp.Or(b.Alone-a.Alone, a.Survived-b.Survived, b.Crashes-a.Crashes, strings.Compare(a.RunID, b.RunID))
	})
	return list
}

// isolateSuspects tries the suspects, takes up the others, whose attempts waited
// meanwhile, and quarantines the convicts once the process has lived without
// them.
func (e *engine) isolateSuspects(ctx context.Context, suspects []Suspect) {
	convicts, rest := splitQuarantined(suspects)
	if !e.isolateAll(ctx, rest) || !e.setPhase(ctx, PhaseOpen) {
		return
	}
	e.trying.Store(false)
	e.mu.Lock()
	held := slices.Sorted(maps.Keys(e.unrecovered))
	e.mu.Unlock()
	n := e.resumeRuns(held)
	e.slots.suspend(false)
	e.queued()
	e.log.Info("the trials of runs are over; runs were taken up again", "suspects", len(rest), "runs", n)
	if len(convicts) > 0 && sleep(ctx, e.svc.cfg.Isolation.Confirm) {
		e.quarantineAll(ctx, convicts)
	}
}

func splitQuarantined(suspects []Suspect) (convicts, rest []Suspect) {
	for _, s := range suspects {
		if s.MustQuarantine() {
			convicts = append(convicts, s)
		} else {
			rest = append(rest, s)
		}
	}
	return convicts, rest
}

func (e *engine) isolateAll(ctx context.Context, suspects []Suspect) bool {
	trials := e.svc.cfg.Isolation
	if rest := trials.rest(suspects); rest > 0 {
		e.log.Warn("the process died while a run was alone in action; nothing begins for a while", "run_id", suspects[0].RunID, "for", rest)
		if !e.setPhase(ctx, PhaseRest) || !sleep(ctx, rest) || !e.setPhase(ctx, PhaseIsolation) {
			return false
		}
	}
	for _, s := range suspects {
		if !e.isolate(ctx, s, trials.window(s, len(suspects))) {
			return false
		}
	}
	return true
}

// isQuarantined reports whether a run is not driven because the process died with
// it alone.
func (e *engine) isQuarantined(runID string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.quarantined[runID]
}

func (e *engine) setPhase(ctx context.Context, p Phase) bool {
	return e.retryUntilDone(ctx, "the phase of the term could not be noted", func() error { return e.store.SetPhase(ctx, e.svc.epoch.Load(), p) })
}

// isolate recovers one suspect and waits until a step of it ended, or none is in
// action, or its window is over. False: ctx ended first.
func (e *engine) isolate(ctx context.Context, s Suspect, window time.Duration) bool {
	e.log.Warn("a run was in action at several crashes; it is recovered alone", "run_id", s.RunID, "crashes", s.Crashes, "alone", s.Alone, "for", window)
	if !e.retryUntilDone(ctx, "a run could not be isolated", func() error { return e.store.Isolate(ctx, s.RunID) }) {
		return false
	}
	over, survived := make(chan struct{}), false
	if e.resumeAlone(ctx, s.RunID, over) {
		patience := time.NewTimer(window)
		defer patience.Stop()
		select {
		case <-over:
		case <-patience.C:
			survived = true
		case <-ctx.Done():
			return false
		}
	}
	return e.retryUntilDone(ctx, "a run's isolation could not be ended", func() error { return e.store.EndIsolation(ctx, s.RunID, survived) })
}

// resumeAlone is takeUpOne for a suspect, also where an input reached it
// meanwhile and left it waiting for a slot. False: there is nothing to do.
func (e *engine) resumeAlone(ctx context.Context, id string, over chan struct{}) bool {
	for {
		if e.resumeRun(id, over) {
			return true
		}
		e.mu.Lock()
		busy, waits := e.runs[id] != nil, e.waiting[id]
		if waits && !busy {
			delete(e.waiting, id)
			e.ready = slices.DeleteFunc(e.ready, func(other string) bool { return other == id })
			l := &activeRun{id: id, epoch: e.svc.epoch.Load(), driven: true, granted: true, isolationEnded: over, mailbox: []message{{input: machine.Tick{}}}}
			e.runs[id] = l
			e.mu.Unlock()
			e.slots.acquireBeyondLimit()
			go e.drive(l)
			return true
		}
		e.mu.Unlock()
		if !busy || !sleep(ctx, time.Millisecond) {
			return false
		}
	}
}

func (l *activeRun) endIsolation() {
	if l.isolationEnded != nil {
		close(l.isolationEnded)
		l.isolationEnded = nil
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

// quarantineAll fails the convicts.
func (e *engine) quarantineAll(ctx context.Context, convicts []Suspect) {
	for _, s := range convicts {
		if !e.retryUntilDone(ctx, "a run could not be quarantined", func() error { return e.quarantine(ctx, s) }) {
			return
		}
		e.mu.Lock()
		delete(e.quarantined, s.RunID) // whoever resumes it now wants it driven
		delete(e.unrecovered, s.RunID)
		e.mu.Unlock()
	}
}

// quarantine ends a run without loading it: that may be what kills.
func (e *engine) quarantine(ctx context.Context, s Suspect) error {
	row, err := e.store.Run(ctx, s.TenantID, s.RunID)
	if fault.KindOf(err) == fault.NotFound || err == nil && !row.State.NeedsRecovery() {
		return e.store.ClearCrashes(ctx, s.RunID)
	}
	if err != nil {
		return err
	}
	acting, err := e.attemptsInFlight(ctx, row)
	if err != nil {
		return err
	}
	now := e.now()
	before := row.Seq
	evs := machine.FailUnloaded(row.RunID, row.State, row.Seq, row.StartedAt, now, verdict(s, acting))
	row.State, row.Seq, row.Error = machine.Failed, row.Seq+int64(len(evs)), verdict(s, acting)
	row.CompletedAt, row.UpdatedAt, row.WakeAt = now, now, time.Time{}
	commit := Commit{Row: row, Expected: before, Events: evs}
	if err := e.commits.submit(e.svc.epoch.Load(), commit); err != nil {
		return err
	}
	e.log.Error("a run was quarantined: it keeps killing the process", "run_id", s.RunID, "crashes", s.Crashes, "steps", acting)
	e.svc.cfg.Hub.Wake(s.RunID)
	return e.store.ClearCrashes(ctx, s.RunID)
}

func verdict(s Suspect, acting []string) *machine.Error {
	return &machine.Error{
		Code: "run_quarantined",
		Message: fmt.Sprintf("The server died %d times while this run was in action, %d times while nothing else was. "+
			"It is not driven any more; find out what its steps in action do to the server, then resume it or leave it.", s.Crashes, s.Alone),
		Details: map[string]any{"crashes": s.Crashes, "alone": s.Alone, "steps": acting},
	}
}

// attemptsInFlight names the places whose attempts were in action at the end of the
// journal, as far as its newest events tell; ten at the most.
func (e *engine) attemptsInFlight(ctx context.Context, row Record) ([]string, error) {
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
