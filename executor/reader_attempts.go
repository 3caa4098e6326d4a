package executor

import (
	"context"
	"encoding/json"
	"heddle/events"
	"heddle/executor/machine"
	"heddle/fault"
	"slices"
	"time"
)

// Attempt is one attempt of a step, as the journal has it.
type Attempt struct {
	Number      int
	Generation  int    // of the step: see machine.StepView; 0 in journals of older versions
	Status      string // running, waiting, completed, failed, interrupted (by a crash) or cancelled
	StartedAt   time.Time
	CompletedAt time.Time // zero: not yet
	Output      json.RawMessage
	Error       *machine.Error
	Usage       machine.Usage // of this attempt, with its tool calls
	// Rendered is the config as the templates rendered it, without secrets, or its reference;
	// nil: it is not kept.
	Rendered json.RawMessage
}

// StepDetail is a step with all of its attempts.
type StepDetail struct {
	machine.StepView
	Seq      int64 // of the run, up to which the attempts are
	Attempts []Attempt
}

// Step reads a step with its attempts; iteration is the path of one of a loop's body, "" for
// a top-level step. A step of an iteration that has ended is known by its attempts alone. It
// reads the head of the journal and, behind that, the step's own events. Errors:
// fault.NotFound run_not_found and step_not_found.
func (s *Reader) Step(ctx context.Context, tenantID, runID string, ref machine.Ref) (StepDetail, error) {
	row, head, err := s.headOf(ctx, JournalPageQuery{TenantID: tenantID, RunID: runID})
	if err != nil {
		return StepDetail{}, err
	}
	run, err := s.restored.get(ctx, row)
	if err != nil {
		return StepDetail{}, err
	}
	behind, err := s.cfg.Store.StepEvents(ctx, runID, []machine.Ref{ref}, pageSteps)
	if err != nil {
		return StepDetail{}, err
	}
	list := slices.DeleteFunc(slices.Clone(head), func(e events.Event) bool { return refOf(e) != ref })
	list = slices.DeleteFunc(append(list, behind...), func(e events.Event) bool { return e.Seq > run.Seq })
	slices.SortFunc(list, bySeq)
	d := StepDetail{Seq: run.Seq}
	if d.Attempts, err = attemptsOf(list, run.State.Terminal()); err != nil {
		return d, err
	}
	if err := s.addRendered(ctx, runID, ref, d.Attempts); err != nil {
		return d, err
	}
	view, open := machine.StepsOf(run).In(ref)
	switch {
	case open:
		d.StepView = view
	case ref.Iteration == "" || len(d.Attempts) == 0:
		return d, fault.New(fault.NotFound, "step_not_found", "The run has no step %q there.", ref.StepID)
	default:
		d.StepView = endedStep(view, ref, d.Attempts)
	}
	if n := len(list); n > 0 {
		d.LastSeq = list[n-1].Seq
	}
	return d, nil
}

// addRendered adds the rendered inputs that are kept to the attempts of a step.
func (s *Reader) addRendered(ctx context.Context, runID string, ref machine.Ref, attempts []Attempt) error {
	if len(attempts) == 0 {
		return nil
	}
	kept, err := s.cfg.Store.RenderedInputs(ctx, runID, ref)
	for _, k := range kept {
		for i := range attempts {
			if a := &attempts[i]; k.First <= a.Number && a.Number <= k.Last {
				a.Rendered = k.Input
			}
		}
	}
	return err
}

// endedStep returns a step whose iteration has ended, as its attempts show it.
func endedStep(view machine.StepView, ref machine.Ref, attempts []Attempt) machine.StepView {
	last := attempts[len(attempts)-1]
	view.StepID, view.Iteration = ref.StepID, ref.Iteration
	view.Status, view.Attempt = machine.StepStatus(last.Status), last.Number
	view.StartedAt, view.CompletedAt, view.Generation = attempts[0].StartedAt, last.CompletedAt, last.Generation
	view.Output, view.Error = last.Output, last.Error
	return view
}

// attemptsOf makes attempts of the events of one step, in the journal's order. Events of a
// compensation and of a wait's probes, which have a role, end no attempt. over: the run has
// ended, and what did not end with it was cancelled.
func attemptsOf(list []events.Event, over bool) ([]Attempt, error) {
	attempts := []Attempt{}
	for _, e := range list {
		d, err := machine.ReadDetail(e)
		if err != nil {
			return nil, err
		}
		if e.Kind == events.StepStarted {
			attempts = append(attempts, Attempt{Number: e.Attempt, Generation: d.Generation, Status: "running", StartedAt: e.At})
			continue
		}
		if len(attempts) == 0 || d.Role != "" {
			continue
		}
		a := &attempts[len(attempts)-1]
		switch e.Kind {
		case events.StepWaiting:
			a.Status = "waiting"
		case events.StepInterrupted:
			a.end(e, d, "interrupted")
		case events.StepRetrying:
			a.end(e, d, "failed")
		case events.StepCompleted, events.StepFailed, events.StepCancelled:
			// An attempt that has ended keeps its end, but for one that a crash cut off and
			// that failed for it.
			if a.CompletedAt.IsZero() || e.Kind == events.StepFailed && a.Status == "interrupted" {
				a.end(e, d, map[events.Kind]string{events.StepCompleted: "completed", events.StepFailed: "failed", events.StepCancelled: "cancelled"}[e.Kind])
			}
		default: // nothing of an attempt
		}
	}
	if n := len(attempts); over && n > 0 && attempts[n-1].CompletedAt.IsZero() {
		attempts[n-1].Status = "cancelled"
	}
	return attempts, nil
}

// end closes the attempt with what the event says of it.
func (a *Attempt) end(e events.Event, d machine.Detail, status string) {
	a.Status, a.CompletedAt, a.Output, a.Error, a.Usage = status, e.At, d.Output, d.Error, d.Usage
}
