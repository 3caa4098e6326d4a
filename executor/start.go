package executor

import (
	"context"
	"encoding/json"
	"errors"
	"heddle/audit"
	"heddle/deadline"
	"heddle/executor/machine"
	"heddle/fault"
	"heddle/idempotency"
	"time"
)

// StartRequest says what to run. Input nil is the empty object, which fits every input
// schema that requires nothing. Its values are kept with the run and must not be changed
// afterwards.
type StartRequest struct {
	// TenantID is whose workflow and run it is.
	TenantID string
	Workflow string // id or slug
	Version  string // "" is the active one; a number, "v3" or a label
	Trigger  string // manual, api, schedule, webhook or event
	Input    json.RawMessage
	Trace    Trace
	// Keep makes the answer that is kept for the caller's Idempotency-Key; nil
	// where there is none.
	Keep func(Record) *idempotency.Answer
	// Name is the run's name, unique within the workflow; "" for none. See
	// Member.
	Name string
	// ScheduleID and DueAt are those of a schedule's run; see Record.
	ScheduleID string
	DueAt      time.Time
	// Labels are kept with the run; at most MaxLabels.
	Labels map[string]string
	// trail is that of the request that the run is started for; its line is stored with the
	// run. It is taken from the context.
	trail *audit.Trail
	// replaces: an open run ends in the same transaction.
	replaces bool
}

// Starter stores new runs and begins those that need no slot, or for which one is free, in
// the same commit. It works on every node, whether it leads or not: a node that stands by
// leaves the runs queued. It is safe for concurrent use.
type Starter struct {
	cfg        *Config
	term       *term
	plans      *planCache
	targets    *targetCache
	commits    *committer
	registry   *registry
	dispatcher *dispatcher
	driver     *driver
	values     *largeValues
}

// Start stores a run and sets it going. When it returns, the run is durable. Errors:
// fault.NotFound workflow_not_found and version_not_found, fault.Conflict
// workflow_not_runnable, concurrency_limit, run_name_taken and idempotency_key_taken (the
// kept answer is then to be read), fault.Unacceptable invalid_input, secret_in_input and
// concurrency_key, fault.Unavailable store_unavailable and outcome_unknown, and those of
// the quotas.
//
// A caller whose time for the database (package deadline) is spent is answered
// outcome_unknown, and the start goes on.
func (s *Starter) Start(ctx context.Context, req StartRequest) (Record, error) {
	req.trail = audit.TrailFrom(ctx)
	return deadline.Do(ctx, func(ctx context.Context) (Record, error) { return s.start(ctx, req) }, outcomeUnknown)
}

// start is Start without the bound on its time.
func (s *Starter) start(ctx context.Context, req StartRequest) (Record, error) {
	if err := checkLabels(ctx, s.cfg.Secrets, req); err != nil {
		return Record{}, err
	}
	if err := refuseSecrets(ctx, s.cfg.Secrets, req.TenantID, req.Input); err != nil {
		return Record{}, err
	}
	var rec Record
	err := s.decide(ctx, req, 0, func(target Target) (err error) {
		rec, err = s.startOn(ctx, target, req)
		return err
	})
	return rec, err
}

// maxStrictAttempts is how often a start is decided on its workflow exactly as it was
// read. A client that saves without a pause would outrun it endlessly; from then on
// the start holds for the version that was active when it was read, as long as the
// workflow is there and its status is the same.
const maxStrictAttempts = 3

// decide judges a start by what it names until the judgement holds. It alone knows that a
// target may be old: the target is read again where the commit finds the workflow changed
// (ErrStale), and where a remembered one was refused, for whatever reason; a refusal stands
// only when the workflow is as it was. No start is refused because the workflow is being
// saved. attempt is how many there were before this one; in the first a remembered target will
// do. judge may be called several times, and must leave nothing behind when it returns an
// error. decide ends with ctx at the latest.
func (s *Starter) decide(ctx context.Context, req StartRequest, attempt int, judge func(Target) error) error {
	key := targetKey{req.TenantID, req.Workflow, req.Version}
	target, remembered, err := s.targets.get(ctx, s.cfg.Store, key, attempt > 0)
	for ; err == nil; attempt++ {
		// A copy with revision 0 makes the commit check the status alone; see Target.fence.
		judged := target
		if attempt >= maxStrictAttempts {
			judged.Revision = 0
		}
		verdict := judge(judged)
		stale := errors.Is(verdict, ErrStale)
		if !stale && (verdict == nil || !remembered || fault.KindOf(verdict) == fault.Unavailable) {
			return verdict
		}
		// A refusal stands only if a fresh look finds the workflow as it was judged.
		was := target
		target, remembered, err = s.targets.get(ctx, s.cfg.Store, key, true)
		if err == nil && !stale && target.WorkflowID == was.WorkflowID && target.Revision == was.Revision {
			return verdict
		}
	}
	return err
}

// startOn starts a run of the target. The reservation of the quotas ends when the run is
// stored and so counted, or refused.
func (s *Starter) startOn(ctx context.Context, target Target, req StartRequest) (Record, error) {
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
		return s.beginOrQueue(created, "", target, req)
	}
	return s.startLimited(ctx, created, key, target, req)
}

// startHeld stores a run that stays queued until Advance lets it begin. Its concurrency
// limit is judged by what is stored, because it does not enter the limits yet.
func (s *Starter) startHeld(ctx context.Context, created machine.Change, target Target, req StartRequest) (Record, error) {
	key, err := s.concurrencyKey(ctx, created.Run, 0)
	if err != nil {
		return Record{}, err
	}
	return s.insert(&activeRun{id: created.Run.RunID, driveState: driveState{key: key, trace: req.Trace}}, created, false, target, req)
}

// startLimited starts a run of a workflow with a concurrency limit. The node that leads
// decides whether it is admitted; another one can only read how many are open, and leaves
// the run queued. An admitted run that is not stored leaves its group again. With on_limit:
// reject the error is fault.Conflict concurrency_limit.
func (s *Starter) startLimited(ctx context.Context, created machine.Change, key string, target Target, req StartRequest) (Record, error) {
	runID := created.Run.RunID
	g, c, _ := groupOf(created.Run, key)
	leads := s.term.state().takesCommands()
	room := leads && s.dispatcher.limits.admit(runID, g, c.Limit)
	switch {
	case room || c.OnLimit != "reject":
	case leads:
		return Record{}, concurrencyLimitReached(c)
	default:
		if _, err := s.concurrencyKey(ctx, created.Run, 0); err != nil {
			return Record{}, err
		}
	}
	row, err := s.beginOrQueue(created, key, target, req)
	switch {
	case err != nil:
		s.dispatcher.leaveLimits(runID)
	case leads && !room:
		s.dispatcher.queueBehindLimit(runID, g, c)
	}
	return row, err
}
