package schedules

import (
	"context"
	"errors"
	"heddle/audit"
	"heddle/executor"
	"heddle/fault"
	"heddle/idempotency"
	"time"
)

// How many schedules one firing takes, and how often one that lost its race is
// tried again.
const (
	fireBatchSize   = 200
	maxFireAttempts = 5
	// maxRequestAttempts is for what somebody waits for: only a schedule that is
	// changed all the time is given up.
	maxRequestAttempts = 100
)

// fire settles everything that is due of these schedules, and takes the next
// ones of their queues; it tells how many schedules something was stored for.
// It is safe to call at any time and on any node.
func (s *Service) fire(ctx context.Context, ids []string) (stored int) {
	for len(ids) > 0 && ctx.Err() == nil {
		n := min(len(ids), fireBatchSize)
		stored += s.fireBatch(ctx, ids[:n])
		ids = ids[n:]
	}
	return stored
}

func (s *Service) fireBatch(ctx context.Context, ids []string) (stored int) {
	for try := range maxFireAttempts {
		states, err := s.store.States(ctx, ids)
		if err != nil {
			s.warn(ctx, "due schedules could not be read", err)
			return stored
		}
		var firings []Firing
		for _, st := range states {
			if f, ok := s.firing(ctx, st, try); ok {
				firings = append(firings, f)
			}
		}
		if len(firings) == 0 {
			return stored
		}
		errs := s.store.Fire(ctx, firings)
		ids = s.handleResults(ctx, firings, errs)
		for _, err := range errs {
			if err == nil {
				stored++
			}
		}
		if len(ids) == 0 {
			return stored
		}
	}
	return stored
}

// handleResults notes what was stored and gives the schedules that are to be looked
// at again at once.
func (s *Service) handleResults(ctx context.Context, firings []Firing, errs []error) (retry []string) {
	var runs []executor.Prepared
	for i, err := range errs {
		f := firings[i]
		switch {
		case err == nil:
			runs = append(runs, f.Runs...)
			s.reportSlots(f)
			s.scheduleWake(f.ScheduleID, f.WakeAt)
		case retryable(err):
			retry = append(retry, f.ScheduleID)
		case errors.Is(err, ErrConflict), fault.KindOf(err) == fault.NotFound:
			// Another node was faster, or the schedule is gone.
		default:
			s.warn(ctx, "a schedule could not fire", err)
		}
	}
	if len(runs) > 0 {
		s.runs.Stored(runs...)
	}
	return retry
}

// reportSlots tells the meter of a firing that is stored.
func (s *Service) reportSlots(f Firing) {
	if s.meter == nil {
		return
	}
	now := s.now()
	for _, slot := range f.Slots {
		s.meter.SlotRecorded(slot, now.Sub(slot.Due)-f.Delay)
	}
}

// retryable tells of an error that another attempt may not meet: the workflow was
// changed meanwhile, or another node drives runs now.
func retryable(err error) bool {
	return errors.Is(err, executor.ErrStale) || errors.Is(err, executor.ErrFenced)
}

// firing decides about one schedule and makes the runs. false: nothing to do,
// or not now.
func (s *Service) firing(ctx context.Context, st State, try int) (Firing, bool) {
	spec, err := Parse(st.Expression)
	if err != nil {
		s.warn(ctx, "a stored expression cannot be read", err)
		return Firing{}, false
	}
	loc, err := s.zone(st.Timezone)
	if err != nil {
		s.warn(ctx, "a stored zone cannot be loaded", err)
		return Firing{}, false
	}
	d := decide(st, spec, loc, s.now())
	if d.empty() {
		s.scheduleWake(st.ID, st.WakeAt())
		return Firing{}, false
	}
	f := d.firing()
	for _, slot := range d.starts {
		if err := s.startRun(ctx, st.Schedule, &f, slot, try); err != nil {
			s.warn(ctx, "a run could not be made", err)
			return Firing{}, false
		}
	}
	return f, true
}

