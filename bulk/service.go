package bulk

import (
	"context"
	"heddle/access"
	"heddle/audit"
	"heddle/definitions/workflows"
	"heddle/executor"
	"heddle/fault"
	"heddle/idempotency"
	"heddle/schedules"
	"log/slog"
	"slices"
	"strings"
	"time"
)

// Config holds what New needs. Log may be nil.
type Config struct {
	Store     Store
	Runs      RunCommands
	Schedules ScheduleCommands
	Workflows WorkflowCommands
	Rights    Rights
	Answers   Answers
	Now       func() time.Time
	NewID     func(prefix string) string
	Log       *slog.Logger
	// Every is the time between two batches of batchSize items; 0: batchEvery.
	Every time.Duration
}

// Service accepts and shows jobs, and carries them out while Serve runs. It is safe for
// concurrent use.
type Service struct {
	cfg  Config
	wake chan struct{} // of capacity 1: a job was accepted here
	last string        // the job that the last batch was of; Serve's alone
}

// New returns a Service. Nothing is carried out before Serve.
func New(cfg Config) *Service {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Every == 0 {
		cfg.Every = batchEvery
	}
	// Whole milliseconds, as they are kept.
	now := cfg.Now
	cfg.Now = func() time.Time { return now().UTC().Truncate(time.Millisecond) }
	return &Service{cfg: cfg, wake: make(chan struct{}, 1)}
}

// Request is a change of many objects. IDs, unless nil, name them; otherwise the filter of the
// kind selects them.
type Request struct {
	Kind      Kind
	Action    Action
	Settings  Settings
	IDs       []string
	Runs      executor.RunQuery
	Schedules schedules.Query
	Workflows workflows.Query
	Selection []byte // see Job.Selection
	// Expected is how many objects the caller thinks that match; nil: it does not say.
	Expected *int
}

// Skip counts objects that match and that the action does not apply to.
type Skip struct {
	Reason string // the code with which a request about one of them would be refused
	Count  int
}

// Preview is what a job would be about.
type Preview struct {
	Matched int
	Allowed int
	Skipped []Skip  // by reason
	Sample  []Match // the first of those allowed, at most sampleSize
}

// sampleSize is how many matches a Preview shows.
const sampleSize = 10

// Preview returns what a job would be about, and stores nothing. Errors: those of Accept but
// for count_changed.
func (s *Service) Preview(ctx context.Context, p access.Principal, r Request) (Preview, error) {
	preview, _, err := s.judge(ctx, p, r)
	return preview, err
}

// Accept stores a job and returns it: it is durable, and begins soon. keep makes the answer that
// is kept with it, nil for none. Errors: fault.Denied acl_denied; fault.Malformed
// invalid_request; fault.Unacceptable invalid_bulk, too_many_matches, unknown_step and those of
// the action's settings; fault.Conflict count_changed and idempotency_key_taken.
func (s *Service) Accept(ctx context.Context, p access.Principal, r Request, keep func(Job, Preview) *idempotency.Answer) (Job, Preview, error) {
	preview, allowed, err := s.judge(ctx, p, r)
	if err != nil {
		return Job{}, preview, err
	}
	if r.Expected != nil && differs(preview.Matched, *r.Expected) {
		return Job{}, preview, fault.New(fault.Conflict, "count_changed", "%d match now, and not about %d; look again before you go on.", preview.Matched, *r.Expected).
			With("matched", preview.Matched).With("expected", *r.Expected)
	}
	_, reason := audit.ActorOf(ctx)
	now := s.cfg.Now()
	job := Job{
		ID: s.cfg.NewID("job_"), TenantID: p.TenantID, Kind: r.Kind, Action: r.Action, Settings: r.Settings, Selection: r.Selection,
		By: p.Actor, Reason: reason, State: Running, Matched: preview.Matched, Total: len(allowed), CreatedAt: now, UpdatedAt: now,
	}
	if job.Total == 0 {
		job.State, job.EndedAt = Completed, now
	}
	if err := s.store(ctx, job, allowed, keep(job, preview)); err != nil {
		return Job{}, preview, err
	}
	select {
	case s.wake <- struct{}{}:
	default:
	}
	return job, preview, nil
}

// differs reports whether a number is more than a tenth away from the one that was expected.
func differs(n, expected int) bool { return 10*max(n-expected, expected-n) > expected }

// store stores a job with its items, in as few bounded transactions as they need.
func (s *Service) store(ctx context.Context, job Job, allowed []Match, keep *idempotency.Answer) error {
	for n := 0; ; n += chunk {
		part := allowed[n:min(n+chunk, len(allowed))]
		a := Acceptance{Job: job, First: n == 0, Last: n+chunk >= len(allowed), Items: make([]Item, len(part))}
		for i, m := range part {
			a.Items[i] = Item{JobID: job.ID, N: n + i, ObjectID: m.ID, WorkflowID: m.WorkflowID}
		}
		if a.Last {
			a.Keep = keep
		}
		if err := s.cfg.Store.AcceptBulkJob(ctx, a); err != nil || a.Last {
			return err
		}
	}
}

