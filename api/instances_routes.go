package api

import (
	"context"
	"encoding/json"
	"heddle/access"
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

	regexp "heddle/internal/lazyregexp"
)

// instanceID is what this dialect takes as an instance's id and as the type of
// an event.
var instanceID = regexp.MustCompile(`^[a-zA-Z0-9_][a-zA-Z0-9-_]{0,99}$`)

func (h *Handler) listWorkflowNames(c *call) error {
	q := definitions.Query{TenantID: c.tenantID(), IDs: access.ViewableWorkflows(c.principal), Limit: maxLimit}
	list := workflowNames{Workflows: []workflowName{}}
	for {
		page, err := h.cfg.Definitions.List(c.ctx(), q)
		if err != nil {
			return err
		}
		for _, w := range page.Workflows {
			list.Workflows = append(list.Workflows, workflowName{w.Slug})
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			return c.reply(http.StatusOK, list)
		}
	}
}

// workflow finds the workflow of the path.
func (c *call) workflow() (definitions.Workflow, error) {
	ref, err := c.param("id")
	if err != nil {
		return definitions.Workflow{}, err
	}
	return c.h.cfg.Definitions.Get(c.ctx(), c.tenantID(), ref)
}

// instance finds the latest run of the instance that the path names.
func (c *call) instance() (executor.NamedRun, error) {
	w, err := c.workflow()
	if err != nil {
		return executor.NamedRun{}, err
	}
	id := c.params.Param("instance_id")
	if !instanceID.MatchString(id) {
		return executor.NamedRun{}, fault.New(fault.Malformed, codeInstanceID, "An instance's id has 1 to 100 letters, digits, _ and -, and does not begin with -.")
	}
	return c.h.cfg.Executor.Named(c.ctx(), c.tenantID(), w.ID, id, executor.Latest)
}

// newInstanceID checks an id that a caller gives to a new instance. Ids of the
// product's own form are its own.
func newInstanceID(id string, path ...any) error {
	if !instanceID.MatchString(id) {
		return invalidFor("An id has 1 to 100 letters, digits, _ and -, and does not begin with -.", path...)
	}
	if prefix, rest, cut := strings.Cut(id, "_"); cut && ids.Plain(rest) && strings.Trim(prefix, "abcdefghijklmnopqrstuvwxyz") == "" {
		return fault.New(fault.Malformed, codeInstanceID, "An id of letters, _ and 24 hex digits is one that only the server gives; choose another, or leave it out.")
	}
	return nil
}

func paramsOf(given json.RawMessage) json.RawMessage {
	if len(given) == 0 || string(given) == "null" {
		return json.RawMessage("{}")
	}
	return given
}

// pageSize reads the size of a page; what is none is 25.
func pageSize(q url.Values) int {
	n, err := strconv.Atoi(q.Get("pageSize"))
	if err != nil || n < 1 || n > 100 {
		return 25
	}
	return n
}

func (h *Handler) listInstances(c *call) error {
	q, err := c.query()
	if err != nil {
		return err
	}
	word := q.Get("status")
	if word != "" && !slices.Contains(instanceWords(), word) {
		return invalidFor("status must be one of "+strings.Join(instanceWords(), ", ")+".", "status")
	}
	w, err := c.workflow()
	if err != nil {
		return err
	}
	list := instanceList{Instances: []listedInstance{}}
	if word == "unknown" {
		return c.reply(http.StatusOK, list)
	}
	query := executor.NamedQuery{TenantID: c.tenantID(), WorkflowID: w.ID, States: statesOf(word, inInstances), Limit: pageSize(q), Cursor: q.Get("cursor")}
	page, err := h.cfg.Executor.NamedRuns(c.ctx(), query)
	if fault.CodeOf(err) == "invalid_request" {
		query.Cursor = ""
		page, err = h.cfg.Executor.NamedRuns(c.ctx(), query)
	}
	if err != nil {
		return err
	}
	for _, r := range page.Runs {
		list.Instances = append(list.Instances, listedInstance{r.Name, detailsOf(r.Record), timestamp(r.Since)})
	}
	list.Cursor, list.HasNextPage = page.Next, page.Next != ""
	return c.reply(http.StatusOK, list)
}

