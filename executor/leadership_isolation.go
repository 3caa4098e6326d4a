package executor

import (
	"cmp"
	"context"
	"fmt"
	"heddle/events"
	"heddle/executor/machine"
	"heddle/fault"
	"slices"
	"strings"
	"time"
)

// A run that kills the process would do so again at each recovery and take all others
// with it. So crashes are counted for each run that was in flight, since a step or an
// iteration of it ended last. From suspectCrashes on it is a suspect: it is isolated, with
// the attempts of all other runs held back. When the process has died quarantineCrashes
// times in that, the run is quarantined: it is failed and no longer driven.
//
// What kills the process from outside does so at any moment. Four rules keep a run from
// paying for that: a crash counts only for what was in flight; a run that outlives its
// window in isolation begins anew; one that the process died with is isolated again only
// after a rest, and a death while nothing is in flight clears all; and a run is
// quarantined only once the process has lived for a while without it.
const (
	suspectCrashes    = 2
	quarantineCrashes = 2
)

// Isolation says how suspects are isolated. Zero fields take the defaults named
// beside them.
type Isolation struct {
	// Window is how long a suspect is isolated while none of its attempts ends:
	// short, because most suspects are innocent and the attempts of all others wait.
	// Each window that it outlives doubles the next one, because what kills the
	// process may take its time: 500 ms.
	Window time.Duration
	// Shared is the time that very many suspects have together: 5 s, doubled
	// likewise.
	Shared time.Duration
	// Rest is the least time in which nothing is in flight before a run is isolated
	// again that the process died with: 5 s. It is ten windows where that is more,
	// and MaxRest, a minute, at most.
	Rest    time.Duration
	MaxRest time.Duration
	// Confirm is how long the process has to live without a run, with all others in
	// flight, before that is quarantined: 15 s.
	Confirm time.Duration
}

const (
	maxWindow   = 5 * time.Minute
	restWindows = 10
)

// withDefaults fills the zero fields in.
func (t Isolation) withDefaults() Isolation {
	return Isolation{
		Window: orDefault(t.Window, 500*time.Millisecond),
		Shared: orDefault(t.Shared, 5*time.Second),
		Rest:   orDefault(t.Rest, 5*time.Second), MaxRest: orDefault(t.MaxRest, time.Minute),
		Confirm: orDefault(t.Confirm, 15*time.Second),
	}
}

// window returns how long the suspect is isolated where there are many suspects in all: its
// share of Shared if that is less than Window, doubled for each window that it outlived,
// and maxWindow at most.
func (t Isolation) window(s Suspect, many int) time.Duration {
	more := min(s.Survived, 12)
	return min(t.Window<<more, t.Shared<<more/time.Duration(max(many, 1)), maxWindow)
}

// rest returns how long nothing is in flight before these are isolated; 0: no rest is
// needed, because the process died with none of them isolated. A run that is to be
// quarantined is not isolated, so it asks for no rest.
func (t Isolation) rest(suspects []Suspect) time.Duration {
	rest := time.Duration(0)
	for _, s := range suspects {
		if s.Alone > 0 && !s.mustQuarantine() {
			rest = max(rest, t.Rest, min(restWindows*t.window(s, len(suspects)), t.MaxRest))
		}
	}
	return rest
}

// Suspect is a run in flight, with its crashes since an attempt of it ended last. The store
// keeps these numbers; UpdateSuspects computes them. LastEnd 0 is a run of which nothing
// has ended yet.
type Suspect struct {
	RunID    string
	TenantID string
	LastEnd  int64 // seq of that end, 0: none
	Crashes  int   // with the run in flight
	Alone    int   // the latest of them in succession, with nothing else in flight
	Survived int   // windows alone that it outlived
	Isolated bool  // it was isolated when the term ended
}

// mustQuarantine reports whether the process died with the run isolated so often
// that it is no longer driven.
func (s Suspect) mustQuarantine() bool { return s.Alone >= quarantineCrashes }

// Phase is what may be in flight in a term. The numbers are stored.
type Phase int

// The phases of a term. It begins with PhaseIsolation.
const (
	PhaseOpen      Phase = iota // any run
	PhaseIsolation              // suspects only, those that were isolated
	PhaseRest                   // nothing
)

