package runs

import (
	"context"
	"encoding/json"
	"heddle/api/core"
	"heddle/events"
	"heddle/executor"
	"heddle/executor/machine"
)

// v1Events follows a run's events after Last-Event-ID, as text/event-stream; see
// core.Stream.
func (h *handlers) v1Events(c *core.Call) error {
	id := c.Param("run_id")
	after, err := core.LastEventID(c.Request)
	if err != nil {
		return err
	}
	return core.Stream(c, id, after, nil, func(context.Context, executor.Record) core.FrameFunc { return v1Frame })
}

// v1Event is the data of every frame of the runs dialect; each event fills what it has, and
// leaves the rest out. Pointers are for counts of which 0 is shown.
type v1Event struct {
	RunID string `json:"run_id"`
	// Seq is the number of the event in the run's journal, and the frame's id.
	Seq       int64          `json:"seq"`
	Timestamp core.Timestamp `json:"timestamp"`
	// State is the run's after the event; left out of events of a node.
	State     string `json:"state,omitempty" words:"runs"`
	Node      string `json:"node,omitempty"`
	Iteration string `json:"iteration,omitempty" doc:"In a loop body: each[3] or each[3].inner[0]."`
	Attempt   int    `json:"attempt,omitempty"`
	// LatencyMS is the attempt's, or the run's in its last event.
	LatencyMS *int64 `json:"latency_ms,omitempty"`
	// Tokens and CostMicroUSD are those of the attempt that ended.
	Tokens       *int64 `json:"tokens,omitempty"`
	CostMicroUSD *int64 `json:"cost_micro_usd,omitempty"`
	// RequestID is what a signal answers an input request by.
	RequestID string          `json:"request_id,omitempty"`
	Name      string          `json:"name,omitempty" doc:"Of the signal."`
	Prompt    string          `json:"prompt,omitempty"`
	Schema    json.RawMessage `json:"schema,omitempty" doc:"What the payload is checked against."`
	Payload   json.RawMessage `json:"payload,omitempty"`
	// Result is the run's output, in its last event.
	Result json.RawMessage `json:"result,omitempty"`
	// Error is why a node or the run failed.
	Error  *core.Failure   `json:"error,omitempty"`
	Actor  *core.ActorBody `json:"actor,omitempty" doc:"Who started, paused, resumed or cancelled the run, or sent the signal."`
	Reason string          `json:"reason,omitempty" doc:"Why, as they said."`
}

// v1Frame translates one row; false: this dialect has no frame for it. It keeps no state. The
// error is that of a row that cannot be read.
func v1Frame(e events.Event) (core.Frame, bool, error) {
	d, err := machine.ReadDetail(e)
	if err != nil {
		return core.Frame{}, false, err
	}
	word := v1EventWord(e.Kind, d)
	if word == "" {
		return core.Frame{}, false, nil
	}
	out := v1Event{
		RunID: e.RunID, Seq: e.Seq, Timestamp: core.Timestamp(e.At), Node: e.StepID, Iteration: e.Iteration, Attempt: e.Attempt,
		RequestID: d.RequestID, Name: d.Name, Prompt: d.Prompt, Schema: d.Schema, Payload: d.Payload, Error: core.FailureOf(d.Error),
		Actor: core.ActorOf(d.Actor),
	}
	// The reason of a row that no one caused, such as why a step was skipped, is not shown here.
	if d.Actor.Known() {
		out.Reason = d.Reason
	}
	switch e.Kind {
	case events.StateChanged:
		out.State, out.Error = core.WordsOf(d.State).Runs, nil
	case events.StepCompleted, events.StepFailed:
		out.LatencyMS, out.Tokens, out.CostMicroUSD = &d.LatencyMS, &d.Tokens, &d.CostMicroUSD
	case events.RunCompleted:
		out.State, out.Result, out.LatencyMS = core.WordsOf(machine.Completed).Runs, d.Output, &d.DurationMS
	case events.RunFailed:
		out.State, out.LatencyMS = core.WordsOf(machine.Failed).Runs, &d.DurationMS
	case events.RunCancelled:
		out.State, out.LatencyMS = core.WordsOf(machine.Cancelled).Runs, &d.DurationMS
	default: // nothing to do for the others
	}
	return core.Frame{Event: word, Data: out}, true, nil
}

// v1EventWord returns the name of the row's frame, or "". A change between states that have one
// word is none to this dialect: running to waiting for a timer is no change, running to retrying
// is one.
func v1EventWord(k events.Kind, d machine.Detail) string {
	switch k {
	case events.StateChanged:
		if d.From == "" || core.WordsOf(d.From).Runs != core.WordsOf(d.State).Runs {
			return "status_changed"
		}
	case events.StepStarted:
		return "node_started"
	case events.StepCompleted:
		return "node_completed"
	case events.StepFailed:
		return "node_failed"
	case events.InputRequested, events.InputResolved, events.SignalReceived:
		return string(k)
	case events.RunCompleted:
		return "completed"
	case events.RunFailed:
		return "failed"
	case events.RunCancelled:
		return "cancelled"
	default: // nothing to do for the others
	}
	return ""
}
