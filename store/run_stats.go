package store

import (
	"cmp"
	"context"
	"fmt"
	"heddle/events"
	"heddle/executor"
	"heddle/executor/machine"
	"maps"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"
)

// statsKey names a period in which runs are counted. Each run is counted in four: in its
// workflow's and, with workflowID and version empty, in those of all workflows, of both
// lengths. So what is asked of a tenant costs the same however many workflows it has.
type statsKey struct {
	tenantID, workflowID string
	span, period         int64
	version              int
	trigger              string
}

// compare orders keys as countKey.compare does, for the same reason.
func (k statsKey) compare(other statsKey) int {
	return cmp.Or(cmp.Compare(k.tenantID, other.tenantID), cmp.Compare(k.workflowID, other.workflowID), cmp.Compare(k.span, other.span),
		cmp.Compare(k.period, other.period), cmp.Compare(k.version, other.version), cmp.Compare(k.trigger, other.trigger))
}

// statsDelta is what a group adds to a period.
type statsDelta struct {
	started, completed, failed, cancelled int64
	totalMS, longestMS                    int64
	durations                             executor.Histogram
}

// ended counts the end of a run, after ms milliseconds.
func (d *statsDelta) ended(kind events.Kind, ms int64) {
	switch kind {
	case events.RunCompleted:
		d.completed++
	case events.RunFailed:
		d.failed++
	default:
		d.cancelled++
	}
	d.totalMS += ms
	d.longestMS = max(d.longestMS, ms)
	d.durations[executor.DurationRange(ms)]++
}

// statsSpans are the lengths of periods in milliseconds.
var statsSpans = [...]int64{executor.StatsShortPeriod.Milliseconds(), executor.StatsPeriod.Milliseconds()}

// statsChanges returns the statements that count what a group did to runs, at most one for
// each period, and how the last runs of each workflow ended. What ends is taken from the
// journal, so that a run which fails, is resumed and completes is counted twice, whether
// that was one group or two.
func statsChanges(alive []*write) []statement {
	changes := statsChangeSet{deltas: map[statsKey]*statsDelta{}}
	recent := map[string]*endings{}
	for _, w := range alive {
		if w.expected == 0 {
			for _, d := range changes.periods(&w.row, w.row.CreatedAt) {
				d.started++
			}
		}
		for i := range w.events {
			e := &w.events[i]
			if !e.Kind.Terminal() {
				continue
			}
			at := millis(e.At)
			ms := max(0, at-cmp.Or(w.row.StartedAt, w.row.CreatedAt))
			for _, d := range changes.periods(&w.row, at) {
				d.ended(e.Kind, ms)
			}
			if recent[w.row.WorkflowID] == nil {
				recent[w.row.WorkflowID] = &endings{}
			}
			recent[w.row.WorkflowID].add(w.row.ID, e.Kind, at)
		}
	}
	var list []statement
	for _, k := range slices.SortedFunc(maps.Keys(changes.deltas), statsKey.compare) {
		list = append(list, changes.deltas[k].statement(k))
	}
	for _, id := range slices.Sorted(maps.Keys(recent)) {
		r := recent[id]
		list = append(list, statement{recentSQL, []any{id, r.lastRun, r.lastAt, r.letters()}})
	}
	return list
}

// statsChangeSet is what a group adds to periods.
type statsChangeSet struct {
	deltas map[statsKey]*statsDelta
	// last are the periods that were asked for last, and lastKey is the key of the last of
	// them, its period that of a short one: the runs of a group are mostly alike.
	lastKey statsKey
	last    [2 * len(statsSpans)]*statsDelta
}

