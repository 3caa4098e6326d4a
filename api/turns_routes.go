package api

import (
	"encoding/json"
	"fmt"
	"heddle/access"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/fault"
	"heddle/idempotency"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
)

func (h *Handler) turnsTable() []route {
	return []route{route{
		method: http.MethodPost, path: "/v1/workflows/{id}/execute", id: "executeWorkflow", tag: "turns",
		summary: "Take one turn of a conversation with a workflow", action: access.Execute, on: namedInBody, body: bodyRequired, tolerant: true, anyQuery: true, idempotent: true,
		query:   []param{{name: "version", description: "Of the first turn; 0 is the active one."}},
		answers: ok(turnAnswer{}),
		codes: startCodes("run_not_found", "invalid_run_input", "invalid_payload", "signal_mismatch", "run_finished", "run_not_resumable",
			"not_waiting_for_input", "turn_in_progress", "steering_pending"),
	}.handle(withBody(h.execute))}
}

// withoutPrefix is an id without its prefix, as the turns dialect prints it.
func withoutPrefix(id string) string { return id[strings.IndexByte(id, '_')+1:] }

// withPrefix gives 24 hex digits their prefix back and leaves all else alone.
func withPrefix(prefix, id string) string {
	if len(id) == 24 && lowerHex(id) {
		return prefix + id
	}
	return id
}

func decimal(n int64) string { return strconv.FormatInt(n, 10) }

func (h *Handler) execute(c *call, req turnRequest) error {
	ref := withPrefix("wf_", c.params.Param("id"))
	if !validRef(ref) {
		return notFound("id", ref)
	}
	w, err := h.cfg.Definitions.Get(c.ctx(), c.tenantID(), ref)
	if err != nil {
		return err
	}
	if err := allow(c.principal, access.Execute, w.ID, w.Slug); err != nil {
		return err
	}
	in, err := c.turnInput(req)
	if err != nil {
		return err
	}
	if req.RunID == "" {
		return c.firstTurn(w.ID, in)
	}
	run, err := h.cfg.Executor.Run(c.ctx(), c.tenantID(), withPrefix("run_", req.RunID))
	if err == nil && run.WorkflowID != w.ID || !validRef(req.RunID) {
		err = notFound("run_id", req.RunID)
	}
	if err != nil {
		return err
	}
	end, err := c.takeTurn(run.RunID)
	if err != nil {
		return err
	}
	defer end()
	// Again: the turn before may have ended since, and its events are not this turn's.
	if run, err = h.cfg.Executor.Run(c.ctx(), c.tenantID(), run.RunID); err != nil {
		return err
	}
	if err := c.nextTurn(run, in); err != nil {
		return err
	}
	return c.awaitTurn(run.RunID, run.Seq, in.Command)
}

// turnInput reads run_input and the version; nulls and unknown keys are passed over.
func (c *call) turnInput(req turnRequest) (turnInput, error) {
	var in turnInput
	if err := c.checkRunInput(req); err != nil {
		return in, err
	}
	if len(req.RunInput) > 0 {
		if err := (fieldCheck{tolerant: true}).value(req.RunInput, reflect.TypeFor[turnInput](), "run_input"); err != nil {
			return in, err
		}
		if err := assignField("run_input", req.RunInput, reflect.ValueOf(&in).Elem()); err != nil {
			return in, err
		}
	}
	if in.Command == "" {
		in.Command = "start"
	}
	if !slices.Contains([]string{"start", "data", "resume", "pause", "stop"}, in.Command) {
		return in, malformed("run_input.command must be start, data, resume, pause or stop, not %q.", truncate(in.Command))
	}
	q, err := c.query()
	if err != nil {
		return in, err
	}
	if v := q.Get("version"); v != "" {
		if !validRef(v) {
			return in, malformed("version must be a number or a label, not %q.", truncate(v))
		}
		in.VersionNumber = versionRef(v)
	}
	if in.VersionNumber == "0" {
		in.VersionNumber = ""
	}
	return in, nil
}