// startRun adds a slot with its run to a firing. A run that the workflow
// refuses makes the slot skipped; an error is one that may pass.
func (s *Service) startRun(ctx context.Context, sc Schedule, f *Firing, slot Slot, try int) error {
	// Whoever made the schedule fire just now, the run is the schedule's.
	run, err := s.runs.Prepare(audit.As(ctx, sc.actor(), ""), executor.StartRequest{
		TenantID: sc.TenantID, Workflow: sc.WorkflowID, Version: sc.Version, Trigger: "schedule", Input: sc.Input,
	}, try)
	switch kind := fault.KindOf(err); {
	case err == nil:
		slot.RunID = run.Row.RunID
		f.Runs = append(f.Runs, run)
		f.LastRunAt = slot.At
	case kind == fault.NotFound || kind == fault.Conflict || kind == fault.Unacceptable || kind == fault.TooMany:
		slot.Outcome, slot.Reason = Skipped, fault.CodeOf(err)
	default:
		return err
	}
	f.Slots = append(f.Slots, slot)
	return nil
}

// Trigger starts a run of a schedule now, whatever the overlap rule says. keep
// makes the answer that is kept for a repeated request; nil: none. Errors:
// those of a start by hand, and fault.NotFound schedule_not_found.
func (s *Service) Trigger(ctx context.Context, tenantID, id string, trace executor.Trace, keep func(executor.Record) *idempotency.Answer) (string, error) {
	who, reason := audit.Who(ctx)
	for n := range maxRequestAttempts {
		sc, err := s.store.Schedule(ctx, tenantID, id)
		if err != nil {
			return "", err
		}
		run, err := s.runs.Prepare(audit.As(ctx, who, reason), executor.StartRequest{
			TenantID: tenantID, Workflow: sc.WorkflowID, Version: sc.Version, Trigger: "manual", Input: sc.Input, Trace: trace, Keep: keep,
		}, n)
		if err != nil {
			return "", err
		}
		now := s.now()
		f := unchangedFiring(sc)
		f.LastRunAt, f.Runs = now, []executor.Prepared{run}
		f.Slots = []Slot{{
			ScheduleID: id, Due: now, Until: now, Count: 1, Origin: "trigger:" + run.Row.RunID,
			Outcome: Fired, RunID: run.Row.RunID, At: now,
		}}
		if err := f.addAuditEntry(ctx, triggerDetail{run.Row.RunID}); err != nil {
			return "", err
		}
		switch err := s.store.Fire(ctx, []Firing{f})[0]; {
		case err == nil:
			audit.From(ctx).Mark()
			s.reportSlots(f)
			s.runs.Stored(run)
			return run.Row.RunID, nil
		case errors.Is(err, executor.ErrDuplicateKey):
			return "", fault.New(fault.Conflict, "idempotency_key_taken", "This Idempotency-Key was used before.")
		case !errors.Is(err, ErrConflict) && !retryable(err):
			return "", err
		}
	}
	return "", errScheduleChanging()
}

func errScheduleChanging() error {
	return fault.New(fault.Conflict, "schedule_changing", "The schedule is being changed; try again.")
}

// unchangedFiring is a firing that leaves the schedule where it is.
func unchangedFiring(sc Schedule) Firing {
	return Firing{
		ScheduleID: sc.ID, Fence: sc.Fence, NextDue: sc.NextDue, WakeAt: sc.WakeAt(), Status: sc.Status, LastRunAt: sc.LastRunAt,
	}
}

// BackfillRequest asks for runs of the due times after From and up to To, both
// in the past. Overlap is queue (one after another, the default) or allow (all
// at once); it stands beside the schedule's own rule. More than Limit (1 to
// 1,000, default 100) due times are refused.
type BackfillRequest struct {
	TenantID, ScheduleID string
	From, To             time.Time
	Overlap              Overlap
	Limit                int
	// Keep, when set, gets the backfill's id and its number of due times.
	Keep func(id string, slots int) *idempotency.Answer
}

// Backfill puts past due times into the ledger and starts their runs. Errors:
// fault.Unacceptable invalid_schedule, backfill_too_large.
func (s *Service) Backfill(ctx context.Context, req BackfillRequest) (id string, slots int, err error) {
	if req.Limit == 0 {
		req.Limit = 100
	}
	now := s.now()
	switch {
	case req.Overlap != "" && req.Overlap != OverlapQueue && req.Overlap != OverlapAllow:
		return "", 0, invalidSchedule("/overlap_policy", "overlap_policy of a backfill must be queue or allow, not %q.", truncate(string(req.Overlap)))
	case req.Limit < 1 || req.Limit > MaxBackfill:
		return "", 0, invalidSchedule("/limit", "limit must be from 1 to %d.", MaxBackfill)
	case !req.From.Before(req.To):
		return "", 0, invalidSchedule("/from", "from must lie before to.")
	case req.To.After(now):
		return "", 0, invalidSchedule("/to", "to must not lie in the future.")
	}
	for n := range maxRequestAttempts {
		id, slots, err = s.backfill(ctx, req, now, n)
		if !errors.Is(err, ErrConflict) && !retryable(err) {
			return id, slots, err
		}
	}
	return "", 0, errScheduleChanging()
}

