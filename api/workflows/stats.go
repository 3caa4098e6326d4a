package workflows

import (
	"heddle/access"
	"heddle/api/core"
	"heddle/definitions"
	"heddle/executor"
	"heddle/executor/machine"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// runStats is what happened to runs in a span of time, and what is open now.
type runStats struct {
	// From is included, To is not; both are whole multiples of the bucket.
	From    core.Timestamp `json:"from"`
	To      core.Timestamp `json:"to"`
	Bucket  string         `json:"bucket" enum:"5m,1h,1d"`
	Open    openByStatus   `json:"open"`
	Buckets []statsBucket  `json:"buckets" doc:"Oldest first; with by only those in which something happened."`
	Slots   *slotUse       `json:"slots" doc:"Of all tenants at this server; null where another one drives the runs."`
}

// openByStatus counts the runs that have not ended, by this dialect's words.
type openByStatus struct {
	Queued  int `json:"queued"`
	Running int `json:"running"`
	Waiting int `json:"waiting"`
	Paused  int `json:"paused"`
}

// openOf sums counts by state to those by status.
func openOf(states map[machine.State]int) (open openByStatus) {
	for state, n := range states {
		switch core.WordsOf(state).Workflows {
		case core.WordsOf(machine.Queued).Workflows:
			open.Queued += n
		case core.WordsOf(machine.WaitingSignal).Workflows:
			open.Waiting += n
		case core.WordsOf(machine.Paused).Workflows:
			open.Paused += n
		default:
			open.Running += n
		}
	}
	return open
}

// statsBucket counts the runs that were created, and that ended, within one bucket.
type statsBucket struct {
	At core.Timestamp `json:"at" doc:"When the bucket begins, UTC."`
	By string         `json:"by,omitempty" doc:"The version's number or the workflow's id, where they are told apart."`
	// Started counts by creation, the others by end; deleted runs stay counted, and one that is
	// resumed after its end is counted at each end.
	Started   int64 `json:"started"`
	Completed int64 `json:"completed"`
	Failed    int64 `json:"failed"`
	Cancelled int64 `json:"cancelled"`
	// P50, P95 and Max are of the durations of those that ended; null where none did.
	P50 *float64 `json:"p50" doc:"Seconds from start to end that half of those which ended did not exceed, to within a factor of 1.8."`
	P95 *float64 `json:"p95"`
	Max *float64 `json:"max" doc:"The longest, in seconds, exactly."`
}

// slotUse says how many runs have a step in flight.
type slotUse struct {
	Used                int  `json:"used"`
	Of                  int  `json:"of" doc:"WORKFLOW_MAX_CONCURRENT_RUNS."`
	QueuedOldestSeconds *int `json:"queued_oldest_seconds" doc:"For how long the run of this tenant has waited that waits longest; null: none is queued."`
}

// statsLengths are the lengths of buckets by name.
var statsLengths = map[string]time.Duration{"5m": executor.StatsShortPeriod, "1h": time.Hour, "1d": 24 * time.Hour}

// statsBuckets is how many buckets an answer has without from.
const statsBuckets = 24

// statsRoutes returns the route of what happened to runs.
func (h *handlers) statsRoutes() []core.Route {
	return []core.Route{
		core.Route{
			Method: http.MethodGet, Path: core.WorkflowsBase + "/runs/stats", ID: "getRunStats", Tag: "runs",
			Summary: "Count runs by time: started, completed, failed, cancelled, how long they took, and what is open", Action: access.View, On: core.FilteredByAccess,
			Query: []core.Param{
				{Name: "workflow", Description: "Only runs of these workflows, by id or slug, at most 20 with commas between them."},
				{Name: "version", JSONType: "integer", Description: "Only runs of this version; needs one workflow."},
				{Name: "trigger", Enum: definitions.Triggers(), Description: "Only runs that were started so."},
				{Name: "from", Description: "An RFC 3339 time, rounded down to a whole bucket; 24 buckets before to unless given."},
				{Name: "to", Description: "An RFC 3339 time, rounded up to a whole bucket; now unless given."},
				{Name: "bucket", Enum: []string{"5m", "1h", "1d"}, Description: "1h unless given. Buckets of 5m are kept for 48 hours, those of 1d begin at midnight UTC."},
				{Name: "by", Enum: []string{"status", "version", "workflow"}, Description: "What a bucket is split by; each has all statuses (status) unless given."},
			},
			Answers: core.OK(runStats{}), Codes: []string{"workflow_not_found"},
		}.Handle(core.NoBody(h.getRunStats)),
	}
}

// getRunStats counts the runs of those workflows that the caller may view. Errors are
// fault.Malformed invalid_request and fault.NotFound workflow_not_found.
func (h *handlers) getRunStats(c *core.Call) error {
	values, err := c.Query()
	if err != nil {
		return err
	}
	q, err := h.statsQuery(values)
	if err != nil {
		return err
	}
	q.TenantID, q.WorkflowIDs = c.TenantID(), access.ViewableWorkflows(c.Principal)
	named, err := core.NamedWorkflows(c, h.Definitions, values)
	if err != nil {
		return err
	}
	// Naming workflows narrows what the caller may view, and never widens it.
	if viewable := q.WorkflowIDs; named != nil {
		q.WorkflowIDs = slices.DeleteFunc(slices.Clone(named), func(id string) bool { return viewable != nil && !slices.Contains(viewable, id) })
	}
	if (q.Version != 0 || q.By == executor.StatsByVersion) && len(named) != 1 {
		return core.Malformed("Versions are numbered in each workflow: name one workflow beside version.")
	}
	found, err := h.Executor.Stats(c.Ctx(), q)
	if err != nil {
		return err
	}
	if len(found.Rows) > executor.StatsMaxRows {
		return core.Malformed("That is more than %d rows: name workflows, or choose a larger bucket or a shorter span.", executor.StatsMaxRows)
	}
	return c.Reply(http.StatusOK, h.statsAnswer(q, found))
}

// statsQuery reads what is counted, but for whose runs.
func (h *handlers) statsQuery(values url.Values) (executor.StatsQuery, error) {
	q := executor.StatsQuery{Bucket: time.Hour}
	if name := values.Get("bucket"); name != "" {
		if q.Bucket = statsLengths[name]; q.Bucket == 0 {
			return q, core.Malformed("bucket must be 5m, 1h or 1d, not %q.", core.Truncate(name))
		}
	}
	switch by := values.Get("by"); by {
	case "", "status":
	case "version", "workflow":
		q.By = executor.StatsBy(by)
	default:
		return q, core.Malformed("by must be status, version or workflow, not %q.", core.Truncate(by))
	}
	if q.Trigger = values.Get("trigger"); q.Trigger != "" && !slices.Contains(definitions.Triggers(), q.Trigger) {
		return q, core.Malformed("trigger must be one of %s, not %q.", strings.Join(definitions.Triggers(), ", "), core.Truncate(q.Trigger))
	}
	var err error
	if q.Version, err = core.IntParam(values, "version", 0, 1, 1_000_000_000); err != nil {
		return q, err
	}
	return q, h.statsSpan(values, &q)
}

// statsSpan reads from which time to which.
func (h *handlers) statsSpan(values url.Values, q *executor.StatsQuery) error {
	from, err := core.TimeParam(values, "from")
	if err != nil {
		return err
	}
	to, err := core.TimeParam(values, "to")
	if err != nil {
		return err
	}
	now := h.Now().UTC()
	if to.IsZero() {
		to = now.Add(time.Millisecond) // the present bucket is included
	}
	q.To = to.Add(q.Bucket - time.Nanosecond).Truncate(q.Bucket)
	q.From = q.To.Add(-statsBuckets * q.Bucket)
	if !from.IsZero() {
		q.From = from.Truncate(q.Bucket)
	}
	switch n := q.To.Sub(q.From) / q.Bucket; {
	case !q.From.Before(q.To):
		return core.Malformed("from must be before to.")
	case n > executor.StatsMaxBuckets:
		return core.Malformed("From from to to there are %d buckets, at most %d are counted at a time: choose a larger bucket or a shorter span.", n, executor.StatsMaxBuckets)
	case q.Bucket < executor.StatsPeriod && q.From.Before(now.Add(-executor.StatsShortKept-q.Bucket)):
		return core.Malformed("Buckets of 5m are kept for 48 hours; choose 1h for what is older.")
	}
	return nil
}

// statsAnswer returns the answer to a query.
func (h *handlers) statsAnswer(q executor.StatsQuery, found executor.Stats) runStats {
	a := runStats{From: core.Timestamp(q.From), To: core.Timestamp(q.To), Buckets: []statsBucket{}}
	for name, length := range statsLengths {
		if length == q.Bucket {
			a.Bucket = name
		}
	}
	a.Open = openOf(found.Open)
	next := q.From // the first bucket that is not in the answer yet
	fill := func(until time.Time) {
		for q.By == executor.StatsByNothing && next.Before(until) {
			a.Buckets = append(a.Buckets, statsBucket{At: core.Timestamp(next)})
			next = next.Add(q.Bucket)
		}
	}
	for _, r := range found.Rows {
		fill(r.At)
		a.Buckets = append(a.Buckets, statsBucketOf(r))
		next = r.At.Add(q.Bucket)
	}
	fill(q.To)
	if load := h.Executor.Load(); load.Epoch != 0 {
		a.Slots = &slotUse{Used: max(0, load.SlotsUsed), Of: load.Slots}
		if !found.OldestQueued.IsZero() {
			waited := max(0, int(h.Now().Sub(found.OldestQueued).Seconds()))
			a.Slots.QueuedOldestSeconds = &waited
		}
	}
	return a
}

// statsBucketOf returns a row as this dialect shows it.
func statsBucketOf(r executor.StatsRow) statsBucket {
	b := statsBucket{At: core.Timestamp(r.At), By: r.WorkflowID, Started: r.Started, Completed: r.Completed, Failed: r.Failed, Cancelled: r.Cancelled}
	if r.Version != 0 {
		b.By = strconv.Itoa(r.Version)
	}
	if r.Durations.Count() > 0 {
		seconds := func(ms int64) *float64 {
			s := float64(ms) / 1000
			return &s
		}
		b.P50, b.P95 = seconds(r.Durations.Quantile(0.5, r.LongestMS)), seconds(r.Durations.Quantile(0.95, r.LongestMS))
		b.Max = seconds(r.LongestMS)
	}
	return b
}
