package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"heddle/approvals"
	"heddle/definitions/workflows"
	"heddle/store"
	"heddle/store/storetest"
	"path/filepath"
	"strconv"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"
)

// manyWorkflows is how many there are in the benchmarks of lists.
const manyWorkflows = 100_000

// BenchmarkWorkflowList reads pages of 50 at the front and at the end of
// 100,000 workflows, also of those with one tag, one status or one trigger.
func BenchmarkWorkflowList(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) {
		file := filepath.Join(b.TempDir(), "heddle.db")
		db := open(b, "sqlite://"+file)
		fillWorkflows(b, "sqlite", file, "WITH RECURSIVE g(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM g WHERE n + 1 < 100000)", "printf('%06d', n)")
		benchWorkflowList(b, db)
	})
	b.Run("postgres", func(b *testing.B) {
		url := storetest.Postgres(b)
		db := open(b, url)
		fillWorkflows(b, "pgx", url, "WITH g(n) AS (SELECT generate_series(0, 99999))", "lpad(n::text, 6, '0')")
		benchWorkflowList(b, db)
	})
}

// fillWorkflows stores workflows; every second one is tagged, paused and
// started over the API. Twenty change in each millisecond.
func fillWorkflows(b *testing.B, driver, dsn, numbers, padded string) {
	b.Helper()
	raw, err := sql.Open(driver, dsn)
	if err != nil {
		b.Fatal(err)
	}
	defer raw.Close()
	for _, statement := range []string{
		numbers + ` INSERT INTO workflows (id, tenant_id, slug, name, description, status, trigger_type, tags, active_version,
			latest_version, latest_hash, revision, created_at, updated_at)
			SELECT 'wf_' || ` + padded + `, 'tn_bench', 'flow-' || ` + padded + `, 'Flow', '', CASE n % 2 WHEN 0 THEN 'paused' ELSE 'active' END,
			CASE n % 2 WHEN 0 THEN 'api' ELSE 'manual' END, '[]', 1, 1, 'h', 1, 1700000000000 + n / 20, 1700000000000 + n / 20 FROM g`,
		`INSERT INTO workflow_tags (tenant_id, tag, updated_at, workflow_id)
			SELECT tenant_id, 'even', updated_at, id FROM workflows WHERE status = 'paused'`,
		`ANALYZE`,
	} {
		if _, err := raw.Exec(statement); err != nil {
			b.Fatal(err)
		}
	}
}

func benchWorkflowList(b *testing.B, db *store.DB) {
	for _, c := range []struct {
		name  string
		query workflows.Query
		total int
	}{
		{"all", workflows.Query{}, manyWorkflows},
		{"tag", workflows.Query{Tag: "even"}, manyWorkflows / 2},
		{"status", workflows.Query{Status: workflows.Paused}, manyWorkflows / 2},
		{"trigger", workflows.Query{TriggerType: "api"}, manyWorkflows / 2},
	} {
		q := c.query
		q.TenantID, q.Limit = "tn_bench", 50
		b.Run(c.name+"/front", func(b *testing.B) { readPages(b, db, q) })
		far := q
		far.Limit = 200
		for walked := 0; walked < c.total-200; walked += far.Limit {
			far.Cursor = workflowPage(b, db, far).Next
		}
		far.Limit = 50
		b.Run(c.name+"/end", func(b *testing.B) { readPages(b, db, far) })
	}
	b.Run("export/front", func(b *testing.B) { readAfter(b, db, "") })
	b.Run("export/end", func(b *testing.B) { readAfter(b, db, fmt.Sprintf("flow-%06d", manyWorkflows-60)) })
}

func workflowPage(b *testing.B, db *store.DB, q workflows.Query) workflows.Page {
	b.Helper()
	p, err := db.Workflows(context.Background(), q)
	if err != nil || len(p.Workflows) != q.Limit {
		b.Fatal(len(p.Workflows), err)
	}
	return p
}

func readPages(b *testing.B, db *store.DB, q workflows.Query) {
	for b.Loop() {
		workflowPage(b, db, q)
	}
}

func readAfter(b *testing.B, db *store.DB, after string) {
	for b.Loop() {
		list, err := db.WorkflowsAfter(context.Background(), "tn_bench", nil, after, 50)
		if err != nil || len(list) != 50 {
			b.Fatal(len(list), err)
		}
	}
}

