package instances

import (
	"encoding/json"
	"fmt"
	"heddle/api/core"
	"heddle/events"
	"heddle/executor/machine"
	"time"
)

// walkedStep is a step of the page while its events are read. What clients see is in historyStep;
// the rest is what the next event has to know.
type walkedStep struct {
	historyStep
	// stepID is the step's id, without its iteration.
	stepID   string
	ended    bool // a further start begins it anew
	resolved bool // a wait that an event satisfied
}

// walkSteps makes the steps of a page of their events, in the order in which they began. number
// is the run's. Events of steps that began on an earlier page are skipped. The error is that of a
// row that cannot be read. A step that failed, was resumed and completed is one step:
//
//	step_started  pay    running, 1 attempt
//	step_failed   pay    failed
//	step_started  pay    running, 1 attempt: the attempts are counted anew
//	step_completed pay   completed, with its result
func walkSteps(number int, list []events.Event) ([]*walkedStep, error) {
	var steps []*walkedStep
	of := map[machine.Ref]*walkedStep{}
	for _, e := range list {
		// A step of a loop's body is another one in each iteration.
		ref := machine.Ref{StepID: e.StepID, Iteration: e.Iteration}
		// A step whose beginning is not on this page belongs to another.
		s := of[ref]
		if s == nil {
			if e.Kind != events.StepStarted && e.Kind != events.StepSkipped {
				continue
			}
			s = &walkedStep{stepID: ref.StepID}
			s.ID, s.RunNumber, s.StepKey, s.CreatedAt = rowID(e), number, stepKey(ref.StepID, ref.Iteration), core.Timestamp(e.At)
			of[ref], steps = s, append(steps, s)
		}
		d, err := machine.ReadDetail(e)
		if err != nil {
			return nil, err
		}
		s.add(e, d)
	}
	return steps, nil
}

// receivedEvents makes the events that an instance received of a page's: of what came and of what
// resolved waits. One that no step has taken has no time of delivery.
func receivedEvents(number int, list []events.Event) ([]historyEvent, error) {
	received, bySeq := []historyEvent{}, map[int64]int{}
	for _, e := range list {
		d, err := machine.ReadDetail(e)
		if err != nil {
			return nil, err
		}
		if e.Kind == events.SignalReceived {
			bySeq[e.Seq] = len(received)
			received = append(received, historyEvent{
				ID: rowID(e), RunNumber: number, Type: d.Name, Payload: d.Payload, CreatedAt: core.Timestamp(e.At),
			})
		} else if i, ours := bySeq[d.SignalSeq]; ours && e.Kind == events.InputResolved {
			received[i].DeliveredAt, received[i].ConsumedByStepKey = core.TimestampOrNil(e.At), core.TextOrNull(stepKey(e.StepID, e.Iteration))
		}
	}
	return received, nil
}

// rowID returns the id of an event: the run's and the number in its journal.
func rowID(e events.Event) string { return fmt.Sprintf("%s_%d", e.RunID, e.Seq) }

// add applies an event to the step, in the journal's order. Events with a role, those of
// compensations and probes, change nothing that is shown.
func (s *walkedStep) add(e events.Event, d machine.Detail) {
	switch e.Kind {
	case events.StepStarted:
		// A resume or a redrive runs it again: what the earlier attempts left is not this one's.
		if s.ended {
			s.Attempts, s.Error, s.Result, s.resolved, s.ended = 0, nil, nil, false, false
		}
		s.Attempts++
		s.setStatus("running")
	case events.StepWaiting:
		s.setWait(d.Kind, d.Name, core.TimestampOrNil(d.Until), core.TimestampOrNil(d.TimeoutAt))
	case events.StepInterrupted:
		if d.Role == "" {
			s.Attempts-- // it does not count
			s.setStatus("running")
		}
	case events.StepRetrying:
		if d.Role != "" {
			return
		}
		s.setStatus("retrying")
		s.Error, s.NextRetryAt = instanceErrorOf(d.Error), core.TimestampOrNil(d.NextAttemptAt)
	case events.InputResolved:
		s.resolved = true
	case events.StepSkipped:
		s.end("skipped")
	case events.StepCompleted:
		s.end("completed")
		s.Result = s.result(d.Output)
		// A step that a fallback stands for keeps the error that led to it.
		if d.Fallback == "" {
			s.Error = nil
		}
	case events.StepFailed:
		s.end("failed")
		s.Error, s.Attempts = instanceErrorOf(d.Error), max(s.Attempts, 1)
	case events.StepCancelled:
		s.end("cancelled")
	default:
		return
	}
	s.UpdatedAt = core.Timestamp(e.At)
}

// setStatus sets the status, and clears what belonged to the one before.
func (s *walkedStep) setStatus(status string) {
	s.Status, s.NextRetryAt, s.WakeAt = status, nil, nil
}

// end sets a final status. Only a further start changes it.
func (s *walkedStep) end(status string) {
	s.setStatus(status)
	s.ended = true
}

// result returns a step's output; that of a wait which an event satisfied in the dialect's words.
// An output that is not of that form is returned as it is.
func (s *walkedStep) result(output json.RawMessage) json.RawMessage {
	if !s.resolved {
		return output
	}
	var got struct {
		Name    string          `json:"name"`
		Payload json.RawMessage `json:"payload"`
		At      time.Time       `json:"received_at"`
	}
	if json.Unmarshal(output, &got) != nil {
		return output
	}
	text, err := core.Encode(satisfied{got.Name, got.Payload, core.Timestamp(got.At)})
	if err != nil {
		return output
	}
	return text
}

// satisfied is the result of a wait that an event satisfied.
type satisfied struct {
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload"`
	// Timestamp is when the event was received.
	Timestamp core.Timestamp `json:"timestamp"`
}

// finish cancels a step that was cut off by the run's end without an event of its own. state is
// the run's.
func (s *walkedStep) finish(state machine.State) {
	if state.Terminal() && !s.ended {
		s.end("cancelled")
	}
}
