package workflows

import (
	"context"
	"encoding/json"
	"heddle/api/core"
	"heddle/events"
	"heddle/executor"
	"heddle/executor/machine"
	"time"
)

// streamRun follows a run's events after Last-Event-ID, as text/event-stream; see
// core.Stream.
func (h *handlers) streamRun(c *core.Call) error {
	id := c.Param("run_id")
	how, err := streamOptions(c)
	if err != nil {
		return err
	}
	tenantID := c.TenantID()
	return core.Stream(c, id, how.after, how.first, func(ctx context.Context, run executor.Record) core.FrameFunc {
		s := &workflowsStream{startedAt: run.StartedAt, withoutOutputs: how.withoutOutputs, stepTypes: func(seq int64) (func(string) string, int64, error) {
			return h.Executor.StepTypes(ctx, tenantID, id, seq)
		}}
		return s.frame
	})
}

// streamHow is what the query of a stream asks for.
type streamHow struct {
	after          int64
	withoutOutputs bool
	first          func(executor.Record) core.Frame // nil: no frame before the run's own
}

// streamSnapshot is the data of a first frame that is asked for.
type streamSnapshot struct {
	RunID       string `json:"run_id"`
	SnapshotSeq int64  `json:"snapshot_seq"`
}

// streamOptions reads where a stream begins, and what its frames have. A browser that reconnects
// sends the id of its last frame and the query of its first request, so the id wins.
func streamOptions(c *core.Call) (how streamHow, err error) {
	q, err := c.Query()
	if err != nil {
		return how, err
	}
	if how.after, err = core.LastEventID(c.Request); err != nil {
		return how, err
	}
	if q.Has("after") && c.Request.Header.Get("Last-Event-ID") == "" {
		seq, ok := core.ParseEventID(q.Get("after"))
		if !ok {
			return how, core.Malformed("after must be the number of an event, not %q.", core.Truncate(q.Get("after")))
		}
		how.after = seq
	}
	output := q.Get("output")
	if output != "" && output != "full" && output != "none" {
		return how, core.Malformed("output must be full or none, not %q.", core.Truncate(output))
	}
	how.withoutOutputs = output == "none"
	snapshot, err := core.BoolParam(q, "snapshot")
	if snapshot {
		how.first = func(run executor.Record) core.Frame {
			return core.Frame{Event: "snapshot", Data: streamSnapshot{run.RunID, run.Seq}}
		}
	}
	return how, err
}

// workflowsEvent is the data of every frame of the workflows dialect; each event fills what it
// has, and leaves the rest out.
type workflowsEvent struct {
	RunID string `json:"run_id"`
	// Seq is the number of the event in the run's journal, and the frame's id.
	Seq       int64          `json:"seq"`
	Timestamp core.Timestamp `json:"timestamp"`
	// StepID, Type and Iteration say which step an event is about.
	StepID string `json:"step_id,omitempty"`
	Type   string `json:"type,omitempty" doc:"The step's type."`
	// Attempt is from 1; left out of events of no attempt.
	Attempt   int    `json:"attempt,omitempty"`
	Iteration string `json:"iteration,omitempty" doc:"In a loop body: each[3] or each[3].inner[0]."`
	// Status is set in a run's last event alone.
	Status string `json:"status,omitempty" words:"workflows"`
	// Output is the step's, or the run's in its last event.
	Output json.RawMessage `json:"output,omitempty"`
	// Error is why an attempt or the run failed.
	Error *core.Failure `json:"error,omitempty"`
	// DurationSeconds is the attempt's, or the run's in its last event.
	DurationSeconds *float64 `json:"duration_seconds,omitempty"`
	// NextAttemptAt is when a retry is due.
	NextAttemptAt *core.Timestamp `json:"next_attempt_at,omitempty"`
	// Fallback is the step that runs in the place of the one that failed.
	Fallback string          `json:"fallback,omitempty"`
	Reason   string          `json:"reason,omitempty" doc:"Why a step was skipped; of a command to the run, the reason that its caller gave."`
	Actor    *core.ActorBody `json:"actor,omitempty" doc:"Who started, paused, resumed or cancelled the run, or sent the signal."`
	Kind     string          `json:"kind,omitempty" doc:"What a step waits for: timer, condition, signal."`
	Until    *core.Timestamp `json:"until,omitempty"`
	// TimeoutAt is when a wait fails; left out where it never does.
	TimeoutAt *core.Timestamp `json:"timeout_at,omitempty"`
	// Name and RequestID are those of a signal.
	Name      string `json:"name,omitempty" doc:"Of the signal."`
	RequestID string `json:"request_id,omitempty"`
	// Payload is what the signal carried.
	Payload json.RawMessage `json:"payload,omitempty"`
}

// workflowsStream translates the journal of one run for one reader. The stream's goroutine uses
// it.
type workflowsStream struct {
	// startedAt is when the run started, as far as the reader's stream knows: a later change to
	// running follows a resume. Zero: not yet.
	startedAt time.Time
	// started is set once the run's start was shown.
	started bool
	// withoutOutputs leaves outputs out of the frames.
	withoutOutputs bool
	// stepTypes returns the types of the version at seq and the first event of
	// the next version (0: none yet).
	stepTypes func(seq int64) (func(stepID string) string, int64, error)
	// types is nil before the first step and when the run moved to another version; typesEnd is
	// the first event that it does not hold for, 0: none yet.
	types    func(stepID string) string
	typesEnd int64
}

