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

// fireBatchSize is how many schedules are decided and stored together;
// maxFireAttempts is how often one that conflicted with another commit is decided
// again before it is left to the next poll.
const (
	fireBatchSize   = 200
	maxFireAttempts = 5
	// maxRequestAttempts is for what a caller waits for: it is reached only where
	// a schedule is changed all the time.
	maxRequestAttempts = 100
)

// fire decides about everything that is due for these schedules, and lets the
// next slots of their queues start; it returns for how many schedules something
// was stored. It may be called at any time, concurrently and on any node: a due
// time that another call has recorded already is not recorded again, because the
// store compares the schedule's fence.
func (s *Service) fire(ctx context.Context, ids []string) (stored int) {
	for len(ids) > 0 && ctx.Err() == nil {
		n := min(len(ids), fireBatchSize)
		stored += s.fireBatch(ctx, ids[:n])
		ids = ids[n:]
	}
	return stored
}

// fireBatch reads, decides and stores at most fireBatchSize schedules, and repeats
// that for those whose runs conflicted with another commit.
func (s *Service) fireBatch(ctx context.Context, ids []string) (stored int) {
	for attempt := range maxFireAttempts {
		states, err := s.store.States(ctx, ids)
		if err != nil {
			s.warn(ctx, "due schedules could not be read", err)
			return stored
		}
		var firings []Firing
		for _, st := range states {
			if f, ok := s.firing(ctx, st, attempt); ok {
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

// handleResults acts on what the store answered for each firing: it hands stored
// runs to the executor, plans the next wake-up, and returns the schedules that are
// to be decided again at once.
func (s *Service) handleResults(ctx context.Context, firings []Firing, errs []error) (retry []string) {
	var runs []executor.Prepared
	for i, err := range errs {
		f := firings[i]
		switch {
		case err == nil:
			runs = append(runs, f.Runs...)
			s.reportSlots(f)
			s.scheduleWake(f.ScheduleID, f.WakeAt)
			s.announce(f.ScheduleID)
			continue
		case retryable(err):
			retry = append(retry, f.ScheduleID)
		case errors.Is(err, ErrConflict), fault.KindOf(err) == fault.NotFound:
			// Another node fired it first, or the schedule was deleted.
		default:
			s.warn(ctx, "a schedule could not fire", err)
		}
		s.runs.Discard(f.Runs...)
	}
	// Only now: the executor must not drive a run that may not be stored.
	if len(runs) > 0 {
		s.runs.Stored(runs...)
	}
	return retry
}

// reportSlots reports the slots of a stored firing to the meter, with how much
// later than due time and jitter they were recorded.
func (s *Service) reportSlots(f Firing) {
	if s.meter == nil {
		return
	}
	now := s.now()
	for _, slot := range f.Slots {
		s.meter.SlotRecorded(slot, now.Sub(slot.Due)-f.Delay)
	}
}

// retryable reports whether another attempt may succeed: the workflow changed in
// between (ErrStale), or another node drives runs now (ErrFenced).
func retryable(err error) bool {
	return errors.Is(err, executor.ErrStale) || errors.Is(err, executor.ErrFenced)
}

// firing decides about one schedule and prepares its runs; false where there is
// nothing to store, or where a temporary error prevents it. attempt counts earlier
// attempts, see Runs.Prepare.
func (s *Service) firing(ctx context.Context, st State, attempt int) (Firing, bool) {
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
		if err := s.startRun(ctx, st.Schedule, &f, slot, attempt); err != nil {
			s.warn(ctx, "a run could not be made", err)
			s.runs.Discard(f.Runs...)
			return Firing{}, false
		}
	}
	return f, true
}

// startRun prepares a slot's run and adds both to a firing. Where the workflow
// refuses the run (it is gone or not active, the input does not fit, a quota is
// exhausted) the slot is skipped with the error's code as its reason; any other
// error is temporary and is returned, so that the due time is decided again.
func (s *Service) startRun(ctx context.Context, sc Schedule, f *Firing, slot Slot, attempt int) error {
	// The run's actor is the schedule, also if a request made it fire just now.
	run, err := s.runs.Prepare(audit.WithActor(ctx, sc.actor(), ""), executor.StartRequest{
		TenantID: sc.TenantID, Workflow: sc.WorkflowID, Version: sc.Version, Trigger: "schedule", Input: sc.Input,
		ScheduleID: sc.ID, DueAt: slot.Due,
	}, attempt)
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

// Trigger starts a run of a schedule now, regardless of its overlap rule and
// status, adds it to the ledger and returns the run's id. keep makes the answer
// that is stored for a repeated request with the same Idempotency-Key; nil: none.
// Errors: those of executor.Service.Start; fault.NotFound schedule_not_found;
// fault.Conflict idempotency_key_taken, schedule_changing.
func (s *Service) Trigger(ctx context.Context, tenantID, id string, trace executor.Trace, keep func(executor.Record) *idempotency.Answer) (string, error) {
	who, reason := audit.ActorOf(ctx)
	for attempt := range maxRequestAttempts {
		sc, err := s.store.Schedule(ctx, tenantID, id)
		if err != nil {
			return "", err
		}
		// Prepared anew for each attempt: the workflow may have changed, and with it
		// what the run would be.
		run, err := s.runs.Prepare(audit.WithActor(ctx, who, reason), executor.StartRequest{
			TenantID: tenantID, Workflow: sc.WorkflowID, Version: sc.Version, Trigger: "manual", Input: sc.Input, Trace: trace, Keep: keep,
			ScheduleID: sc.ID,
		}, attempt)
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
		if err = f.addAuditEntry(ctx, triggerDetail{run.Row.RunID}); err == nil {
			err = s.store.Fire(ctx, []Firing{f})[0]
		}
		if err == nil {
			audit.TrailFrom(ctx).MarkWritten()
			s.reportSlots(f)
			s.runs.Stored(run)
			s.announce(id)
			return run.Row.RunID, nil
		}
		s.runs.Discard(run)
		switch {
		case errors.Is(err, executor.ErrDuplicateKey):
			return "", fault.New(fault.Conflict, "idempotency_key_taken", "This Idempotency-Key was used before.")
		case !errors.Is(err, ErrConflict) && !retryable(err):
			return "", err
		}
	}
	return "", errScheduleChanging()
}

// errScheduleChanging is returned where every attempt conflicted with another
// change of the schedule.
func errScheduleChanging() error {
	return fault.New(fault.Conflict, "schedule_changing", "The schedule is being changed; try again.")
}

// unchangedFiring returns a firing that leaves the schedule's next due time and
// status as they are; the caller adds lines and runs. It conflicts with any change
// of the schedule after sc was read.
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

// checked returns the request with its default, or fault.Unacceptable invalid_schedule.
func (req BackfillRequest) checked(now time.Time) (BackfillRequest, error) {
	if req.Limit == 0 {
		req.Limit = 100
	}
	switch {
	case req.Overlap != "" && req.Overlap != OverlapQueue && req.Overlap != OverlapAllow:
		return req, invalidSchedule("/overlap_policy", "overlap_policy of a backfill must be queue or allow, not %q.", truncate(string(req.Overlap)))
	case req.Limit < 1 || req.Limit > MaxBackfill:
		return req, invalidSchedule("/limit", "limit must be from 1 to %d.", MaxBackfill)
	case !req.From.Before(req.To):
		return req, invalidSchedule("/from", "from must lie before to.")
	case req.To.After(now):
		return req, invalidSchedule("/to", "to must not lie in the future.")
	}
	return req, nil
}

// Backfill adds past due times to the ledger and starts their runs; it returns
// the backfill's id and the number of due times. The slots are stored before
// Backfill returns; with overlap queue their runs start one after another.
// Errors: fault.Unacceptable invalid_schedule, backfill_too_large; fault.NotFound
// schedule_not_found; fault.Conflict idempotency_key_taken, schedule_changing.
func (s *Service) Backfill(ctx context.Context, req BackfillRequest) (id string, slots int, err error) {
	now := s.now()
	if req, err = req.checked(now); err != nil {
		return "", 0, err
	}
	for attempt := range maxRequestAttempts {
		id, slots, err = s.backfill(ctx, req, now, attempt)
		if !errors.Is(err, ErrConflict) && !retryable(err) {
			return id, slots, err
		}
	}
	return "", 0, errScheduleChanging()
}

// backfill is one attempt of Backfill; ErrConflict and retryable errors mean that
// the caller may try again.
func (s *Service) backfill(ctx context.Context, req BackfillRequest, now time.Time, attempt int) (id string, n int, err error) {
	sc, err := s.store.Schedule(ctx, req.TenantID, req.ScheduleID)
	if err != nil {
		return "", 0, err
	}
	dues, err := s.dueTimes(sc, req)
	if err != nil {
		return "", 0, err
	}
	id = s.newID("bf_")
	f := unchangedFiring(sc)
	defer func() {
		if err != nil {
			s.runs.Discard(f.Runs...)
		}
	}()
	for _, due := range dues {
		slot := Slot{ScheduleID: sc.ID, Due: due, Until: due, Count: 1, Origin: "backfill:" + id, At: now}
		if req.Overlap == OverlapAllow {
			slot.Outcome = CaughtUp
			slot.Reason = reasonBackfill
			if err := s.startRun(ctx, sc, &f, slot, attempt); err != nil {
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
	audit.TrailFrom(ctx).MarkWritten()
	s.reportSlots(f)
	s.runs.Stored(f.Runs...)
	s.announce(sc.ID)
	s.fire(ctx, []string{sc.ID})
	return id, len(dues), nil
}

// addAuditEntry adds the audit entry of the request that f is made for, if the
// request leaves one, so that it is stored in the transaction of the firing.
func (f *Firing) addAuditEntry(ctx context.Context, detail any) error {
	line, wanted, err := audit.TrailFrom(ctx).NewEntry(audit.Object{Kind: "schedule", ID: f.ScheduleID}, detail)
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

// dueTimes lists the due times of a backfill; more than its limit is
// fault.Unacceptable backfill_too_large. They are counted before they are listed,
// so that a huge range costs no memory.
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

// warn logs an error of the loop, unless the process is stopping: the calls that
// its end interrupts fail as well. The loop meets the schedule again at its next
// poll.
func (s *Service) warn(ctx context.Context, message string, err error) {
	if ctx.Err() == nil {
		s.log.Warn(message, "error", err)
	}
}