// queuedAnswer is the answer to a creation, whatever has become of the run
// by then.
func queuedAnswer(id string) createdInstance {
	return createdInstance{id, instanceDetails{Status: wordsOf(machine.Queued).instances}}
}

func (h *Handler) createInstance(c *call, req instanceStart) error {
	ref, err := c.param("id")
	if err != nil {
		return err
	}
	id := h.cfg.NewID("inst_")
	if req.ID != nil {
		id = *req.ID
		if err := newInstanceID(id, "id"); err != nil {
			return err
		}
	}
	return c.idempotent(func(o *creation) error {
		_, err := h.cfg.Executor.Start(c.ctx(), executor.StartRequest{
			TenantID: c.tenantID(), Workflow: ref, Trigger: "api", Name: id, Input: paramsOf(req.Params), Trace: traceOf(c.r),
			Keep: func(executor.Record) *idempotency.Answer { return o.answer(http.StatusOK, nil, queuedAnswer(id)) },
		})
		return err
	})
}

func (h *Handler) createInstances(c *call, req instanceBatch) error {
	ref, err := c.param("id")
	if err != nil {
		return err
	}
	if req.Instances == nil || len(req.Instances) > 100 {
		return invalidFor("instances must be a list of at most 100.", "instances")
	}
	if err := c.checkBatchIDs(req.Instances); err != nil {
		return err
	}
	starts := make([]executor.StartRequest, len(req.Instances))
	for i, item := range req.Instances {
		if err := newInstanceID(item.ID, "instances", i, "id"); err != nil {
			return err
		}
		starts[i] = executor.StartRequest{TenantID: c.tenantID(), Workflow: ref, Trigger: "api", Name: item.ID, Input: paramsOf(item.Params), Trace: traceOf(c.r)}
	}
	if len(starts) == 0 {
		if _, err := c.workflow(); err != nil {
			return err
		}
	}
	stored, err := h.cfg.Executor.StartNamed(c.ctx(), starts)
	if err != nil {
		return err
	}
	list := createdInstances{Instances: []createdInstance{}}
	for i, done := range stored {
		if done {
			list.Instances = append(list.Instances, queuedAnswer(starts[i].Name))
		}
	}
	return c.reply(http.StatusOK, list)
}

func (c *call) checkBatchIDs(list []batchItem) error {
	ids := make([]string, len(list))
	for i, item := range list {
		ids[i] = item.ID
	}
	text, err := json.Marshal(ids)
	if err != nil {
		return err
	}
	return c.refuseSecrets("An instance's id", text)
}

func (h *Handler) getInstance(c *call) error {
	in, err := c.instance()
	if err != nil {
		return err
	}
	view, err := h.cfg.Executor.Get(c.ctx(), c.tenantID(), in.RunID)
	if err != nil {
		return err
	}
	plan, err := h.cfg.Executor.Plans(c.ctx(), view.Record)
	if err != nil {
		return err
	}
	by := authorsOf(view.Record)
	return c.reply(http.StatusOK, instanceBody{ID: in.Name, Details: detailsOf(view.Record), Meta: instanceMeta{
		WorkflowName: view.Slug, RunNumber: in.Number, Params: view.Input, PauseRequested: view.State == machine.Pausing,
		CreatedAt: timestamp(in.Since), UpdatedAt: timestamp(view.UpdatedAt), StartedAt: timestampOrNil(view.StartedAt), CompletedAt: timestampOrNil(view.CompletedAt),
		CurrentStep: currentStepOf(view, plan),
		StartedBy:   by.StartedBy, CancelledBy: by.CancelledBy, Reason: by.Reason,
	}})
}

