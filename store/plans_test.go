package store_test

import (
	"database/sql"
	"fmt"
	"heddle/definitions/workflows"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/schedules"
	"heddle/store"
	"heddle/store/storetest"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// onBoth runs a test over a SQLite file and over a PostgreSQL database, both with
// some thousand rows: on PostgreSQL a plan follows from what is in the tables.
func onBoth(t *testing.T, test func(t *testing.T, db *store.DB)) {
	t.Run("sqlite", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "heddle.db")
		db := open(t, "sqlite://"+file)
		fillTables(t, "sqlite", file, "WITH RECURSIVE g(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM g WHERE n + 1 < 5000)", "printf('%06d', n)")
		test(t, db)
	})
	t.Run("postgres", func(t *testing.T) {
		url := storetest.Postgres(t)
		db := open(t, url)
		fillTables(t, "pgx", url, "WITH g(n) AS (SELECT generate_series(0, 4999))", "lpad(n::text, 6, '0')")
		test(t, db)
	})
}

// fillTables stores 5,000 rows in each of the tables that lists and lookups read,
// of two tenants, and has the database count them.
func fillTables(t *testing.T, driver, dsn, numbers, padded string) {
	t.Helper()
	raw, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	for _, statement := range []string{
		`INSERT INTO workflows (id, tenant_id, slug, name, description, status, trigger_type, tags, active_version, latest_version, latest_hash, revision, created_at, updated_at, folded)
			SELECT 'wf_' || N, 'tn_' || (n % 2), 'slug-' || N, 'Flow', '', CASE n % 7 WHEN 0 THEN 'paused' ELSE 'active' END, CASE n % 3 WHEN 0 THEN 'api' ELSE 'manual' END,
			'[]', 1, 1, 'h', 1, 1700000000000 + n, 1700000000000 + n, 'flow slug-' || N FROM g`,
		`INSERT INTO templates (id, tenant_id, name, description, category, parameters, version, created_by, created_at, updated_at)
			SELECT 'tpl_' || N, 'tn_' || (n % 2), 'T', '', CASE n % 3 WHEN 0 THEN 'a' ELSE 'b' END, '{}', 1, 'k', n, n FROM g`,
		`INSERT INTO workflow_templates (workflow_id, tenant_id, template_id, template_version, name, parameters, installed_definition)
			SELECT 'wf_' || N, 'tn_' || (n % 2), 'tpl_' || N, 1, 'T', '{}', '{}' FROM g`,
		`INSERT INTO schedules (id, tenant_id, workflow_id, expression, timezone, input, version, status, pause_reason, overlap, catch_up, catch_window, catch_max, dst_gap, dst_repeat, jitter,
			starts_at, ends_at, created_at, updated_at, next_due, wake_at, last_run_at, revision, fence)
			SELECT 'sch_' || N, 'tn_' || (n % 2), 'wf_' || N, '@daily', 'UTC', '{}', '', 'active', '', 'allow', 'none', 0, 0, 'fire', 'once', 0, 0, 0, n, n, n, n, 0, 1, 1 FROM g`,
		`INSERT INTO schedule_slots (schedule_id, due_at, origin, until, count, outcome, reason, run_id, at, live, doomed)
			SELECT 'sch_' || N, d, 'schedule', d, 1, CASE d WHEN 3 THEN 'skipped' ELSE 'fired' END, '', 'run_' || N, d, 0, 0 FROM g CROSS JOIN (SELECT 1 AS d UNION SELECT 2 UNION SELECT 3) AS days`,
		`INSERT INTO runs (id, tenant_id, workflow_id, slug, version, hash, trigger_kind, input, trace_parent, trace_state, created_at, state, seq, started_at, completed_at, updated_at, wake_at, output, error, tokens, cost_micro_usd,
			schedule_id, starter_id, error_code)
			SELECT 'run_' || N, 'tn_' || (n % 2), 'wf_' || (n % 20), 's', 1, 'h', CASE n % 5 WHEN 0 THEN 'schedule' ELSE 'manual' END, '{}', '', '', 1700000000000 + n,
			CASE n % 9 WHEN 0 THEN 'failed' WHEN 1 THEN 'running' ELSE 'completed' END, 5, 1700000000000 + n + n % 4 * 1000, CASE n % 9 WHEN 1 THEN 0 ELSE 1700000000000 + n + n % 5 * 700 END, 1700000000000 + n, 0, '{}', '', 0, 0,
			CASE n % 50 WHEN 0 THEN 'sched_1' ELSE '' END, CASE n % 60 WHEN 0 THEN 'user_1' ELSE '' END, CASE n % 9 WHEN 0 THEN 'timeout' ELSE '' END FROM g`,
		`INSERT INTO run_labels (tenant_id, key, value, created_at, run_id) SELECT 'tn_' || (n % 2), CASE n % 4 WHEN 0 THEN 'env' WHEN 1 THEN 'zone' ELSE 'team' END, 't' || (n % 20), 1700000000000 + n, 'run_' || N FROM g`,
		`INSERT INTO input_requests (id, tenant_id, run_id, seq, workflow_id, slug, version, step_id, step_name, iteration, signal, prompt, schema, choices, context, assignees, input_head, started_by, on_timeout, state, opened_at, expires_at)
			SELECT 'apr_' || N, 'tn_' || (n % 2), 'run_' || N, 1, 'wf_' || (n % 20), 's', 1, 's', 's', '', 'go', '', '', '', '', '', '', '', 'fail', 'open', n, 0 FROM g`,
		`INSERT INTO run_series (run_id, tenant_id, workflow_id, name, number, latest) SELECT 'run_' || N, 'tn_' || (n % 2), 'wf_' || (n % 20), 'order-' || N, 0, 1 FROM g WHERE n % 40 = 0`,
		`INSERT INTO audit_entries (id, tenant_id, actor, actor_type, actor_id, action, object, object_slug, request_id, reason, detail, at)
			SELECT 'aud_' || N, 'tn_' || (n % 2), CASE n % 3 WHEN 0 THEN 'ann' ELSE 'ci' END, 'key', 'key_1', CASE n % 5 WHEN 0 THEN 'run.cancel' ELSE 'workflow.update' END,
			CASE n % 5 WHEN 0 THEN 'run:run_' || N ELSE 'workflow:wf_' || (n % 20) END, '', 'req_1', CASE n WHEN 1 THEN 'Straße' ELSE '' END, '', 1700000000000 + n FROM g`,
		`INSERT INTO definition_steps (tenant_id, word, workflow_id, step_id, name) SELECT 'tn_' || (n % 2), 'send ' || (n % 3), 'wf_' || N, 'send', '' FROM g`,
		`INSERT INTO workflow_tags (tenant_id, tag, updated_at, workflow_id) SELECT 'tn_' || (n % 2), 'red', n, 'wf_' || n FROM g WHERE n < 20`,
	} {
		if _, err := raw.Exec(numbers + strings.ReplaceAll(statement, "|| N", "|| "+padded)); err != nil {
			t.Fatal(err)
		}
	}
	// SQLite's plans are made without statistics, as no server has any.
	if driver == "sqlite" {
		return
	}
	if _, err := raw.Exec("ANALYZE"); err != nil {
		t.Fatal(err)
	}
}

