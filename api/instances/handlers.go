package instances

import (
	"context"
	"encoding/json"
	"heddle/access"
	"heddle/api/core"
	"heddle/definitions/workflows"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/fault"
	"heddle/idempotency"
	"heddle/ids"
	"heddle/internal/elements"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	regexp "heddle/internal/lazyregexp"
)

// instanceID is what this dialect takes as an instance's id and as the type of an event: both
// stand in its clients' paths.
var instanceID = regexp.MustCompile(`^[a-zA-Z0-9_][a-zA-Z0-9-_]{0,99}$`)

// listWorkflowNames lists all names in one answer: the dialect has no pages for them. It reads
// them from the store in pages of core.MaxLimit.
func (h *handlers) listWorkflowNames(c *core.Call) error {
	q := workflows.Query{TenantID: c.TenantID(), IDs: access.ViewableWorkflows(c.Principal), Limit: core.MaxLimit}
	list := workflowNames{Workflows: []workflowName{}}
	for {
		page, err := h.Definitions.List(c.Ctx(), q)
		if err != nil {
			return err
		}
		for _, w := range page.Workflows {
			list.Workflows = append(list.Workflows, workflowName{w.Slug})
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			return c.Reply(http.StatusOK, list)
		}
	}
}

// workflow returns the workflow of the path; fault.NotFound workflow_not_found.
func (h *handlers) workflow(c *core.Call) (workflows.Workflow, error) {
	return h.Definitions.Get(c.Ctx(), c.TenantID(), c.Param("id"))
}

// instance returns the latest run of the instance that the path names. Errors: fault.NotFound
// workflow_not_found, run_not_found; fault.Malformed INVALID_INSTANCE_ID. A run that was started
// without a name is an instance under its own id.
func (h *handlers) instance(c *core.Call) (executor.NamedRun, error) {
	w, err := h.workflow(c)
	if err != nil {
		return executor.NamedRun{}, err
	}
	id := c.Param("instance_id")
	if !instanceID.MatchString(id) {
		return executor.NamedRun{}, fault.New(fault.Malformed, codeInstanceID, "An instance's id has 1 to 100 letters, digits, _ and -, and does not begin with -.")
	}
	return h.Executor.Named(c.Ctx(), c.TenantID(), w.ID, id, executor.Latest)
}

// newInstanceID checks an id that a caller chose for a new instance; path is where it stands in
// the request. Ids of the product's own form, a prefix and 24 hex digits, are its own: such a
// name could be taken for the id of a run. The error is fault.Malformed with issues, or
// INVALID_INSTANCE_ID.
func newInstanceID(id string, path ...any) error {
	if !instanceID.MatchString(id) {
		return invalidFor("An id has 1 to 100 letters, digits, _ and -, and does not begin with -.", path...)
	}
	if prefix, rest, cut := strings.Cut(id, "_"); cut && ids.IsBareID(rest) && strings.Trim(prefix, "abcdefghijklmnopqrstuvwxyz") == "" {
		return fault.New(fault.Malformed, codeInstanceID, "An id of letters, _ and 24 hex digits is one that only the server assigns; choose another, or leave it out.")
	}
	return nil
}

// paramsOf returns an instance's input: an empty object for params that are missing or null.
func paramsOf(given json.RawMessage) json.RawMessage {
	if len(given) == 0 || string(given) == "null" {
		return json.RawMessage("{}")
	}
	return given
}

// pageSize returns the size of a page, 1 to 100; 25 for anything else.
func pageSize(q url.Values) int {
	n, err := strconv.Atoi(q.Get("pageSize"))
	if err != nil || n < 1 || n > 100 {
		return 25
	}
	return n
}

