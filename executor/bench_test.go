package executor_test

import (
	"context"
	"encoding/json"
	"fmt"
	"heddle/definitions/parser"
	"heddle/definitions/source"
	"heddle/definitions/workflows"
	"heddle/events"
	"heddle/executor"
	"heddle/store"
	"heddle/store/storetest"
	"sync/atomic"
	"testing"
	"time"
)

// BenchmarkStart takes runs of three condition steps from the request to the
// durable end, 200 in flight, on stores that flush each commit.
func BenchmarkStart(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) {
		benchmarkStart(b, "sqlite://"+b.TempDir()+"/bench.db", 1)
	})
	server := storetest.NewServer(b, true)
	for _, writers := range []int{1, 2, 4} {
		b.Run(fmt.Sprintf("postgres/writers=%d", writers), func(b *testing.B) {
			benchmarkStart(b, server.Database(b), writers)
		})
	}
}

func benchmarkStart(b *testing.B, url string, writers int) {
	db, err := store.Open(b.Context(), url)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	doc, _ := parser.Parse([]byte(threeConditions), source.YAML)
	now := time.Now().UTC()
	err = db.CreateWorkflow(b.Context(), workflows.Revision{
		Workflow: workflows.Workflow{
			ID: "wf_0123456789abcdef01234567", TenantID: tenant, Slug: "bench", Name: "bench", Status: workflows.Active,
			TriggerType: "manual", ActiveVersion: 1, LatestVersion: 1, Revision: 1, CreatedAt: now, UpdatedAt: now,
		},
		Version: &workflows.NewVersion{Number: 1, Definition: doc.Canonical, Hash: doc.Hash, CreatedAt: now},
	}, nil)
	if err != nil {
		b.Fatal(err)
	}
	var n atomic.Int64
	svc := executor.New(executor.Config{
		Store: db, Hub: events.NewHub(), Now: time.Now, NewID: func(prefix string) string { return fmt.Sprintf("%s%024x", prefix, n.Add(1)) },
		Attempts: executor.Attempts{Runner: runnerFunc(neverRun)},
		Commits:  executor.Commits{Writers: writers},
		Node:     executor.Node{Holder: "bench"},
	})
	ctx, stop := context.WithCancel(b.Context())
	served := make(chan struct{})
	go func() { defer close(served); _ = svc.Serve(ctx) }()
	for svc.Ready(b.Context()) != nil {
		<-time.After(time.Millisecond)
	}
	b.SetParallelism(100) // times GOMAXPROCS
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			rec, err := svc.Start(context.Background(), executor.StartRequest{
				TenantID: tenant, Workflow: "bench", Trigger: "manual", Input: json.RawMessage(`{"n":2}`),
			})
			if err != nil || !rec.State.Terminal() {
				b.Error(rec.State, err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "runs/s")
	b.StopTimer()
	stop()
	<-served
	svc.Close()
}
