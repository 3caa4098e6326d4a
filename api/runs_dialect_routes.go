package api

import (
	"context"
	"encoding/json"
	"heddle/access"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/fault"
	"heddle/idempotency"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

func (h *Handler) v1Create(c *call, req v1Start) error {
	if req.WorkflowID == "" {
		return malformed("workflow_id is required: the slug or id of a workflow.")
	}
	if !validRef(req.WorkflowID) {
		return notFound("id", req.WorkflowID)
	}
	if err := c.authoriseNamed(req.WorkflowID); err != nil {
		return err
	}
	return c.idempotent(func(o *creation) error {
		var unnamed error
		_, err := h.cfg.Executor.Start(c.ctx(), executor.StartRequest{
			TenantID: c.tenantID(), Workflow: req.WorkflowID, Version: string(req.WorkflowVersion), Trigger: "api",
			Input: req.Input, Trace: traceOf(c.r),
			Keep: func(run executor.Record) *idempotency.Answer {
				name, err := c.versionNames().of(run)
				if err != nil {
					unnamed = err // the run is stored all the same; its number will do
					name = "v" + strconv.Itoa(run.Version)
				}
				header := map[string]string{"Location": runsBase + "/" + run.RunID}
				return o.answer(http.StatusCreated, header, v1Started{
					RunID: run.RunID, State: wordsOf(run.State).runs, WorkflowID: run.Slug, WorkflowVersion: name,
					CreatedAt: timestamp(run.CreatedAt), StartedAt: timestampOrNil(run.StartedAt),
				})
			},
		})
		if err == nil && unnamed != nil {
			h.log.Warn("a version's label could not be read", "request_id", c.requestID(), "error", unnamed)
		}
		return err
	})
}

// authoriseNamed asks for the route's action on a workflow that the body names.
func (c *call) authoriseNamed(ref string) error {
	if access.CanEverywhere(c.principal, c.route.action) {
		return nil
	}
	w, err := c.h.cfg.Definitions.Get(c.ctx(), c.tenantID(), ref)
	if err != nil {
		return err
	}
	return allow(c.principal, c.route.action, w.ID, w.Slug)
}

func (h *Handler) v1List(c *call) error {
	q, p, err := c.pageQuery()
	if err != nil {
		return err
	}
	query, err := c.v1Query(q)
	if err != nil {
		return err
	}
	query.Limit, query.Cursor = p.limit, p.cursor
	found, err := h.cfg.Executor.Runs(c.ctx(), query)
	if err != nil {
		return err
	}
	list, names := v1RunList{Runs: make([]v1Summary, len(found.Runs)), NextCursor: textOrNull(found.Next)}, c.versionNames()
	for i, r := range found.Runs {
		if list.Runs[i], err = v1SummaryOf(r, names); err != nil {
			return err
		}
	}
	return c.reply(http.StatusOK, list)
}

// v1Query reads the filters of the list of runs.
func (c *call) v1Query(q url.Values) (executor.RunQuery, error) {
	query := executor.RunQuery{TenantID: c.tenantID(), WorkflowIDs: access.ViewableWorkflows(c.principal), Trigger: q.Get("trigger")}
	word := q.Get("status")
	if other := q.Get("state"); other != "" {
		if word != "" && word != other {
			return query, malformed("status and state are the same filter; give one of them.")
		}
		word = other
	}
	if word != "" {
		if query.States = statesOf(word, inRuns); query.States == nil {
			return query, malformed("status must be one of %s, not %q.", strings.Join(vocabulary(inRuns), ", "), truncate(word))
		}
	}
	if query.Trigger != "" && !slices.Contains(triggers(), query.Trigger) {
		return query, malformed("trigger must be one of %s, not %q.", strings.Join(triggers(), ", "), truncate(query.Trigger))
	}
	var err error
	if query.StartedAfter, err = timeParam(q, "started_after"); err != nil {
		return query, err
	}
	if query.StartedBefore, err = timeParam(q, "started_before"); err != nil {
		return query, err
	}
	if ref := q.Get("workflow_id"); ref != "" {
		query.WorkflowID, err = c.filteredWorkflow(ref)
	}
	return query, err
}

// filteredWorkflow finds the id of a workflow to filter by. The runs of a
// deleted one are still found by its id.
func (c *call) filteredWorkflow(ref string) (string, error) {
	if !validRef(ref) {
		return "", notFound("id", ref)
	}
	w, err := c.h.cfg.Definitions.Get(c.ctx(), c.tenantID(), ref)
	if fault.KindOf(err) == fault.NotFound && err != nil && strings.HasPrefix(ref, "wf_") {
		return ref, nil
	}
	return w.ID, err
}

// timeParam reads an RFC 3339 time; zero without one.
func timeParam(q url.Values, name string) (time.Time, error) {
	if !q.Has(name) {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339Nano, q.Get(name))
	if err != nil || t.Year() < 1970 || t.Year() > 9999 {
		return time.Time{}, malformed("%s must be an RFC 3339 time such as 2026-07-04T18:22:31Z, not %q.", name, truncate(q.Get(name)))
	}
	return t.UTC(), nil
}

func v1SummaryOf(r executor.Record, names versionNames) (v1Summary, error) {
	name, err := names.of(r)
	s := v1Summary{
		RunID: r.RunID, State: wordsOf(r.State).runs, WorkflowID: r.Slug, WorkflowVersion: name,
		Trigger: r.Trigger, Error: failureOf(r.Error),
		CreatedAt: timestamp(r.CreatedAt), StartedAt: timestampOrNil(r.StartedAt), FinishedAt: timestampOrNil(r.CompletedAt),
		Tokens: r.Usage.Tokens, CostMicroUSD: r.Usage.CostMicroUSD, authors: authorsOf(r),
	}
	if !r.StartedAt.IsZero() && !r.CompletedAt.IsZero() {
		ms := r.CompletedAt.Sub(r.StartedAt).Milliseconds()
		s.LatencyMS = &ms
	}
	return s, err
}

func (h *Handler) v1Get(c *call) error {
	id, err := c.param("run_id")
	if err != nil {
		return err
	}
	view, err := h.cfg.Executor.Get(c.ctx(), c.tenantID(), id)
	if err != nil {
		return err
	}
	if c.setETag(view.Seq) {
		return c.replyStatus(http.StatusNotModified)
	}
	summary, err := v1SummaryOf(view.Record, c.versionNames())
	if err != nil {
		return err
	}
	n := view.Counts
	return c.reply(http.StatusOK, v1Run{
		v1Summary: summary, DefinitionHash: view.Hash, Input: view.Input,
		Nodes:   v1Nodes{n.Total, n.Pending, n.Running, n.Waiting, n.Completed, n.Failed, n.Skipped, n.Cancelled},
		Current: v1CurrentOf(view),
	})
}

// v1CurrentOf lists what is under way: the top-level nodes in the order in
// which they started, then the waits within loops.
func v1CurrentOf(view executor.View) []v1Current {
	list := []v1Current{}
	for _, s := range view.Steps {
		if s.Status != machine.StepRunning && s.Status != machine.StepWaiting && s.Status != machine.StepRetrying {
			continue
		}
		at := v1Current{Node: s.StepID, Type: s.Type, State: string(s.Status), Attempt: s.Attempt, StartedAt: timestampOrNil(s.StartedAt)}
		if s.Wait != nil {
			at.Wait = v1WaitOf(*s.Wait)
		}
		list = append(list, at)
	}
	for _, w := range view.Waits {
		if w.Ref.Iteration != "" {
			list = append(list, v1Current{
				Node: w.Ref.StepID, Type: "wait", State: string(machine.StepWaiting), Iteration: w.Ref.Iteration,
				StartedAt: timestampOrNil(w.StartedAt), Wait: v1WaitOf(w),
			})
		}
	}
	return list
}

func v1WaitOf(w machine.Wait) *v1Wait { return &v1Wait{*waitOf(w), w.Prompt, w.Schema} }

func (h *Handler) v1Result(c *call) error {
	id, err := c.param("run_id")
	if err != nil {
		return err
	}
	run, err := h.cfg.Executor.Run(c.ctx(), c.tenantID(), id)
	if err != nil {
		return err
	}
	word := wordsOf(run.State).runs
	if !run.State.Terminal() {
		return fault.New(fault.Conflict, "run_not_finished", "Run %s is %s and has no result yet.", run.RunID, word)
	}
	r := v1Result{RunID: run.RunID, State: word, Result: run.Output, Error: failureOf(run.Error)}
	return c.reply(http.StatusOK, r)
}

// v1End makes a handler of one that ends a run.
func (h *Handler) v1End(do func(ctx context.Context, tenantID, runID string) (executor.Record, error)) func(*call, because) error {
	return func(c *call, _ because) error {
		id, err := c.param("run_id")
		if err != nil {
			return err
		}
		run, err := do(c.ctx(), c.tenantID(), id)
		if err != nil {
			return err
		}
		return c.reply(http.StatusOK, v1Steered{run.RunID, wordsOf(run.State).runs})
	}
}

const maxRequestID = 255

func (h *Handler) v1Signal(c *call, req v1Deliver) error {
	id, err := c.param("run_id")
	if err != nil {
		return err
	}
	name, err := c.signalName()
	if err != nil {
		return err
	}
	if err := c.refuseSecrets("The signal's name", jsonText(name)); err != nil {
		return err
	}
	if len(req.RequestID) > maxRequestID || !printable(req.RequestID) {
		return malformed("request_id must be at most %d printable ASCII characters.", maxRequestID)
	}
	done, err := h.cfg.Executor.Signal(c.ctx(), c.tenantID(), id, machine.Signal{
		Name: name, RequestID: req.RequestID, Payload: payloadOf(req.Payload),
	})
	if err != nil {
		return err
	}
	c.notAudited = done.Duplicate
	return c.reply(http.StatusAccepted, v1Delivered{Accepted: true, Duplicate: done.Duplicate})
}

// payloadOf is what a signal carries; null where nothing was given.
func payloadOf(given json.RawMessage) json.RawMessage {
	if len(given) == 0 {
		return json.RawMessage("null")
	}
	return given
}

// signalName reads the name from the path: any text of 1 to 128 bytes without
// control characters.
func (c *call) signalName() (string, error) {
	name := c.params.Param("name")
	odd := strings.ContainsFunc(name, func(r rune) bool { return r < 0x20 || r == 0x7f })
	if name == "" || len(name) > 128 || odd || !utf8.ValidString(name) {
		return "", malformed("A signal's name has 1 to 128 bytes of UTF-8 text without control characters.")
	}
	return name, nil
}
