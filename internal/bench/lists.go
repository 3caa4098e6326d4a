package bench

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// What the cases of lists are filled with: manyRuns runs of a hundred workflows, and
// manyWorkflows workflows in all.
const (
	manyRuns      = 1_000_000
	manyWorkflows = 100_000
	// fillEpoch is when the first of them was created, in milliseconds; a run follows each
	// second.
	fillEpoch = 1_700_000_000_000
)

// namedGet is a request that a case measures.
type namedGet struct{ name, path string }

// listsCase measures a page of each list of runs among 1,000,000, with each filter, also where
// nothing matches, beside a read of one row by its key in the same minute.
//
//	lists      rare state … ms CPU  … ms   (a row by its key: … ms)
func listsCase(ctx context.Context, b *session) error {
	at := func(second int64) string {
		return url.QueryEscape(time.UnixMilli(fillEpoch + 1000*second).UTC().Format(time.RFC3339))
	}
	middle, future := at(manyRuns/2), at(20*manyRuns)
	return b.filled(ctx, "lists", manyRuns, []namedGet{
		{"all", "/v1/runs?limit=50"},
		{"state", "/v1/runs?limit=50&status=failed"},
		{"trigger", "/v1/runs?limit=50&trigger=schedule"},
		{"no trigger", "/v1/runs?limit=50&trigger=event"},
		{"workflow", "/v1/runs?limit=50&workflow_id=flow-000007"},
		{"both", "/v1/runs?limit=50&workflow_id=flow-000007&status=failed"},
		{"three", "/v1/runs?limit=50&workflow_id=flow-000007&status=cancelled&trigger=schedule"},
		{"future", "/v1/runs?limit=50&started_after=" + future},
		{"since", "/v1/runs?limit=50&started_after=" + middle},
		{"before", "/v1/runs?limit=50&started_before=" + middle + "&status=failed&workflow_id=flow-000007"},
		{"between", "/v1/runs?limit=50&started_after=" + middle + "&started_before=" + at(manyRuns/2+3600) + "&trigger=api"},
		{"of one", "/api/workflows/flow-000007/runs?limit=50"},
		{"of one, state", "/api/workflows/flow-000007/runs?limit=50&status=failed"},
		{"instances", "/api/workflows/workflows/flow-000007/instances?pageSize=50"},
		{"waiting", "/api/workflows/workflows/flow-000007/instances?pageSize=50&status=waiting"},
		{"tenant", "/api/workflows/runs?limit=50"},
		{"states", "/api/workflows/runs?limit=50&status=failed,waiting&trigger=manual,api"},
		{"two flows", "/api/workflows/runs?limit=50&workflow=flow-000007,flow-000008&status=failed"},
		{"oldest", "/api/workflows/runs?limit=50&order=created"},
		{"schedule", "/api/workflows/runs?limit=50&schedule_id=sched_1"},
		{"no schedule", "/api/workflows/runs?limit=50&schedule_id=sched_none&status=failed"},
		{"key", "/api/workflows/runs?limit=50&started_by=key_none"},
		{"label", "/api/workflows/runs?limit=50&label.customer=c1"},
		{"no label", "/api/workflows/runs?limit=50&label.customer=none"},
		{"label, rare", "/api/workflows/runs?limit=50&label.customer=c1&error_code=none&order=-ended"},
		{"error", "/api/workflows/runs?limit=50&error_code=timeout"},
		{"no error", "/api/workflows/runs?limit=50&error_code=none"},
		{"version", "/api/workflows/flow-000007/runs?limit=50&version=1"},
		{"text", "/api/workflows/runs?limit=50&q=run_00005"},
		{"no text", "/api/workflows/runs?limit=50&q=nowhere"},
		{"tag", "/api/workflows/runs?limit=50&tag=none"},
		{"ended", "/api/workflows/runs?limit=50&order=-ended&status=failed"},
		{"ended since", "/api/workflows/runs?limit=50&ended_after=" + middle},
		{"ended never", "/api/workflows/runs?limit=50&ended_after=" + future},
		{"longest", "/api/workflows/runs?limit=50&order=-duration"},
		{"longest of one", "/api/workflows/flow-000007/runs?limit=50&order=-duration&status=cancelled"},
		{"too long", "/api/workflows/runs?limit=50&min_duration=3600"},
		{"too short", "/api/workflows/runs?limit=50&max_duration=0.001"},
		{"created", "/api/workflows/runs?limit=50&created_after=" + middle + "&created_before=" + at(manyRuns/2+3600) + "&status=failed&order=-duration"},
	})
}