// What a request names is found by a unique index, by its id as by its slug, and
// never by reading a tenant's rows.
func TestLookupsReadOneRow(t *testing.T) {
	onBoth(t, func(t *testing.T, db *store.DB) {
		for _, ref := range []string{"wf_1", "some-slug"} {
			for name, lookup := range map[string]func(){
				"Workflow":    func() { _, _ = db.Workflow(t.Context(), "tn_1", ref) },
				"Target":      func() { _, _ = db.Target(t.Context(), "tn_1", ref, "") },
				"Origin":      func() { _, _ = db.Origin(t.Context(), "tn_1", ref) },
				"Tenant":      func() { _, _ = db.Tenant(t.Context(), ref) },
				"Template":    func() { _, _ = db.Template(t.Context(), "tn_1", ref) },
				"Schedule":    func() { _, _ = db.Schedule(t.Context(), "tn_1", ref) },
				"Agent":       func() { _, _ = db.Agent(t.Context(), "tn_1", ref) },
				"Run":         func() { _, _ = db.Run(t.Context(), "tn_1", ref) },
				"Named":       func() { _, _ = db.Named(t.Context(), "tn_1", "wf_1", ref, -1) },
				"NamesTaken":  func() { _, _ = db.NamesTaken(t.Context(), "wf_1", []string{ref}) },
				"TenantQuota": func() { _, _ = db.TenantQuotas(t.Context(), ref) },
			} {
				for _, text := range db.Reads(lookup) {
					checkLookup(t, name, text, db.Plan(t, text))
				}
			}
		}
	})
}

// uniqueIndexes are what a lookup may read: one row of each.
var uniqueIndexes = []string{
	"sqlite_autoindex_", "PRIMARY KEY", "_pkey", "tenants_slug_key", "workflows_slug", "run_series_latest", "run_series_number", "workflow_versions_label",
}

