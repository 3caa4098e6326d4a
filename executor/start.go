package executor

import (
	"context"
	"encoding/json"
	"errors"
	"heddle/audit"
	"heddle/deadline"
	"heddle/definitions"
	"heddle/events"
	"heddle/executor/machine"
	"heddle/fault"
	"heddle/idempotency"
	"sync"
)

// StartRequest says what to run. Input nil is the empty object, which fits every
// input schema that requires nothing.
type StartRequest struct {
	TenantID string
	Workflow string // id or slug
	Version  string // "" is the active one; a number, "v3" or a label
	Trigger  string // manual, api, schedule, webhook, event
	Input    json.RawMessage
	Trace    Trace
	// Keep makes the answer that is kept for the caller's Idempotency-Key; nil
	// where there is none.
	Keep func(Record) *idempotency.Answer
	// Name is the run's name, unique within the workflow; "" for none. See
	// Member.
	Name string
	// trail is the request's that the run is started for.
	trail *audit.Trail
	// replaces: an open run ends in the same transaction.
	replaces bool
}

// Start stores a run and sets it going. When it returns, the run is durable.
// Errors: fault.NotFound workflow_not_found and version_not_found,
// fault.Conflict workflow_not_runnable, run_name_taken and
// idempotency_key_taken (the kept answer is then to be read), fault.Unacceptable invalid_input and secret_in_input,
// fault.Unavailable store_unavailable and outcome_unknown.
//
// A caller whose time for the database (package deadline) is spent is answered
// outcome_unknown, and the start goes on.
func (s *Service) Start(ctx context.Context, req StartRequest) (Record, error) {
	req.trail = audit.From(ctx)
	return deadline.Do(ctx, func(ctx context.Context) (Record, error) { return s.start(ctx, req) }, outcomeUnknown)
}

func (s *Service) start(ctx context.Context, req StartRequest) (Record, error) {
	if err := s.withoutSecrets(ctx, req.TenantID, req.Input); err != nil {
		return Record{}, err
	}
	var rec Record
	err := s.decide(ctx, req, 0, func(target Target) (err error) {
		rec, err = s.startOn(ctx, target, req)
		return err
	})
	return rec, err
}

// strictTries is how often a start is tried against its workflow exactly as it
// was read. Whoever saves without a pause would outrun it for ever; from then on
// the start holds for the version that was active when it was read, as long as
// the workflow is there and its status is the same.
const strictTries = 3

// decide judges a start by what it names until the judgement holds. It is the
// one place that knows that a target may be old: it is read again where the
// commit finds the workflow changed (ErrStale), and where a remembered one was
// refused, for whatever reason; a refusal stands only when the workflow is as
// it was. No start is refused because the workflow is being saved. try is how
// often the caller tried before; the first time a remembered target will do.
// It ends with ctx at the latest.
func (s *Service) decide(ctx context.Context, req StartRequest, try int, judge func(Target) error) error {
	key := targetKey{req.TenantID, req.Workflow, req.Version}
	target, remembered, err := s.targets.get(ctx, s.cfg.Store, key, try > 0)
	for ; err == nil; try++ {
		judged := target
		if try >= strictTries {
			judged.Revision = 0
		}
		verdict := judge(judged)
		stale := errors.Is(verdict, ErrStale)
		if !stale && (verdict == nil || !remembered || fault.KindOf(verdict) == fault.Unavailable) {
			return verdict
		}
		was := target
		target, remembered, err = s.targets.get(ctx, s.cfg.Store, key, true)
		if err == nil && !stale && target.WorkflowID == was.WorkflowID && target.Revision == was.Revision {
			return verdict
		}
	}
	return err
}

func (s *Service) startOn(ctx context.Context, target Target, req StartRequest) (Record, error) {
	created, err := s.create(ctx, target, req)
	if err != nil {
		return Record{}, err
	}
	defer s.releaseQuota(req.TenantID, created.Run.RunID)
	if req.Name != "" && s.cfg.HoldNamed {
		return s.startHeld(ctx, created, target, req)
	}
	key, err := created.Run.ConcurrencyKey()
	if err != nil {
		return Record{}, err
	}
	if key == "" {
		return s.engine.start(created, "", target, req)
	}
	return s.startLimited(ctx, created, key, target, req)
}

// startHeld stores a run that stays queued until Advance lets it begin.
func (s *Service) startHeld(ctx context.Context, created machine.Change, target Target, req StartRequest) (Record, error) {
	key, err := s.concurrencyKey(ctx, created.Run, 0)
	if err != nil {
		return Record{}, err
	}
	return s.engine.insert(&activeRun{id: created.Run.RunID, key: key, trace: req.Trace}, created, false, target, req)
}