// listInstances lists instances, newest first, by the state of their latest run. A cursor that
// belongs to no list is the first page, as this dialect's clients expect.
func (h *handlers) listInstances(c *core.Call) error {
	q, err := c.Query()
	if err != nil {
		return err
	}
	word := q.Get("status")
	if word != "" && !slices.Contains(instanceWords(), word) {
		return invalidFor("status must be one of "+strings.Join(instanceWords(), ", ")+".", "status")
	}
	w, err := h.workflow(c)
	if err != nil {
		return err
	}
	list := instanceList{Instances: []listedInstance{}}
	// Clients know the word, and no instance has it.
	if word == "unknown" {
		return c.Reply(http.StatusOK, list)
	}
	query := executor.NamedQuery{TenantID: c.TenantID(), WorkflowID: w.ID, States: core.StatesOf(word, core.InInstances), Limit: pageSize(q), Cursor: q.Get("cursor")}
	// StatesOf("") is nil, which filters nothing.
	page, err := h.Executor.NamedRuns(c.Ctx(), query)
	if fault.CodeOf(err) == "invalid_request" {
		query.Cursor = ""
		page, err = h.Executor.NamedRuns(c.Ctx(), query)
	}
	if err != nil {
		return err
	}
	for _, r := range page.Runs {
		list.Instances = append(list.Instances, listedInstance{r.Name, detailsOf(r.Record), core.Timestamp(r.Since)})
	}
	list.Cursor, list.HasNextPage = page.Next, page.Next != ""
	return c.Reply(http.StatusOK, list)
}

// queuedAnswer returns the answer to a creation, whatever has become of the run by then.
func queuedAnswer(id string) createdInstance {
	return createdInstance{id, instanceDetails{Status: core.WordsOf(machine.Queued).Instances}}
}

// createInstance starts the first run of an instance, at most once per Idempotency-Key. An id
// that is in use is fault.Conflict run_name_taken, which the dialect calls
// INSTANCE_ID_ALREADY_EXISTS. The answer says queued, whatever has become of the run by then: a
// repeated request receives the same.
func (h *handlers) createInstance(c *core.Call, req instanceStart) error {
	// Made before the transaction, so that an attempt that is repeated starts the same instance.
	id := h.NewID("inst_")
	if req.ID != nil {
		id = *req.ID
		if err := newInstanceID(id, "id"); err != nil {
			return err
		}
	}
	return c.Idempotent(func(o *core.Creation) error {
		_, err := h.Executor.Start(c.Ctx(), executor.StartRequest{
			TenantID: c.TenantID(), Workflow: c.Param("id"), Trigger: "api", Name: id, Input: paramsOf(req.Params), Trace: core.TraceOf(c.Request),
			Keep: func(executor.Record) *idempotency.Answer { return o.Answer(http.StatusOK, nil, queuedAnswer(id)) },
		})
		return err
	})
}

// createInstances starts up to 100 instances in one transaction, all or none; ids that exist
// already, or occur twice, are left out of the answer. It takes no Idempotency-Key and needs
// none: a repeated request finds the ids taken.
func (h *handlers) createInstances(c *core.Call, req instanceBatch) error {
	if req.Instances == nil || len(req.Instances) > 100 {
		return invalidFor("instances must be a list of at most 100.", "instances")
	}
	if err := h.checkBatchIDs(c, req.Instances); err != nil {
		return err
	}
	// All ids are checked before one run is prepared.
	starts := make([]executor.StartRequest, len(req.Instances))
	for i, item := range req.Instances {
		if err := newInstanceID(item.ID, "instances", i, "id"); err != nil {
			return err
		}
		starts[i] = executor.StartRequest{TenantID: c.TenantID(), Workflow: c.Param("id"), Trigger: "api", Name: item.ID, Input: paramsOf(item.Params), Trace: core.TraceOf(c.Request)}
	}
	// An empty batch for a workflow that is not there is 404 like any other.
	if len(starts) == 0 {
		if _, err := h.workflow(c); err != nil {
			return err
		}
	}
	stored, err := h.Executor.StartNamed(c.Ctx(), starts)
	if err != nil {
		return err
	}
	list := createdInstances{Instances: []createdInstance{}}
	for i, done := range stored {
		if done {
			list.Instances = append(list.Instances, queuedAnswer(starts[i].Name))
		}
	}
	return c.Reply(http.StatusOK, list)
}

