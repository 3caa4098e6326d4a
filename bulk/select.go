package bulk

import (
	"context"
	"heddle/access"
	"heddle/executor/machine"
	"heddle/fault"
	"heddle/schedules"
	"maps"
	"slices"
)

// selectPage is how many objects are read at once.
const selectPage = 1000

// judge selects what a request is about and splits it: what a job would be about is returned
// beside the preview. Only objects of workflows count that the principal may view and on which
// it has the action's right: others are neither matched nor skipped.
func (s *Service) judge(ctx context.Context, p access.Principal, r Request) (Preview, []Match, error) {
	if err := r.check(); err != nil {
		return Preview{}, nil, err
	}
	mine := workflowsFor(p, right(r.Kind, r.Action))
	if mine != nil && len(mine) == 0 {
		return Preview{}, nil, access.Denied(right(r.Kind, r.Action), everything)
	}
	matches, err := s.matches(ctx, p.TenantID, mine, r)
	if err != nil {
		return Preview{}, nil, err
	}
	preview, skipped := Preview{Matched: len(matches)}, map[string]int{}
	allowed := slices.DeleteFunc(matches, func(m Match) bool {
		code := ""
		if r.Kind == Runs {
			code, _ = applies(r.Action, machine.State(m.State))
		}
		if code != "" {
			skipped[code]++
		}
		return code != ""
	})
	for _, code := range slices.Sorted(maps.Keys(skipped)) {
		preview.Skipped = append(preview.Skipped, Skip{code, skipped[code]})
	}
	preview.Allowed, preview.Sample = len(allowed), allowed[:min(sampleSize, len(allowed))]
	return preview, allowed, nil
}

// workflowsFor returns the workflows that a principal may view and do an action on; nil: all.
func workflowsFor(p access.Principal, a access.Action) []string {
	may, seen := access.WorkflowsFor(p, a), access.ViewableWorkflows(p)
	switch {
	case may == nil:
		return seen
	case seen == nil:
		return may
	}
	return slices.DeleteFunc(may, func(id string) bool { return !slices.Contains(seen, id) })
}

// matches reads the objects that a request selects within workflows (nil: all), each once.
// fault.Unacceptable too_many_matches: they are more than MaxItems.
func (s *Service) matches(ctx context.Context, tenantID string, mine []string, r Request) ([]Match, error) {
	switch {
	case r.IDs != nil && r.Kind == Runs:
		return s.cfg.Store.RunMatchesByID(ctx, tenantID, mine, unique(r.IDs))
	case r.IDs != nil:
		return s.named(ctx, tenantID, mine, r)
	case r.Kind == Runs:
		q := r.Runs
		q.TenantID, q.WorkflowIDs, q.Limit = tenantID, mine, selectPage
		return collect(func(cursor string) (MatchPage, error) {
			q.Cursor = cursor
			return s.cfg.Store.RunMatches(ctx, q)
		})
	case r.Kind == Schedules:
		q := r.Schedules
		q.TenantID, q.WorkflowIDs, q.Limit = tenantID, mine, selectPage
		return collect(func(cursor string) (MatchPage, error) {
			q.Cursor = cursor
			found, err := s.cfg.Schedules.List(ctx, q)
			page := MatchPage{Next: found.Next}
			for _, sc := range found.Schedules {
				page.Matches = append(page.Matches, matchOf(sc))
			}
			return page, err
		})
	}
	q := r.Workflows
	q.TenantID, q.IDs, q.Limit = tenantID, mine, selectPage
	return collect(func(cursor string) (MatchPage, error) {
		q.Cursor = cursor
		found, err := s.cfg.Workflows.List(ctx, q)
		page := MatchPage{Next: found.Next}
		for _, w := range found.Workflows {
			page.Matches = append(page.Matches, Match{w.ID, w.ID, w.Slug, string(w.Status)})
		}
		return page, err
	})
}

// matchOf returns a schedule as a match.
func matchOf(sc schedules.Schedule) Match {
	return Match{ID: sc.ID, WorkflowID: sc.WorkflowID, State: string(sc.Status)}
}

// named reads schedules or workflows by their ids; what is not there, or is of other workflows,
// is left out.
func (s *Service) named(ctx context.Context, tenantID string, mine []string, r Request) ([]Match, error) {
	var list []Match
	for _, id := range unique(r.IDs) {
		var m Match
		var err error
		if r.Kind == Schedules {
			var sc schedules.Schedule
			sc, err = s.cfg.Schedules.Get(ctx, tenantID, id)
			m = matchOf(sc)
		} else {
			w, failed := s.cfg.Workflows.Get(ctx, tenantID, id)
			m, err = Match{w.ID, w.ID, w.Slug, string(w.Status)}, failed
		}
		switch {
		case fault.KindOf(err) == fault.NotFound && err != nil:
			continue
		case err != nil:
			return nil, err
		}
		// By its slug a workflow may be named twice.
		if (mine == nil || slices.Contains(mine, m.WorkflowID)) && !slices.ContainsFunc(list, func(o Match) bool { return o.ID == m.ID }) {
			list = append(list, m)
		}
	}
	return list, nil
}

// collect reads all pages. What moves within its list while it is read is taken once.
func collect(read func(cursor string) (MatchPage, error)) ([]Match, error) {
	var all []Match
	seen := map[string]bool{}
	for cursor := ""; ; {
		page, err := read(cursor)
		if err != nil {
			return nil, err
		}
		for _, m := range page.Matches {
			if !seen[m.ID] {
				seen[m.ID] = true
				all = append(all, m)
			}
		}
		if len(all) > MaxItems {
			return nil, fault.New(fault.Unacceptable, "too_many_matches", "More than %d match; narrow the filter.", MaxItems)
		}
		if cursor = page.Next; cursor == "" {
			return all, nil
		}
	}
}

// unique returns a list without repetitions, in its order.
func unique(ids []string) []string {
	seen, list := map[string]bool{}, []string{}
	for _, id := range ids {
		if !seen[id] {
			seen[id] = true
			list = append(list, id)
		}
	}
	return list
}