// currentStepOf picks what is under way and began last; in a loop what its body
// waits for. When nothing is, it is the last step.
func currentStepOf(view executor.View, plan func(string) machine.StepPlan) *instanceStep {
	if len(view.Steps) == 0 {
		return nil
	}
	open := func(s machine.StepRun) bool {
		return s.Status == machine.StepRunning || s.Status == machine.StepWaiting || s.Status == machine.StepRetrying
	}
	last := view.Steps[len(view.Steps)-1]
	for _, s := range view.Steps {
		if open(s) {
			last = s
		}
	}
	if last.Iterations != nil && open(last) {
		for _, v := range slices.Backward(view.Waits) {
			if w := v; w.Ref.Iteration != "" {
				return waitStep(w, plan)
			}
		}
	}
	s := &instanceStep{
		StepKey: last.StepID, Status: string(last.Status), Attempts: last.CountedAttempts,
		NextRetryAt: timestampOrNil(last.NextAttemptAt), Error: instanceErrorOf(last.Error),
	}
	if w := last.Wait; w != nil {
		s.setWait(w.Kind, w.Name, timestampOrNil(w.Until), timestampOrNil(w.TimeoutAt))
	}
	s.setPlan(plan(last.StepID))
	return s
}

func waitStep(w machine.Wait, plan func(string) machine.StepPlan) *instanceStep {
	s := &instanceStep{StepKey: stepKey(w.Ref.StepID, w.Ref.Iteration), Attempts: 1}
	s.setWait(w.Kind, w.Name, timestampOrNil(w.Until), timestampOrNil(w.TimeoutAt))
	s.setPlan(plan(w.Ref.StepID))
	return s
}

// steerInstance makes a handler of one that moves a run to another state.
func (h *Handler) steerInstance(do func(ctx context.Context, tenantID, runID string) (executor.Record, error)) func(*call, because) error {
	return func(c *call, _ because) error {
		in, err := c.instance()
		if err != nil {
			return err
		}
		if _, err = do(c.ctx(), c.tenantID(), in.RunID); err != nil {
			return err
		}
		c.steered = in.RunID
		return c.reply(http.StatusOK, instanceDone{true})
	}
}

func (h *Handler) terminateInstance(c *call, _ because) error {
	in, err := c.instance()
	if err != nil {
		return err
	}
	if in.State.Terminal() {
		return fault.New(fault.Conflict, "run_finished", "The run has ended.")
	}
	if _, err = h.cfg.Executor.Terminate(c.ctx(), c.tenantID(), in.RunID); err != nil {
		return err
	}
	c.steered = in.RunID
	return c.reply(http.StatusOK, instanceDone{true})
}

func (h *Handler) restartInstance(c *call, _ because) error {
	in, err := c.instance()
	if err != nil {
		return err
	}
	return c.idempotent(func(o *creation) error {
		_, err := h.cfg.Executor.RestartNamed(c.ctx(), executor.RestartNamedRequest{
			TenantID: c.tenantID(), WorkflowID: in.WorkflowID, Name: in.Name, Trace: traceOf(c.r),
			Keep: func(executor.Record) *idempotency.Answer { return o.answer(http.StatusOK, nil, instanceDone{true}) },
		})
		return err
	})
}

func (h *Handler) sendInstanceEvent(c *call, req instanceEvent) error {
	in, err := c.instance()
	if err != nil {
		return err
	}
	if !instanceID.MatchString(req.Type) {
		return invalidFor("type is required: 1 to 100 letters, digits, _ and -, not beginning with -.", "type")
	}
	out, err := h.cfg.Executor.Deliver(c.ctx(), c.tenantID(), in.RunID, machine.Signal{Name: req.Type, Payload: payloadOf(req.Payload)})
	if err != nil {
		return err
	}
	c.steered, c.notAudited = in.RunID, out.Duplicate
	return c.reply(http.StatusOK, eventTaken{detailsOf(out.Row)})
}

// How many instances a tick lets begin unless it says so, and at the most.
const (
	tickInstances    = 10
	maxTickInstances = 1000
)

func (h *Handler) tickRunner(c *call, req tickRequest) error {
	if !h.cfg.RunnerTick {
		return fault.New(fault.Denied, codeTickDisabled, "Ticks are off; set HEDDLE_RUNNER_TICK=on for a server that advances instances by ticks alone.")
	}
	most := int(req.MaxInstances)
	if most == 0 {
		most = tickInstances
	}
	n, err := h.cfg.Executor.Advance(c.ctx(), c.tenantID(), min(most, maxTickInstances), int(req.MaxSteps))
	if err != nil {
		return err
	}
	c.notAudited = n == 0 // a tick that did nothing leaves no trace
	return c.reply(http.StatusOK, ticked{n})
}
