package turns

import (
	"encoding/json"
	"fmt"
	"heddle/access"
	"heddle/api/core"
	"heddle/definitions/workflows"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/fault"
	"heddle/idempotency"
	"heddle/ids"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// routes returns the one route of the dialect.
func (h *handlers) routes() []core.Route {
	return []core.Route{core.Route{
		Method: http.MethodPost, Path: "/v1/workflows/{id}/execute", ID: "executeWorkflow", LongRunning: true, Tag: "turns",
		Summary: "Take one turn of a conversation with a workflow", Action: access.Execute, On: core.NamedInBody, Body: core.BodyRequired, Tolerant: true, AnyQuery: true, Idempotent: true,
		Query:   []core.Param{{Name: "version", Description: "Of the first turn; 0 is the active one."}},
		Answers: core.OK(turnAnswer{}),
		Codes: core.StartCodes("run_not_found", "invalid_run_input", "invalid_payload", "signal_mismatch", "run_finished", "run_not_resumable",
			"not_waiting_for_input", "turn_in_progress", "steering_pending"),
	}.Handle(core.WithBody(h.execute))}
}

// withoutPrefix returns an id without its prefix and the _ behind it, as the turns dialect prints
// it.
func withoutPrefix(id string) string { return id[strings.IndexByte(id, '_')+1:] }

// withPrefix adds the prefix to 24 hex digits and returns anything else unchanged, so that ids
// with their prefix and slugs are accepted too.
func withPrefix(prefix, id string) string {
	if ids.IsBareID(id) {
		return prefix + id
	}
	return id
}

// decimal prints n in base 10.
func decimal(n int64) string { return strconv.FormatInt(n, 10) }

// execute takes a turn: the first one starts the run, later ones answer, pause, resume or stop
// it. It waits until the run needs its user again, at most as long as TurnTime. The workflow is
// authorised here, since its id may lack the prefix. A run of another workflow is fault.NotFound
// run_not_found.
func (h *handlers) execute(c *core.Call, req turnRequest) error {
	w, err := h.Definitions.Get(c.Ctx(), c.TenantID(), withPrefix("wf_", c.Param("id")))
	if err != nil {
		return err
	}
	if err := core.Allow(c.Principal, access.Execute, w.ID, w.Slug); err != nil {
		return err
	}
	in, err := h.turnInput(c, req)
	if err != nil {
		return err
	}
	// Without a run the conversation begins.
	if req.RunID == "" {
		return h.firstTurn(c, w.ID, in)
	}
	run, err := h.Executor.Run(c.Ctx(), c.TenantID(), withPrefix("run_", req.RunID))
	if err == nil && run.WorkflowID != w.ID || !ids.Valid(req.RunID) {
		// Also for another workflow's run, which the caller may not be allowed to see.
		err = core.NotFound("run", req.RunID)
	}
	if err != nil {
		return err
	}
	end, err := h.takeTurn(c, run.RunID)
	if err != nil {
		return err
	}
	defer end()
	// Again: the turn before may have ended since, and its events are not this turn's.
	if run, err = h.Executor.Run(c.Ctx(), c.TenantID(), run.RunID); err != nil {
		return err
	}
	// Within the turn, so that no other request answers the same wait.
	if err := h.nextTurn(c, run, in); err != nil {
		return err
	}
	return h.awaitTurn(c, run.RunID, run.Seq, in.Command)
}

// turnInput returns run_input, with the version of the query in place of its own; nulls and
// unknown keys are ignored, and no command is start. Errors: fault.Malformed invalid_request,
// fault.Unacceptable invalid_run_input.
func (h *handlers) turnInput(c *core.Call, req turnRequest) (turnInput, error) {
	var in turnInput
	if err := h.checkRunInput(c, req); err != nil {
		return in, err
	}
	if len(req.RunInput) > 0 {
		if err := (core.FieldCheck{Tolerant: true}).Value(req.RunInput, reflect.TypeFor[turnInput](), "run_input"); err != nil {
			return in, err
		}
		if err := core.AssignField("run_input", req.RunInput, reflect.ValueOf(&in).Elem()); err != nil {
			return in, err
		}
	}
	if in.Command == "" {
		in.Command = "start"
	}
	if !slices.Contains([]string{"start", "data", "resume", "pause", "stop"}, in.Command) {
		return in, core.Malformed("run_input.command must be start, data, resume, pause or stop, not %q.", core.Truncate(in.Command))
	}
	q, err := c.Query()
	if err != nil {
		return in, err
	}
	if v := q.Get("version"); v != "" {
		if !ids.Valid(v) {
			return in, core.Malformed("version must be a number or a label, not %q.", core.Truncate(v))
		}
		// The query wins: clients put it there for the first turn.
		in.VersionNumber = workflows.VersionRef(v)
	}
	// Clients of this dialect send 0 for the active version.
	if in.VersionNumber == "0" {
		in.VersionNumber = ""
	}
	return in, nil
}

// checkRunInput refuses a turn that has no run_input: what it would do is then not what its
// sender meant, such as a stop that stands beside run_input. A null says nothing, which is enough
// to begin a conversation and not to go on with one. The error is fault.Unacceptable
// invalid_run_input.
func (h *handlers) checkRunInput(c *core.Call, req turnRequest) error {
	var beside struct {
		Command json.RawMessage `json:"command"`
	}
	if len(c.Body) > 0 {
		if err := json.Unmarshal(c.Body, &beside); err != nil {
			return core.Malformed("The body must be a JSON object.")
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

// invalidTurn refuses a turn that does not say what to do: fault.Unacceptable invalid_run_input.
func invalidTurn(message string) error {
	return fault.New(fault.Unacceptable, "invalid_run_input", "%s", message)
}

// firstTurn starts the run, and waits for it as for any turn. What is stored for an
// Idempotency-Key names the run; the answer is the state of the run, also when the first answer
// was lost: a repeated request waits again.
func (h *handlers) firstTurn(c *core.Call, workflowID string, in turnInput) error {
	if in.Command == "pause" || in.Command == "stop" {
		return core.Malformed("%s needs the run_id of a conversation.", in.Command)
	}
	input, _, err := in.given()
	if err != nil {
		return err
	}
	return c.IdempotentWith(func(o *core.Creation) error {
		_, err := h.Executor.Start(c.Ctx(), executor.StartRequest{
			TenantID: c.TenantID(), Workflow: workflowID, Version: string(in.VersionNumber), Trigger: "api", Input: input, Trace: core.TraceOf(c.Request),
			Keep: func(r executor.Record) *idempotency.Answer {
				return o.Answer(http.StatusOK, nil, turnAnswer{RunID: withoutPrefix(r.RunID), Status: core.TurnsWord(machine.Queued, ""), TurnNumber: 1, Events: []turnEvent{}})
			},
		})
		return err
	}, func(kept *idempotency.Answer) error {
		var begun turnAnswer
		if err := json.Unmarshal(kept.Response, &begun); err != nil {
			return fmt.Errorf("read a kept answer: %w", err)
		}
		// The stored answer has the dialect's form of the id.
		runID := withPrefix("run_", begun.RunID)
		end, err := h.takeTurn(c, runID)
		if err != nil {
			return err
		}
		defer end()
		return h.awaitTurn(c, runID, 0, in.Command)
	})
}

// nextTurn does what the turn says: it stops, pauses, answers or resumes the run. A turn that
// says nothing only follows. Errors: fault.Conflict run_finished, not_waiting_for_input, and
// those of the executor's commands.
func (h *handlers) nextTurn(c *core.Call, run executor.Record, in turnInput) error {
	exec, id := h.Executor, run.RunID
	if in.Command == "stop" {
		h.auditSteering(c, "run.cancel", id)
		_, err := exec.Cancel(c.Ctx(), c.TenantID(), id)
		return err
	}
	// A stop of a finished run is answered as it is; anything else is refused.
	if run.State.Terminal() {
		return fault.New(fault.Conflict, "run_finished", "Run %s has ended and takes no more turns.", withoutPrefix(id))
	}
	if in.Command == "pause" {
		h.auditSteering(c, "run.pause", id)
		_, err := exec.Pause(c.Ctx(), c.TenantID(), id)
		return err
	}
	payload, speaks, err := in.given()
	if err != nil {
		return err
	}
	if speaks { // before a resume, so that a refused answer leaves the run paused
		if err := h.answerWait(c, id, payload); err != nil {
			return err
		}
	}
	if run.State == machine.Paused || run.State == machine.Pausing {
		h.auditSteering(c, "run.resume", id)
		_, err := exec.Resume(c.Ctx(), c.TenantID(), id, executor.ResumeRequest{})
		return err
	}
	return nil
}

// auditSteering sets what the request does to which run in the audit trail, since the one route
// does many things.
func (h *handlers) auditSteering(c *core.Call, deed, runID string) {
	c.SetAuditAction(deed)
	c.AuditedRun = runID
}

// answerWait sends the payload to the oldest open wait for a signal. A wait that another request
// answered meanwhile is not answered twice: fault.Conflict not_waiting_for_input, as where there
// is none.
func (h *handlers) answerWait(c *core.Call, runID string, payload json.RawMessage) error {
	wait, err := h.oldestWait(c, runID)
	if err != nil {
		return err
	}
	if wait != nil {
		h.auditSteering(c, "signal.deliver", runID)
		out, err := h.Executor.Signal(c.Ctx(), c.TenantID(), runID, machine.Signal{Name: wait.Name, RequestID: wait.RequestID, Payload: payload})
		if err != nil || !out.Duplicate {
			return err
		}
	}
	return fault.New(fault.Conflict, "not_waiting_for_input", "Run %s waits for no input now; send the turn without data to follow it.", withoutPrefix(runID))
}

// oldestWait returns the oldest open wait for a signal; nil: there is none. It reads the whole
// run.
func (h *handlers) oldestWait(c *core.Call, runID string) (*machine.Wait, error) {
	view, err := h.Executor.Get(c.Ctx(), c.TenantID(), runID)
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
