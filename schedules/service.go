package schedules

import (
	"context"
	"fmt"
	"heddle/audit"
	"heddle/clock"
	"heddle/definitions/workflows"
	"heddle/executor"
	"heddle/fault"
	"heddle/idempotency"
	"heddle/quota"
	"heddle/timers"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// Meter measures lateness and outcomes.
type Meter interface {
	// SlotRecorded is called once a line of the ledger is stored. late is how much
	// later than due time and jitter that was.
	SlotRecorded(s Slot, late time.Duration)
}

// Config holds what New needs. Meter and Log may be nil.
type Config struct {
	Store Store
	Runs  Runs
	Now   func() time.Time
	NewID func(prefix string) string
	// Clock compares Now with the database's clock, so that nodes with different
	// clocks agree on what is due; nil: Now is right. Where the two differ by more
	// than clock.MaxOff nothing is fired.
	Clock *clock.Watch
	Meter Meter
	Log   *slog.Logger
	// Quota bounds how many schedules a tenant may have; nil: no limit.
	Quota *quota.Gate
	// Announce, unless nil, is called with the id of a schedule that was changed or has decided
	// here. It must not block.
	Announce func(id string)
}

// Service keeps schedules and, while Serve runs, fires them. It is safe for
// concurrent use. What it holds in memory (timers, zones) is only a cache of the
// store: a Service that is lost loses nothing.
type Service struct {
	store  Store
	runs   Runs
	now    func() time.Time
	newID  func(prefix string) string
	log    *slog.Logger
	timers *timers.Timers
	meter  Meter
	quota  *quota.Gate
	zones  sync.Map // name: *time.Location
	clock  *clock.Watch
	// announce is Config.Announce, and does nothing without it.
	announce func(id string)
}

// New returns a Service. It does nothing by itself until Serve or Tick is called.
func New(cfg Config) *Service {
	s := &Service{
		store: cfg.Store, runs: cfg.Runs, newID: cfg.NewID, meter: cfg.Meter, log: cfg.Log, timers: timers.New(), quota: cfg.Quota, clock: cfg.Clock,
		now: func() time.Time { return cfg.Now().Add(cfg.Clock.Correction()).UTC().Truncate(time.Millisecond) },
	}
	if s.announce = cfg.Announce; s.announce == nil {
		s.announce = func(string) {}
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	return s
}

// zone returns the zone with an IANA name and caches it: loading one reads and
// parses its rules.
func (s *Service) zone(name string) (*time.Location, error) {
	if loc, ok := s.zones.Load(name); ok {
		if l, ok := loc.(*time.Location); ok {
			return l, nil
		}
	}
	loc, err := LoadZone(name)
	if err == nil {
		s.zones.Store(name, loc)
	}
	return loc, err
}

// CreateRequest describes a new schedule. Zero fields take the defaults: zone UTC,
// overlap skip, catch-up latest within an hour and at most 100, gap shift, repeat
// first, status active. ID, times of creation, Revision and Fence are set by
// Create. Keep, unless nil, is called with what is about to be stored; the answer
// that it returns is stored with it.
//
// Patch is applied to the defaults: a zero in it was given, and is refused where no
// schedule may have it, but an empty text takes the default.
type CreateRequest struct {
	Schedule
	Patch    Patch
	Workflow string // id or slug
	Keep     func(Schedule) *idempotency.Answer
}

// Create checks and stores a schedule and returns it with its first due time.
// Errors: fault.Unacceptable invalid_cron, invalid_timezone, invalid_input,
// invalid_schedule, invalid_version; fault.NotFound workflow_not_found;
// fault.Conflict workflow_archived, idempotency_key_taken; fault.TooMany
// quota_exceeded.
func (s *Service) Create(ctx context.Context, req CreateRequest) (Schedule, error) {
	if err := req.Patch.check(); err != nil {
		return Schedule{}, err
	}
	sc := req.Patch.applyTo(req.withDefaults()).withDefaultTexts()
	now := s.now()
	sc.ID, sc.CreatedAt, sc.UpdatedAt = s.newID("sched_"), now, now
	sc.Revision, sc.Fence = 1, 1
	sc = sc.withPause(ctx, Active, now)
	target, err := s.resolve(ctx, sc, req.Workflow)
	if err != nil {
		return Schedule{}, err
	}
	if target.Status == workflows.Archived {
		return Schedule{}, fault.New(fault.Conflict, "workflow_archived", "The workflow is archived; set its status to draft, active or paused before you give it a schedule.")
	}
	sc.WorkflowID = target.WorkflowID
	if sc, err = s.withNextDue(sc, now); err != nil {
		return Schedule{}, err
	}
	var keep *idempotency.Answer
	if req.Keep != nil {
		keep = req.Keep(sc)
	}
	if err := s.quota.Reserve(ctx, sc.TenantID, sc.ID); err != nil {
		return Schedule{}, err
	}
	defer s.quota.Release(sc.TenantID, sc.ID)
	if err := s.store.CreateSchedule(ctx, sc, keep); err != nil {
		return Schedule{}, err
	}
	s.scheduleWake(sc.ID, sc.WakeAt())
	s.announce(sc.ID)
	return sc, nil
}

// withDefaults returns the schedule with defaults in its zero fields.
func (s Schedule) withDefaults() Schedule {
	if s.CatchUp.Window == 0 {
		s.CatchUp.Window = time.Hour
	}
	if s.CatchUp.Max == 0 {
		s.CatchUp.Max = 100
	}
	return s.withDefaultTexts()
}

// withDefaultTexts returns the schedule with defaults for its empty texts.
func (s Schedule) withDefaultTexts() Schedule {
	s.Timezone = orDefault(s.Timezone, "UTC")
	s.Status = orDefault(s.Status, Active)
	s.Overlap = orDefault(s.Overlap, OverlapSkip)
	s.CatchUp.Policy = orDefault(s.CatchUp.Policy, CatchUpLatest)
	s.Gap = orDefault(s.Gap, Shift)
	s.Repeat = orDefault(s.Repeat, First)
	return s
}

// orDefault returns v, or d where v is "".
func orDefault[T ~string](v, d T) T {
	if v == "" {
		return d
	}
	return v
}

// resolve checks that the workflow and the version exist and accept the input, as
// a start would; an unknown version is fault.Unacceptable invalid_version, because
// it is a field of the request and not its address.
func (s *Service) resolve(ctx context.Context, sc Schedule, workflow string) (executor.Target, error) {
	target, err := s.runs.Resolve(ctx, executor.StartRequest{TenantID: sc.TenantID, Workflow: workflow, Version: sc.Version, Input: sc.Input})
	if fault.CodeOf(err) == "version_not_found" {
		err = fault.Wrap(err, fault.Unacceptable, "invalid_version", "The workflow has no version %q to schedule.", sc.Version)
	}
	return target, err
}

// withNextDue checks a schedule and returns it with its next due time after now
// (zero unless it is active) and its expression in the normal form. A schedule
// that can never fire is refused. Errors: fault.Unacceptable invalid_schedule,
// invalid_cron, invalid_timezone.
func (s *Service) withNextDue(sc Schedule, now time.Time) (Schedule, error) {
	if err := sc.validate(); err != nil {
		return sc, err
	}
	spec, err := Parse(sc.Expression)
	if err != nil {
		return sc, err
	}
	loc, err := s.zone(sc.Timezone)
	if err != nil {
		return sc, err
	}
	sc.Expression = spec.String()
	due := nextDue(sc, spec, loc, now)
	switch {
	case due.IsZero() && sc.Status != Ended:
		return sc, invalidSchedule("/cron_expression", "The schedule never fires: no due time lies between now and its end.")
	case sc.Status != Active:
		due = time.Time{}
	}
	sc.NextDue = due
	return sc, nil
}

// validate checks every field that needs no look at anything else; the error is
// fault.Unacceptable invalid_schedule with a pointer to the field.
func (s Schedule) validate() error {
	switch {
	case s.Status != Active && s.Status != Paused:
		return invalidSchedule("/status", "status must be active or paused, not %q.", s.Status)
	case s.Overlap != OverlapSkip && s.Overlap != OverlapQueue && s.Overlap != OverlapAllow && s.Overlap != OverlapCancelRunning:
		return invalidSchedule("/overlap_policy", "overlap_policy must be skip, queue, allow or cancel_running, not %q.", truncate(string(s.Overlap)))
	case s.CatchUp.Policy != CatchUpNone && s.CatchUp.Policy != CatchUpLatest && s.CatchUp.Policy != CatchUpAll:
		return invalidSchedule("/catch_up/policy", "catch_up.policy must be none, latest or all, not %q.", truncate(string(s.CatchUp.Policy)))
	case s.CatchUp.Window < time.Second || s.CatchUp.Window > MaxCatchUpWindow:
		return invalidSchedule("/catch_up/window_seconds", "catch_up.window_seconds must be from 1 to %d.", int(MaxCatchUpWindow.Seconds()))
	case s.CatchUp.Max < 1 || s.CatchUp.Max > MaxCatchUp:
		return invalidSchedule("/catch_up/max", "catch_up.max must be from 1 to %d.", MaxCatchUp)
	case s.Gap != Shift && s.Gap != Skip:
		return invalidSchedule("/dst_gap", "dst_gap must be shift or skip, not %q.", truncate(string(s.Gap)))
	case s.Repeat != First && s.Repeat != Last && s.Repeat != Both:
		return invalidSchedule("/dst_repeat", "dst_repeat must be first, last or both, not %q.", truncate(string(s.Repeat)))
	case s.Jitter < 0 || s.Jitter > MaxJitter:
		return invalidSchedule("/jitter_seconds", "jitter_seconds must be from 0 to %d.", int(MaxJitter.Seconds()))
	case !s.EndsAt.IsZero() && !s.EndsAt.After(s.StartsAt):
		return invalidSchedule("/ends_at", "ends_at must lie after starts_at.")
	case len(s.PauseReason) > maxReason:
		return invalidSchedule("/pause_reason", "pause_reason has at most %d bytes.", maxReason)
	}
	return nil
}

// CheckRules refuses an unknown Gap or Repeat: fault.Unacceptable
// invalid_schedule. "" stands for the default.
func CheckRules(r Rules) error {
	s := Schedule{Gap: r.Gap, Repeat: r.Repeat}.withDefaults()
	s.Expression = "* * * * *"
	return s.validate()
}

// invalidSchedule returns fault.Unacceptable invalid_schedule with one issue at a
// JSON pointer of the request.
func invalidSchedule(pointer, format string, args ...any) *fault.Error {
	err := fault.New(fault.Unacceptable, "invalid_schedule", format, args...)
	err.Issues = []fault.Issue{{Code: err.Code, Severity: "error", Message: err.Message, Pointer: pointer}}
	return err
}

// Get returns a schedule, or fault.NotFound schedule_not_found.
func (s *Service) Get(ctx context.Context, tenantID, id string) (Schedule, error) {
	return s.store.Schedule(ctx, tenantID, id)
}

// List returns a page of schedules. An empty list of WorkflowIDs is an empty page
// without a look at the store. fault.Malformed invalid_request: a filter that cannot
// be, or the cursor belongs to another list.
func (s *Service) List(ctx context.Context, q Query) (Page, error) {
	if err := q.check(); err != nil {
		return Page{}, err
	}
	q.Now = s.now()
	if q.WorkflowIDs != nil && len(q.WorkflowIDs) == 0 {
		return Page{}, nil
	}
	return s.store.Schedules(ctx, q)
}

// NextDue returns when workflows are due next, by their ids: the earliest due time of the active
// schedules of each. One that has none is left out.
func (s *Service) NextDue(ctx context.Context, tenantID string, workflowIDs []string) (map[string]time.Time, error) {
	return s.store.NextDue(ctx, tenantID, workflowIDs)
}

// Slots returns a page of a schedule's ledger, latest due time first. Errors:
// fault.Malformed invalid_request for an unknown outcome; fault.NotFound
// schedule_not_found.
func (s *Service) Slots(ctx context.Context, q SlotQuery) (SlotPage, error) {
	if !q.From.IsZero() && !q.To.IsZero() && !q.From.Before(q.To) {
		return SlotPage{}, fault.New(fault.Malformed, "invalid_request", "from must lie before to.")
	}
	switch q.Outcome {
	case "", Fired, Late, CaughtUp, Coalesced, Skipped, Waiting:
	default:
		return SlotPage{}, fault.New(fault.Malformed, "invalid_request",
			"outcome must be fired, late, caught_up, coalesced, skipped or waiting, not %q.", truncate(string(q.Outcome)))
	}
	if _, err := s.store.Schedule(ctx, q.TenantID, q.ScheduleID); err != nil {
		return SlotPage{}, err
	}
	return s.store.Slots(ctx, q)
}

// Update edits, pauses or resumes a schedule and returns it. Due times that passed
// already are decided by the old rules first; the new ones hold from now on.
// Errors: those of Create; fault.NotFound schedule_not_found; fault.Precondition
// precondition_failed.
func (s *Service) Update(ctx context.Context, tenantID, id string, patch Patch, m workflows.IfMatch) (Schedule, error) {
	if err := patch.check(); err != nil {
		return Schedule{}, err
	}
	current, err := s.store.Schedule(ctx, tenantID, id)
	if err != nil {
		return Schedule{}, err
	}
	if err := checkIfMatch(current, m); err != nil {
		return Schedule{}, err
	}
	// Checked outside the transaction, as the executor has a store of its own to
	// ask; the store checks the revision again when it writes.
	edited := patch.edit(current)
	if _, err := s.resolve(ctx, edited, current.WorkflowID); err != nil {
		return Schedule{}, err
	}
	s.fire(ctx, []string{id})
	now := s.now()
	changed, err := s.store.ChangeSchedule(ctx, tenantID, id, func(c Schedule) (Schedule, error) {
		if err := checkIfMatch(c, m); err != nil {
			return c, err
		}
		next := patch.edit(c).withPause(ctx, c.Status, now)
		next.UpdatedAt = now
		next.Revision++
		return s.withNextDue(next, now)
	})
	if err == nil {
		s.scheduleWake(id, changed.WakeAt())
		s.announce(id)
	}
	return changed, err
}

// withPause notes who paused the schedule, when and why, where it was in another status
// before, and forgets that with the pause. A reason of the request stands for a missing
// PauseReason, cut to what that may have.
func (s Schedule) withPause(ctx context.Context, before Status, now time.Time) Schedule {
	switch {
	case s.Status != Paused:
		s.PausedBy, s.PausedAt, s.PauseReason = audit.Actor{}, time.Time{}, ""
	case before != Paused:
		who, reason := audit.ActorOf(ctx)
		s.PausedBy, s.PausedAt = who, now
		if s.PauseReason == "" {
			s.PauseReason = strings.ToValidUTF8(reason[:min(len(reason), maxReason)], "")
		}
	}
	return s
}

// checkIfMatch refuses a write on a schedule that changed since the caller read it
// (RFC 9110, If-Match): fault.Precondition precondition_failed.
func checkIfMatch(s Schedule, m workflows.IfMatch) error {
	if m.Allows(s.Revision) {
		return nil
	}
	return fault.New(fault.Precondition, "precondition_failed", "The schedule has changed since you read it; read it again and repeat the change.").
		With("current_version", s.Revision).With("current_etag", fmt.Sprintf(`"r%d"`, s.Revision))
}

// Delete removes a schedule; its open runs continue, and what waits in its queue
// never starts. Errors: fault.NotFound schedule_not_found; fault.Precondition
// precondition_failed.
func (s *Service) Delete(ctx context.Context, tenantID, id string, m workflows.IfMatch) error {
	err := s.store.DeleteSchedule(ctx, tenantID, id, func(c Schedule) error { return checkIfMatch(c, m) })
	if err == nil {
		s.announce(id)
	}
	return err
}

// StoredPreview is the expression of a stored schedule in words, with due times.
type StoredPreview struct {
	Schedule    Schedule
	Description string
	Times       []DueTime
}

// PreviewStored returns the first n due times of a schedule after from and up to upto (zero:
// however late), within StartsAt and EndsAt. It does not look at the status, so a paused schedule
// has a preview. fault.NotFound schedule_not_found.
func (s *Service) PreviewStored(ctx context.Context, tenantID, id string, from, upto time.Time, n int) (StoredPreview, error) {
	sc, err := s.store.Schedule(ctx, tenantID, id)
	if err != nil {
		return StoredPreview{}, err
	}
	spec, err := Parse(sc.Expression)
	if err != nil {
		return StoredPreview{}, err
	}
	loc, err := s.zone(sc.Timezone)
	if err != nil {
		return StoredPreview{}, err
	}
	if !sc.StartsAt.IsZero() && from.Before(sc.StartsAt) {
		from = sc.StartsAt.Add(-1) // a due time at StartsAt itself counts
	}
	if !sc.EndsAt.IsZero() && (upto.IsZero() || upto.After(sc.EndsAt)) {
		upto = sc.EndsAt
	}
	return StoredPreview{sc, spec.Describe(sc.Timezone), spec.Preview(from, upto, n, loc, sc.rules())}, nil
}
