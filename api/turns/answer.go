package turns

import (
	"cmp"
	"context"
	"errors"
	"heddle/api/core"
	"heddle/events"
	"heddle/executor"
	"heddle/executor/machine"
	"net/http"
	"slices"
)

// maxTurnEvents is how many events an answer holds at most: the newest.
const maxTurnEvents = 1000

// errTurnOver ends the following of a run when the turn is over; it reaches no caller.
var errTurnOver = errors.New("the turn is over")

// turnSink waits for the turn's end. over reports whether the turn is over after the event seq.
type turnSink struct{ over func(seq int64) (bool, error) }

// Events returns errTurnOver once the turn is over after this batch, and the error of over.
func (s turnSink) Events(batch []events.Event) error {
	over, err := s.over(batch[len(batch)-1].Seq)
	if err == nil && over {
		err = errTurnOver
	}
	return err
}

// Idle lets the wait go on.
func (turnSink) Idle() error { return nil }

// awaitTurn waits until the turn is over and answers with what the run did after the event after.
// Where the time is over, the client is gone or the server stops, it answers with what there is:
// the status says that the run is still running, and the client takes another turn.
func (h *handlers) awaitTurn(c *core.Call, runID string, after int64, command string) error {
	ctx, cancel := context.WithTimeout(c.ClientCtx(), h.TurnTime)
	defer cancel()
	defer context.AfterFunc(c.ServerClosing(), cancel)()
	over := func(seq int64) (bool, error) { return h.turnOver(ctx, c, runID, command, seq) }
	// A run that does not move any more has no event to wait for.
	done, err := over(after)
	if err == nil && !done {
		err = h.Executor.Follow(ctx, c.TenantID(), runID, after, turnSink{over})
	}
	if err != nil && !errors.Is(err, errTurnOver) && !errors.Is(err, executor.ErrFinished) && ctx.Err() == nil {
		return err
	}
	answer, err := h.turnAnswer(c, runID, after)
	if err != nil {
		return err
	}
	return c.Reply(http.StatusOK, answer)
}

// turnOver reports whether the run waits for its user at seq, is paused, or has ended. While the
// run is beyond seq the batch that is still to come decides. A stop is over only with the run,
// whose compensations may wait.
func (h *handlers) turnOver(ctx context.Context, c *core.Call, runID, command string, seq int64) (bool, error) {
	run, err := h.Executor.Run(ctx, c.TenantID(), runID)
	if err != nil || run.Seq > seq {
		return false, err
	}
	switch {
	case run.State.Terminal():
		return true, nil
	// A stop is over with the run; until then it may compensate.
	case command == "stop":
		return false, nil
	// It retries one step and may wait for its user in another at the same time.
	case run.State == machine.Backoff:
		wait, err := h.oldestWait(c, runID) //nolint:contextcheck // it reads under the request's context, which ctx comes from
		return wait != nil, err
	}
	return run.State == machine.Paused || run.State == machine.WaitingSignal, nil
}

// turnAnswer returns what happened after the event after, and the state of the run. The answer is
// read after the turn, so that a run that has moved on since is shown as it is now.
func (h *handlers) turnAnswer(c *core.Call, runID string, after int64) (turnAnswer, error) {
	a := turnAnswer{RunID: withoutPrefix(runID)}
	nodes, err := h.turnNodes(c, runID)
	if err != nil {
		return a, err
	}
	// The row is as old as the events, so that the status fits them.
	run, rows, err := h.newestOfTurn(c, runID, after)
	if err != nil {
		return a, err
	}
	if a.Events, err = turnEventsOf(rows, nodes); err != nil {
		return a, err
	}
	a.Authors = core.AuthorsOf(run)
	if a.TurnNumber, err = h.turnNumber(c, runID); err != nil {
		return a, err
	}
	place, err := h.Executor.QueuePlace(c.Ctx(), run)
	if err != nil {
		return a, err
	}
	a.Queue = core.QueuePlaceOf(place)
	a.IsCompleted = run.State.Terminal()
	code := ""
	if run.State == machine.Failed && run.Error != nil {
		code, a.Error = run.Error.Code, &run.Error.Message
	}
	a.Status = core.TurnsWord(run.State, code)
	// Clients wait for this event, and take the next turn on it.
	if a.IsWaitingForInput = a.Status == "waiting_for_user_input"; a.IsWaitingForInput {
		a.appendReadyEvent(run)
		wait, err := h.oldestWait(c, runID)
		if err != nil || wait == nil {
			return a, err
		}
		a.NextInputHint = &turnEvent{
			Type: "busy_wait_for_user_message", LogicalID: wait.RequestID, Timestamp: float64(wait.StartedAt.UnixMilli()) / 1000,
			OriginNodeLogicalID: wait.Ref.StepID, OriginNodeName: nodes[wait.Ref.StepID].name,
			RequestID: wait.RequestID, Name: wait.Name, Prompt: wait.Prompt, Schema: wait.Schema,
		}
	}
	return a, nil
}

