package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"heddle/access"
	"heddle/events"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/fault"
	"heddle/idempotency"
)

// maxTurnEvents is how many events an answer holds: the newest.
const maxTurnEvents = 1000

func (h *Handler) turnsTable() []route {
	return []route{route{method: http.MethodPost, path: "/v1/workflows/{id}/execute", id: "executeWorkflow", tag: "turns",
		summary: "Take one turn of a conversation with a workflow", action: access.Execute, on: onNamed, body: optionalBody, tolerant: true, idempotent: true,
		query:   []param{{name: "version", about: "Of the first turn; 0 is the active one."}},
		answers: ok(turnAnswer{}),
		codes: startCodes("run_not_found", "invalid_payload", "signal_mismatch", "run_finished", "run_not_resumable",
			"not_waiting_for_input", "turn_in_progress", "steering_pending")}.to(taking(h.execute))}
}

// bareID is an id without its prefix, as the turns dialect prints it.
func bareID(id string) string { return id[strings.IndexByte(id, '_')+1:] }

// fullID gives 24 hex digits their prefix back and leaves all else alone.
func fullID(prefix, id string) string {
	if len(id) == 24 && lowerHex(id) {
		return prefix + id
	}
	return id
}

func decimal(n int64) string { return strconv.FormatInt(n, 10) }

func (h *Handler) execute(c *call, req turnRequest) error {
	ref := fullID("wf_", c.params.Param("id"))
	if !plainRef(ref) {
		return notFound("id", ref)
	}
	w, err := h.cfg.Definitions.Get(c.ctx(), c.tenantID(), ref)
	if err != nil {
		return err
	}
	if err := allow(c.who, access.Execute, w.ID, w.Slug); err != nil {
		return err
	}
	in, err := c.turnInput(req)
	if err != nil {
		return err
	}
	if req.RunID == "" {
		return c.firstTurn(w.ID, in)
	}
	run, err := h.cfg.Executor.Run(c.ctx(), c.tenantID(), fullID("run_", req.RunID))
	if err == nil && run.WorkflowID != w.ID || !plainRef(req.RunID) {
		err = notFound("run_id", req.RunID)
	}
	if err != nil {
		return err
	}
	if err := c.takeTurn(run.RunID); err != nil {
		return err
	}
	defer h.turns.Delete(run.RunID)
	// Again: the turn before may have ended since, and its events are not this turn's.
	if run, err = h.cfg.Executor.Run(c.ctx(), c.tenantID(), run.RunID); err != nil {
		return err
	}
	if err := c.nextTurn(run, in); err != nil {
		return err
	}
	return c.follow(run.RunID, run.Seq, in.Command)
}

// turnInput reads run_input and the version; nulls and unknown keys are passed over.
func (c *call) turnInput(req turnRequest) (turnInput, error) {
	var in turnInput
	if len(req.RunInput) > 0 {
		if err := json.Unmarshal(req.RunInput, &in); err != nil {
			return in, malformed("run_input: %s.", strings.TrimPrefix(err.Error(), "json: "))
		}
	}
	if in.Command == "" {
		in.Command = "start"
	}
	if !slices.Contains([]string{"start", "data", "resume", "pause", "stop"}, in.Command) {
		return in, malformed("run_input.command must be start, data, resume, pause or stop, not %q.", clip(in.Command))
	}
	q, err := c.query()
	if err != nil {
		return in, err
	}
	if v := q.Get("version"); v != "" {
		if !plainRef(v) {
			return in, malformed("version must be a number or a label, not %q.", clip(v))
		}
		in.VersionNumber = versionRef(v)
	}
	if in.VersionNumber == "0" {
		in.VersionNumber = ""
	}
	return in, nil
}