func checkLookup(t *testing.T, name, text, plan string) {
	t.Helper()
	for line := range strings.Lines(plan) {
		reads := strings.Contains(line, "SCAN") || strings.Contains(line, "SEARCH") || strings.Contains(line, "Scan")
		unique := false
		for _, index := range uniqueIndexes {
			unique = unique || strings.Contains(line, index)
		}
		if reads && !unique {
			t.Errorf("%s reads more than a row by\n%s\n%s", name, text, plan)
			return
		}
	}
}

// Steps are found in the order of an index, so that no more of them are read than are returned.
func TestStepsAreFoundByTheirIndexes(t *testing.T) {
	onBoth(t, func(t *testing.T, db *store.DB) {
		for index, viewable := range map[string][]string{"PRIMARY KEY (tenant_id=? AND word>? AND word<?)|definition_steps_pkey": nil, "definition_steps_workflow": {"wf_000001", "wf_000003"}} {
			texts := db.Reads(func() { _, _ = db.FindSteps(t.Context(), "tn_1", "send", viewable, 20) })
			if len(texts) == 0 {
				t.Fatal("nothing was read")
			}
			for _, text := range texts {
				plan, named := db.Plan(t, text), false
				for name := range strings.SplitSeq(index, "|") {
					named = named || strings.Contains(plan, name)
				}
				if !named || viewable == nil && (strings.Contains(plan, "Sort") || strings.Contains(plan, "TEMP B-TREE")) || strings.Contains(plan, "SCAN") {
					t.Errorf("steps of %v are read by\n%s\n%s", viewable, text, plan)
				}
			}
		}
	})
}

// Every list of runs, with every combination of filters, reads only what it lists:
// each condition is a bound of an index, and no row of the table is read to be left
// out. What is sorted is at most a page of each range.
func TestRunListsReadOnlyWhatTheyList(t *testing.T) {
	onBoth(t, func(t *testing.T, db *store.DB) {
		for name, q := range runQueries() {
			page, err := db.Runs(t.Context(), q)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			cursors := []string{"", page.Next}
			for _, q.Cursor = range slices.Compact(cursors) {
				for _, text := range db.Reads(func() { _, _ = db.Runs(t.Context(), q) }) {
					checkRange(t, name, text, db.Plan(t, text))
				}
			}
		}
		for _, states := range [][]machine.State{nil, {machine.Failed}, machine.States} {
			q := executor.NamedQuery{TenantID: "tn_1", WorkflowID: "wf_1", States: states, Limit: 3}
			for _, text := range db.Reads(func() { _, _ = db.NamedRuns(t.Context(), q) }) {
				checkRange(t, "instances", text, db.Plan(t, text))
			}
		}
		for _, text := range db.Reads(func() {
			_, _ = db.Usage(t.Context(), executor.UsageQuery{TenantID: "tn_1", WorkflowID: "wf_1", From: listEpoch, To: listEpoch.Add(time.Second)})
			_, _ = db.CountOpenRuns(t.Context(), "tn_1", 100)
		}) {
			checkRange(t, "sums", text, db.Plan(t, text))
		}
	})
}

// listEpoch is when the first of the stored runs was created.
var listEpoch = time.UnixMilli(1_700_000_000_000)