// periods returns the four periods of a run at a time, in milliseconds.
func (c *statsChangeSet) periods(r *runRow, at int64) *[2 * len(statsSpans)]*statsDelta {
	like := statsKey{r.TenantID, r.WorkflowID, statsSpans[0], at - at%statsSpans[0], r.Version, r.TriggerKind}
	if like == c.lastKey {
		return &c.last
	}
	c.lastKey = like
	for i, span := range statsSpans {
		k := statsKey{tenantID: r.TenantID, span: span, period: at - at%span, trigger: r.TriggerKind}
		for j := range 2 {
			if c.deltas[k] == nil {
				c.deltas[k] = &statsDelta{}
			}
			c.last[2*i+j] = c.deltas[k]
			k.workflowID, k.version = r.WorkflowID, r.Version
		}
	}
	return &c.last
}

// endings is how runs of one workflow ended within a group.
type endings struct {
	lastRun string
	lastAt  int64
	kinds   []byte // the first letters of their states, in the order in which they ended
}

// recentEndings is how many endings of a workflow are kept.
const recentEndings = 20

// add notes an end.
func (r *endings) add(runID string, kind events.Kind, at int64) {
	letter := byte('c')
	if kind == events.RunFailed {
		letter = 'f'
	} else if kind == events.RunCancelled {
		letter = 'x'
	}
	r.lastRun, r.lastAt, r.kinds = runID, at, append(r.kinds, letter)
}

// letters returns the last ones, the newest first.
func (r *endings) letters() string {
	last := slices.Clone(r.kinds[max(0, len(r.kinds)-recentEndings):])
	slices.Reverse(last)
	return string(last)
}

// recentSQL puts endings before those that a workflow has.
var recentSQL = inBothDialects("INSERT INTO workflow_recent (workflow_id, last_run_id, last_ended_at, endings) VALUES (?, ?, ?, ?) ON CONFLICT (workflow_id) DO UPDATE SET" +
	fmt.Sprintf(" last_run_id = excluded.last_run_id, last_ended_at = excluded.last_ended_at, endings = substr(excluded.endings || workflow_recent.endings, 1, %d)", recentEndings))

// The statements that add to a period: of groups in which runs only started, and in which
// they ended. Most runs do both in two groups, and the first needs no durations.
var (
	startedSQL = statsSQL("started")
	endedSQL   = statsSQL(append([]string{"started", "completed", "failed", "cancelled", "total_ms", "longest_ms"}, histogramColumns()...)...)
)

// histogramColumns returns the names of the columns of a Histogram.
func histogramColumns() []string {
	names := make([]string, len(executor.Histogram{}))
	for i := range names {
		names[i] = fmt.Sprint("h", i)
	}
	return names
}

// statsSQL returns the statement that adds to the columns of a period; a new one has
// zeros in the others.
func statsSQL(columns ...string) sqlText {
	names, values := strings.Join(columns, ", "), strings.Repeat(", ?", len(columns))
	for _, name := range []string{"completed", "failed", "cancelled", "total_ms", "longest_ms"} {
		if !slices.Contains(columns, name) {
			names, values = names+", "+name, values+", 0"
		}
	}
	text := func(shard, greatest string) string {
		set := make([]string, len(columns))
		for i, name := range columns {
			set[i] = fmt.Sprintf("%s = run_stats.%s + excluded.%s", name, name, name)
			if name == "longest_ms" {
				set[i] = "longest_ms = " + greatest + "(run_stats.longest_ms, excluded.longest_ms)"
			}
		}
		return "INSERT INTO run_stats (tenant_id, workflow_id, span, period, version, trigger_kind, shard, " + names +
			") VALUES (?, ?, ?, ?, ?, ?, " + shard + values + ")" +
			" ON CONFLICT (tenant_id, workflow_id, span, period, version, trigger_kind, shard) DO UPDATE SET " + strings.Join(set, ", ")
	}
	return sqlText{sqlite: text("0", "max"), postgres: numbered(text("pg_backend_pid() % 16", "greatest"))}
}