// Get returns a job that the principal may see: its own, or with the right to view everything
// any. Errors: fault.NotFound job_not_found; fault.Denied acl_denied.
func (s *Service) Get(ctx context.Context, p access.Principal, id string) (Job, error) {
	job, err := s.cfg.Store.BulkJob(ctx, p.TenantID, id)
	if err == nil && job.By.ID != p.Actor.ID && !access.CanEverywhere(p, access.View) {
		return Job{}, access.Denied(access.View, everything)
	}
	return job, err
}

// everything is what a principal is denied that may not do something on each workflow.
const everything = "workflow:*"

// NotFound is fault.NotFound job_not_found.
func NotFound() error {
	return fault.New(fault.NotFound, "job_not_found", "There is no such job.")
}

// List returns a page of the jobs that the principal may see, newest first.
func (s *Service) List(ctx context.Context, p access.Principal, q JobQuery) (JobPage, error) {
	q.TenantID = p.TenantID
	if !access.CanEverywhere(p, access.View) {
		q.ActorID = p.Actor.ID
	}
	return s.cfg.Store.BulkJobs(ctx, q)
}

// Failures returns a page of the items of a job that failed or were skipped. fault.NotFound
// job_not_found, fault.Denied acl_denied.
func (s *Service) Failures(ctx context.Context, p access.Principal, q FailureQuery) (FailurePage, error) {
	if _, err := s.Get(ctx, p, q.JobID); err != nil {
		return FailurePage{}, err
	}
	return s.cfg.Store.BulkFailures(ctx, q)
}

// StopJob ends a job: the items that have not begun are left as they are. One that has ended is
// returned unchanged. Errors: fault.NotFound job_not_found; fault.Denied acl_denied for a job of
// another, unless the principal may operate everything.
func (s *Service) StopJob(ctx context.Context, p access.Principal, id string) (Job, error) {
	job, err := s.cfg.Store.BulkJob(ctx, p.TenantID, id)
	if err != nil {
		return Job{}, err
	}
	if job.By.ID != p.Actor.ID && !access.CanEverywhere(p, access.Operate) {
		return Job{}, access.Denied(access.Operate, everything)
	}
	_, reason := audit.ActorOf(ctx)
	if reason == "" {
		reason = "It was stopped by request."
	}
	return s.cfg.Store.StopBulkJob(ctx, p.TenantID, id, Stop{Code: "requested", Message: reason, By: p.Actor}, s.cfg.Now())
}

// check refuses a request that no object would fulfil.
func (r Request) check() error {
	if !slices.Contains(Actions(r.Kind), r.Action) {
		return fault.New(fault.Malformed, "invalid_request", "action must be one of %s, not %q.", words(Actions(r.Kind)), r.Action)
	}
	if len(r.IDs) > MaxIDs {
		return fault.New(fault.Malformed, "invalid_request", "At most %d ids can be named, not %d; use a filter.", MaxIDs, len(r.IDs))
	}
	set := r.Settings
	switch {
	case (r.Action == Redrive) != (set.StepID != ""):
		return invalid("/step_id", "step_id names the loop of a redrive, and goes with no other action.")
	case r.Action != Resume && set.Version != "":
		return invalid("/version", "version goes with the action resume of runs.")
	case r.Kind == Schedules && set.Version != "":
		return invalid("/version", "version goes with the action resume of runs.")
	case (r.Action == SetStatus) != (set.Status != ""):
		return invalid("/status", "status goes with the action status, which needs it.")
	case (r.Action == SetTags) != (len(set.AddTags)+len(set.RemoveTags) > 0):
		return invalid("/add_tags", "add_tags and remove_tags go with the action tags, which needs one of them.")
	}
	return set.check()
}

// check refuses values that no workflow takes.
func (s Settings) check() error {
	if s.Status != "" {
		if err := workflows.CheckStatus(s.Status); err != nil {
			return err
		}
	}
	for _, list := range [][]string{s.AddTags, s.RemoveTags} {
		if err := workflows.CheckTags(list); err != nil {
			return err
		}
	}
	return nil
}

// invalid is fault.Unacceptable invalid_bulk with an issue at a JSON pointer of the request.
func invalid(pointer, message string) error {
	err := fault.New(fault.Unacceptable, "invalid_bulk", "%s", message)
	err.Issues = []fault.Issue{{Code: err.Code, Severity: "error", Message: message, Pointer: pointer}}
	return err
}

// words lists actions for a message.
func words(list []Action) string {
	texts := make([]string, len(list))
	for i, a := range list {
		texts[i] = string(a)
	}
	return strings.Join(texts, ", ")
}
