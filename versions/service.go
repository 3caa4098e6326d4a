package versions

import (
	"context"
	"heddle/definitions/workflows"
	"heddle/fault"
	"strconv"
	"strings"
	"time"
)

// Config holds what NewService needs. Schedules may be nil: previews list none.
type Config struct {
	Store     Store
	Schedules Schedules
	Now       func() time.Time
}

// Service reads the history of workflows, publishes and labels versions and rolls
// back. References to workflows are ids or slugs, to versions a number ("3", "v3")
// or a label. It is safe for concurrent use.
type Service struct {
	store     Store
	schedules Schedules
	now       func() time.Time
}

// NewService returns a Service. Its times are UTC with milliseconds.
func NewService(cfg Config) *Service {
	return &Service{
		store: cfg.Store, schedules: cfg.Schedules,
		now: func() time.Time { return cfg.Now().UTC().Truncate(time.Millisecond) },
	}
}

// Query selects a page of a workflow's versions, newest first. Ref is an id or
// slug. Offset counts from the newest; Cursor, the Next of the page before, takes
// precedence over it.
type Query struct {
	TenantID string
	Ref      string
	Limit    int
	Offset   int
	Cursor   string
}

// Page is one page of versions, without their definitions. Next is empty on the last
// page; Total is the number of all versions.
type Page struct {
	Workflow workflows.Workflow
	Versions []Version
	Next     string
	Total    int
}

// List returns a page. Errors: fault.NotFound workflow_not_found; fault.Malformed
// invalid_request for a cursor that List did not return.
func (s *Service) List(ctx context.Context, q Query) (Page, error) {
	w, err := s.store.Workflow(ctx, q.TenantID, q.Ref)
	if err != nil {
		return Page{}, err
	}
	page := Page{Workflow: w, Total: w.LatestVersion}
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

// Active returns the active version of a workflow as it was read. A version never
// changes, so the two are consistent whatever happened since.
func (s *Service) Active(ctx context.Context, w workflows.Workflow) (Version, error) {
	return s.store.Version(ctx, w.TenantID, w.ID, strconv.Itoa(w.ActiveVersion))
}

// cursorPrefix marks the cursors of this list, so that those of others are refused.
const cursorPrefix = "v"

// parseCursor returns the number below which a page starts.
func parseCursor(cursor string) (int, error) {
	digits, ok := strings.CutPrefix(cursor, cursorPrefix)
	n, err := strconv.Atoi(digits)
	if !ok || err != nil || n < 1 || strconv.Itoa(n) != digits {
		return 0, fault.New(fault.Malformed, "invalid_request", "cursor is not one that this API gave. Start again without it.")
	}
	return n, nil
}