// firstTurn starts the run. What is kept for an Idempotency-Key names it; the
// answer tells where it stands, also when the first one was lost.
func (c *call) firstTurn(workflowID string, in turnInput) error {
	if in.Command == "pause" || in.Command == "stop" {
		return malformed("%s needs the run_id of a conversation.", in.Command)
	}
	input, _, err := in.given()
	if err != nil {
		return err
	}
	return c.onceAnd(func(o *once) error {
		_, err := c.h.cfg.Executor.Start(c.ctx(), executor.StartRequest{
			TenantID: c.tenantID(), Workflow: workflowID, Version: string(in.VersionNumber), Trigger: "api", Input: input, Trace: traceOf(c.r),
			Keep: func(r executor.Record) *idempotency.Answer {
				return o.keep(http.StatusOK, nil, turnAnswer{RunID: bareID(r.RunID), Status: turnsWord(machine.Queued, ""), TurnNumber: 1, Events: []turnEvent{}})
			},
		})
		return err
	}, func(kept *idempotency.Answer) error {
		var begun turnAnswer
		if err := json.Unmarshal(kept.Response, &begun); err != nil {
			return fmt.Errorf("read a kept answer: %w", err)
		}
		runID := fullID("run_", begun.RunID)
		if err := c.takeTurn(runID); err != nil {
			return err
		}
		defer c.h.turns.Delete(runID)
		return c.follow(runID, 0, in.Command)
	})
}

// takeTurn makes this request the one turn that the run has under way in this
// process.
func (c *call) takeTurn(runID string) error {
	if _, busy := c.h.turns.LoadOrStore(runID, true); busy {
		return fault.New(fault.Conflict, "turn_in_progress", "Another turn of run %s is under way; wait for its answer.", bareID(runID))
	}
	return nil
}

// nextTurn does what the turn says.
func (c *call) nextTurn(run executor.Record, in turnInput) error {
	exec, id := c.h.cfg.Executor, run.RunID
	if in.Command == "stop" {
		_, err := exec.Cancel(c.ctx(), c.tenantID(), id)
		return err
	}
	if run.State.Terminal() {
		return fault.New(fault.Conflict, "run_finished", "Run %s has ended and takes no more turns.", bareID(id))
	}
	if in.Command == "pause" {
		_, err := exec.Pause(c.ctx(), c.tenantID(), id)
		return err
	}
	payload, speaks, err := in.given()
	if err != nil {
		return err
	}
	var wait *machine.Wait
	if speaks {
		if wait, err = c.oldestWait(id); err != nil {
			return err
		}
		if wait == nil {
			return fault.New(fault.Conflict, "not_waiting_for_input", "Run %s waits for no input now; send the turn without data to follow it.", bareID(id))
		}
	}
	if wait != nil { // before a resume, so that a refused answer leaves the run paused
		_, err := exec.Signal(c.ctx(), c.tenantID(), id, machine.Signal{Name: wait.Name, RequestID: wait.RequestID, Payload: payload})
		if err != nil {
			return err
		}
	}
	if run.State == machine.Paused || run.State == machine.Pausing {
		_, err := exec.Resume(c.ctx(), c.tenantID(), id, executor.ResumeRequest{})
		return err
	}
	return nil
}

// oldestWait finds the oldest open signal wait; nil: there is none.
func (c *call) oldestWait(runID string) (*machine.Wait, error) {
	view, err := c.h.cfg.Executor.Get(c.ctx(), c.tenantID(), runID)
	if err != nil {
		return nil, err
	}
	for _, w := range view.Waits {
		if w.Kind == "signal" {
			return &w, nil
		}
	}
	return nil, nil
}

var errTurnOver = errors.New("the turn is over")

// turnSink waits for the turn's end.
type turnSink struct{ over func(seq int64) (bool, error) }

func (s turnSink) Events(batch []events.Event) error {
	over, err := s.over(batch[len(batch)-1].Seq)
	if err == nil && over {
		err = errTurnOver
	}
	return err
}

func (turnSink) Idle() error { return nil }