// appendReadyEvent makes the last event of a turn that waits the one that says so. The journal
// has none where the run waited before the turn and did not move, or still has another wait. It
// keeps at most maxTurnEvents, the newest.
func (a *turnAnswer) appendReadyEvent(run executor.Record) {
	const word = "workflow_ready_for_input"
	if n := len(a.Events); n > 0 && a.Events[n-1].Type == word {
		return
	}
	a.Events = append(a.Events, turnEvent{
		Type: word, LogicalID: withoutPrefix(run.RunID) + "-" + decimal(run.Seq) + "-ready", Timestamp: float64(run.UpdatedAt.UnixMilli()) / 1000,
	})
	a.Events = a.Events[max(0, len(a.Events)-maxTurnEvents):]
}

// newestOfTurn returns the run's row and its newest events after seq that the dialect has a word
// for, in order, at most maxTurnEvents. It reads from the last event backwards.
func (h *handlers) newestOfTurn(c *core.Call, runID string, after int64) (executor.Record, []events.Event, error) {
	var rows []events.Event
	var failed error
	run, err := h.Executor.NewestEvents(c.Ctx(), c.TenantID(), runID, after, func(e events.Event) bool {
		var d machine.Detail
		// Only these have a word that depends on their detail; the others are decoded once,
		// later.
		if e.Kind == events.StateChanged || e.Kind == events.SignalReceived || e.Kind == events.HandlersStarted {
			if d, failed = machine.ReadDetail(e); failed != nil {
				return false
			}
		}
		if turnEventWord(e.Kind, d) != "" {
			rows = append(rows, e)
		}
		return len(rows) < maxTurnEvents
	})
	slices.Reverse(rows)
	return run, rows, errors.Join(err, failed)
}

// turnEventsOf translates rows of the journal, and returns the newest maxTurnEvents: a row of an
// agent's step becomes two events.
func turnEventsOf(rows []events.Event, nodes map[string]turnNode) ([]turnEvent, error) {
	list := []turnEvent{}
	for _, e := range rows {
		d, err := machine.ReadDetail(e)
		if err != nil {
			return nil, err
		}
		list = append(list, turnEvents(e, d, nodes)...)
	}
	return list[max(0, len(list)-maxTurnEvents):], nil
}

// turnNumber returns the number of the run's last turn, from 1. It reads all rows of the kinds
// that begin turns, however old.
func (h *handlers) turnNumber(c *core.Call, runID string) (int, error) {
	var rows []events.Event
	for _, kind := range []events.Kind{events.StateChanged, events.SignalReceived, events.HandlersStarted} {
		err := h.Executor.EventsOfKind(c.Ctx(), c.TenantID(), runID, kind, func(e events.Event) error {
			rows = append(rows, e)
			return nil
		})
		if err != nil {
			return 0, err
		}
	}
	slices.SortFunc(rows, func(a, b events.Event) int { return cmp.Compare(a.Seq, b.Seq) })
	count := turnCount{n: 1}
	for _, e := range rows {
		d, err := machine.ReadDetail(e)
		if err != nil {
			return 0, err
		}
		count.add(e, d)
	}
	return count.n, nil
}

// turnCount numbers turns from the journal: each answer, pause, resume and stop is one, and an
// answer that resumes is one. A count that is kept would not know the turns of other dialects'
// requests. For example:
//
//	queued                        turn 1: the start
//	signal received               turn 2: an answer
//	running → pausing → paused    turn 3: a pause
//	signal received, → queued     turn 4: an answer that resumes
//	cancelling … cancelled        turn 5: a stop
type turnCount struct {
	n        int // the number of the last turn
	paused   bool
	answered bool // while paused
	stopped  bool // a cancel was counted, though handlers run before its end
}

// add counts an event of the journal, in order.
func (t *turnCount) add(e events.Event, d machine.Detail) {
	switch {
	case e.Kind == events.SignalReceived:
		t.n++
		t.answered = t.paused
	case e.Kind == events.HandlersStarted:
		if d.Outcome == machine.Cancelled && !t.stopped {
			t.n++
			t.stopped = true
		}
	case e.Kind != events.StateChanged:
	case d.State == machine.Cancelled && t.stopped:
	// A resume; it belongs to the answer that was given while the run was paused.
	case d.From == machine.Paused && d.State == machine.Queued:
		if !t.answered {
			t.n++
		}
		t.answered = false
	case d.State == machine.Pausing, d.State == machine.Paused && d.From != machine.Pausing,
		d.State == machine.Cancelling, d.State == machine.Cancelled && d.From != machine.Cancelling && d.From != machine.Compensating:
		t.n++
	}
	if e.Kind == events.StateChanged {
		t.paused = d.State == machine.Paused
		t.stopped = d.State == machine.Cancelling || t.stopped && d.State != machine.Queued
	}
}

// turnNodes returns the names of a run's steps by id, and whether an agent answers them, which
// the type of the step says. A step without a name has its id. It reads the definition that the
// run is on; a step of an earlier version alone has no name.
func (h *handlers) turnNodes(c *core.Call, runID string) (map[string]turnNode, error) {
	text, _, err := h.Executor.Definition(c.Ctx(), c.TenantID(), runID)
	if err != nil {
		return nil, err
	}
	steps, nodes := map[string]core.DefinedStep{}, map[string]turnNode{}
	core.CollectSteps(text, steps)
	for id, s := range steps {
		agent := h.Definitions.Traits(s.Type).AgentField != ""
		nodes[id] = turnNode{s.Name, agent}
		if s.Name == "" {
			nodes[id] = turnNode{id, agent}
		}
	}
	return nodes, nil
}
