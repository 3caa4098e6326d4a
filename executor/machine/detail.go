package machine

import (
	"encoding/json"
	"fmt"
	"heddle/audit"
	"heddle/events"
	"heddle/internal/exactjson"
	"time"
)

// Detail is the payload of every event (Event.Data); each kind uses the fields
// named after it here and leaves the rest out. Times have milliseconds, UTC.
//
// actor is who steered the run, reason what they said, on state_changed (of a new run and
// its begin: who started it), signal_received and run_cancelled; absent where it is not
// known, and in journals of earlier versions.
//
//	state_changed            state, from, reason; cancelling and compensating also outcome, error; queued by a resume
//	                         also from_step, redrive, answer_key (Resume.Key), and version with definition_hash when it goes on with another;
//	                         keep_keys: steps that were cut off keep their idempotency keys (in older journals none did);
//	                         defaults: those of the other version's input schema hold from here on
//	step_started             generation: how often the step was run again on purpose, unless never; absent in older journals;
//	                         loops: count (-1 unknown before the end), timeout_at; items, where they were read from signals,
//	                         which may change later
//	step_completed           output, latency_ms, fallback, tokens, cost_micro_usd
//	step_failed              error, latency_ms, fallback, tokens, cost_micro_usd
//	step_retrying            error, latency_ms, tokens, cost_micro_usd and next_attempt_at, or fallback when that step runs instead;
//	                         role compensation: the compensation is tried again
//	step_interrupted         role: empty, probe or compensation
//	step_skipped             reason: disabled, if, branch, dependencies, fallback_unused
//	step_waiting             kind (timer, condition, signal), until, timeout_at, name; role probe: the probe is in flight;
//	                         error: why the last probe failed
//	step_cancelled           error
//	iteration_started        -
//	iteration_completed      result, latency_ms
//	iteration_failed         error, latency_ms
//	signal_received          name, request_id, payload, answer_key (Signal.Key)
//	signal_rejected          name, request_id, signal_seq, error
//	input_requested          request_id, name, schema, prompt, context, choices, assignees
//	input_resolved           request_id, name, payload, signal_seq (the signal_received that resolved it)
//	compensation_started     -
//	compensation_completed   output, latency_ms, tokens, cost_micro_usd
//	compensation_failed      error, latency_ms, tokens, cost_micro_usd
//	handlers_started         handlers (on_failure, finally), outcome, error: how the run ends after them
//	run_completed            output, duration_ms
//	run_failed               error, duration_ms
//	run_cancelled            error, duration_ms
//
// It is one flat struct because its fields are the members of one JSON object, which many
// kinds share; a struct of each kind would repeat them, and cost an allocation per event.
type Detail struct {
	State         State           `json:"state,omitempty"`
	From          State           `json:"from,omitempty"`
	Outcome       State           `json:"outcome,omitempty"`
	Handlers      string          `json:"handlers,omitempty"`
	Reason        string          `json:"reason,omitempty"`
	Actor         audit.Actor     `json:"actor,omitzero"`
	Role          string          `json:"role,omitempty"`
	Kind          string          `json:"kind,omitempty"`
	Name          string          `json:"name,omitempty"`
	FromStep      string          `json:"from_step,omitempty"`
	Redrive       string          `json:"redrive,omitempty"`
	Version       int             `json:"version,omitempty"`
	Generation    int             `json:"generation,omitempty"`
	KeepKeys      bool            `json:"keep_keys,omitempty"`
	Defaults      bool            `json:"defaults,omitempty"`
	Hash          string          `json:"definition_hash,omitempty"`
	RequestID     string          `json:"request_id,omitempty"`
	SignalSeq     int64           `json:"signal_seq,omitempty"`
	Prompt        string          `json:"prompt,omitempty"`
	Schema        json.RawMessage `json:"schema,omitempty"`
	Context       json.RawMessage `json:"context,omitempty"`
	Choices       json.RawMessage `json:"choices,omitempty"`
	Assignees     json.RawMessage `json:"assignees,omitempty"`
	AnswerKey     string          `json:"answer_key,omitempty"`
	Payload       json.RawMessage `json:"payload,omitempty"`
	Output        json.RawMessage `json:"output,omitempty"`
	Result        json.RawMessage `json:"result,omitempty"`
	Error         *Error          `json:"error,omitempty"`
	Items         json.RawMessage `json:"items,omitempty"`
	Fallback      string          `json:"fallback,omitempty"`
	Count         *int            `json:"count,omitempty"`
	Until         time.Time       `json:"until,omitzero"`
	TimeoutAt     time.Time       `json:"timeout_at,omitzero"`
	NextAttemptAt time.Time       `json:"next_attempt_at,omitzero"`
	LatencyMS     int64           `json:"latency_ms,omitempty"`
	DurationMS    int64           `json:"duration_ms,omitempty"`
	Usage

	branch int // of a condition, as evolve needs it; in the journal it is part of output
	// Of input_resolved, who answered, and of step_completed, whether a wait for a signal
	// timed out: for RequestChange. The journal has them with other events.
	answeredBy Attribution
	timedOut   bool
}

// ReadDetail decodes an event's Data; an event without any has the zero Detail. Errors:
// text that is not JSON of that form.
func ReadDetail(ev events.Event) (Detail, error) {
	var d Detail
	if len(ev.Data) == 0 {
		return d, nil
	}
	// Error details keep their numbers exactly.
	if err := exactjson.Decode(ev.Data, &d); err != nil {
		return d, fmt.Errorf("read event %d of run %s: %w", ev.Seq, ev.RunID, err)
	}
	return d, nil
}