// checkRunInput refuses a turn that has no run_input: what it would do is then not
// what its sender meant, such as a stop that stands beside run_input. A null is
// one that says nothing, which is enough to begin a conversation and not to go
// on with one.
func (c *call) checkRunInput(req turnRequest) error {
	var beside struct {
		Command json.RawMessage `json:"command"`
	}
	if len(c.body) > 0 {
		if err := json.Unmarshal(c.body, &beside); err != nil {
			return malformed("The body must be a JSON object.")
		}
	}
	switch {
	case len(beside.Command) > 0 && string(beside.Command) != "null":
		return invalidTurn(`command belongs inside run_input, as in {"run_input": {"command": "stop"}}.`)
	case len(req.RunInput) == 0, string(req.RunInput) == "null" && req.RunID != "":
		return invalidTurn(`The turn needs run_input, an object such as {"command": "data"}: what it is to do stands in there.`)
	}
	return nil
}

func invalidTurn(message string) error {
	return fault.New(fault.Unacceptable, "invalid_run_input", "%s", message)
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
	return c.idempotentWith(func(o *creation) error {
		_, err := c.h.cfg.Executor.Start(c.ctx(), executor.StartRequest{
			TenantID: c.tenantID(), Workflow: workflowID, Version: string(in.VersionNumber), Trigger: "api", Input: input, Trace: traceOf(c.r),
			Keep: func(r executor.Record) *idempotency.Answer {
				return o.answer(http.StatusOK, nil, turnAnswer{RunID: withoutPrefix(r.RunID), Status: turnsWord(machine.Queued, ""), TurnNumber: 1, Events: []turnEvent{}})
			},
		})
		return err
	}, func(kept *idempotency.Answer) error {
		var begun turnAnswer
		if err := json.Unmarshal(kept.Response, &begun); err != nil {
			return fmt.Errorf("read a kept answer: %w", err)
		}
		runID := withPrefix("run_", begun.RunID)
		end, err := c.takeTurn(runID)
		if err != nil {
			return err
		}
		defer end()
		return c.awaitTurn(runID, 0, in.Command)
	})
}

// nextTurn does what the turn says.
func (c *call) nextTurn(run executor.Record, in turnInput) error {
	exec, id := c.h.cfg.Executor, run.RunID
	if in.Command == "stop" {
		c.auditSteering("run.cancel", id)
		_, err := exec.Cancel(c.ctx(), c.tenantID(), id)
		return err
	}
	if run.State.Terminal() {
		return fault.New(fault.Conflict, "run_finished", "Run %s has ended and takes no more turns.", withoutPrefix(id))
	}
	if in.Command == "pause" {
		c.auditSteering("run.pause", id)
		_, err := exec.Pause(c.ctx(), c.tenantID(), id)
		return err
	}
	payload, speaks, err := in.given()
	if err != nil {
		return err
	}
	if speaks { // before a resume, so that a refused answer leaves the run paused
		if err := c.answerWait(id, payload); err != nil {
			return err
		}
	}
	if run.State == machine.Paused || run.State == machine.Pausing {
		c.auditSteering("run.resume", id)
		_, err := exec.Resume(c.ctx(), c.tenantID(), id, executor.ResumeRequest{})
		return err
	}
	return nil
}

// auditSteering says what the request does to which run.
func (c *call) auditSteering(deed, runID string) {
	c.setAuditAction(deed)
	c.steered = runID
}

// answerWait gives the payload to the oldest open signal wait. One that somebody
// else answered in between is not answered twice.
func (c *call) answerWait(runID string, payload json.RawMessage) error {
	wait, err := c.oldestWait(runID)
	if err != nil {
		return err
	}
	if wait != nil {
		c.auditSteering("signal.deliver", runID)
		out, err := c.h.cfg.Executor.Signal(c.ctx(), c.tenantID(), runID, machine.Signal{Name: wait.Name, RequestID: wait.RequestID, Payload: payload})
		if err != nil || !out.Duplicate {
			return err
		}
	}
	return fault.New(fault.Conflict, "not_waiting_for_input", "Run %s waits for no input now; send the turn without data to follow it.", withoutPrefix(runID))
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

// openTurns holds the runs that have a turn under way in this process.
type openTurns = sync.Map