// follow waits until the turn is over and answers with what it did.
func (c *call) follow(runID string, after int64, command string) error {
	ctx, cancel := context.WithTimeout(c.ctx(), c.h.cfg.TurnTime)
	defer cancel()
	defer context.AfterFunc(c.h.streams, cancel)()
	over := func(seq int64) (bool, error) { return c.turnOver(ctx, runID, command, seq) }
	done, err := over(after)
	if err == nil && !done {
		err = c.h.cfg.Executor.Follow(ctx, c.tenantID(), runID, after, turnSink{over})
	}
	if err != nil && !errors.Is(err, errTurnOver) && !errors.Is(err, executor.ErrFinished) && ctx.Err() == nil {
		return err
	}
	answer, err := c.turnAnswer(runID, after)
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, answer)
}

// turnOver tells whether the run stands still at seq as far as its user goes.
func (c *call) turnOver(ctx context.Context, runID, command string, seq int64) (bool, error) {
	run, err := c.h.cfg.Executor.Run(ctx, c.tenantID(), runID)
	if err != nil || run.Seq > seq {
		return false, err
	}
	switch {
	case run.State.Terminal():
		return true, nil
	case command == "stop":
		return false, nil
	case run.State == machine.Backoff:
		wait, err := c.oldestWait(runID)
		return wait != nil, err
	}
	return run.State == machine.Paused || run.State == machine.WaitingSignal, nil
}

// turnAnswer tells what happened after seq and where the run stands.
func (c *call) turnAnswer(runID string, after int64) (turnAnswer, error) {
	a := turnAnswer{RunID: bareID(runID), Events: []turnEvent{}}
	nodes, err := c.turnNodes(runID)
	if err != nil {
		return a, err
	}
	count := turnCount{n: 1}
	run, err := c.h.cfg.Executor.Walk(c.ctx(), c.tenantID(), runID, 0, func(e events.Event) error {
		d, err := machine.ReadDetail(e)
		if err != nil {
			return err
		}
		count.see(e, d)
		if e.Seq > after {
			a.Events = append(a.Events, turnEvents(e, d, nodes)...)
			a.Events = a.Events[max(0, len(a.Events)-maxTurnEvents):]
		}
		return nil
	})
	if err != nil {
		return a, err
	}
	a.TurnNumber, a.IsCompleted = count.n, run.State.Terminal()
	code := ""
	if run.State == machine.Failed && run.Error != nil {
		code, a.Error = run.Error.Code, &run.Error.Message
	}
	a.Status = turnsWord(run.State, code)
	if a.IsWaitingForInput = a.Status == "waiting_for_user_input"; a.IsWaitingForInput {
		wait, err := c.oldestWait(runID)
		if err != nil || wait == nil {
			return a, err
		}
		a.NextInputHint = &turnEvent{
			Type: "busy_wait_for_user_message", LogicalID: wait.RequestID, Timestamp: float64(wait.Since.UnixMilli()) / 1000,
			OriginNodeLogicalID: wait.Ref.StepID, OriginNodeName: nodes[wait.Ref.StepID].name,
			RequestID: wait.RequestID, Name: wait.Name, Prompt: wait.Prompt, Schema: wait.Schema,
		}
	}
	return a, nil
}

// turnCount numbers turns from the journal: each answer, pause, resume and stop
// is one, and an answer that resumes is one.
type turnCount struct {
	n        int
	paused   bool
	answered bool // while paused
}

func (t *turnCount) see(e events.Event, d machine.Detail) {
	switch {
	case e.Kind == events.SignalReceived:
		t.n++
		t.answered = t.paused
	case e.Kind != events.StateChanged:
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
	}
}

func (c *call) turnNodes(runID string) (map[string]turnNode, error) {
	text, _, err := c.h.cfg.Executor.Definition(c.ctx(), c.tenantID(), runID)
	if err != nil {
		return nil, err
	}
	steps, nodes := map[string]configuredStep{}, map[string]turnNode{}
	collectConfigs(text, steps)
	for id, s := range steps {
		nodes[id] = turnNode{s.Name, s.Type}
		if s.Name == "" {
			nodes[id] = turnNode{id, s.Type}
		}
	}
	return nodes, nil
}

// openTurns holds the runs that have a turn under way in this process.
type openTurns = sync.Map