// frame translates one row; false: this dialect has no word for it. The error is that of a row
// that cannot be read, or of reading the definition.
func (s *workflowsStream) frame(e events.Event) (core.Frame, bool, error) {
	d, err := machine.ReadDetail(e)
	if err != nil {
		return core.Frame{}, false, err
	}
	word := s.word(e, d)
	if word == "" {
		return core.Frame{}, false, nil
	}
	stepType, err := s.typeOf(e, d)
	if err != nil {
		return core.Frame{}, false, err
	}
	out := workflowsEvent{
		RunID: e.RunID, Seq: e.Seq, Timestamp: core.Timestamp(e.At),
		StepID: e.StepID, Type: stepType, Attempt: e.Attempt, Iteration: e.Iteration,
		Output: d.Output, Error: core.FailureOf(d.Error), DurationSeconds: durationOf(e.Kind, d),
		NextAttemptAt: core.TimestampOrNil(d.NextAttemptAt), Fallback: d.Fallback, Reason: d.Reason, Actor: core.ActorOf(d.Actor),
		Kind: d.Kind, Until: core.TimestampOrNil(d.Until), TimeoutAt: core.TimestampOrNil(d.TimeoutAt),
		Name: d.Name, RequestID: d.RequestID, Payload: d.Payload,
		Status: statusAfter(e.Kind),
	}
	if s.withoutOutputs {
		out.Output = nil
	}
	return core.Frame{Event: word, Data: out}, true, nil
}

// word returns the name of the event's frame, or "". Waits and retries with a role, those of
// compensations and of the probes of a wait, are not shown.
func (s *workflowsStream) word(e events.Event, d machine.Detail) string {
	switch e.Kind {
	case events.StateChanged:
		return s.stateWord(e, d)
	case events.StepStarted, events.StepCompleted, events.StepFailed, events.StepSkipped, events.SignalReceived,
		events.RunCompleted, events.RunFailed, events.RunCancelled:
		return string(e.Kind)
	case events.StepRetrying, events.StepWaiting:
		if d.Role == "" {
			return string(e.Kind)
		}
	default: // nothing to do for the others
	}
	return ""
}

// stateWord returns the frame's name of a change between states; "": the dialect shows none. The
// ends of a run have events of their own.
//
//	queued → running, the first time     run_started
//	any → paused                         run_paused
//	paused, failed, cancelled → queued   run_resumed
//	pausing → running                    run_resumed
func (s *workflowsStream) stateWord(e events.Event, d machine.Detail) string {
	// A run that has ended or was paused starts again only by a resume.
	resting := d.From == machine.Paused || d.From == machine.Failed || d.From == machine.Cancelled
	switch {
	case d.State == machine.Paused:
		return "run_paused"
	case d.State == machine.Queued && resting, d.State == machine.Running && (resting || d.From == machine.Pausing):
		return "run_resumed"
	case d.State == machine.Running && d.From == machine.Queued && s.firstStart(e.At):
		return "run_started"
	}
	return ""
}

// firstStart reports whether a change to running is the run's start, and not a resume. A stream
// that begins behind the start knows it by the time of the row.
func (s *workflowsStream) firstStart(at time.Time) bool {
	if s.startedAt.IsZero() {
		s.startedAt = at
	}
	first := !s.started && s.startedAt.Equal(at)
	s.started = s.started || first
	return first
}

// typeOf looks a step's type up in the version that the run was on, which is read when the first
// step shows and again when the run moves to another; "" for an event of no step.
func (s *workflowsStream) typeOf(e events.Event, d machine.Detail) (string, error) {
	// The event says that the run moved, or lies behind the known version's end.
	if d.Version != 0 || s.typesEnd != 0 && e.Seq >= s.typesEnd {
		s.types = nil
	}
	if e.StepID == "" {
		return "", nil
	}
	if s.types == nil {
		var err error
		if s.types, s.typesEnd, err = s.stepTypes(e.Seq); err != nil {
			return "", err
		}
	}
	return s.types(e.StepID), nil
}

// statusAfter returns the status of a run after its last event; "" for all other events.
func statusAfter(k events.Kind) string {
	switch k {
	case events.RunCompleted:
		return core.WordsOf(machine.Completed).Workflows
	case events.RunFailed:
		return core.WordsOf(machine.Failed).Workflows
	case events.RunCancelled:
		return core.WordsOf(machine.Cancelled).Workflows
	default: // nothing to do for the others
	}
	return ""
}

// durationOf returns seconds: of a step's attempt, or of the whole run; nil for
// other events.
func durationOf(k events.Kind, d machine.Detail) *float64 {
	var ms int64
	switch k {
	case events.StepCompleted, events.StepFailed:
		ms = d.LatencyMS
	case events.RunCompleted, events.RunFailed, events.RunCancelled:
		ms = d.DurationMS
	default:
		return nil
	}
	s := float64(ms) / 1000
	return &s
}