// BenchmarkApprovalPages reads pages of 50 open approvals, with each filter and in both orders,
// and counts them, of 10,000 and beside it of 100: each filter selects 50 of either, so that the
// figures should not differ.
func BenchmarkApprovalPages(b *testing.B) {
	for _, many := range []int{100, 10_000} {
		b.Run(fmt.Sprintf("sqlite/%d", many), func(b *testing.B) {
			file := filepath.Join(b.TempDir(), "heddle.db")
			db := open(b, "sqlite://"+file)
			fillApprovals(b, "sqlite", file, fmt.Sprintf("WITH RECURSIVE g(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM g WHERE n + 1 < %d)", many), "printf('%06d', n)", many/50)
			benchApprovals(b, db)
		})
		b.Run(fmt.Sprintf("postgres/%d", many), func(b *testing.B) {
			url := storetest.Postgres(b)
			db := open(b, url)
			fillApprovals(b, "pgx", url, fmt.Sprintf("WITH g(n) AS (SELECT generate_series(0, %d))", many-1), "lpad(n::text, 6, '0')", many/50)
			benchApprovals(b, db)
		})
	}
}

// fillApprovals stores open approvals: one in step of workflow wf_0, of the signal rare and of
// the assignee ann each, the others of other ones.
func fillApprovals(b *testing.B, driver, dsn, numbers, padded string, step int) {
	b.Helper()
	raw, err := sql.Open(driver, dsn)
	if err != nil {
		b.Fatal(err)
	}
	defer raw.Close()
	every := strconv.Itoa(step)
	for _, statement := range []string{
		numbers + ` INSERT INTO input_requests (id, tenant_id, run_id, seq, workflow_id, slug, version, step_id, step_name, iteration, signal, prompt, schema, choices, context, assignees, input_head, started_by, on_timeout, state, opened_at, expires_at)
			SELECT 'apr_000000' || ` + padded + `, 'tn_bench', 'run_000000' || ` + padded + `, 5, 'wf_' || (n % ` + every + `), 's', 1, 'ask', '', '', CASE n % ` + every + ` WHEN 0 THEN 'rare' ELSE 'ok' END, 'Ship?', '', '', '', '', '{}', '', 'fail', 'open', 1700000000000 + n / 20, 1800000000000 - n FROM g`,
		`INSERT INTO input_request_assignees (id, assignee, tenant_id, state, opened_at, expires_at) SELECT id, CASE signal WHEN 'rare' THEN 'ann' ELSE 'bob' END, tenant_id, state, opened_at, expires_at FROM input_requests`,
		`INSERT INTO input_request_counts (tenant_id, workflow_id, shard, n) SELECT tenant_id, workflow_id, 0, count(*) FROM input_requests GROUP BY tenant_id, workflow_id`,
		`ANALYZE`,
	} {
		if _, err := raw.Exec(statement); err != nil {
			b.Fatal(err)
		}
	}
}

func benchApprovals(b *testing.B, db *store.DB) {
	for _, c := range []struct {
		name  string
		query approvals.Query
	}{
		{"open", approvals.Query{}},
		{"workflow", approvals.Query{WorkflowID: "wf_0"}},
		{"signal", approvals.Query{Signal: "rare"}},
		{"mine", approvals.Query{Assignees: []string{"key_1", "ann"}}},
		{"prefix", approvals.Query{Prefix: "run_00000000000"}},
	} {
		for _, order := range []approvals.Order{approvals.Oldest, approvals.ByExpiry} {
			q := c.query
			q.TenantID, q.State, q.Order, q.Limit = "tn_bench", approvals.Open, order, 50
			b.Run(c.name+"/"+string(order), func(b *testing.B) {
				for b.Loop() {
					if page, err := db.Approvals(context.Background(), q); err != nil || len(page.Approvals) == 0 {
						b.Fatal(len(page.Approvals), err)
					}
				}
			})
		}
	}
	b.Run("count", func(b *testing.B) {
		for b.Loop() {
			if n, err := db.OpenApprovals(context.Background(), "tn_bench", nil); err != nil || n == 0 {
				b.Fatal(n, err)
			}
		}
	})
}