// UpdateSuspects returns what is known of runs after a crash in a term of that phase. known
// is what was known before it, busy the runs that the store has as in flight, with the seq
// of their last end. A run whose last end is another than before begins from zero. A run
// without a crash is left out. It is pure; the store calls it in the transaction that
// begins a term.
func UpdateSuspects(phase Phase, known, busy []Suspect) []Suspect {
	if phase == PhaseRest {
		return nil // the process dies without any of them
	}
	// Runs that are known but not busy have ended or wait: what they did is not suspected
	// any more.
	before := make(map[string]Suspect, len(known))
	for _, s := range known {
		before[s.RunID] = s
	}
	var list []Suspect
	for _, s := range busy {
		old, seen := before[s.RunID]
		isolated := seen && old.Isolated
		// Nothing of it ended since, so its crashes go on counting.
		if seen && old.LastEnd == s.LastEnd {
			s = old
		}
		s.Isolated = false
		switch {
		case phase == PhaseIsolation && isolated:
			s.Crashes, s.Alone = s.Crashes+1, s.Alone+1
		case phase == PhaseIsolation:
			s.Alone = 0 // the process died without it
		case s.mustQuarantine():
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

// SelectSuspects returns the runs of those in flight that are to be isolated, in the order
// in which they are: those that the process died with in isolation first, those that
// outlived most windows last. Among equals those with more crashes come first, then the
// lower id. It is pure.
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

// splitQuarantined separates the suspects that are to be quarantined from those that are to
// be isolated. Each part keeps the order.
func splitQuarantined(suspects []Suspect) (quarantined, rest []Suspect) {
	for _, s := range suspects {
		if s.mustQuarantine() {
			quarantined = append(quarantined, s)
		} else {
			rest = append(rest, s)
		}
	}
	return quarantined, rest
}

// isolateAll isolates the suspects one after another, after a rest where the process died
// with one of them isolated. It returns false if ctx ended first.
func (l *leadership) isolateAll(ctx context.Context, suspects []Suspect) bool {
	policy := l.cfg.Isolation
	if rest := policy.rest(suspects); rest > 0 {
		l.cfg.Log.Warn("the process died while a run was isolated; nothing begins for a while", "run_id", suspects[0].RunID, "for", rest)
		if !l.setPhase(ctx, PhaseRest) || !sleep(ctx, rest) || !l.setPhase(ctx, PhaseIsolation) {
			return false
		}
	}
	for _, s := range suspects {
		if !l.isolate(ctx, s, policy.window(s, len(suspects))) {
			return false
		}
	}
	return true
}

// setPhase records what may be in flight from now on. It is called before that changes, so
// that a crash right after it is judged by what was possible. It returns false if ctx ended
// first.
func (l *leadership) setPhase(ctx context.Context, p Phase) bool {
	return l.retryUntilDone(ctx, "the phase of the term could not be noted", func() error { return l.cfg.Store.SetPhase(ctx, l.term.epoch.Load(), p) })
}

// isolate recovers one suspect and waits until an attempt of it ended, it has none in
// flight, or its window is over. The store knows of the isolation before it begins and
// until it has ended, so that a crash in between counts for this run alone. It returns
// false if ctx ended first; the isolation is then ended by the end of the term.
func (l *leadership) isolate(ctx context.Context, s Suspect, window time.Duration) bool {
	l.cfg.Log.Warn("a run was in flight at several crashes; it is recovered alone", "run_id", s.RunID, "crashes", s.Crashes, "alone", s.Alone, "for", window)
	if !l.retryUntilDone(ctx, "a run could not be isolated", func() error { return l.cfg.Store.Isolate(ctx, s.RunID) }) {
		return false
	}
	// Closed by the run's driver, see driveState.endIsolation.
	over, survived := make(chan struct{}), false
	if l.registry.resumeAlone(ctx, s.RunID, over) {
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
	return l.retryUntilDone(ctx, "a run's isolation could not be ended", func() error { return l.cfg.Store.EndIsolation(ctx, s.RunID, survived) })
}

// endsAttempt reports whether one of the events is the end of an attempt, a compensation's
// included.
func endsAttempt(evs []events.Event) bool {
	for i := range evs {
		switch evs[i].Kind {
		case events.StepCompleted, events.StepFailed, events.StepRetrying, events.CompensationCompleted, events.CompensationFailed:
			return true
		default: // no attempt ends with it
		}
	}
	return false
}

// quarantineAll fails the runs that the process died with in isolation, one after another,
// until ctx ends. From then on each may be resumed like any other failed run.
func (l *leadership) quarantineAll(ctx context.Context, quarantined []Suspect) {
	for _, s := range quarantined {
		if !l.retryUntilDone(ctx, "a run could not be quarantined", func() error { return l.quarantine(ctx, s) }) {
			return
		}
		l.registry.endQuarantine(s.RunID)
	}
}

// quarantine fails a run without loading it: loading may be what kills the process. A run
// that is gone, or not busy any more, only has its crashes cleared. Errors: those of the
// store; the caller tries again.
func (l *leadership) quarantine(ctx context.Context, s Suspect) error {
	row, err := l.cfg.Store.Run(ctx, s.TenantID, s.RunID)
	if fault.KindOf(err) == fault.NotFound || err == nil && !row.State.NeedsRecovery() {
		return l.cfg.Store.ClearCrashes(ctx, s.RunID)
	}
	if err != nil {
		return err
	}
	acting, err := l.attemptsInFlight(ctx, row)
	if err != nil {
		return err
	}
	now := l.cfg.now()
	before := row.Seq
	// After the seq that was read: where a driver journals a message meanwhile, the commit
	// is refused and all of this is tried again.
	evs := machine.FailUnloaded(row.RunID, row.State, row.Seq, row.StartedAt, now, verdict(s, acting))
	row.State, row.Seq, row.Error = machine.Failed, row.Seq+int64(len(evs)), verdict(s, acting)
	row.CompletedAt, row.UpdatedAt, row.WakeAt = now, now, time.Time{}
	commit := Commit{Row: row, Expected: before, Events: evs, Requests: machine.CancelRequests(now)}
	if err := l.commits.submit(l.term.epoch.Load(), commit); err != nil {
		return err
	}
	l.dispatcher.leaveLimits(s.RunID)
	l.cfg.Log.Error("a run was quarantined: it keeps killing the process", "run_id", s.RunID, "crashes", s.Crashes, "steps", acting)
	l.cfg.Hub.Wake(s.RunID)
	return l.cfg.Store.ClearCrashes(ctx, s.RunID)
}

// verdict returns the error run_quarantined of a run. acting names the steps whose attempts
// were in flight; it stands in the details.
func verdict(s Suspect, acting []string) *machine.Error {
	return &machine.Error{
		Code: "run_quarantined",
		Message: fmt.Sprintf("The server died %d times while this run was in flight, %d times while nothing else was. "+
			"It is not driven any more; find out what its steps in flight do to the server, then resume it or leave it.", s.Crashes, s.Alone),
		Details: map[string]any{"crashes": s.Crashes, "alone": s.Alone, "steps": acting},
	}
}

// attemptsInFlight returns the steps whose attempts were in flight at the end of the
// journal, with their iterations, in the order in which they started, as far as its newest
// 500 events show; 10 at most. The list is for people and not nil.
func (l *leadership) attemptsInFlight(ctx context.Context, row Record) ([]string, error) {
	const look, most = 500, 10
	evs, err := l.cfg.Store.Events(ctx, row.RunID, max(row.Seq-look, 0), look)
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

// isolateSuspects isolates the suspects one after another, enters leading, and resumes the
// other runs, whose attempts waited meanwhile. Those that the process died with are
// quarantined once it has lived for Isolation.Confirm without them. It ends early with ctx;
// the next term then begins with what the store knows.
func (l *leadership) isolateSuspects(ctx context.Context, suspects []Suspect) {
	quarantine, rest := splitQuarantined(suspects)
	if !l.isolateAll(ctx, rest) || !l.setPhase(ctx, PhaseOpen) || !l.term.enter(leading) {
		return
	}
	n := l.resumeRuns(l.registry.heldRuns())
	l.dispatcher.slots.suspend(false)
	l.dispatcher.queued()
	l.cfg.Log.Info("all suspects have been isolated; runs were resumed", "suspects", len(rest), "runs", n)
	if len(quarantine) > 0 && sleep(ctx, l.cfg.Isolation.Confirm) {
		l.quarantineAll(ctx, quarantine)
	}
}
