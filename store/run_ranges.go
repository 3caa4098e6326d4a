package store

import (
	"cmp"
	"heddle/migrations"
	"slices"
	"strings"

	"gorm.io/gorm"
)

// runRange is a range of an index of runs: a tenant's runs, or a workflow's, in one
// state and of one trigger, in order. A list of runs is a merge of ranges, so that
// a page costs the same whatever its filters select, and nothing where they select
// nothing. The ranges of a list are found first (findRanges): there are few that
// have a run, and each is found by two probes.
//
// Most runs start in the commit that creates them, at the same time. These are
// punctual, and in one index alone for both orders, by creation and by start. The
// others are in one by creation and, once they have started, in one by start. So a
// run that does not wait costs no entry for lists by start.
type runRange struct {
	Workflow string // "": of all workflows
	State    string
	Trigger  string
	// Punctual is 1 for runs that started when they were created, 0 for the others.
	Punctual int
}

// The conditions of the partial indexes, literally as the migration has them.
const (
	punctualSQL    = "r.started_at - r.created_at = 0"
	notPunctualSQL = "r.started_at - r.created_at <> 0"
	startedLateSQL = "r.started_at > 0 AND r.started_at - r.created_at <> 0"
)

// rangesPerStatement bounds the text of a statement that merges ranges, and
// workflowsPerStatement that of one that finds them.
const (
	rangesPerStatement    = 100
	workflowsPerStatement = 200
)

// runOrder says by which time the runs of a list are ordered, the newest first,
// and which part of the list is wanted.
type runOrder struct {
	// byStart orders by the start and leaves out runs that have not started.
	byStart bool
	// after and before bound that time, both excluded; 0: no bound.
	after, before int64
	// at is the position behind which the page begins; nil: at the first.
	at *position
}

// key returns the column by which the runs of a range are ordered.
func (o runOrder) key(r runRange) string {
	if o.byStart && r.Punctual == 0 {
		return "r.started_at"
	}
	return "r.created_at"
}

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

// where returns the conditions of a range, each of which is a bound of its index.
func (r runRange) where(tenantID string, o runOrder) *conditions {
	c := &conditions{}
	c.add("r.tenant_id = ?", tenantID)
	if r.Workflow != "" {
		c.add("r.workflow_id = ?", r.Workflow)
	}
	c.add("r.state = ? AND r.trigger_kind = ?", r.State, r.Trigger)
	key := o.key(r)
	if o.after != 0 {
		// Before the condition of the index and as a pair: of two lower bounds SQLite
		// takes the first, and a plan tells a pair from started_at > 0.
		c.add("("+key+", r.id) >= (?, '')", o.after+1)
	}
	switch {
	case r.Punctual == 1:
		c.add(punctualSQL)
	case o.byStart:
		c.add(startedLateSQL)
	default:
		c.add(notPunctualSQL)
	}
	switch {
	// A position is within the bounds, so that one upper bound is enough.
	case o.at != nil:
		c.add("("+key+", r.id) < (?, ?)", o.at.Key, o.at.ID)
	case o.before != 0:
		c.add(key+" < ?", o.before)
	}
	return c
}

// table returns the table of runs as a FROM names it. SQLite, which has no statistics,
// is told the range's index: where a page is wanted it takes one without the workflow
// for better.
func (r runRange) table(tx *gorm.DB, o runOrder) string {
	if tx.Name() != string(migrations.SQLite) {
		return "runs AS r"
	}
	index := "runs_by_state"
	if r.Workflow != "" {
		index = "runs_by_workflow"
	}
	switch {
	case r.Punctual == 1:
	case o.byStart:
		index += "_start"
	default:
		index += "_late"
	}
	return "runs AS r INDEXED BY " + index
}

// findRanges lists the ranges of a tenant that have a run: of the workflows, each
// apart, or for nil of the whole tenant. It is a loose scan: it skips from one pair of
// state and trigger to the next.
func findRanges(tx *gorm.DB, tenantID string, workflowIDs []string) ([]runRange, error) {
	var all []runRange
	for punctual, half := range []string{notPunctualSQL, punctualSQL} {
		if workflowIDs == nil {
			ranges, err := scanRanges(tx, half, tenantID, nil)
			if err != nil {
				return nil, err
			}
			all = appendRanges(all, ranges, punctual)
			continue
		}
		for some := range slices.Chunk(workflowIDs, workflowsPerStatement) {
			ranges, err := scanRanges(tx, half, tenantID, some)
			if err != nil {
				return nil, err
			}
			all = appendRanges(all, ranges, punctual)
		}
	}
	return all, nil
}