// runQueries returns the queries with every combination of the filters of
// executor.RunQuery. A filter that is added to the type fails the test until it has
// values here.
func runQueries() map[string]executor.RunQuery {
	values := map[string][]any{
		"Workflows":     {[]string{"wf_1"}},
		"WorkflowIDs":   {[]string{"wf_1", "wf_3", "wf_none"}},
		"States":        {[]machine.State{machine.Failed}, machine.States},
		"Triggers":      {[]string{"schedule"}, []string{"webhook", "manual"}},
		"StartedAfter":  {listEpoch, listEpoch.AddDate(9, 0, 0)},
		"StartedBefore": {listEpoch.Add(time.Second)},
	}
	rare := rareFilters()
	all := map[string]executor.RunQuery{"": {TenantID: "tn_1", Limit: 3}}
	for field := range reflect.TypeFor[executor.RunQuery]().Fields() {
		if slices.Contains([]string{"TenantID", "Limit", "Offset", "Cursor", "WantTotal"}, field.Name) {
			continue
		}
		if rare[field.Name] != nil {
			continue
		}
		more := maps.Clone(all)
		for name, q := range all {
			for i, v := range values[field.Name] {
				reflect.ValueOf(&q).Elem().FieldByIndex(field.Index).Set(reflect.ValueOf(v))
				more[fmt.Sprintf("%s %s %d", name, field.Name, i)] = q
			}
			if values[field.Name] == nil {
				panic("no values for the filter " + field.Name)
			}
		}
		all = more
	}
	// The others with all combinations of the first would be too many: each with some.
	for name, values := range rare {
		for i, v := range values {
			for with, q := range map[string]executor.RunQuery{
				"": {}, "of one": {Workflows: []string{"wf_1"}, Triggers: []string{"manual"}, EndedAfter: listEpoch.Add(time.Second)},
				"by end": {Order: executor.EndedFirst, WorkflowIDs: []string{"wf_1", "wf_3"}}, "by duration": {Order: executor.LongestFirst, Workflows: []string{"wf_1"}, States: []machine.State{machine.Failed}},
			} {
				q.TenantID, q.Limit = "tn_1", 3
				if name == "Version" && q.Workflows == nil {
					continue
				}
				reflect.ValueOf(&q).Elem().FieldByName(name).Set(reflect.ValueOf(v))
				all[fmt.Sprintf("%s %d %s", name, i, with)] = q
			}
		}
	}
	return all
}

// rareFilters returns values of those fields of executor.RunQuery that are no ranges of the
// usual order.
func rareFilters() map[string][]any {
	return map[string][]any{
		"Tag": {"red", "none"}, "TemplateID": {"tpl_000001"}, "Version": {1, 7}, "ScheduleID": {"sched_1", "sched_none"}, "StarterID": {"user_1", "key_1", "sched_1"},
		"ErrorCode": {"timeout", "none"}, "Labels": {map[string]string{"zone": "t1"}, map[string]string{"team": "none", "x": "y"}}, "Text": {"run_0000", "none", "t1"},
		"CreatedAfter": {listEpoch, listEpoch.AddDate(9, 0, 0)}, "CreatedBefore": {listEpoch.Add(time.Second)}, "EndedAfter": {listEpoch, listEpoch.AddDate(9, 0, 0)}, "EndedBefore": {listEpoch.Add(time.Second)},
		"MinDuration": {time.Millisecond, time.Hour}, "MaxDuration": {time.Second}, "Order": {executor.OldestFirst, executor.EndedFirst, executor.LongestFirst},
	}
}

// checkRange fails where a statement reads runs otherwise than by the ranges of an
// index, or by their ids.
func checkRange(t *testing.T, name, text, plan string) {
	t.Helper()
	byID := strings.HasPrefix(text, `SELECT * FROM "`) || strings.Contains(text, "FROM run_series AS s JOIN") || strings.Contains(text, "r.id IN (")
	busy := false
	for line := range strings.Lines(plan) {
		// What is running is never much: PostgreSQL may read its own index and filter that.
		if strings.Contains(line, "runs_busy") || busy && strings.Contains(line, "Filter:") {
			busy = strings.Contains(line, "runs_busy")
			continue
		}
		bad := strings.Contains(line, "SCAN r") || strings.Contains(line, "Seq Scan") || strings.Contains(line, "AUTOMATIC") || strings.Contains(line, "Rows Removed")
		// A search of runs names the index with all the bounds that the statement has.
		if strings.Contains(line, "SEARCH r ") && !byID {
			labels := strings.Contains(text, "FROM run_labels AS r")
			from := strings.Contains(text, ") >= (") || strings.Contains(text, ") > (")
			bad = bad || !labels && !strings.Contains(line, "runs_by_") || from != strings.Contains(line, "id)>(?,?)") || labels && !strings.Contains(line, "PRIMARY KEY") && !strings.Contains(line, "run_labels_value") ||
				strings.Contains(text, "r.workflow_id = ") != strings.Contains(line, "workflow_id=?")
		}
		// The scan for ranges compares no pairs: of those that are equal SQLite reads all.
		bad = bad || strings.Contains(text, "RECURSIVE") && strings.Contains(line, ")>(?")
		// A condition of the table that is left over by PostgreSQL's index.
		if strings.Contains(line, "Filter:") && !strings.Contains(line, " IS NOT NULL)") && !byID && !strings.Contains(text, "run_series") {
			bad = true
		}
		if strings.Contains(line, " on runs r") && !byID {
			bad = bad || !strings.Contains(line, "runs_by_")
		}
		if bad {
			t.Errorf("%s reads more than it lists, at %s by\n%s\n%s", name, line, text, plan)
			return
		}
	}
}

