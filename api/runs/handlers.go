package runs

import (
	"context"
	"heddle/access"
	"heddle/api/core"
	"heddle/definitions"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/fault"
	"heddle/idempotency"
	"heddle/ids"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// v1Create starts a run, at most once per Idempotency-Key. The body names the workflow, so that
// it is authorised here. That its version's label cannot be read does not fail the start.
func (h *handlers) v1Create(c *core.Call, req v1Start) error {
	if req.WorkflowID == "" {
		return core.Malformed("workflow_id is required: the slug or id of a workflow.")
	}
	if !ids.Valid(req.WorkflowID) {
		return core.NotFound("workflow", req.WorkflowID)
	}
	if err := h.authoriseNamed(c, req.WorkflowID); err != nil {
		return err
	}
	return c.Idempotent(func(o *core.Creation) error {
		// Keep has no error to return: the run is about to be committed with its answer.
		var unnamed error
		_, err := h.Executor.Start(c.Ctx(), executor.StartRequest{
			TenantID: c.TenantID(), Workflow: req.WorkflowID, Version: string(req.WorkflowVersion), Trigger: "api",
			Input: req.Input, Trace: core.TraceOf(c.Request),
			Keep: func(run executor.Record) *idempotency.Answer {
				name, err := h.versionNames(c).of(run)
				if err != nil {
					unnamed = err // the run is stored all the same; its number will do
					name = "v" + strconv.Itoa(run.Version)
				}
				header := map[string]string{"Location": runsBase + "/" + run.RunID}
				return o.Answer(http.StatusCreated, header, v1Started{
					RunID: run.RunID, State: core.WordsOf(run.State).Runs, WorkflowID: run.Slug, WorkflowVersion: name,
					CreatedAt: core.Timestamp(run.CreatedAt), StartedAt: core.TimestampOrNil(run.StartedAt),
				})
			},
		})
		if err == nil && unnamed != nil {
			c.Log().Warn("a version's label could not be read", "request_id", c.RequestID(), "error", unnamed)
		}
		return err
	})
}

// authoriseNamed authorises the route's action on a workflow that the body names: fault.Denied
// acl_denied. A role that may do it everywhere costs no read.
func (h *handlers) authoriseNamed(c *core.Call, ref string) error {
	if access.CanEverywhere(c.Principal, c.Route.Action) {
		return nil
	}
	w, err := h.Definitions.Get(c.Ctx(), c.TenantID(), ref)
	if err != nil {
		return err
	}
	return core.Allow(c.Principal, c.Route.Action, w.ID, w.Slug)
}

// v1List lists the runs that the caller may view, of all workflows, newest first: by creation, or by
// start where a bound of that is given. The names of their versions are one read.
func (h *handlers) v1List(c *core.Call) error {
	q, p, err := c.PageQuery()
	if err != nil {
		return err
	}
	query, err := h.v1Query(c, q)
	if err != nil {
		return err
	}
	// No offset and no total: see v1RunList.
	query.Limit, query.Cursor = p.Limit, p.Cursor
	found, err := h.Executor.Runs(c.Ctx(), query)
	if err != nil {
		return err
	}
	list, names := v1RunList{Runs: make([]v1Summary, len(found.Runs)), NextCursor: core.TextOrNull(found.Next)}, h.versionNames(c)
	if err := names.load(found.Runs...); err != nil {
		return err
	}
	for i, r := range found.Runs {
		if list.Runs[i], err = v1SummaryOf(r, names); err != nil {
			return err
		}
	}
	return c.Reply(http.StatusOK, list)
}

// v1Query returns the filters of the list of runs, which all have to match; limit and cursor are
// not set. An unknown word is fault.Malformed invalid_request and lists those that there are.
func (h *handlers) v1Query(c *core.Call, q url.Values) (executor.RunQuery, error) {
	// nil WorkflowIDs are all of the tenant's, an empty list is none.
	query := executor.RunQuery{TenantID: c.TenantID(), WorkflowIDs: access.ViewableWorkflows(c.Principal)}
	word := q.Get("status")
	// The dialect's own word is state; status is what the other dialects call it.
	if other := q.Get("state"); other != "" {
		if word != "" && word != other {
			return query, core.Malformed("status and state are the same filter; give one of them.")
		}
		word = other
	}
	if word != "" {
		if query.States = core.StatesOf(word, core.InRuns); query.States == nil {
			return query, core.Malformed("status must be one of %s, not %q.", strings.Join(core.Vocabulary(core.InRuns), ", "), core.Truncate(word))
		}
	}
	if trigger := q.Get("trigger"); trigger != "" {
		if !slices.Contains(definitions.Triggers(), trigger) {
			return query, core.Malformed("trigger must be one of %s, not %q.", strings.Join(definitions.Triggers(), ", "), core.Truncate(trigger))
		}
		query.Triggers = []string{trigger}
	}
	var err error
	if query.StartedAfter, err = core.TimeParam(q, "started_after"); err != nil {
		return query, err
	}
	if query.StartedBefore, err = core.TimeParam(q, "started_before"); err != nil {
		return query, err
	}
	if ref := q.Get("workflow_id"); ref != "" {
		id, err := core.FilteredWorkflow(c, h.Definitions, ref)
		query.Workflows = []string{id}
		return query, err
	}
	return query, nil
}

// v1SummaryOf returns a run as lists show it. Latency is in milliseconds, from start to end, and
// nil until both are known. The error is that of reading a version's label.
func v1SummaryOf(r executor.Record, names versionNames) (v1Summary, error) {
	name, err := names.of(r)
	s := v1Summary{
		RunID: r.RunID, State: core.WordsOf(r.State).Runs, WorkflowID: r.Slug, WorkflowVersion: name,
		Trigger: r.Trigger, Error: core.FailureOf(r.Error),
		CreatedAt: core.Timestamp(r.CreatedAt), StartedAt: core.TimestampOrNil(r.StartedAt), FinishedAt: core.TimestampOrNil(r.CompletedAt),
		Tokens: r.Usage.Tokens, CostMicroUSD: r.Usage.CostMicroUSD, Authors: core.AuthorsOf(r),
	}
	if !r.StartedAt.IsZero() && !r.CompletedAt.IsZero() {
		ms := r.CompletedAt.Sub(r.StartedAt).Milliseconds()
		s.LatencyMS = &ms
	}
	return s, err
}

// v1Get returns a run with counts of its nodes. Its ETag is the number of its last event.
func (h *handlers) v1Get(c *core.Call) error {
	view, err := h.Executor.Get(c.Ctx(), c.TenantID(), c.Param("run_id"))
	if err != nil {
		return err
	}
	// The place in the queue changes without an event, so that it has no ETag.
	if view.Queue == nil && c.SetETag(view.Seq) {
		return c.ReplyStatus(http.StatusNotModified)
	}
	summary, err := v1SummaryOf(view.Record, h.versionNames(c))
	if err != nil {
		return err
	}
	n := view.Counts
	return c.Reply(http.StatusOK, v1Run{
		v1Summary: summary, DefinitionHash: view.Hash, Input: view.Input,
		Nodes:   v1Nodes{n.Total, n.Pending, n.Running, n.Waiting, n.Completed, n.Failed, n.Skipped, n.Cancelled},
		Queue:   core.QueuePlaceOf(view.Queue),
		Current: v1CurrentOf(view),
	})
}

// v1CurrentOf lists the nodes that have started and not ended: the top-level ones in the order in
// which they started, then the waits within loops. Other nodes of a loop's body are not listed.
// The list is never nil.
func v1CurrentOf(view executor.View) []v1Current {
	list := []v1Current{}
	for _, s := range view.Steps {
		if s.Status != machine.StepRunning && s.Status != machine.StepWaiting && s.Status != machine.StepRetrying {
			continue
		}
		at := v1Current{Node: s.StepID, Type: s.Type, State: string(s.Status), Attempt: s.Attempt, StartedAt: core.TimestampOrNil(s.StartedAt)}
		// A signal's wait says how to answer it.
		if s.Wait != nil {
			at.Wait = v1WaitOf(*s.Wait)
		}
		list = append(list, at)
	}
	for _, w := range view.Waits {
		if w.Ref.Iteration != "" {
			list = append(list, v1Current{
				Node: w.Ref.StepID, Type: "wait", State: string(machine.StepWaiting), Iteration: w.Ref.Iteration,
				StartedAt: core.TimestampOrNil(w.StartedAt), Wait: v1WaitOf(w),
			})
		}
	}
	return list
}

// v1WaitOf returns what a node waits for, with the prompt of a signal and the schema that its
// payload has to fit.
func v1WaitOf(w machine.Wait) *v1Wait { return &v1Wait{*core.WaitOf(w), w.Prompt, w.Schema} }

// v1Result returns how a run ended; before its end it is fault.Conflict run_not_finished.
func (h *handlers) v1Result(c *core.Call) error {
	run, err := h.Executor.Run(c.Ctx(), c.TenantID(), c.Param("run_id"))
	if err != nil {
		return err
	}
	// The word is in the message of a run that has not finished.
	word := core.WordsOf(run.State).Runs
	if !run.State.Terminal() {
		return fault.New(fault.Conflict, "run_not_finished", "Run %s is %s and has no result yet.", run.RunID, word)
	}
	// Of a run without an output the result prints null.
	r := v1Result{RunID: run.RunID, State: word, Result: run.Output, Error: core.FailureOf(run.Error)}
	return c.Reply(http.StatusOK, r)
}

// v1End returns a handler that ends a run by do, Cancel or Terminate, and answers with the state
// that the run had then. A finished run is answered as it is.
func (h *handlers) v1End(do func(s *executor.Service, ctx context.Context, tenantID, runID string) (executor.Record, error)) func(*core.Call, core.Because) error {
	return func(c *core.Call, _ core.Because) error {
		id := c.Param("run_id")
		run, err := do(h.Executor, c.Ctx(), c.TenantID(), id)
		if err != nil {
			return err
		}
		return c.Reply(http.StatusOK, v1Steered{run.RunID, core.WordsOf(run.State).Runs})
	}
}

// maxRequestID is the longest request id of a signal, in bytes.
const maxRequestID = 255

// v1Signal delivers a signal once per request id. A duplicate is answered, changes nothing and
// leaves no line in the audit trail. Errors: fault.Conflict run_finished; fault.Unacceptable
// invalid_payload, which leaves the wait open, signal_mismatch, secret_in_input.
func (h *handlers) v1Signal(c *core.Call, req v1Deliver) error {
	name, err := h.signalName(c)
	if err != nil {
		return err
	}
	// The name is stored and shown; what stands in the path is not searched elsewhere.
	if err := c.RefuseSecrets("The signal's name", core.JSONText(name)); err != nil {
		return err
	}
	if len(req.RequestID) > maxRequestID || !core.Printable(req.RequestID) {
		return core.Malformed("request_id must be at most %d printable ASCII characters.", maxRequestID)
	}
	done, err := h.Executor.Signal(c.Ctx(), c.TenantID(), c.Param("run_id"), machine.Signal{
		Name: name, RequestID: req.RequestID, Payload: core.PayloadOf(req.Payload),
	})
	if err != nil {
		return err
	}
	// A duplicate did nothing that the trail could show.
	c.NotAudited = done.Duplicate
	return c.Reply(http.StatusAccepted, v1Delivered{Accepted: true, Duplicate: done.Duplicate})
}

// signalName returns the name from the path: any text of 1 to 128 bytes without control
// characters. The error is fault.Malformed invalid_request.
func (h *handlers) signalName(c *core.Call) (string, error) {
	name := c.Param("name")
	// Any other character may be in a name, escaped in the path.
	odd := strings.ContainsFunc(name, func(r rune) bool { return r < 0x20 || r == 0x7f })
	if name == "" || len(name) > 128 || odd || !utf8.ValidString(name) {
		return "", core.Malformed("A signal's name has 1 to 128 bytes of UTF-8 text without control characters.")
	}
	return name, nil
}
