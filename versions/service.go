package versions

import (
	"context"
	"heddle/definitions"
	"heddle/definitions/workflows"
	"heddle/fault"
	"strconv"
	"strings"
	"time"
)

// Config holds what NewService needs.
type Config struct {
	Store     Store
	Schedules Schedules           // nil: previews list none
	Holdings  Holdings            // nil: previews name no missing secrets and agents
	Catalog   definitions.Catalog // which fields of configs name agents; needed with Holdings
	Now       func() time.Time    // may be called concurrently
}

// Service reads the history of workflows, publishes and labels versions and
// rolls back. References to workflows are ids or slugs, to versions a number
// ("3", "v3") or a label. It has no state of its own and is safe for concurrent
// use. Whether the caller may do what it asks for is checked before.
type Service struct {
	store     Store
	schedules Schedules
	holdings  Holdings
	catalog   definitions.Catalog
	now       func() time.Time // UTC, to the millisecond
	summaries summaries
}

// NewService returns a Service. Its times are UTC with milliseconds.
func NewService(cfg Config) *Service {
	return &Service{
		store: cfg.Store, schedules: cfg.Schedules, holdings: cfg.Holdings, catalog: cfg.Catalog,
		now: func() time.Time { return cfg.Now().UTC().Truncate(time.Millisecond) },
	}
}

// Query selects a page of a workflow's versions, newest first.
type Query struct {
	TenantID string
	Ref      string // the workflow's id or slug
	Limit    int    // how many versions at most, from 1
	Offset   int    // versions to skip, from the newest
	Cursor   string // the Next of the page before; takes precedence over Offset
}

// Page is one page of versions, without their definitions.
type Page struct {
	Workflow workflows.Workflow
	Versions []Version // newest first
	Next     string    // for Query.Cursor; empty on the last page
	Total    int       // of all versions, on any page
	// OpenRuns counts runs that have not ended, by version; a version without any is not in it.
	OpenRuns map[int]int
	// Started counts the runs of the last StartedDays days, by version, to the hour.
	Started map[int]int
	// Summaries say how versions differ from the ones before them, by number. Whole: none is
	// missing but that of version 1; of large ones some may be, see summarize.
	Summaries map[int]string
	Whole     bool
}

// StartedDays is how far back the started runs of versions are counted.
const StartedDays = 30

// List returns a page. Versions that are created between two pages do not shift
// the second. Errors: fault.NotFound workflow_not_found; fault.Malformed
// invalid_request for a cursor that List did not return.
func (s *Service) List(ctx context.Context, q Query) (Page, error) {
	w, err := s.store.Workflow(ctx, q.TenantID, q.Ref)
	if err != nil {
		return Page{}, err
	}
	page := Page{Workflow: w, Total: w.LatestVersion, Whole: true}
	// Numbers have no gaps, so an offset from the newest is a number.
	before := w.LatestVersion + 1 - q.Offset
	if q.Cursor != "" {
		if before, err = parseCursor(q.Cursor); err != nil {
			return Page{}, err
		}
	}
	if before <= 1 {
		return page, nil
	}
	page.Versions, err = s.store.Versions(ctx, q.TenantID, w.ID, before, q.Limit)
	if err != nil {
		return Page{}, err
	}
	open, err := s.store.RunsByVersion(ctx, q.TenantID, w.ID)
	if err != nil {
		return Page{}, err
	}
	if page.Started, err = s.store.StartedByVersion(ctx, q.TenantID, w.ID, s.now().AddDate(0, 0, -StartedDays)); err != nil {
		return Page{}, err
	}
	if page.Summaries, page.Whole, err = s.summarize(ctx, q.TenantID, w.ID, page.Versions); err != nil {
		return Page{}, err
	}
	page.OpenRuns = map[int]int{}
	for _, o := range open {
		page.OpenRuns[o.Version] = o.Count
	}
	if n := len(page.Versions); n > 0 && page.Versions[n-1].Number > 1 {
		page.Next = cursorPrefix + strconv.Itoa(page.Versions[n-1].Number)
	}
	return page, nil
}

// Get returns a workflow and one of its versions with the definition: a number
// ("3", "v3"), a label, or "" for the active one. Errors: fault.NotFound
// workflow_not_found, version_not_found.
func (s *Service) Get(ctx context.Context, tenantID, ref, version string) (workflows.Workflow, Version, error) {
	w, err := s.store.Workflow(ctx, tenantID, ref)
	if err != nil {
		return workflows.Workflow{}, Version{}, err
	}
	if version == "" {
		v, err := s.Active(ctx, w)
		return w, v, err
	}
	v, err := s.store.Version(ctx, tenantID, w.ID, version)
	return w, v, err
}

// Active returns the active version of a workflow as it was read. A version's
// definition never changes, so the two are consistent whatever happened since.
func (s *Service) Active(ctx context.Context, w workflows.Workflow) (Version, error) {
	return s.store.Version(ctx, w.TenantID, w.ID, strconv.Itoa(w.ActiveVersion))
}

// Labels returns the labels of versions as they are now, with one read however many
// they are. Those without a label, and those of workflows that are deleted or another
// tenant's, are left out.
func (s *Service) Labels(ctx context.Context, tenantID string, refs []Ref) (map[Ref]string, error) {
	return s.store.Labels(ctx, tenantID, refs)
}

// cursorPrefix marks the cursors of this list, so that those of others are refused.
const cursorPrefix = "v"

// parseCursor returns the number below which a page starts.
func parseCursor(cursor string) (int, error) {
	digits, ok := strings.CutPrefix(cursor, cursorPrefix)
	n, err := strconv.Atoi(digits)
	if !ok || err != nil || n < 1 || strconv.Itoa(n) != digits {
		return 0, fault.New(fault.Malformed, "invalid_request", "cursor is not one that this API returned. Start again without it.")
	}
	return n, nil
}
