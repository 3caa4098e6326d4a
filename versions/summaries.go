package versions

import (
	"context"
	"strconv"
	"sync"
)

// Bounds of what one page of versions compares, in bytes of definitions, and of the summaries
// that are remembered; when there are as many, all are forgotten.
const (
	summaryBudget = 1 << 20
	maxSummaries  = 20_000
)

// summaries remembers how versions differ from the ones before them, which never changes. It
// is safe for concurrent use.
type summaries struct {
	mu   sync.Mutex // guards made
	made map[Ref]string
}

// get returns a summary that is remembered.
func (s *summaries) get(at Ref) (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	text, ok := s.made[at]
	return text, ok
}

// put remembers a summary.
func (s *summaries) put(at Ref, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.made == nil || len(s.made) >= maxSummaries {
		s.made = make(map[Ref]string)
	}
	s.made[at] = text
}

// summarize returns how the versions of a page, newest first, differ from the ones before
// them, by number. Those that are not remembered are compared until summaryBudget is used up;
// whole is false where some were left out for that. Version 1 has none.
func (s *Service) summarize(ctx context.Context, tenantID, workflowID string, page []Version) (found map[int]string, whole bool, err error) {
	found, whole = make(map[int]string, len(page)), true
	r := definitionReader{s: s, tenantID: tenantID, workflowID: workflowID, left: summaryBudget}
	for _, v := range page {
		at := Ref{WorkflowID: workflowID, Number: v.Number}
		text, known := s.summaries.get(at)
		switch {
		case v.Number == 1:
			continue
		case known:
			found[v.Number] = text
			continue
		case r.left <= 0:
			whole = false
			continue
		}
		diff, ok, err := r.compare(ctx, v.Number)
		if err != nil {
			return nil, false, err
		}
		if whole = whole && ok; ok {
			s.summaries.put(at, diff.Summary)
			found[v.Number] = diff.Summary
		}
	}
	return found, whole, nil
}

// definitionReader compares versions with the ones before them, from the newest on. Of two
// neighbours it reads the one between once.
type definitionReader struct {
	s                    *Service
	tenantID, workflowID string
	left                 int     // bytes of definitions that may still be read
	last                 Version // that was read last
}

// compare returns the difference of a version to the one before; false where both are too
// large for what is left.
func (r *definitionReader) compare(ctx context.Context, number int) (Diff, bool, error) {
	after, err := r.read(ctx, number)
	if err != nil {
		return Diff{}, false, err
	}
	before, err := r.read(ctx, number-1)
	if err != nil || len(before.Definition)+len(after.Definition) > summaryBudget || r.left < 0 {
		return Diff{}, false, err
	}
	diff, err := Compare(before.Definition, after.Definition)
	return diff, err == nil, err
}

// read returns a version with its definition.
func (r *definitionReader) read(ctx context.Context, number int) (Version, error) {
	if r.last.Number == number {
		return r.last, nil
	}
	v, err := r.s.store.Version(ctx, r.tenantID, r.workflowID, strconv.Itoa(number))
	if err == nil {
		r.left -= len(v.Definition)
		r.last = v
	}
	return v, err
}
