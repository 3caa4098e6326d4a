package store_test

import (
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"heddle/definitions"
	"heddle/events"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/store"
)

func TestSmoke(t *testing.T) {
	for _, url := range []string{"sqlite://:memory:", "sqlite://" + filepath.Join(t.TempDir(), "h.db")} {
		ctx := context.Background()
		db, err := store.Open(ctx, url)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		at := time.UnixMilli(1000).UTC()
		w := definitions.Workflow{ID: "wf_1", TenantID: "t1", Slug: "a", Status: definitions.Active, Tags: []string{"x"}, ActiveVersion: 1, LatestVersion: 1, Revision: 1, CreatedAt: at, UpdatedAt: at}
		v := &definitions.NewVersion{Number: 1, Definition: json.RawMessage(`{}`), Hash: "sha256:x", CreatedAt: at}
		if err := db.CreateWorkflow(ctx, definitions.Revision{Workflow: w, Version: v}, nil); err != nil {
			t.Fatal(err)
		}
		if _, err := db.Target(ctx, "t1", "a", "v1"); err != nil {
			t.Fatal(err)
		}
		c := executor.Commit{Row: executor.Record{Header: machine.Header{RunID: "run_1", TenantID: "t1", WorkflowID: "wf_1", Slug: "a", Version: 1, Input: json.RawMessage(`null`), CreatedAt: at}, State: machine.Queued, Seq: 1, UpdatedAt: at},
			Events: []events.Event{{RunID: "run_1", Seq: 1, Kind: events.StateChanged, At: at, Data: json.RawMessage(`{}`)}}}
		if errs := db.Commit(ctx, 0, []executor.Commit{c}); errs[0] != nil {
			t.Fatal(errs[0])
		}
		if errs := db.Commit(ctx, 0, []executor.Commit{c}); !errors.Is(errs[0], executor.ErrFenced) {
			t.Fatal(errs[0])
		}
		ids, err := db.Queued(ctx, 10)
		if err != nil || len(ids) != 1 {
			t.Fatal(ids, err)
		}
		j, err := db.Journal(ctx, "run_1")
		if err != nil || len(j.Events) != 1 {
			t.Fatal(j, err)
		}
		page, err := db.Runs(ctx, executor.RunQuery{TenantID: "t1", States: []machine.State{machine.Queued, machine.Running}, Limit: 10, WantTotal: true})
		if err != nil || len(page.Runs) != 1 || page.Total != 1 {
			t.Fatal(page, err)
		}
		wp, err := db.Workflows(ctx, definitions.Query{TenantID: "t1", Tag: "x", Limit: 10, WantTotal: true})
		if err != nil || len(wp.Workflows) != 1 || wp.Total != 1 {
			t.Fatal(wp, err)
		}
		got, err := db.Change(ctx, "t1", "a", func(c definitions.Current) (definitions.Revision, error) {
			c.Workflow.Status = definitions.Paused
			return definitions.Revision{Workflow: c.Workflow}, nil
		})
		if err != nil || got.Revision != 2 {
			t.Fatal(got, err)
		}
		if e, err := db.AcquireLease(ctx, "me", at, time.Second); err != nil || e != 1 {
			t.Fatal(e, err)
		}
	}
}