func (s *Service) backfill(ctx context.Context, req BackfillRequest, now time.Time, try int) (string, int, error) {
	sc, err := s.store.Schedule(ctx, req.TenantID, req.ScheduleID)
	if err != nil {
		return "", 0, err
	}
	dues, err := s.dueTimes(sc, req)
	if err != nil {
		return "", 0, err
	}
	id := s.newID("bf_")
	f := unchangedFiring(sc)
	for _, due := range dues {
		slot := Slot{ScheduleID: sc.ID, Due: due, Until: due, Count: 1, Origin: "backfill:" + id, At: now}
		if req.Overlap == OverlapAllow {
			slot.Outcome = CaughtUp
			slot.Reason = reasonBackfill
			if err := s.startRun(ctx, sc, &f, slot, try); err != nil {
				return "", 0, err
			}
			continue
		}
		slot.Outcome, slot.Reason = Waiting, reasonBackfill
		f.Slots = append(f.Slots, slot)
	}
	if req.Keep != nil {
		f.Keep = req.Keep(id, len(dues))
	}
	if err := f.addAuditEntry(ctx, backfillDetail{id, req.From, req.To, len(dues)}); err != nil {
		return "", 0, err
	}
	switch err := s.store.Fire(ctx, []Firing{f})[0]; {
	case errors.Is(err, executor.ErrDuplicateKey):
		return "", 0, fault.New(fault.Conflict, "idempotency_key_taken", "This Idempotency-Key was used before.")
	case err != nil:
		return "", 0, err
	}
	audit.From(ctx).Mark()
	s.reportSlots(f)
	s.runs.Stored(f.Runs...)
	s.fire(ctx, []string{sc.ID})
	return id, len(dues), nil
}

// addAuditEntry adds the line of the request that f is made for, if it leaves one.
func (f *Firing) addAuditEntry(ctx context.Context, detail any) error {
	line, wanted, err := audit.From(ctx).Draft(audit.Object{Kind: "schedule", ID: f.ScheduleID}, detail)
	if wanted {
		f.Audit = []audit.Entry{line}
	}
	return err
}

// triggerDetail is the detail of the audit trail's line about a trigger by hand.
type triggerDetail struct {
	RunID string `json:"run_id"`
}

// backfillDetail is the detail of the audit trail's line about a backfill.
type backfillDetail struct {
	Backfill string    `json:"backfill"`
	From     time.Time `json:"from"`
	To       time.Time `json:"to"`
	Slots    int       `json:"slots"`
}

// actor is the schedule as journals name it.
func (s Schedule) actor() audit.Actor {
	return audit.Actor{Type: audit.Schedule, ID: s.ID, Name: s.Expression}
}

func (s *Service) dueTimes(sc Schedule, req BackfillRequest) ([]time.Time, error) {
	spec, err := Parse(sc.Expression)
	if err != nil {
		return nil, err
	}
	loc, err := s.zone(sc.Timezone)
	if err != nil {
		return nil, err
	}
	if n := spec.Count(req.From, req.To, loc, sc.rules()); n > req.Limit {
		return nil, fault.New(fault.Unacceptable, "backfill_too_large",
			"The range holds %d due times, %d are the limit; narrow the range, or raise limit up to %d.", n, req.Limit, MaxBackfill)
	}
	var list []time.Time
	for t, ok := spec.Next(req.From, loc, sc.rules()); ok && !t.After(req.To); t, ok = spec.Next(t, loc, sc.rules()) {
		list = append(list, t)
	}
	return list, nil
}

func (s *Service) warn(ctx context.Context, message string, err error) {
	if ctx.Err() == nil {
		s.log.Warn(message, "error", err)
	}
}
