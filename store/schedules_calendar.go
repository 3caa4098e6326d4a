package store

import (
	"context"
	"heddle/schedules"
	"strings"
)

// ledgerQuarter is the length in milliseconds of the stretches in which lines are counted: the
// clocks of all zones differ by whole quarters of an hour, and change at such.
const ledgerQuarter = 15 * 60 * 1000

// spanSQL counts the latest lines of one schedule. Lines of several due times are told apart, as
// they may reach over days.
const spanSQL = `SELECT schedule_id, CASE WHEN count > 1 THEN due_at ELSE due_at - due_at % ? END AS at, CASE WHEN count > 1 THEN until ELSE 0 END AS until, outcome,
CAST(sum(count) AS BIGINT) AS due, count(*) AS lines, min(due_at) AS first
FROM (SELECT schedule_id, due_at, until, outcome, count FROM schedule_slots WHERE schedule_id = ? AND due_at >= ? AND due_at < ? ORDER BY due_at DESC, origin DESC LIMIT ?) AS l GROUP BY 1, 2, 3, 4`

// reachingSQL finds the line of several due times that begins before a time, among the last ten.
const reachingSQL = `SELECT schedule_id, due_at AS at, until, outcome, count AS due, 0 AS lines, due_at AS first
FROM (SELECT schedule_id, due_at, until, outcome, count FROM schedule_slots WHERE schedule_id = ? AND due_at < ? ORDER BY due_at DESC, origin DESC LIMIT 10) AS l WHERE until >= ?`

// LedgerCounts counts due times by one statement, of at most linesEach lines for each span, the
// latest. There may be a hundred spans.
func (db *DB) LedgerCounts(ctx context.Context, spans []schedules.LedgerSpan, linesEach int) (map[string]schedules.LedgerCounts, error) {
	if len(spans) == 0 {
		return map[string]schedules.LedgerCounts{}, nil
	}
	texts, args := make([]string, 0, 2*len(spans)), make([]any, 0, 8*len(spans))
	for _, s := range spans {
		texts = append(texts, spanSQL, reachingSQL)
		args = append(args, ledgerQuarter, s.ScheduleID, millis(s.From), millis(s.To), linesEach+1, s.ScheduleID, millis(s.From), millis(s.From))
	}
	var rows []struct {
		ScheduleID, Outcome string
		At, Until, First    int64
		Due, Lines          int
	}
	if err := db.reader(ctx).Raw(strings.Join(texts, "\nUNION ALL "), args...).Scan(&rows).Error; err != nil {
		return nil, translate(err)
	}
	found, lines, first := make(map[string]schedules.LedgerCounts, len(spans)), make(map[string]int, len(spans)), make(map[string]int64, len(spans))
	for _, r := range rows {
		c := found[r.ScheduleID]
		n := schedules.LedgerCount{At: fromMillis(r.At), Outcome: schedules.Outcome(r.Outcome), Count: r.Due}
		if r.Until > 0 {
			n.Until = fromMillis(r.Until)
		}
		c.Counts = append(c.Counts, n)
		if lines[r.ScheduleID] += r.Lines; r.Lines > 0 && (first[r.ScheduleID] == 0 || r.First < first[r.ScheduleID]) {
			first[r.ScheduleID] = r.First
		}
		c.First, c.Cut = fromMillis(first[r.ScheduleID]), lines[r.ScheduleID] > linesEach
		found[r.ScheduleID] = c
	}
	return found, nil
}