// lookupCase measures finding one of 100,000 workflows by its id and by its slug.
//
//	lookup     by id … ms CPU  … ms   (a row by its key: … ms)
func lookupCase(ctx context.Context, b *session) error {
	return b.filled(ctx, "lookup", 1000, []namedGet{
		{"by id", "/api/workflows/wf_000007"}, {"by slug", "/api/workflows/flow-000007"}, {"runs of", "/api/workflows/flow-000007/runs?limit=1"},
	})
}

// searchCase measures a search by text among 100,000 workflows: for what all have, what one has
// and what none has, and the list without a text; and of a step that each has, one that one has, and
// everything.
//
//	search     one … ms CPU  … ms   (a row by its key: … ms)
func searchCase(ctx context.Context, b *session) error {
	return b.filled(ctx, "search", 1000, []namedGet{
		{"without", "/api/workflows?limit=50"},
		{"all", "/api/workflows?limit=50&q=flow"},
		{"one", "/api/workflows?limit=50&q=w-054321"},
		{"none", "/api/workflows?limit=50&q=nowhere"},
		{"steps", "/v1/search?types=step&q=charge"},
		{"one step", "/v1/search?types=step&q=" + url.QueryEscape("only 054321")},
		{"everything", "/v1/search?q=flow"},
		{"unicode", "/api/workflows?limit=50&q=" + url.QueryEscape("STRASSE 5432")},
	})
}

