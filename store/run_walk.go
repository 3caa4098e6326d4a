package store

import (
	"gorm.io/gorm"
)

// walkLimits bound what a page of a walk costs.
type walkLimits struct {
	// walked is how many runs of a list one page looks at while it searches for those that
	// fit filters without an index.
	walked int
	// few is up to how many runs are sorted, where an index in another order than the
	// list's finds them.
	few int
}

// defaultWalk is what a page costs at most.
var defaultWalk = walkLimits{walked: 1000, few: 500}

// page returns a page of a list that is not a merge of ranges, and where the next one goes
// on; nil: it is the last. Where the query names something rare, its index is walked, or
// all that it has is sorted if it is few; else the ranges of the order are walked.
func (f *runFilter) page(tx *gorm.DB, o runOrder, limit int) ([]position, *position, error) {
	ids, few, err := f.few(tx, o)
	if err != nil {
		return nil, nil, err
	}
	if few {
		places, err := f.narrow(tx, o, ids)
		if places = behind(places, o); len(places) > limit {
			return places[:limit], &places[limit-1], err
		}
		return places, nil, err
	}
	if s, found := f.rare(tx); found && o.by == byCreation {
		return f.walk(tx, runMerge{strands: []strand{s}, order: o}, limit)
	}
	m, err := f.ranges(tx, o)
	if err != nil {
		return nil, nil, err
	}
	return f.walk(tx, m, limit)
}

// few returns all runs that an index in another order than the list's has for the query,
// where these are at most limits.few.
func (f *runFilter) few(tx *gorm.DB, o runOrder) (ids []string, few bool, err error) {
	if f.q.Text != "" {
		if ids, few, err = f.textIDs(tx); few || err != nil {
			return ids, few, err
		}
	}
	var m runMerge
	s, found := f.rare(tx)
	switch {
	case found && o.by == byCreation:
		return nil, false, nil // its own index has the order
	case found:
		m.strands = []strand{s}
	default:
		if m, found, err = f.bounded(tx); !found || err != nil || m.order.by == o.by {
			return nil, false, err
		}
	}
	places, err := m.positions(tx, f.limits.few+1)
	return idsOf(places), len(places) <= f.limits.few, err
}

// walk looks at the runs of a merge, in larger and larger parts, until the page is full, the
// list has ended or limits.walked were looked at.
func (f *runFilter) walk(tx *gorm.DB, m runMerge, limit int) (page []position, next *position, err error) {
	part := max(limit+1, 50)
	for looked := 0; ; part *= 3 {
		part = min(part, f.limits.walked-looked)
		places, err := m.positions(tx, part)
		if err != nil {
			return nil, nil, err
		}
		fitting, err := f.narrow(tx, m.order, idsOf(places))
		if err != nil {
			return nil, nil, err
		}
		if page = append(page, fitting...); len(page) > limit {
			return page[:limit], &page[limit-1], nil
		}
		looked += len(places)
		if len(places) < part {
			return page, nil, nil
		}
		last := places[len(places)-1]
		if m.order.at = &last; looked >= f.limits.walked {
			return page, &last, nil
		}
	}
}
