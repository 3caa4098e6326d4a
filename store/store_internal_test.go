package store

import (
	"context"
	"heddle/definitions/workflows"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/fault"
	"heddle/schedules"
	"path/filepath"
	"strings"
	"testing"

	"gorm.io/gorm"
)

// explain returns SQLite's plan of a query.
func explain(t *testing.T, db *DB, text string, args ...any) string {
	t.Helper()
	rows, err := db.write.gorm.Raw("EXPLAIN QUERY PLAN "+text, args...).Rows()
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var plan strings.Builder
	for rows.Next() {
		var id, parent, unused int
		var detail string
		if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
			t.Fatal(err)
		}
		plan.WriteString(detail + "\n")
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return plan.String()
}

// Every query of the queue and of the lists reads a range of an index: no scan
// of a table, no sorting of more than a page.
func TestPlansUseIndexes(t *testing.T) {
	db, err := Open(context.Background(), "sqlite://"+filepath.Join(t.TempDir(), "h.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	at := &position{Key: 1, ID: "run_1"}
	fixed := func(text string, args ...any) func() (string, []any) {
		return func() (string, []any) { return text, args }
	}
	dry := db.write.gorm.Session(&gorm.Session{DryRun: true})
	built := func(q *gorm.DB, rows any) func() (string, []any) {
		return func() (string, []any) { st := q.Limit(51).Find(rows).Statement; return st.SQL.String(), st.Vars }
	}
	for name, test := range map[string]struct {
		query func() (string, []any)
		index string
	}{
		"all schedules":         {built(newestFirst(schedulesOf(dry, schedules.Query{TenantID: "t1"}), "created_at", "id", at), &[]scheduleRow{}), "schedules_list"},
		"workflow's schedules":  {built(newestFirst(schedulesOf(dry, schedules.Query{TenantID: "t1", WorkflowID: "wf_1"}), "created_at", "id", at), &[]scheduleRow{}), "schedules_workflow"},
		"a ledger":              {built(slotPage(dry, schedules.SlotQuery{ScheduleID: "s"}, at), &[]slotRow{}), "PRIMARY KEY (schedule_id=? AND (due_at,origin)<"},
		"a ledger's skipped":    {built(slotPage(dry, schedules.SlotQuery{ScheduleID: "s", Outcome: "skipped"}, at), &[]slotRow{}), "COVERING INDEX schedule_slots_outcome"},
		"due schedules":         {fixed(dueSchedulesSQL, 1, 0, "", 10), "schedules_wake"},
		"runs to be cancelled":  {fixed(cancelRequestsSQL, "", "", 10), "schedule_slots_doomed"},
		"queues that may go on": {fixed(unsettledSQL, "", 10), "schedule_slots_waiting"},
		"busy":                  {fixed(busySQL, "", 10), "runs_busy"},
		"open":                  {fixed(openRunsSQL, "wf_1", "t1"), "runs_open"},
		"open by version":       {fixed(runsByVersionSQL, "wf_1", "t1"), "runs_open"},
		"due":                   {fixed(dueSQL, 1, 0, "", 10), "runs_due"},
		"queue":                 {fixed(queuedRunsSQL, "t1", "wf_1", 10), "COVERING INDEX runs_queue"},
		"queue without names":   {fixed(queuedUnnamedSQL, "t1", "wf_1", 10), "COVERING INDEX runs_queue"},
		"named in queue":        {fixed(queuedNamedSQL, "t1", 10), "runs_queue (tenant_id=?)"},
		"workflows in queue":    {fixed(queuedWorkflowsSQL, "", "", 10), "SEARCH b USING COVERING INDEX runs_queue (tenant_id=? AND workflow_id>?)"},
		"queue before a run":    {fixed(queuedAheadSQL, "t1", "wf_1", 1, "run_1", 10), "COVERING INDEX runs_queue"},
		"a long run's steps": {func() (string, []any) {
			return stepEvents(false, "run_1", []machine.Ref{{StepID: "a"}, {StepID: "b"}}, 10)
		}, "run_events_steps"},
		"a long run's signals": {func() (string, []any) {
			return kindEvents(false, executor.KindQuery{RunID: "run_1", Kind: "signal_received", After: 1, Before: 9, Limit: 10})
		}, "run_events_kinds"},
		"queue's length": {fixed(queueLengthSQL, 10), "runs_queue"},
	} {
		text, args := test.query()
		plan := explain(t, db, text, args...)
		if !strings.Contains(plan, test.index) || strings.Contains(plan, "SCAN runs\n") {
			t.Errorf("%s does not use %s:\n%s", name, test.index, plan)
		}
		if strings.Contains(plan, "TEMP B-TREE") && name != "queues that may go on" && name != "runs to be cancelled" && name != "open by version" && name != "named in queue" {
			t.Errorf("%s sorts:\n%s", name, plan)
		}
	}
	for text, index := range map[string]string{
		storedLiveSQL: "workflows_", storedDeletedSQL: "workflows_deleted", storedOriginsSQL: "workflow_templates_template", storedTemplatesSQL: "templates_",
		storedSchedulesSQL: "schedules_", storedRunsSQL: "runs_by_version",
	} {
		args := []any{"t1", "wf_1", 1, 1, "run_1", 10}[:strings.Count(text, "?")]
		if plan := explain(t, db, text, args...); !strings.Contains(plan, index) || strings.Contains(plan, "SCAN") || strings.Contains(plan, "TEMP B-TREE") || strings.Contains(plan, "AUTOMATIC") {
			t.Errorf("a count of stored bytes does not use %s alone:\n%s", index, plan)
		}
	}
	for name, test := range map[string]struct {
		q     workflows.Query
		index string
	}{
		"workflows": {workflows.Query{}, "workflows_list"},
		"status":    {workflows.Query{Status: workflows.Active}, "workflows_status"},
		"trigger":   {workflows.Query{TriggerType: "api"}, "workflows_trigger"},
		"tag":       {workflows.Query{Tag: "x"}, "PRIMARY KEY"},
	} {
		test.q.TenantID, test.q.Limit = "t1", 50
		text := db.write.gorm.ToSQL(func(tx *gorm.DB) *gorm.DB {
			key := "w.updated_at DESC, w.id DESC"
			if test.q.Tag != "" {
				key = "t.updated_at DESC, t.workflow_id DESC"
			}
			return workflowFilter(tx, test.q).Select("w.*").Order(key).Limit(51).Find(&[]workflowRow{})
		})
		plan := explain(t, db, text)
		if !strings.Contains(plan, test.index) || strings.Contains(plan, "TEMP B-TREE") || strings.Contains(plan, "SCAN") {
			t.Errorf("%s does not use %s:\n%s", name, test.index, plan)
		}
	}
}

func TestParseURL(t *testing.T) {
	for url, path := range map[string]string{
		"sqlite://heddle.db": "heddle.db", "sqlite:///var/lib/h.db": "/var/lib/h.db", "sqlite://./a%20b/h.db": "./a b/h.db",
		"SQLITE://h.db": "h.db", "sqlite://:memory:": "",
	} {
		got, err := parseURL(url)
		if err != nil || got.path != path || got.memory != (path == "") {
			t.Errorf("%s: %+v, %v", url, got, err)
		}
	}
	for _, url := range []string{
		"", "heddle.db", "sqlite:heddle.db", "sqlite://", "sqlite:///", "sqlite://dir/", "sqlite://h.db?mode=ro", "sqlite://%zz",
		"mysql://h", "postgres://u:se cret%@h/db", "sqlite://a%00b",
	} {
		_, err := parseURL(url)
		if err == nil || !strings.Contains(err.Error(), "HEDDLE_DATABASE_URL") || strings.Contains(err.Error(), "cret") {
			t.Errorf("%q: %v", url, err)
		}
	}
}

// A path with characters that are special in SQLite's URIs is the file's name.
func TestOddPath(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a?b#c%41 d.db")
	db, err := openSQLite(context.Background(), target{path: path}, settings{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var file string
	if err := db.write.sql.QueryRow("SELECT file FROM pragma_database_list").Scan(&file); err != nil {
		t.Fatal(err)
	}
	if file != path {
		t.Fatalf("opened %q, want %q", file, path)
	}
}

// The pragmas hold on every connection.
func TestPragmas(t *testing.T) {
	db, err := Open(context.Background(), "sqlite://"+filepath.Join(t.TempDir(), "h.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "busy_timeout": busyTimeout} {
		var got string
		if err := db.write.sql.QueryRow("PRAGMA " + pragma).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %s, want %s (%v)", pragma, got, want, err)
		}
	}
	if _, err := db.read.sql.Exec("DELETE FROM runs"); err == nil {
		t.Error("a reader can write")
	} else if got := fault.CodeOf(translate(err)); got != "store_unavailable" {
		t.Errorf("a read-only database is %s", got)
	}
}