// filled fills the database, starts a server over it and measures requests.
func (b *session) filled(ctx context.Context, name string, runs int, gets []namedGet) (err error) {
	r, err := b.rig(ctx, json.RawMessage(`{"name":"First","steps":[{"id":"a","type":"condition","config":{"expression":"true"}}]}`), Parts{})
	if err != nil {
		return err
	}
	if err := r.Stop(); err != nil {
		return err
	}
	db, err := b.fill(ctx, r.tenant, runs)
	if err != nil {
		return fmt.Errorf("fill the database: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	s, err := b.server(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	for _, g := range gets {
		const times = 50
		// The first reads what the others find in memory.
		if err := s.get(ctx, g.path); err != nil {
			return fmt.Errorf("%s: %w", g.path, err)
		}
		cost, err := s.cost(times, func() error { return s.get(ctx, g.path) })
		if err != nil {
			return fmt.Errorf("%s: %w", g.path, err)
		}
		begun := time.Now()
		for range times {
			var state string
			if err := db.QueryRowContext(ctx, "SELECT state FROM runs WHERE id = 'run_0000500'").Scan(&state); err != nil {
				return err
			}
		}
		b.printf("%-10s %-14s %s   (a row by its key: %s)", name, g.name, cost, millis(time.Since(begun)/times))
	}
	return nil
}

// fill stores workflows and runs of the tenant with the database's own means, and returns a
// connection to it. Each table is one transaction; rows that a case before has stored stay. Of a hundred runs one waits for a
// signal, one was cancelled; of a thousand one failed; a third waited to start.
func (b *session) fill(ctx context.Context, tenant string, runs int) (*sql.DB, error) {
	driver, dsn := "pgx", b.url
	numbers, padded := "WITH g(n) AS (SELECT generate_series(0, %d - 1))", "lpad((%s)::text, %d, '0')"
	if path, found := strings.CutPrefix(b.url, "sqlite://"); found {
		driver, dsn = "sqlite", "file:"+path
		numbers, padded = "WITH RECURSIVE g(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM g WHERE n + 1 < %d)", "printf('%%0%[2]dd', %[1]s)"
	}
	db, err := sql.Open(driver, dsn)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	for _, table := range []struct {
		rows int
		text string
	}{
		{manyWorkflows, `INSERT INTO workflows (id, tenant_id, slug, name, description, status, trigger_type, tags, active_version, latest_version, latest_hash, revision, created_at, updated_at, folded)
			SELECT 'wf_' || W, 'TENANT', 'flow-' || W, 'Flow ' || W, 'Straße ' || n, 'active', 'manual', '[]', 1, 1, 'h', 1, EPOCH + n, EPOCH + n, 'flow ' || W || CHAR || 'flow-' || W || CHAR || 'strasse ' || n FROM g WHERE true`},
		{manyWorkflows, `INSERT INTO workflow_versions (workflow_id, number, tenant_id, label, definition, hash, change_summary, created_by, created_at)
			SELECT 'wf_' || W, 1, 'TENANT', '', '{"name":"Flow","steps":[]}', 'h', '', '', EPOCH + n FROM g WHERE true`},
		{runs, `INSERT INTO runs (id, tenant_id, workflow_id, slug, version, hash, trigger_kind, input, trace_parent, trace_state, created_at, state, seq, started_at, completed_at, updated_at, wake_at, output, error, tokens, cost_micro_usd,
			schedule_id, error_code, labels)
			SELECT 'run_' || R, 'TENANT', 'wf_' || V, 'flow-' || V, 1, 'h', CASE WHEN n % 10 > 0 THEN 'manual' WHEN n % 11 > 0 THEN 'api' ELSE 'schedule' END, '{}', '', '', EPOCH + n * 1000,
			CASE WHEN n / 100 % 1000 = 7 THEN 'failed' WHEN n / 100 % 100 = 1 THEN 'waiting_signal' WHEN n / 100 % 100 = 2 THEN 'cancelled' ELSE 'completed' END, 1,
			EPOCH + n * 1000 + CASE n % 3 WHEN 0 THEN n % 5000 ELSE 0 END, CASE WHEN n / 100 % 100 = 1 THEN 0 ELSE EPOCH + n * 1000 + 5000 END, EPOCH + n * 1000 + 5000, 0, '{}', '', 0, 0,
			CASE WHEN n % 110 = 0 THEN 'sched_1' ELSE '' END, CASE WHEN n / 100 % 1000 = 7 THEN 'timeout' ELSE '' END,
			CASE WHEN n % 1000 = 3 THEN '{"customer":"c1"}' ELSE '' END FROM g WHERE true`},
		{manyWorkflows, `INSERT INTO definition_steps (tenant_id, word, workflow_id, step_id, name) SELECT 'TENANT', 'charge card', 'wf_' || W, 'charge_card', '' FROM g WHERE true`},
		{manyWorkflows, `INSERT INTO definition_steps (tenant_id, word, workflow_id, step_id, name) SELECT 'TENANT', 'only ' || W, 'wf_' || W, 'only', '' FROM g WHERE true`},
		{runs, `INSERT INTO run_labels (tenant_id, key, value, created_at, run_id)
			SELECT 'TENANT', 'customer', 'c1', EPOCH + n * 1000, 'run_' || R FROM g WHERE n % 1000 = 3`},
		{1, `INSERT INTO run_counts (tenant_id, workflow_id, state, trigger_kind, shard, n)
			SELECT tenant_id, workflow_id, state, trigger_kind, 0, count(*) FROM runs, g WHERE true GROUP BY tenant_id, workflow_id, state, trigger_kind`},
	} {
		text := strings.NewReplacer("TENANT", tenant, "EPOCH", fmt.Sprint(int64(fillEpoch)), "CHAR", "'\n'",
			"|| W", "|| "+fmt.Sprintf(padded, "n", 6), "|| V", "|| "+fmt.Sprintf(padded, "n % 100", 6), "|| R", "|| "+fmt.Sprintf(padded, "n", 7)).Replace(table.text)
		if _, err := db.ExecContext(ctx, fmt.Sprintf(numbers, table.rows)+" "+text+" ON CONFLICT DO NOTHING"); err != nil {
			return nil, errors.Join(err, db.Close())
		}
	}
	// On PostgreSQL also what a running server would have had done in the background.
	after := "VACUUM ANALYZE"
	if driver == "sqlite" {
		after = "PRAGMA wal_checkpoint(TRUNCATE)"
	}
	if _, err := db.ExecContext(ctx, after); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}
