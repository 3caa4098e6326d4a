package core

import (
	"encoding/json"
	"heddle/audit"
	"heddle/executor"
	"heddle/executor/machine"
	"time"
)

// ActorBody is who did something: a key, a schedule, another run or the product itself. The name
// is a copy of that time, since keys are renamed and revoked.
type ActorBody struct {
	Type string `json:"type" enum:"key,user,schedule,run,system"`
	ID   string `json:"id,omitempty"`
	Name string `json:"name,omitempty" doc:"As it was then."`
}

// QueuePlace says of a queued run how it waits for its turn.
type QueuePlace struct {
	Since Timestamp `json:"since" doc:"When it was queued."`
	// Ahead is capped by executor.MaxAhead.
	Ahead int `json:"ahead" doc:"Queued runs of its workflow that come before it, counted up to 1,000. Workflows take turns, and so do tenants."`
	Limit int `json:"limit" doc:"How many runs may have a step in flight at one time: WORKFLOW_MAX_CONCURRENT_RUNS."`
}

// QueuePlaceOf returns a place as answers show it; nil, which is left out, of a run that is
// not queued.
func QueuePlaceOf(p *executor.QueuePlace) *QueuePlace {
	if p == nil {
		return nil
	}
	return &QueuePlace{Since: Timestamp(p.Since), Ahead: p.Ahead, Limit: p.Limit}
}

// ActorOf returns an actor as answers show it. It returns nil, which is left out, for one that is
// not known: of what earlier versions stored.
func ActorOf(a audit.Actor) *ActorBody {
	if !a.Known() {
		return nil
	}
	return &ActorBody{a.Type, a.ID, a.Name}
}

// Authors are who started a run and who cancelled it. Both are left out where they are not known,
// and the second of runs that were not cancelled.
type Authors struct {
	StartedBy   *ActorBody `json:"started_by,omitempty" doc:"Left out of runs of earlier versions."`
	CancelledBy *ActorBody `json:"cancelled_by,omitempty"`
	Reason      string     `json:"reason,omitempty" doc:"Why it was cancelled, as the caller wrote it."`
}

// AuthorsOf returns who started a run and, if it was cancelled, who did that and why.
func AuthorsOf(r executor.Record) Authors {
	a := Authors{StartedBy: ActorOf(r.StartedBy)}
	if r.State == machine.Cancelled {
		by := r.Error.CancelledBy()
		a.CancelledBy, a.Reason = ActorOf(by.Actor), by.Reason
	}
	return a
}

// LogLevels returns the levels of the lines that steps log, lowest first.
func LogLevels() []string {
	return []string{executor.LogDebug, executor.LogInfo, executor.LogWarn, executor.LogError}
}

// PayloadOf returns what a signal carries; null where nothing was given.
func PayloadOf(given json.RawMessage) json.RawMessage {
	if len(given) == 0 {
		return json.RawMessage("null")
	}
	return given
}

// ToolCall is one call of a tool that an agent made, as the journal holds it. StatusCode is 0
// where there was no HTTP answer.
type ToolCall struct {
	Tool       string          `json:"tool"`
	Arguments  json.RawMessage `json:"arguments"`
	StatusCode int             `json:"status_code,omitempty"`
	Error      string          `json:"error,omitempty" doc:"Why it has no output; the model was told."`
	LatencyMS  int64           `json:"latency_ms"`
}

// ToolCallsOf returns the calls that an agent's usage holds; nil where there are
// none, or none that can be read.
func ToolCallsOf(u machine.Usage) []ToolCall {
	var list []ToolCall
	if len(u.ToolCalls) == 0 || json.Unmarshal(u.ToolCalls, &list) != nil {
		return nil
	}
	return list
}

// OpenWait says what a step waits for. Signal and RequestID belong to a signal. Until is when the
// wait is over or polls again, TimeoutAt when it fails; null: never by itself.
type OpenWait struct {
	Kind      string     `json:"kind" enum:"timer,condition,signal"`
	Signal    string     `json:"signal,omitempty"`
	RequestID string     `json:"request_id,omitempty"`
	Until     *Timestamp `json:"until,omitempty"`
	TimeoutAt *Timestamp `json:"timeout_at,omitempty"`
}

// WaitOf returns what a step waits for.
func WaitOf(w machine.Wait) *OpenWait {
	return &OpenWait{
		Kind: w.Kind, Signal: w.Name, RequestID: w.RequestID,
		Until: TimestampOrNil(w.Until), TimeoutAt: TimestampOrNil(w.TimeoutAt),
	}
}

// StartedRun answers a request that started a run. The run is stored; it may not have begun.
type StartedRun struct {
	RunID string `json:"run_id"`
}

// Failure is a run's or a step's error. Code is stable, Message is for people.
type Failure struct {
	Code    string         `json:"code"`
	Message string         `json:"message"`
	Details map[string]any `json:"details,omitempty"`
}

// FailureOf returns an error as answers show it; nil, which prints null, for none.
func FailureOf(e *machine.Error) *Failure {
	if e == nil {
		return nil
	}
	return &Failure{e.Code, e.Message, e.Details}
}

// Timestamp is a time as every answer prints it: RFC 3339, UTC, milliseconds, Z.
type Timestamp time.Time

// timestampLayout is RFC 3339 with exactly three digits of the second, so that texts sort as
// times do.
const timestampLayout = "2006-01-02T15:04:05.000Z"

// MarshalJSON prints the time in UTC. Fractions of a millisecond are cut off.
func (s Timestamp) MarshalJSON() ([]byte, error) {
	b := make([]byte, 0, len(timestampLayout)+2)
	b = append(b, '"')
	b = time.Time(s).UTC().AppendFormat(b, timestampLayout)
	return append(b, '"'), nil
}

// TimestampOrNil returns a time as answers print it; nil, which prints null, for the zero time.
func TimestampOrNil(t time.Time) *Timestamp {
	if t.IsZero() {
		return nil
	}
	s := Timestamp(t)
	return &s
}

// Seconds returns the time between from and to in seconds, to the millisecond; nil, which prints
// null, while one of them is zero.
func Seconds(from, to time.Time) *float64 {
	if from.IsZero() || to.IsZero() {
		return nil
	}
	s := float64(to.Sub(from).Milliseconds()) / 1000
	return &s
}

// TextOrNull returns a text as answers print it; nil, which prints null, for "".
func TextOrNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// TotalOrNothing returns the total of a list; nil, which is left out, for one that was not
// requested or, being negative, not counted.
func TotalOrNothing(n int, wanted bool) *int {
	if !wanted || n < 0 {
		return nil
	}
	return &n
}
