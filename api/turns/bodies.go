package turns

import (
	"encoding/json"
	"heddle/api/core"
	"heddle/definitions/workflows"
	"heddle/events"
	"heddle/executor/machine"
	"maps"
	"slices"
	"strings"
)

// turnRequest is one turn of a conversation; unknown fields are ignored.
type turnRequest struct {
	// RunInput is decoded by the handler, which knows what its absence means.
	RunInput json.RawMessage `json:"run_input" kind:"object" doc:"command (start, data, resume, pause, stop), version_number, dynamic_variables, runtime_variables, thread_to_node_inputs, miscellaneous."`
	RunID    string          `json:"run_id,omitempty" doc:"Absent on the first turn."`
	core.Because
}

// turnInput is what a turn says: a command, and values for the run. Command is never "" once it
// was checked; the version counts in the first turn alone.
type turnInput struct {
	Command       string               `json:"command"`
	VersionNumber workflows.VersionRef `json:"version_number"`
	// DynamicVariables and RuntimeVariables become the input or payload, by their names.
	DynamicVariables map[string]json.RawMessage `json:"dynamic_variables"`
	RuntimeVariables map[string]json.RawMessage `json:"runtime_variables"`
	// ThreadToNodeInputs and Miscellaneous are passed on under their own names, whatever they
	// hold.
	ThreadToNodeInputs json.RawMessage `json:"thread_to_node_inputs"`
	Miscellaneous      json.RawMessage `json:"miscellaneous"`
}

// turnAnswer is where the conversation stands after the turn. Clients of the dialect expect the
// two fields on companions and background work, which are always false.
type turnAnswer struct {
	// RunID is what the next turn names.
	RunID  string `json:"run_id" doc:"24 hex digits."`
	Status string `json:"status" enum:"not_started,started,running,failed,completed,paused,waiting_for_user_input,cancelled,aborted_looping_risk"`
	// TurnNumber is from 1.
	TurnNumber        int         `json:"turn_number"`
	Events            []turnEvent `json:"events" doc:"This turn's, the newest 1,000."`
	IsWaitingForInput bool        `json:"is_waiting_for_input"`
	IsCompleted       bool        `json:"is_completed" doc:"The run has ended, however."`
	// Error is null unless the run failed.
	Error *string `json:"error" doc:"Why the run failed."`
	// NextInputHint is the oldest wait for a signal, which the next turn answers; null without
	// one.
	NextInputHint *turnEvent `json:"next_input_hint"`
	// Queue is set of a queued run alone.
	Queue               *core.QueuePlace `json:"queue,omitempty" doc:"Of a run that has not begun: how it waits for its turn."`
	HasActiveCompanions bool             `json:"has_active_companions"`
	HasBackgroundWork   bool             `json:"has_background_work"`
	core.Authors
}

// turnEvent is one event of a turn. Its logical id is unique in the run and the same in each
// answer that shows it.
type turnEvent struct {
	Type      string `json:"type" enum:"start_workflow,end_workflow,start_node_run,end_node_run,assistant_response,workflow_ready_for_input,pause_event,workflow_error,busy_wait_for_user_message"`
	LogicalID string `json:"logical_id"`
	// Timestamp is in seconds, with milliseconds as its fraction.
	Timestamp float64 `json:"timestamp" doc:"Unix seconds."`
	// OriginNodeLogicalID is the step's id, "" for an event of the run.
	OriginNodeLogicalID string `json:"origin_node_logical_id,omitempty"`
	OriginNodeName      string `json:"origin_node_name,omitempty"`
	// RequestID, Name, Prompt and Schema are those of a wait for a signal.
	RequestID string          `json:"request_id,omitempty"`
	Name      string          `json:"name,omitempty" doc:"Of the signal that is waited for."`
	Prompt    string          `json:"prompt,omitempty"`
	Schema    json.RawMessage `json:"schema,omitempty"`
	// Output is what a node or an agent put out.
	Output json.RawMessage `json:"output,omitempty"`
	Error  *core.Failure   `json:"error,omitempty"`
}

// given returns what the turn says in one object: the variables by their names, a runtime
// variable in place of a dynamic one of its name, and the other two under their own names unless
// they are empty. It is the input of a first turn and the payload of a later one. False: the turn
// says nothing.
func (in turnInput) given() (json.RawMessage, bool, error) {
	all := map[string]json.RawMessage{}
	for _, from := range []map[string]json.RawMessage{in.DynamicVariables, in.RuntimeVariables} {
		maps.Copy(all, from)
	}
	for name, value := range map[string]json.RawMessage{"thread_to_node_inputs": in.ThreadToNodeInputs, "miscellaneous": in.Miscellaneous} {
		if !slices.Contains([]string{"", "null", "{}", "[]", `""`}, strings.TrimSpace(string(value))) {
			all[name] = value
		}
	}
	text, err := json.Marshal(all)
	return text, len(all) > 0, err
}

// turnNode is what events say of the node that they come from.
type turnNode struct {
	name  string
	agent bool // its output is what an agent answered
}

// turnEvents translates one row of the journal; none where the dialect has no word for it. The
// end of an agent's step is two events, what it said and the end of its node:
//
//	step_completed of an agent → assistant_response, end_node_run
//	step_completed of another  → end_node_run
func turnEvents(e events.Event, d machine.Detail, nodes map[string]turnNode) []turnEvent {
	at := turnEvent{LogicalID: withoutPrefix(e.RunID) + "-" + decimal(e.Seq), Timestamp: float64(e.At.UnixMilli()) / 1000}
	if e.StepID != "" {
		at.OriginNodeLogicalID, at.OriginNodeName = e.StepID, nodes[e.StepID].name
	}
	if e.Kind == events.StepCompleted && nodes[e.StepID].agent {
		// The two must not share a logical id.
		said := at
		said.Type, said.Output = "assistant_response", d.Output
		at.Type, at.LogicalID = "end_node_run", at.LogicalID+"-end"
		return []turnEvent{said, at}
	}
	if at.Type = turnEventWord(e.Kind, d); at.Type == "" {
		return nil
	}
	at.Output, at.Error = d.Output, core.FailureOf(d.Error)
	if e.Kind == events.InputRequested {
		at.LogicalID, at.RequestID, at.Name, at.Prompt, at.Schema = d.RequestID, d.RequestID, d.Name, d.Prompt, d.Schema
	}
	return []turnEvent{at}
}

// turnEventWord returns the dialect's name of an event; "": it has none. d matters for changes of
// the state alone.
func turnEventWord(k events.Kind, d machine.Detail) string {
	switch k {
	case events.StateChanged:
		switch {
		case d.From == "":
			return "start_workflow"
		case d.State == machine.Paused:
			return "pause_event"
		case d.State == machine.WaitingSignal:
			return "workflow_ready_for_input"
		}
	case events.StepStarted:
		return "start_node_run"
	case events.StepCompleted, events.StepFailed:
		return "end_node_run"
	case events.InputRequested:
		return "busy_wait_for_user_message"
	case events.RunFailed:
		return "workflow_error"
	case events.RunCompleted, events.RunCancelled:
		return "end_workflow"
	default: // nothing to do for the others
	}
	return ""
}
