package api

import (
	"context"
	"encoding/json"
	"heddle/events"
	"heddle/executor"
	"heddle/executor/machine"
)

func (h *Handler) v1Events(c *call) error {
	id, err := c.param("run_id")
	if err != nil {
		return err
	}
	after, err := lastEventID(c.r)
	if err != nil {
		return err
	}
	return c.stream(id, after, func(context.Context, executor.Record) dialectFrame { return v1Frame })
}

// v1Event is the data of every frame of the runs dialect; each event fills what
// it has.
type v1Event struct {
	RunID        string          `json:"run_id"`
	Seq          int64           `json:"seq"`
	Timestamp    timestamp       `json:"timestamp"`
	State        string          `json:"state,omitempty" words:"runs"`
	Node         string          `json:"node,omitempty"`
	Iteration    string          `json:"iteration,omitempty" doc:"In a loop body: each[3] or each[3].inner[0]."`
	Attempt      int             `json:"attempt,omitempty"`
	LatencyMS    *int64          `json:"latency_ms,omitempty"`
	Tokens       *int64          `json:"tokens,omitempty"`
	CostMicroUSD *int64          `json:"cost_micro_usd,omitempty"`
	RequestID    string          `json:"request_id,omitempty"`
	Name         string          `json:"name,omitempty" doc:"Of the signal."`
	Prompt       string          `json:"prompt,omitempty"`
	Schema       json.RawMessage `json:"schema,omitempty" doc:"What the payload is checked against."`
	Payload      json.RawMessage `json:"payload,omitempty"`
	Result       json.RawMessage `json:"result,omitempty"`
	Error        *failure        `json:"error,omitempty"`
	Actor        *actorBody      `json:"actor,omitempty" doc:"Who started, paused, resumed or cancelled the run, or sent the signal."`
	Reason       string          `json:"reason,omitempty" doc:"Why, as they said."`
}

// v1Frame translates one row; false: the catalogue has no event for it.
func v1Frame(e events.Event) (frame, bool, error) {
	d, err := machine.ReadDetail(e)
	if err != nil {
		return frame{}, false, err
	}
	word := v1EventWord(e.Kind, d)
	if word == "" {
		return frame{}, false, nil
	}
	out := v1Event{
		RunID: e.RunID, Seq: e.Seq, Timestamp: timestamp(e.At), Node: e.StepID, Iteration: e.Iteration, Attempt: e.Attempt,
		RequestID: d.RequestID, Name: d.Name, Prompt: d.Prompt, Schema: d.Schema, Payload: d.Payload, Error: failureOf(d.Error),
		Actor: actorOf(d.Actor),
	}
	if d.Actor.Known() {
		out.Reason = d.Reason
	}
	switch e.Kind {
	case events.StateChanged:
		out.State, out.Error = wordsOf(d.State).runs, nil
	case events.StepCompleted, events.StepFailed:
		out.LatencyMS, out.Tokens, out.CostMicroUSD = &d.LatencyMS, &d.Tokens, &d.CostMicroUSD
	case events.RunCompleted:
		out.State, out.Result, out.LatencyMS = wordsOf(machine.Completed).runs, d.Output, &d.DurationMS
	case events.RunFailed:
		out.State, out.LatencyMS = wordsOf(machine.Failed).runs, &d.DurationMS
	case events.RunCancelled:
		out.State, out.LatencyMS = wordsOf(machine.Cancelled).runs, &d.DurationMS
	}
	return frame{event: word, data: out}, true, nil
}

// v1EventWord is the name of the row's frame, or "". A change between states
// that have one word is none to this dialect.
func v1EventWord(k events.Kind, d machine.Detail) string {
	switch k {
	case events.StateChanged:
		if d.From == "" || wordsOf(d.From).runs != wordsOf(d.State).runs {
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
	}
	return ""
}
