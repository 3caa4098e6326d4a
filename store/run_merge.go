package store

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"gorm.io/gorm"
)

// conditions collects what a WHERE joins with AND, and its arguments.
type conditions struct {
	texts []string
	args  []any
}

// add appends a condition, whose question marks args are for.
func (c *conditions) add(text string, args ...any) {
	c.texts = append(c.texts, text)
	c.args = append(c.args, args...)
}

// sql returns the conditions without WHERE, in the order in which they were
// added.
func (c *conditions) sql() string { return strings.Join(c.texts, " AND ") }

// orderKey is a time, or a duration, by which runs are ordered.
type orderKey int

// The orders of runs. By start, end and duration those are left out that have none.
const (
	byCreation orderKey = iota
	byStart
	byEnd
	byDuration
)

// runOrder says by what the runs of a list are ordered, the newest or longest first, and
// which part of the list is wanted.
type runOrder struct {
	by orderKey
	// ascending: the oldest first.
	ascending bool
	// from (included) and before (excluded) bound the key, in milliseconds; 0: no bound.
	from, before int64
	// at is the position behind which the page begins; nil: at the first.
	at *position
}

// parts returns the parts of which the order is merged.
func (o runOrder) parts() []part {
	switch o.by {
	case byStart:
		return []part{startedLate, punctual, instant}
	case byEnd:
		return []part{ended, instant}
	case byDuration:
		if o.from > 0 {
			return []part{lasted}
		}
		return []part{lasted, noTime}
	default:
		return []part{late, punctual, instant}
	}
}

// place returns the expression of a run's place in the order, whatever part it is in.
func (o runOrder) place() string {
	switch o.by {
	case byStart:
		return "r.started_at"
	case byEnd:
		return "r.completed_at"
	case byDuration:
		return "CASE WHEN " + instantSQL + " THEN r.created_at + " + strconv.FormatInt(noDuration, 10) + " ELSE " + durationSQL + " END"
	default:
		return "r.created_at"
	}
}

// compare orders positions as the list does.
func (o runOrder) compare(a, b position) int {
	c := cmp.Or(cmp.Compare(b.Key, a.Key), cmp.Compare(b.ID, a.ID))
	if o.ascending {
		return -c
	}
	return c
}

// strand is a range of an index with entries of runs.
type strand struct {
	from    string     // as a FROM names it
	key, id string     // the columns by which it is ordered
	offset  int64      // added to the key for the place in the list
	equal   conditions // what leads the index
	index   string     // the condition of a partial index; "": none
}

// where returns the conditions of a strand, each of which is a bound of its index.
func (s strand) where(o runOrder) *conditions {
	c := &conditions{texts: slices.Clone(s.equal.texts), args: slices.Clone(s.equal.args)}
	// The key of runs without a duration is another than the bounds are of.
	bounded := s.offset == 0
	if bounded && o.from != 0 && (!o.ascending || o.at == nil) {
		// Before the condition of the index and as a pair: of two lower bounds SQLite
		// takes the first, and a plan tells a pair from started_at > 0.
		c.add("("+s.key+", "+s.id+") >= (?, '')", o.from)
	}
	// A position is within the bounds, so that one bound on its side is enough.
	if o.at != nil {
		beyond := " < (?, ?)"
		if o.ascending {
			beyond = " > (?, ?)"
		}
		c.add("("+s.key+", "+s.id+")"+beyond, o.at.Key-s.offset, o.at.ID)
	}
	if s.index != "" {
		c.add(s.index)
	}
	if bounded && o.before != 0 && (o.ascending || o.at == nil) {
		c.add(s.key+" < ?", o.before)
	}
	return c
}

// runMerge is a list of runs as a merge of strands.
type runMerge struct {
	strands []strand
	order   runOrder
	// join and condition narrow the strands further; "": they do not.
	join, condition string
}

// mergeOf returns the merge of ranges.
func mergeOf(tx *gorm.DB, tenantID string, ranges []runRange, o runOrder) runMerge {
	m := runMerge{order: o}
	for _, r := range ranges {
		m.strands = append(m.strands, r.strand(tx, tenantID))
	}
	return m
}

// positions returns the places of the first runs of the list, at most limit.
func (m runMerge) positions(tx *gorm.DB, limit int) ([]position, error) {
	var all []position
	for some := range slices.Chunk(m.strands, rangesPerStatement) {
		text, args := m.statement(some, limit)
		var found []struct {
			Place int64
			ID    string
		}
		if err := tx.Raw(text, args...).Scan(&found).Error; err != nil {
			return nil, err
		}
		for _, f := range found {
			all = append(all, position{f.Place, f.ID})
		}
	}
	if len(m.strands) > rangesPerStatement {
		slices.SortFunc(all, m.order.compare)
	}
	return all[:min(len(all), limit)], nil
}

// statement returns the statement that merges strands: one ordered and limited branch for
// each, merged and limited again.
func (m runMerge) statement(strands []strand, limit int) (string, []any) {
	direction := " DESC"
	if m.order.ascending {
		direction = ""
	}
	var branches []string
	var args []any
	for _, s := range strands {
		c, place := s.where(m.order), s.key
		if s.offset != 0 {
			place += " + " + strconv.FormatInt(s.offset, 10)
		}
		if m.condition != "" {
			c.add(m.condition)
		}
		branches = append(branches, "SELECT * FROM (SELECT "+place+" AS place, "+s.id+" AS id FROM "+s.from+m.join+
			" WHERE "+c.sql()+" ORDER BY "+s.key+direction+", "+s.id+direction+" LIMIT ?) AS b")
		args = append(append(args, c.args...), limit)
	}
	return "SELECT place, id FROM (" + strings.Join(branches, " UNION ALL ") + ") AS m ORDER BY place" + direction + ", id" + direction + " LIMIT ?", append(args, limit)
}

// sums adds up expressions over all runs of the list, one result for each. It
// costs as much as the list is long.
func (m runMerge) sums(tx *gorm.DB, expressions ...string) ([]int64, error) {
	totals := make([]int64, len(expressions))
	for _, s := range m.strands {
		c := s.where(m.order)
		one := make([]int64, len(expressions))
		dest := make([]any, len(expressions))
		for i := range one {
			dest[i] = &one[i]
		}
		if err := tx.Raw("SELECT "+strings.Join(expressions, ", ")+" FROM "+s.from+" WHERE "+c.sql(), c.args...).Row().Scan(dest...); err != nil {
			return nil, err
		}
		for i, n := range one {
			totals[i] += n
		}
	}
	return totals, nil
}