// checkBatchIDs refuses ids that hold a secret of the tenant: fault.Unacceptable secret_in_text.
// Params are left to the executor.
func (h *handlers) checkBatchIDs(c *core.Call, list []batchItem) error {
	ids := elements.Map(list, func(item batchItem) string { return item.ID })
	text, err := json.Marshal(ids)
	if err != nil {
		return err
	}
	return c.RefuseSecrets("An instance's id", text)
}

// getInstance returns an instance with the step that it is at. It reads the whole run and its
// definition.
func (h *handlers) getInstance(c *core.Call) error {
	in, err := h.instance(c)
	if err != nil {
		return err
	}
	view, err := h.Executor.Get(c.Ctx(), c.TenantID(), in.RunID)
	if err != nil {
		return err
	}
	plan, err := h.Executor.Plans(c.Ctx(), view.Record)
	if err != nil {
		return err
	}
	// The names are in camelCase, so that core.Authors cannot be embedded.
	by := core.AuthorsOf(view.Record)
	return c.Reply(http.StatusOK, instanceBody{ID: in.Name, Details: detailsOf(view.Record), Meta: instanceMeta{
		WorkflowName: view.Slug, RunNumber: in.Number, Params: view.Input, PauseRequested: view.State == machine.Pausing,
		CreatedAt: core.Timestamp(in.Since), UpdatedAt: core.Timestamp(view.UpdatedAt), StartedAt: core.TimestampOrNil(view.StartedAt), CompletedAt: core.TimestampOrNil(view.CompletedAt),
		Queue: core.QueuePlaceOf(view.Queue), CurrentStep: currentStepOf(view, plan),
		StartedBy: by.StartedBy, CancelledBy: by.CancelledBy, Reason: by.Reason,
	}})
}

// currentStepOf returns the unfinished step that began last; in a loop what its body waits for.
// When none is unfinished, it is the last step, and nil before the first. plan describes a step
// by its id. Steps of a run that runs several at once are thus shown one at a time, as the
// dialect's clients expect.
func currentStepOf(view executor.View, plan func(string) machine.StepPlan) *instanceStep {
	if len(view.Steps) == 0 {
		return nil
	}
	open := func(s machine.StepRun) bool {
		return s.Status == machine.StepRunning || s.Status == machine.StepWaiting || s.Status == machine.StepRetrying
	}
	// Steps are in the order in which they began.
	last := view.Steps[len(view.Steps)-1]
	for _, s := range view.Steps {
		if open(s) {
			last = s
		}
	}
	// A loop that is open is at one of its waits, the one that began last.
	if last.Iterations != nil && open(last) {
		for _, v := range slices.Backward(view.Waits) {
			if w := v; w.Ref.Iteration != "" {
				return waitStep(w, plan)
			}
		}
	}
	s := &instanceStep{
		StepKey: last.StepID, Status: string(last.Status), Attempts: last.CountedAttempts,
		NextRetryAt: core.TimestampOrNil(last.NextAttemptAt), Error: instanceErrorOf(last.Error),
	}
	if w := last.Wait; w != nil {
		s.setWait(w.Kind, w.Name, core.TimestampOrNil(w.Until), core.TimestampOrNil(w.TimeoutAt))
	}
	s.setPlan(plan(last.StepID))
	return s
}

// waitStep returns a wait within a loop's body as a step. It is in its first attempt.
func waitStep(w machine.Wait, plan func(string) machine.StepPlan) *instanceStep {
	s := &instanceStep{StepKey: stepKey(w.Ref.StepID, w.Ref.Iteration), Attempts: 1}
	s.setWait(w.Kind, w.Name, core.TimestampOrNil(w.Until), core.TimestampOrNil(w.TimeoutAt))
	s.setPlan(plan(w.Ref.StepID))
	return s
}