// startLimited starts a run of a workflow with a concurrency limit. The node
// that leads decides; another one can only look, and leaves the run queued.
func (s *Service) startLimited(ctx context.Context, created machine.Change, key string, target Target, req StartRequest) (Record, error) {
	e, runID := s.engine, created.Run.RunID
	g, c, _ := groupOf(created.Run, key)
	leads := e.open.Load()
	room := leads && e.limits.admit(runID, g, c.Limit)
	switch {
	case room || c.OnLimit != "reject":
	case leads:
		return Record{}, concurrencyLimitReached(c)
	default:
		if _, err := s.concurrencyKey(ctx, created.Run, 0); err != nil {
			return Record{}, err
		}
	}
	row, err := e.start(created, key, target, req)
	switch {
	case err != nil:
		e.leaveLimits(runID)
	case leads && !room:
		e.holdQueued(runID, g, c)
	}
	return row, err
}

// runnable applies the rules of the workflow's status.
func runnable(t Target, trigger string) error {
	byHand := trigger == "manual" || trigger == "api"
	switch {
	case t.Status == definitions.Active, t.Status == definitions.Draft && byHand:
		return nil
	case t.Status == definitions.Draft:
		return fault.New(fault.Conflict, "workflow_not_runnable",
			"Workflow %s is a draft and runs by hand only; set its status to active first.", t.Slug)
	default:
		return fault.New(fault.Conflict, "workflow_not_runnable",
			"Workflow %s is %s; set its status to active to run it.", t.Slug, t.Status)
	}
}

// filledInput gives a run's input with the defaults, unchecked.
func filledInput(c *compiled, input json.RawMessage) (json.RawMessage, error) {
	checker := c.plan.InputChecker()
	if checker == nil {
		if len(input) == 0 {
			input = json.RawMessage("{}")
		}
		return input, nil
	}
	input, err := checker.Fill(input)
	if err != nil {
		return nil, fault.New(fault.Unacceptable, "invalid_input", "The input cannot be completed: %s.", err)
	}
	return input, nil
}

// admitInput gives a run's input with the defaults of the definition's input
// schema put in, or says why it does not fit; nil is no input.
func admitInput(c *compiled, input json.RawMessage) (json.RawMessage, error) {
	input, err := filledInput(c, input)
	checker := c.plan.InputChecker()
	if err != nil || checker == nil {
		return input, err
	}
	issues := checker.Check(input)
	if len(issues) == 0 {
		return input, nil
	}
	first := issues[0]
	at := first.Pointer
	if at == "" {
		at = "the input"
	}
	refused := fault.New(fault.Unacceptable, "invalid_input",
		"The input does not fit the workflow's input schema: %s: %s.", at, first.Message)
	refused.Issues = issues
	return nil, refused
}

// start begins the run at once where it needs no slot or one is free;
// otherwise the run is stored as queued. Either way it is one commit.
func (e *engine) start(created machine.Change, key string, target Target, req StartRequest) (Record, error) {
	l := &activeRun{id: created.Run.RunID, key: key, trace: req.Trace}
	change, begun := e.tryBegin(created, l)
	row, err := e.insert(l, change, begun, target, req)
	if errors.Is(err, ErrFenced) && l.epoch != 0 {
		// Another node leads by now and finds the run in the queue.
		return e.insert(&activeRun{id: l.id, key: key, trace: l.trace}, created, false, target, req)
	}
	return row, err
}

func (e *engine) insert(l *activeRun, change machine.Change, begun bool, target Target, req StartRequest) (Record, error) {
	row := rowOf(change.Run, req.Trace, change.Run.CreatedAt)
	row.ConcurrencyKey = l.key
	commit := Commit{Row: row, Events: change.Events, Audit: insertionLines(req.trail, row.RunID)}
	target.fence(&commit)
	if req.Keep != nil {
		commit.Answer = req.Keep(row)
	}
	if req.Name != "" {
		commit.Member = &Member{Name: req.Name}
	}
	slot := l.slot
	if slot {
		e.track(l)
	}
	err := e.commitNew(l.epoch, commit)
	if err != nil {
		e.unload(l)
		if slot && fault.CodeOf(err) == "outcome_unknown" {
			e.deliver(l.id, message{input: machine.Recover{}}, false) // it may be there, as running
		}
		return Record{}, err
	}
	e.committed(l, change)
	switch {
	case slot:
		go e.drive(l)
	case !begun:
		e.queued() // once more: the queue may have been read before the commit
	}
	return row, nil
}

