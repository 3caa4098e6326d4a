package store

import (
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
// Many runs start, and some end too, in the commit that creates them, at the same
// time. Those are in one index for all orders: see part.
type runRange struct {
	Workflow string // "": of all workflows
	State    string
	Trigger  string
	part     part
}

// part is a kind of runs that has an index of its own for an order.
type part struct {
	condition string // that of the partial index, literally as the migration has it
	index     string // the end of the index's name
	key       string // by what the index is ordered
	// offset is added to the key where runs of several parts are compared.
	offset int64
}

// The conditions of the partial indexes.
const (
	lateSQL     = "r.started_at - r.created_at <> 0"
	punctualSQL = "r.started_at - r.created_at = 0 AND r.completed_at - r.created_at <> 0"
	instantSQL  = "r.started_at - r.created_at = 0 AND r.completed_at - r.created_at = 0"
	notInstant  = "(r.started_at - r.created_at <> 0 OR r.completed_at - r.created_at <> 0)"
	durationSQL = "(r.completed_at - r.started_at)"
)

// noDuration is the offset of runs that ended as they began in an order by duration: they
// come behind all others, the newest first.
const noDuration = -1_000_000_000_000_000

// The parts. Each run is in one of those that an order has: punctual runs started when
// they were created, instant ones have ended then, too; late ones did neither.
var (
	late        = part{lateSQL, "_late", "r.created_at", 0}
	punctual    = part{punctualSQL, "", "r.created_at", 0}
	instant     = part{instantSQL, "_instant", "r.created_at", 0}
	startedLate = part{"r.started_at > 0 AND " + lateSQL, "_start", "r.started_at", 0}
	ended       = part{"r.completed_at > 0 AND " + notInstant, "_end", "r.completed_at", 0}
	lasted      = part{"r.started_at > 0 AND r.completed_at <> 0 AND " + notInstant, "_duration", durationSQL, 0}
	noTime      = part{instantSQL, "_instant", "r.created_at", noDuration}
)

// rangesPerStatement bounds the text of a statement that merges ranges, and
// workflowsPerStatement that of one that finds them.
const (
	rangesPerStatement    = 100
	workflowsPerStatement = 200
)

// table returns the table of runs as a FROM names it. SQLite, which has no statistics,
// is told the part's index: where a page is wanted it takes one without the workflow
// for better.
func (p part) table(tx *gorm.DB, ofWorkflow bool) string {
	index := "runs_by_state"
	if ofWorkflow {
		index = "runs_by_workflow"
	}
	return indexedRuns(tx, index+p.index)
}

// indexedRuns returns the table of runs, on SQLite with the index to be read.
func indexedRuns(tx *gorm.DB, index string) string { return indexed(tx, "runs AS r", index) }

// indexed returns a table as a FROM names it, on SQLite with the index to be read. SQLite,
// which has no statistics, takes all that a tenant has for less than some twenty rows that are
// named by their ids.
func indexed(tx *gorm.DB, table, index string) string {
	if tx.Name() != string(migrations.SQLite) {
		return table
	}
	return table + " INDEXED BY " + index
}

// The indexes that SQLite made for primary keys.
const (
	runsByID          = "sqlite_autoindex_runs_1"
	inputRequestsByID = "sqlite_autoindex_input_requests_1"
)

// keyIn returns a key in the words of the dialect: SQLite has a column of durations, since it
// bounds no pair that begins with an expression.
func keyIn(tx *gorm.DB, key string) string {
	if key == durationSQL && tx.Name() == string(migrations.SQLite) {
		return "r.duration"
	}
	return key
}

// strand returns the range as a part of a merge.
func (r runRange) strand(tx *gorm.DB, tenantID string) strand {
	s := strand{from: r.part.table(tx, r.Workflow != ""), key: keyIn(tx, r.part.key), id: "r.id", offset: r.part.offset, index: r.part.condition}
	s.equal.add("r.tenant_id = ?", tenantID)
	if r.Workflow != "" {
		s.equal.add("r.workflow_id = ?", r.Workflow)
	}
	s.equal.add("r.state = ? AND r.trigger_kind = ?", r.State, r.Trigger)
	return s
}

// findRanges lists the ranges of a tenant that have a run: of the workflows, each
// apart, or for nil of the whole tenant. It is a loose scan: it skips from one pair of
// state and trigger to the next.
func findRanges(tx *gorm.DB, tenantID string, workflowIDs []string, o runOrder) ([]runRange, error) {
	var all []runRange
	for _, p := range o.parts() {
		if workflowIDs == nil {
			ranges, err := scanRanges(tx, p, tenantID, nil)
			if err != nil {
				return nil, err
			}
			all = append(all, ranges...)
			continue
		}
		for some := range slices.Chunk(workflowIDs, workflowsPerStatement) {
			ranges, err := scanRanges(tx, p, tenantID, some)
			if err != nil {
				return nil, err
			}
			all = append(all, ranges...)
		}
	}
	return all, nil
}

// scanRanges finds the ranges of one part: the states first, then the triggers of each.
// Each step is one probe: a comparison of pairs would have SQLite read all runs of the
// pair.
func scanRanges(tx *gorm.DB, p part, tenantID string, workflowIDs []string) ([]runRange, error) {
	var args []any
	table := p.table(tx, workflowIDs != nil)
	// least selects the least value of a column among the runs that more selects.
	least := func(column, workflow, more string) string {
		args = append(args, tenantID)
		if workflow != "" {
			more = " AND r.workflow_id = " + workflow + more
		}
		return "(SELECT r." + column + " FROM " + table + " WHERE r.tenant_id = ?" + more + " AND " + p.condition + " ORDER BY r." + column + " LIMIT 1)"
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
	for i := range ranges {
		ranges[i].part = p
	}
	return ranges, err
}
