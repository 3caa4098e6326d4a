package executor

import (
	"context"
	"heddle/executor/machine"
	"math"
	"time"
)

// Runs are counted in periods of two lengths, which begin at whole multiples since 1970, UTC.
const (
	StatsPeriod      = time.Hour
	StatsShortPeriod = 5 * time.Minute
	// StatsShortKept is how long short periods are kept. Those of an hour are kept for good.
	StatsShortKept = 48 * time.Hour
)

// StatsMaxBuckets is how many buckets, and StatsMaxRows how many rows, one answer has at most.
const (
	StatsMaxBuckets = 1000
	StatsMaxRows    = 10_000
)

// Histogram counts durations by ranges, each of which is 1.8 times as long as the one before:
// below 1 ms, from 1 to 2 ms, and so on, and 12.6 hours and more. So a quantile is off by less
// than the range that it falls into.
type Histogram [32]int64

// durationBounds are the milliseconds at which the ranges after the first begin.
var durationBounds = func() (bounds [len(Histogram{}) - 1]int64) {
	for i := range bounds {
		bounds[i] = int64(math.Round(math.Pow(1.8, float64(i))))
	}
	return bounds
}()

// DurationRange returns the index of the range of a Histogram that a duration, in milliseconds,
// falls into. What is negative counts as 0.
func DurationRange(ms int64) int {
	for i, bound := range durationBounds {
		if ms < bound {
			return i
		}
	}
	return len(durationBounds)
}

// Count returns how many durations the histogram has.
func (h *Histogram) Count() int64 {
	var n int64
	for _, of := range h {
		n += of
	}
	return n
}

// Quantile estimates the milliseconds that the fraction q, from 0 to 1, of the durations does not
// exceed: it is interpolated within a range, and at most longest, which is the longest duration
// that was counted. Without durations it is 0.
func (h *Histogram) Quantile(q float64, longest int64) int64 {
	rank := int64(math.Ceil(q * float64(h.Count())))
	for i, of := range h {
		if of == 0 || rank > of {
			rank -= of
			continue
		}
		low, high := int64(0), longest
		if i > 0 {
			low = durationBounds[i-1]
		}
		if i < len(durationBounds) {
			high = min(longest, durationBounds[i])
		}
		return min(longest, low+int64(float64(max(0, high-low))*float64(max(1, rank))/float64(of)))
	}
	return 0
}

// StatsBy says what the rows of one bucket are told apart by.
type StatsBy string

// What rows are told apart by.
const (
	StatsByNothing  StatsBy = ""
	StatsByVersion  StatsBy = "version"
	StatsByWorkflow StatsBy = "workflow"
)

// StatsQuery selects counts of a tenant's runs. Nil WorkflowIDs are all of its workflows; Version
// 0 and Trigger "" are any. From and To are whole multiples of Bucket, which is StatsShortPeriod or
// a multiple of StatsPeriod; To is excluded.
type StatsQuery struct {
	TenantID    string
	WorkflowIDs []string
	Version     int
	Trigger     string
	From, To    time.Time
	Bucket      time.Duration
	By          StatsBy
}

// StatsRow counts what happened to runs within one bucket: those that were created, by when that
// was, and those that ended, by when they ended. A run that is resumed after its end ends again,
// and is counted again. Deleted runs stay counted.
type StatsRow struct {
	At         time.Time // where the bucket begins
	Version    int       // with StatsByVersion
	WorkflowID string    // with StatsByWorkflow

	Started, Completed, Failed, Cancelled int64
	// TotalMS and LongestMS are of the durations of those that ended, from their start, in
	// milliseconds.
	TotalMS, LongestMS int64
	Durations          Histogram
}

// StatsStore reads what was counted.
type StatsStore interface {
	// RunStats reads the rows that are not empty, by bucket and then by what they are told apart
	// by, at most limit of them. It costs in proportion to the periods, and not to the runs.
	RunStats(ctx context.Context, q StatsQuery, limit int) ([]StatsRow, error)
	// OpenCounts counts the runs that have not ended, by state; nil workflows are all.
	OpenCounts(ctx context.Context, tenantID string, workflowIDs []string) (map[machine.State]int, error)
	// OldestQueued returns when the run was created that has been queued for the longest; the
	// zero time: none is queued. Runs that were resumed do not count.
	OldestQueued(ctx context.Context, tenantID string, workflowIDs []string) (time.Time, error)
	// PurgeStats deletes the short periods that began before a time.
	PurgeStats(ctx context.Context, before time.Time) error
}

// Stats is what is known of a tenant's runs: what happened, and what is open now.
type Stats struct {
	Rows []StatsRow
	Open map[machine.State]int
	// OldestQueued is the zero time where no run is queued.
	OldestQueued time.Time
}

// Stats reads what was counted of a tenant's runs, and what is open. More than StatsMaxRows rows
// are cut off there, one more of them showing it.
func (s *Reader) Stats(ctx context.Context, q StatsQuery) (Stats, error) {
	var found Stats
	var err error
	if found.Rows, err = s.cfg.Store.RunStats(ctx, q, StatsMaxRows+1); err != nil {
		return Stats{}, err
	}
	if found.Open, err = s.cfg.Store.OpenCounts(ctx, q.TenantID, q.WorkflowIDs); err != nil {
		return Stats{}, err
	}
	if found.Open[machine.Queued] > 0 {
		if found.OldestQueued, err = s.cfg.Store.OldestQueued(ctx, q.TenantID, q.WorkflowIDs); err != nil {
			return Stats{}, err
		}
	}
	return found, nil
}

// typicalDays is for how many days back it is said how long runs take.
const typicalDays = 7

// Typical returns how long the runs of a workflow take: what 95 of a hundred did not exceed, of
// those that ended in the last seven days, to within a factor of 1.8, and how many they are.
func (s *Reader) Typical(ctx context.Context, tenantID, workflowID string) (p95 time.Duration, runs int64, err error) {
	to := s.cfg.now().UTC().Truncate(StatsPeriod).Add(StatsPeriod)
	rows, err := s.cfg.Store.RunStats(ctx, StatsQuery{
		TenantID: tenantID, WorkflowIDs: []string{workflowID}, From: to.AddDate(0, 0, -typicalDays), To: to, Bucket: StatsPeriod,
	}, StatsMaxRows)
	var all Histogram
	longest := int64(0)
	for i := range rows {
		for k, n := range rows[i].Durations {
			all[k] += n
		}
		longest = max(longest, rows[i].LongestMS)
	}
	return time.Duration(all.Quantile(0.95, longest)) * time.Millisecond, all.Count(), err
}