// steerInstance returns a handler that moves the latest run to another state by do. The run is
// named in the audit trail, since the path names the instance.
func (h *handlers) steerInstance(do func(s *executor.Service, ctx context.Context, tenantID, runID string) (executor.Record, error)) func(*core.Call, core.Because) error {
	return func(c *core.Call, _ core.Because) error {
		in, err := h.instance(c)
		if err != nil {
			return err
		}
		// The commands return the run's row, of which this dialect shows nothing.
		if _, err = do(h.Executor, c.Ctx(), c.TenantID(), in.RunID); err != nil {
			return err
		}
		c.AuditedRun = in.RunID
		return c.Reply(http.StatusOK, instanceDone{true})
	}
}

// terminateInstance ends the latest run at once, without compensation; one that has ended is
// fault.Conflict run_finished, INSTANCE_TERMINAL to the dialect, where other dialects answer it
// as it is.
func (h *handlers) terminateInstance(c *core.Call, _ core.Because) error {
	in, err := h.instance(c)
	if err != nil {
		return err
	}
	if in.State.Terminal() {
		return fault.New(fault.Conflict, "run_finished", "The run has ended.")
	}
	if _, err = h.Executor.Terminate(c.Ctx(), c.TenantID(), in.RunID); err != nil {
		return err
	}
	c.AuditedRun = in.RunID
	return c.Reply(http.StatusOK, instanceDone{true})
}

// restartInstance ends the latest run, if it is open, and starts the next one, in one transaction
// and at most once per Idempotency-Key.
func (h *handlers) restartInstance(c *core.Call, _ core.Because) error {
	in, err := h.instance(c)
	if err != nil {
		return err
	}
	return c.Idempotent(func(o *core.Creation) error {
		_, err := h.Executor.RestartNamed(c.Ctx(), executor.RestartNamedRequest{
			TenantID: c.TenantID(), WorkflowID: in.WorkflowID, Name: in.Name, Trace: core.TraceOf(c.Request),
			Keep: func(executor.Record) *idempotency.Answer { return o.Answer(http.StatusOK, nil, instanceDone{true}) },
		})
		return err
	})
}

// sendInstanceEvent delivers an event to the latest run, which keeps it until a step waits for
// it. This dialect's events have no request id, so that each request is a delivery of its own.
func (h *handlers) sendInstanceEvent(c *core.Call, req instanceEvent) error {
	in, err := h.instance(c)
	if err != nil {
		return err
	}
	if !instanceID.MatchString(req.Type) {
		return invalidFor("type is required: 1 to 100 letters, digits, _ and -, not beginning with -.", "type")
	}
	// Deliver and not Signal: without a request id a client cannot repeat safely.
	out, err := h.Executor.Deliver(c.Ctx(), c.TenantID(), in.RunID, machine.Signal{Name: req.Type, Payload: core.PayloadOf(req.Payload)})
	if err != nil {
		return err
	}
	c.AuditedRun, c.NotAudited = in.RunID, out.Duplicate
	return c.Reply(http.StatusOK, eventTaken{detailsOf(out.Row)})
}

// How many instances a tick lets begin unless it says how many, and at most; more than that is
// taken for the most.
const (
	tickInstances    = 10
	maxTickInstances = 1000
)

// tickRunner lets queued instances begin on a server that starts none by itself; otherwise it is
// fault.Denied RUNNER_TICK_DISABLED. It answers how many began.
func (h *handlers) tickRunner(c *core.Call, req tickRequest) error {
	if !h.RunnerTick {
		return fault.New(fault.Denied, codeTickDisabled, "Ticks are off; set HEDDLE_RUNNER_TICK=on for a server that advances instances by ticks alone.")
	}
	// 0 is a bound that was not given.
	most := int(req.MaxInstances)
	if most == 0 {
		most = tickInstances
	}
	n, err := h.Executor.Advance(c.Ctx(), c.TenantID(), min(most, maxTickInstances), int(req.MaxSteps))
	if err != nil {
		return err
	}
	c.NotAudited = n == 0 // a tick that did nothing leaves no trace
	return c.Reply(http.StatusOK, ticked{n})
}