// tryBegin gives the change with which the run begins, or the bare creation
// where it would need a slot and has to queue behind others.
func (e *engine) tryBegin(created machine.Change, l *activeRun) (machine.Change, bool) {
	l.epoch = e.svc.epoch.Load()
	if l.epoch == 0 || !e.open.Load() {
		e.backlog.mark()
		return created, false
	}
	if g, c, limited := groupOf(created.Run, l.key); limited && !e.limits.admit(l.id, g, c.Limit) {
		return created, false
	}
	begun, ok := e.begin(created)
	if !ok {
		return created, false
	}
	if needsSlot(begun) {
		if e.backlog.mayExist() || !e.slots.tryAcquire() {
			e.backlog.mark()
			return created, false
		}
		l.slot = true
		if begun.More {
			l.mailbox = append(l.mailbox, message{input: machine.Continue{}})
		}
	}
	return begun, true
}

// begin gives the change that creates a run and begins it; false: it cannot.
func (e *engine) begin(created machine.Change) (machine.Change, bool) {
	began, err := apply(e.log, created.Run, machine.Begin{}, created.Run.CreatedAt, e.noBlobs())
	if _, ok := errors.AsType[*machine.BlobRequest](err); ok {
		e.backlog.mark() // it makes large values at once: whoever drives it stores them
		return created, false
	}
	if err != nil {
		e.log.Error("a new run did not begin", "run_id", created.Run.RunID, "error", err)
		return created, false
	}
	return machine.Change{
		Run:     began.Run,
		Events:  append(append(make([]events.Event, 0, len(created.Events)+len(began.Events)), created.Events...), began.Events...),
		Effects: began.Effects,
		More:    began.More,
	}, true
}

func needsSlot(c machine.Change) bool { return c.Run.InFlight() > 0 || c.More }

// commitNew submits an insertion and settles an unknown outcome by reading the
// run back.
func (e *engine) commitNew(epoch int64, c Commit) error {
	e.crash("before_commit")
	err := e.commits.submit(epoch, c)
	switch {
	case err == nil:
		e.crash("after_commit")
		return nil
	case errors.Is(err, ErrStale):
		return err
	case errors.Is(err, ErrDuplicateKey):
		return keyTaken()
	case errors.Is(err, ErrNameTaken):
		return fault.New(fault.Conflict, "run_name_taken", "The workflow has a run named %q already.", c.Member.Name)
	case fault.CodeOf(err) == "outcome_unknown":
		return e.confirmInsertion(c, err)
	default:
		return err
	}
}

func keyTaken() error {
	return fault.New(fault.Conflict, "idempotency_key_taken", "This Idempotency-Key was used before.")
}

func (e *engine) confirmInsertion(c Commit, cause error) error {
	ctx, cancel := context.WithTimeout(context.Background(), confirmTimeout)
	defer cancel()
	for {
		_, err := e.store.Run(ctx, c.Row.TenantID, c.Row.RunID)
		if err == nil {
			return nil
		}
		if fault.KindOf(err) == fault.NotFound {
			return fault.Wrap(cause, fault.Unavailable, "store_unavailable", "The run was not stored; try again.")
		}
		if !sleep(ctx, retryStoreAfter) {
			return fault.Wrap(cause, fault.Unavailable, "outcome_unknown",
				"The database went away while the run %s was being stored; look whether it is there before trying again.", c.Row.RunID)
		}
	}
}

// targetCache remembers what starts name. An entry may be old; Service.decide
// reads it again where that matters.
type targetCache struct {
	max int

	mu    sync.Mutex
	byKey map[targetKey]Target
}

type targetKey struct{ tenantID, workflow, version string }

func newTargetCache(size int) *targetCache {
	return &targetCache{max: size, byKey: make(map[targetKey]Target)}
}

// get gives what a start names, and whether that was remembered and so may be
// old; fresh: it is read anew.
func (c *targetCache) get(ctx context.Context, store Store, key targetKey, fresh bool) (t Target, remembered bool, err error) {
	c.mu.Lock()
	t, ok := c.byKey[key]
	c.mu.Unlock()
	if ok && !fresh {
		return t, true, nil
	}
	t, err = store.Target(ctx, key.tenantID, key.workflow, key.version)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		delete(c.byKey, key)
		return Target{}, false, err
	}
	if len(c.byKey) >= c.max {
		clear(c.byKey)
	}
	c.byKey[key] = t
	return t, false, nil
}