// statement returns the statement that adds d to a period.
func (d *statsDelta) statement(k statsKey) statement {
	args := []any{k.tenantID, k.workflowID, k.span, k.period, int64(k.version), k.trigger, d.started}
	if d.completed+d.failed+d.cancelled == 0 {
		return statement{startedSQL, args}
	}
	args = append(args, d.completed, d.failed, d.cancelled, d.totalMS, d.longestMS)
	for _, n := range d.durations {
		args = append(args, n)
	}
	return statement{endedSQL, args}
}

// RunStats reads what was counted, at most limit rows.
func (db *DB) RunStats(ctx context.Context, q executor.StatsQuery, limit int) ([]executor.StatsRow, error) {
	span := executor.StatsPeriod
	if q.Bucket < span {
		span = executor.StatsShortPeriod
	}
	c := &conditions{}
	c.add("tenant_id = ?", q.TenantID)
	switch {
	case q.WorkflowIDs != nil:
		c.add("workflow_id IN ?", q.WorkflowIDs)
	case q.By == executor.StatsByWorkflow:
		c.add("workflow_id <> ''")
	default:
		c.add("workflow_id = ''")
	}
	c.add("span = ? AND period >= ? AND period < ?", span.Milliseconds(), millis(q.From), millis(q.To))
	if q.Version != 0 {
		c.add("version = ?", q.Version)
	}
	if q.Trigger != "" {
		c.add("trigger_kind = ?", q.Trigger)
	}
	by := map[executor.StatsBy]string{executor.StatsByVersion: "version", executor.StatsByWorkflow: "workflow_id"}[q.By]
	told, group := "", " GROUP BY 1"
	if by != "" {
		told, group = ", "+by, " GROUP BY 1, "+by
	}
	columns := []string{"started", "completed", "failed", "cancelled", "total_ms"}
	var sums strings.Builder
	for _, name := range append(columns, histogramColumns()...) {
		fmt.Fprintf(&sums, ", CAST(sum(%s) AS BIGINT)", name)
	}
	rows, err := db.reader(ctx).Raw("SELECT period - period % ?"+told+", max(longest_ms)"+sums.String()+" FROM run_stats WHERE "+c.sql()+group+" ORDER BY 1"+told+" LIMIT ?",
		append(append([]any{q.Bucket.Milliseconds()}, c.args...), limit)...).Rows()
	if err != nil {
		return nil, translate(err)
	}
	defer rows.Close() //nolint:errcheck // its error is that of Err
	found := []executor.StatsRow{}
	for rows.Next() {
		var r executor.StatsRow
		var at int64
		into := []any{&at}
		switch q.By {
		case executor.StatsByVersion:
			into = append(into, &r.Version)
		case executor.StatsByWorkflow:
			into = append(into, &r.WorkflowID)
		case executor.StatsByNothing:
		}
		into = append(into, &r.LongestMS, &r.Started, &r.Completed, &r.Failed, &r.Cancelled, &r.TotalMS)
		for i := range r.Durations {
			into = append(into, &r.Durations[i])
		}
		if err := rows.Scan(into...); err != nil {
			return nil, translate(err)
		}
		r.At = fromMillis(at)
		found = append(found, r)
	}
	return found, translate(rows.Err())
}

// OpenCounts reads the kept counters of runs.
func (db *DB) OpenCounts(ctx context.Context, tenantID string, workflowIDs []string) (map[machine.State]int, error) {
	c := &conditions{}
	c.add("tenant_id = ?", tenantID)
	if workflowIDs != nil {
		c.add("workflow_id IN ?", workflowIDs)
	}
	c.add("state NOT IN ?", []machine.State{machine.Completed, machine.Failed, machine.Cancelled})
	var rows []struct {
		State string
		N     int
	}
	err := db.reader(ctx).Raw("SELECT state, CAST(sum(n) AS BIGINT) AS n FROM run_counts WHERE "+c.sql()+" GROUP BY state HAVING sum(n) <> 0", c.args...).Scan(&rows).Error
	open := make(map[machine.State]int, len(rows))
	for _, r := range rows {
		open[machine.State(r.State)] = r.N
	}
	return open, translate(err)
}

