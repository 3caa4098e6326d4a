package bench

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

// The bounds of ratios, about half as much again as what was measured on a quiet machine;
// on a busy one a plain row costs more, and the ratios are lower. Rows are counted exactly.
const (
	maxRowsOfARun        = 11.01 // three conditions: the run's row, and one for each of its events; a few rows are the server's own
	maxCostOfARun        = 25.0  // three conditions, in plain rows
	maxCostOfAnAwaited   = 400.0
	maxCommitsOfAwaited  = 2.0 // alone it has four: the start, and one for the end of each request
	ratioRuns            = 3000
	ratioAwaited         = 500
	calibrationOfARow    = 500 * time.Millisecond
	calibrationBatchRows = 100
)

// ratiosCase measures what runs cost beside a calibration of the same minute: the CPU time of
// a plain row of 200 bytes in a transaction of a hundred, through the same driver. It is
// what the continuous build holds: a ratio says much the same on a slow and on a busy machine,
// which a rate does not. It fails where a run writes more rows, shares its commits less or
// costs more than the bounds above. SQLite only: the CPU of PostgreSQL is another
// process's.
//
//	ratios     … rows a run (at most …), a run is … plain rows of … CPU (at most …)
//	ratios     awaited: …
func ratiosCase(ctx context.Context, b *session) error {
	path, isFile := strings.CutPrefix(b.url, "sqlite://")
	if !isFile {
		return errors.New("ratios: only on SQLite, whose CPU time is this process's")
	}
	before, err := b.costOfARow(ctx)
	if err != nil {
		return err
	}
	rows, run, err := b.costOfARun(ctx, path)
	if err != nil {
		return err
	}
	awaited, err := b.awaitRuns(ctx, awaitedInFlight, ratioAwaited)
	if err != nil {
		return err
	}
	after, err := b.costOfARow(ctx)
	if err != nil {
		return err
	}
	// The dearer of the two: a run never seems to cost more because the machine got busy.
	row := max(before, after)
	n := len(awaited.all)
	return b.hold(
		bound{"rows of a run of three conditions", rows, maxRowsOfARun},
		bound{fmt.Sprintf("CPU of such a run, in plain rows of %.1f us", float64(row)/float64(time.Microsecond)), float64(run) / float64(row), maxCostOfARun},
		bound{"CPU of a run of three http_requests, started and awaited over HTTP, in plain rows", float64(awaited.cpu) / float64(n) / float64(row), maxCostOfAnAwaited},
		bound{"its group commits, shared with others", float64(awaited.commits) / float64(n), maxCommitsOfAwaited},
	)
}

// bound is a figure that must not exceed most.
type bound struct {
	what      string
	got, most float64
}

// hold prints the figures, and returns an error that names those beyond their bounds.
func (b *session) hold(bounds ...bound) error {
	var errs []error
	for _, l := range bounds {
		b.printf("%-10s %8.2f   at most %6.1f   %s", "ratios", l.got, l.most, l.what)
		if l.got > l.most {
			errs = append(errs, fmt.Errorf("ratios: %s: %.2f, at most %.1f", l.what, l.got, l.most))
		}
	}
	return errors.Join(errs...)
}

// costOfARow returns the CPU time of a plain row.
func (b *session) costOfARow(ctx context.Context) (cost time.Duration, err error) {
	db, insert, err := b.rawDatabase(ctx)
	if err != nil {
		return 0, fmt.Errorf("the raw database: %w", err)
	}
	defer func() {
		_, dropErr := db.ExecContext(context.WithoutCancel(ctx), "DROP TABLE IF EXISTS heddle_bench_raw")
		err = errors.Join(err, dropErr, db.Close())
	}()
	before, err := cpuTime(os.Getpid())
	if err != nil {
		return 0, err
	}
	n, _, err := rawBatches(ctx, db, insert, calibrationBatchRows, calibrationOfARow)
	if err != nil {
		return 0, err
	}
	after, err := cpuTime(os.Getpid())
	return max(after-before, 10*time.Millisecond) / time.Duration(n*calibrationBatchRows), err
}

// costOfARun returns how many rows a run of three conditions writes, and its CPU time. path
// is the file of the database.
func (b *session) costOfARun(ctx context.Context, path string) (rows float64, cost time.Duration, err error) {
	r, err := b.rig(ctx, threeSteps(), Parts{})
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, r.Stop()) }()
	// The first runs fill caches and make the rows that all runs share.
	if _, _, err := repeat(ctx, b.plan.InFlight, b.plan.InFlight, b.plan.Seconds, r.startAndFinish); err != nil {
		return 0, 0, err
	}
	rowsBefore, err := countRows(ctx, path)
	if err != nil {
		return 0, 0, err
	}
	cpuBefore, err := cpuTime(os.Getpid())
	if err != nil {
		return 0, 0, err
	}
	all, _, err := repeat(ctx, ratioRuns, b.plan.InFlight, b.plan.Seconds, r.startAndFinish)
	if err != nil {
		return 0, 0, err
	}
	cpuAfter, err := cpuTime(os.Getpid())
	if err != nil {
		return 0, 0, err
	}
	rowsAfter, err := countRows(ctx, path)
	n := len(all)
	return float64(rowsAfter-rowsBefore) / float64(n), (cpuAfter - cpuBefore) / time.Duration(n), err
}

// countRows returns how many rows all tables of a SQLite file have together.
func countRows(ctx context.Context, path string) (n int64, err error) {
	db, err := sql.Open("sqlite", "file:"+path+"?mode=ro")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var query string
	const each = "SELECT group_concat('SELECT count(*) AS n FROM \"' || name || '\"', ' UNION ALL ') FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
	if err := db.QueryRowContext(ctx, each).Scan(&query); err != nil {
		return 0, err
	}
	err = db.QueryRowContext(ctx, "SELECT sum(n) FROM ("+query+")").Scan(&n)
	return n, err
}