// appendRanges appends ranges of one half.
func appendRanges(all, ranges []runRange, punctual int) []runRange {
	for _, r := range ranges {
		r.Punctual = punctual
		all = append(all, r)
	}
	return all
}

// scanRanges finds the ranges of one half, which its condition names: the states
// first, then the triggers of each. Each step is one probe: a comparison of pairs
// would have SQLite read all runs of the pair.
func scanRanges(tx *gorm.DB, half, tenantID string, workflowIDs []string) ([]runRange, error) {
	var args []any
	// least selects the least value of a column among the runs that more selects.
	least := func(column, workflow, more string) string {
		args = append(args, tenantID)
		if workflow != "" {
			more = " AND r.workflow_id = " + workflow + more
		}
		return "(SELECT r." + column + " FROM runs AS r WHERE r.tenant_id = ?" + more + " AND " + half + " ORDER BY r." + column + " LIMIT 1)"
	}
	name, from := "''", ""
	var seed, ofStates, ofPairs string // the columns by which each step knows its workflow
	if workflowIDs != nil {
		name, from = "w.column1", " FROM (VALUES (?)"+strings.Repeat(", (?)", len(workflowIDs)-1)+") AS w"
		seed, ofStates, ofPairs = "w.column1", "s.workflow", "g.workflow"
	}
	text := "WITH RECURSIVE s(workflow, state) AS (SELECT " + name + ", " + least("state", seed, "") + from
	for _, id := range workflowIDs {
		args = append(args, id)
	}
	text += " UNION ALL SELECT s.workflow, " + least("state", ofStates, " AND r.state > s.state") + " FROM s WHERE s.state IS NOT NULL)," +
		" g(workflow, state, kind) AS (SELECT s.workflow, s.state, " + least("trigger_kind", ofStates, " AND r.state = s.state") + " FROM s WHERE s.state IS NOT NULL" +
		" UNION ALL SELECT g.workflow, g.state, " + least("trigger_kind", ofPairs, " AND r.state = g.state AND r.trigger_kind > g.kind") + " FROM g WHERE g.kind IS NOT NULL)" +
		` SELECT workflow, state, kind AS "trigger" FROM g WHERE kind IS NOT NULL`
	var ranges []runRange
	err := tx.Raw(text, args...).Scan(&ranges).Error
	return ranges, err
}

// rangeList is a list of runs as a merge of ranges.
type rangeList struct {
	tenantID string
	ranges   []runRange
	order    runOrder
	// join and condition narrow the ranges further; "": they do not.
	join, condition string
}

// positions returns the places of the first runs of the list, at most limit.
func (l rangeList) positions(tx *gorm.DB, limit int) ([]position, error) {
	var all []position
	for some := range slices.Chunk(l.ranges, rangesPerStatement) {
		text, args := l.merge(tx, some, limit)
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
	if len(l.ranges) > rangesPerStatement {
		slices.SortFunc(all, func(a, b position) int { return cmp.Or(cmp.Compare(b.Key, a.Key), cmp.Compare(b.ID, a.ID)) })
	}
	return all[:min(len(all), limit)], nil
}

// merge returns the statement that merges ranges: one ordered and limited branch for
// each, merged and limited again.
func (l rangeList) merge(tx *gorm.DB, ranges []runRange, limit int) (string, []any) {
	var branches []string
	var args []any
	for _, r := range ranges {
		c, key := r.where(l.tenantID, l.order), l.order.key(r)
		if l.condition != "" {
			c.add(l.condition)
		}
		branches = append(branches, "SELECT * FROM (SELECT "+key+" AS place, r.id AS id FROM "+r.table(tx, l.order)+l.join+" WHERE "+c.sql()+" ORDER BY "+key+" DESC, r.id DESC LIMIT ?) AS b")
		args = append(append(args, c.args...), limit)
	}
	return "SELECT place, id FROM (" + strings.Join(branches, " UNION ALL ") + ") AS m ORDER BY place DESC, id DESC LIMIT ?", append(args, limit)
}

// sums adds up expressions over all runs of the list, one result for each. It
// costs as much as the list is long.
func (l rangeList) sums(tx *gorm.DB, expressions ...string) ([]int64, error) {
	totals := make([]int64, len(expressions))
	for _, r := range l.ranges {
		c := r.where(l.tenantID, l.order)
		one := make([]int64, len(expressions))
		dest := make([]any, len(expressions))
		for i := range one {
			dest[i] = &one[i]
		}
		if err := tx.Raw("SELECT "+strings.Join(expressions, ", ")+" FROM "+r.table(tx, l.order)+" WHERE "+c.sql(), c.args...).Row().Scan(dest...); err != nil {
			return nil, err
		}
		for i, n := range one {
			totals[i] += n
		}
	}
	return totals, nil
}
