package store_test

import (
	"context"
	"encoding/json"
	"fmt"
	"heddle/definitions/workflows"
	"heddle/events"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/store"
	"heddle/store/storetest"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// stores runs a benchmark on both databases, each of them durable.
func stores(b *testing.B, bench func(b *testing.B, db *store.DB)) {
	b.Run("sqlite", func(b *testing.B) { bench(b, open(b, "sqlite://"+filepath.Join(b.TempDir(), "heddle.db"))) })
	b.Run("postgres", func(b *testing.B) {
		bench(b, open(b, storetest.NewServer(b, true).Database(b)))
	})
}

func benchWorkflow(b *testing.B, db *store.DB) {
	b.Helper()
	at := time.UnixMilli(1_700_000_000_000).UTC()
	err := db.CreateWorkflow(context.Background(), workflows.Revision{
		Workflow: workflows.Workflow{ID: "wf_bench", TenantID: "tn_bench", Slug: "bench", Status: workflows.Active, ActiveVersion: 1, LatestVersion: 1, Revision: 1, CreatedAt: at, UpdatedAt: at},
		Version:  &workflows.NewVersion{Number: 1, Definition: json.RawMessage(`{}`), Hash: "sha256:0", CreatedAt: at},
	}, nil)
	if err != nil {
		b.Fatal(err)
	}
}

// finished is a run of three trivial steps from its start to its end.
func finished(n int) executor.Commit {
	id := fmt.Sprintf("run_%024x", n)
	at := time.UnixMilli(1_700_000_000_000 + int64(n)/20).UTC()
	c := executor.Commit{Row: executor.Record{
		Header: machine.Header{
			RunID: id, TenantID: "tn_bench", WorkflowID: "wf_bench", Slug: "bench", Version: 1,
			Hash: "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", Trigger: "api",
			Input: json.RawMessage(`{"order":12345,"email":"someone@example.com"}`), CreatedAt: at,
		},
		State: machine.Completed, Seq: 10, StartedAt: at, CompletedAt: at, UpdatedAt: at, Output: json.RawMessage(`{"ok":true}`),
	}}
	for seq := int64(1); seq <= 10; seq++ {
		c.Events = append(c.Events, events.Event{
			RunID: id, Seq: seq, Kind: events.StepCompleted, StepID: "validate", Attempt: 1, At: at,
			Data: json.RawMessage(`{"output":{"result":true},"duration_ms":1}`),
		})
	}
	c.Events[9].Kind = events.RunCompleted
	return c
}

// BenchmarkCommit commits groups of finished three-step runs: one row and ten
// events each.
func BenchmarkCommit(b *testing.B) {
	stores(b, func(b *testing.B, db *store.DB) {
		benchWorkflow(b, db)
		n := 0
		for _, size := range []int{1, 100, 200} {
			b.Run(fmt.Sprint("group=", size), func(b *testing.B) {
				epoch, err := db.AcquireLease(context.Background(), "bench", time.UnixMilli(0), time.Hour)
				if err != nil {
					b.Fatal(err)
				}
				before := cpu(b)
				for b.Loop() {
					group := make([]executor.Commit, size)
					for i := range group {
						n++
						group[i] = finished(n)
					}
					for _, err := range db.Commit(context.Background(), epoch, group) {
						if err != nil {
							b.Fatal(err)
						}
					}
				}
				b.ReportMetric(float64(b.N*size)/b.Elapsed().Seconds(), "runs/s")
				b.ReportMetric(float64((cpu(b)-before).Microseconds())/float64(b.N*size), "cpu-us/run")
			})
		}
	})
}

// cpu returns the CPU time of this process so far.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// BenchmarkAdvance commits groups of one transition each: a row updated and
// two events.
func BenchmarkAdvance(b *testing.B) {
	stores(b, func(b *testing.B, db *store.DB) {
		benchWorkflow(b, db)
		const size = 200
		group := make([]executor.Commit, size)
		for i := range group {
			group[i] = finished(i)
			group[i].Row.State = machine.Running
		}
		db.Commit(context.Background(), 0, group)
		for b.Loop() {
			for i := range group {
				c := &group[i]
				c.Expected = c.Row.Seq
				c.Row.Seq += 2
				c.Events = c.Events[:2]
				c.Events[0].Seq, c.Events[1].Seq = c.Expected+1, c.Expected+2
			}
			for _, err := range db.Commit(context.Background(), 0, group) {
				if err != nil {
					b.Fatal(err)
				}
			}
		}
		b.ReportMetric(float64(b.N*size)/b.Elapsed().Seconds(), "transitions/s")
	})
}

// BenchmarkRun reads one run, and BenchmarkEvents the last of its events: what a
// request and a stream do.
func BenchmarkRun(b *testing.B) {
	stores(b, func(b *testing.B, db *store.DB) {
		c := benchRun(b, db)
		for b.Loop() {
			if _, err := db.Run(context.Background(), c.Row.TenantID, c.Row.RunID); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkEvents(b *testing.B) {
	stores(b, func(b *testing.B, db *store.DB) {
		c := benchRun(b, db)
		for b.Loop() {
			list, err := db.Events(context.Background(), c.Row.RunID, c.Row.Seq-1, 500)
			if err != nil || len(list) != 1 {
				b.Fatal(len(list), err)
			}
		}
	})
}

// benchRun stores one finished run.
func benchRun(b *testing.B, db *store.DB) executor.Commit {
	benchWorkflow(b, db)
	c := finished(1)
	if err := db.Commit(context.Background(), 0, []executor.Commit{c})[0]; err != nil {
		b.Fatal(err)
	}
	return c
}

// BenchmarkRunList reads pages of 50 at the front and near the end of 100,000
// runs.
func BenchmarkRunList(b *testing.B) {
	stores(b, func(b *testing.B, db *store.DB) {
		benchWorkflow(b, db)
		const total, size = 100_000, 500
		for n := 0; n < total; n += size {
			group := make([]executor.Commit, size)
			for i := range group {
				group[i] = finished(n + i)
				group[i].Events, group[i].Row.Seq = group[i].Events[:1], 1
			}
			db.Commit(context.Background(), 0, group)
		}
		q := executor.RunQuery{TenantID: "tn_bench", Limit: 50}
		page := func(b *testing.B, q executor.RunQuery) executor.RunPage {
			p, err := db.Runs(context.Background(), q)
			if err != nil || len(p.Runs) != q.Limit {
				b.Fatal(len(p.Runs), err)
			}
			return p
		}
		far := q
		far.Limit = 200
		for range (total - 1000) / far.Limit {
			far.Cursor = page(b, far).Next
		}
		far.Limit = 50
		states := q
		states.States = []machine.State{machine.Completed, machine.Failed, machine.Running}
		for name, q := range map[string]executor.RunQuery{"front": q, "end": far, "states": states} {
			b.Run(name, func(b *testing.B) {
				for b.Loop() {
					page(b, q)
				}
			})
		}
	})
}

// BenchmarkScratch is the raw limit of the disk: transactions of one row and
// of a hundred.
func BenchmarkScratch(b *testing.B) {
	stores(b, func(b *testing.B, db *store.DB) {
		ctx := context.Background()
		for _, rows := range []int{1, 100} {
			b.Run(fmt.Sprint("rows=", rows), func(b *testing.B) {
				s, err := db.Scratch(ctx)
				if err != nil {
					b.Fatal(err)
				}
				for b.Loop() {
					if err := s.Write(ctx, rows); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "tx/s")
				if err := s.Close(ctx); err != nil {
					b.Fatal(err)
				}
			})
		}
	})
}

// BenchmarkCountStoredBytes counts what a tenant of 20,000 runs of ten events has
// stored.
func BenchmarkCountStoredBytes(b *testing.B) {
	stores(b, func(b *testing.B, db *store.DB) {
		benchWorkflow(b, db)
		const runs, size = 20_000, 200
		for n := 0; n < runs; n += size {
			group := make([]executor.Commit, size)
			for i := range group {
				group[i] = finished(n + i)
			}
			for _, err := range db.Commit(context.Background(), 0, group) {
				if err != nil {
					b.Fatal(err)
				}
			}
		}
		for b.Loop() {
			if n, err := db.CountStoredBytes(context.Background(), "tn_bench"); err != nil || n < runs*400 {
				b.Fatal(n, err)
			}
		}
		b.ReportMetric(float64(runs*b.N)/b.Elapsed().Seconds(), "runs/s")
	})
}