// Lists of schedules read by index what they list or look at, and no page looks at more than a
// bounded number, however few schedules a filter selects.
func TestScheduleListsReadByIndex(t *testing.T) {
	onBoth(t, func(t *testing.T, db *store.DB) {
		for _, order := range []schedules.Order{"", schedules.NextFirst} {
			for _, q := range []schedules.Query{
				{},
				{Status: schedules.Active},
				{Status: schedules.Paused},
				{WorkflowID: "wf_000001"},
				{WorkflowID: "wf_000001", Status: schedules.Active},
				{Text: "none"},
				{Text: "flow"},
				{Health: schedules.Failing},
				{Health: schedules.Behind, Status: schedules.Active},
			} {
				q.TenantID, q.Order, q.Limit, q.Now = "tn_1", order, 3, time.UnixMilli(1)
				pages, texts := 0, 0
				for pages == 0 || q.Cursor != "" {
					var page schedules.Page
					var err error
					reads := db.Reads(func() { page, err = db.Schedules(t.Context(), q) })
					if err != nil {
						t.Fatal(err)
					}
					if pages++; pages <= 2 {
						for _, text := range reads {
							checkSchedules(t, fmt.Sprintf("%+v", q), text, db.Plan(t, text))
						}
					}
					texts = max(texts, len(reads))
					if q.Cursor = page.Next; len(page.Schedules) > 0 && pages == 2 {
						break
					}
				}
				// 2,500 schedules are looked at by 1,000, each part with at most four reads.
				if pages > 3 || texts > 20 {
					t.Errorf("%+v: %d pages, %d reads for one", q, pages, texts)
				}
			}
		}
		q := schedules.SlotQuery{TenantID: "tn_1", ScheduleID: "sch_000001", From: time.UnixMilli(2), To: time.UnixMilli(3), Limit: 3}
		for _, q.Outcome = range []schedules.Outcome{"", schedules.Fired} {
			for _, text := range db.Reads(func() { _, _ = db.Slots(t.Context(), q) }) {
				checkSchedules(t, "slots", text, db.Plan(t, text))
			}
		}
	})
}

// checkSchedules fails where a statement reads a table row by row, or sorts more than the rows of a page.
func checkSchedules(t *testing.T, name, text, plan string) {
	t.Helper()
	for line := range strings.Lines(plan) {
		if strings.Contains(line, "SCAN ") && !strings.Contains(line, "SCAN (") || strings.Contains(line, "Seq Scan") || strings.Contains(line, "AUTOMATIC") ||
			(strings.Contains(text, "FROM \"schedules\"") || strings.Contains(text, "SELECT w.id, w.updated_at") && !strings.Contains(text, "w.id IN")) && (strings.Contains(line, "TEMP B-TREE") || strings.Contains(line, "Sort")) {
			t.Errorf("%s reads more than it lists, at %s by\n%s\n%s", name, line, text, plan)
			return
		}
	}
}

// Lists of workflows by name, by several tags, template and health read by index what they list or
// look at, and no page looks at more than a bounded number.
func TestWorkflowWalksReadByIndex(t *testing.T) {
	onBoth(t, func(t *testing.T, db *store.DB) {
		for _, order := range []workflows.Order{"", workflows.ByName} {
			for _, q := range []workflows.Query{
				{Order: workflows.ByName},
				{Status: workflows.Active, Health: workflows.Failing},
				{Tag: "red", AlsoTags: []string{"none"}},
				{TemplateID: "tpl_000001"},
				{Health: workflows.Failing},
				{Health: workflows.Failing, TriggerType: "api"},
				{Health: workflows.Failing, Text: "none"},
			} {
				if q.Order == "" {
					q.Order = order
				}
				q.TenantID, q.Limit = "tn_1", 3
				pages, texts := 0, 0
				for pages == 0 || q.Cursor != "" && pages < 5 {
					var page workflows.Page
					var err error
					reads := db.Reads(func() { page, err = db.Workflows(t.Context(), q) })
					if err != nil {
						t.Fatal(err)
					}
					if pages++; pages <= 2 {
						for _, text := range reads {
							checkSchedules(t, fmt.Sprintf("%+v", q), text, db.Plan(t, text))
						}
					}
					texts = max(texts, len(reads))
					if q.Cursor = page.Next; len(page.Workflows) > 0 && pages == 2 {
						break
					}
				}
				if pages > 3 || texts > 16 {
					t.Errorf("%+v: %d pages, %d reads for one", q, pages, texts)
				}
			}
		}
	})
}