// OldestQueued probes the ranges of queued runs.
func (db *DB) OldestQueued(ctx context.Context, tenantID string, workflowIDs []string) (time.Time, error) {
	oldest, err := viewResult(ctx, db, func(tx *gorm.DB) (int64, error) {
		o := runOrder{ascending: true}
		ranges, err := findRanges(tx, tenantID, workflowIDs, o)
		if err != nil {
			return 0, err
		}
		ranges = slices.DeleteFunc(ranges, func(r runRange) bool { return r.State != string(machine.Queued) })
		m := mergeOf(tx, tenantID, ranges, o)
		m.condition = "r.started_at = 0"
		first, err := m.positions(tx, 1)
		if err != nil || len(first) == 0 {
			return 0, err
		}
		return first[0].Key, nil
	})
	return fromMillis(oldest), err
}

// PurgeStats deletes short periods, a tenant at a time.
func (db *DB) PurgeStats(ctx context.Context, before time.Time) error {
	for tenantID := ""; ; {
		var next *string
		err := db.reader(ctx).Raw("SELECT min(tenant_id) FROM run_stats WHERE tenant_id > ?", tenantID).Scan(&next).Error
		if err != nil || next == nil {
			return translate(err)
		}
		tenantID = *next
		err = db.update(ctx, func(tx *gorm.DB) error {
			return tx.Exec("DELETE FROM run_stats WHERE tenant_id = ? AND span = ? AND period < ?", tenantID, executor.StatsShortPeriod.Milliseconds(), millis(before)).Error
		})
		if err != nil {
			return err
		}
	}
}

// WrongStats counts the hours of a workflow, and of all workflows of a tenant, whose counts
// are not what the rows and journals of runs say. Runs that were deleted are missing in
// those, so that it is for databases of which no run was. It reads all runs and ends.
func (db *DB) WrongStats(ctx context.Context) (int, error) {
	var happened []string
	for _, workflow := range []string{"r.workflow_id", "''"} {
		happened = append(happened,
			"SELECT r.tenant_id, "+workflow+" AS workflow_id, r.created_at - r.created_at % 3600000 AS period, 1 AS started, 0 AS completed, 0 AS failed, 0 AS cancelled FROM runs AS r",
			"SELECT r.tenant_id, "+workflow+", e.at - e.at % 3600000, 0, CASE WHEN e.kind = 'run_completed' THEN 1 ELSE 0 END, CASE WHEN e.kind = 'run_failed' THEN 1 ELSE 0 END,"+
				" CASE WHEN e.kind = 'run_cancelled' THEN 1 ELSE 0 END FROM run_events AS e JOIN runs AS r ON r.id = e.run_id WHERE e.kind IN ('run_completed', 'run_failed', 'run_cancelled')")
	}
	ended := strings.Join(histogramColumns(), " + ")
	happened = append(happened,
		"SELECT tenant_id, workflow_id, period, -started, -completed, -failed, -cancelled FROM run_stats WHERE span = 3600000",
		// Where the ranges of durations are not as many as the ends, started is made wrong.
		"SELECT tenant_id, workflow_id, period, 1, 0, 0, 0 FROM run_stats WHERE "+ended+" <> completed + failed + cancelled")
	var wrong int
	err := db.reader(ctx).Raw("SELECT count(*) FROM (SELECT tenant_id, workflow_id, period FROM (" + strings.Join(happened, " UNION ALL ") + ") AS d" +
		" GROUP BY tenant_id, workflow_id, period HAVING sum(started) <> 0 OR sum(completed) <> 0 OR sum(failed) <> 0 OR sum(cancelled) <> 0) AS w").Scan(&wrong).Error
	return wrong, translate(err)
}
