package main

import (
	"bytes"
	"heddle/definitions/workflows"
	"heddle/schedules"
	"heddle/store"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestSchedulePreview(t *testing.T) {
	for _, test := range []struct {
		args []string
		code int
		want string
	}{
		{
			[]string{"0 2 * * *", "--zone", "America/New_York", "--from", "2026-03-08", "-n", "2"},
			exitOK,
			"At 02:00 every day, New York time\n" +
				"Sun 2026-03-08 03:00:00 -04:00  2026-03-08T07:00:00Z  02:00 does not exist on 2026-03-08 (clocks go from 02:00 to 03:00); moved to the first time after the gap.\n" +
				"Mon 2026-03-09 02:00:00 -04:00  2026-03-09T06:00:00Z\n",
		},
		{[]string{"0 0 * * *", "--from", "2026-01-01", "-n", "1"}, exitOK, "At 00:00 every day, UTC\nThu 2026-01-01 00:00:00 +00:00  2026-01-01T00:00:00Z\n"},
		{[]string{"@every 90m", "--zone", "Europe/Berlin", "--from", "2026-03-29", "-n", "3"}, exitOK, "Every 1 hour and 30 minutes\n" +
			"Sun 2026-03-29 00:00:00 +01:00  2026-03-28T23:00:00Z\n" +
			"Sun 2026-03-29 01:30:00 +01:00  2026-03-29T00:30:00Z\n" +
			"Sun 2026-03-29 04:00:00 +02:00  2026-03-29T02:00:00Z\n"},
		{[]string{"30 1 * * *", "--zone", "America/New_York", "--from", "2026-11-01 00:00", "-n", "2", "--dst-repeat", "both"}, exitOK, "At 01:30 every day, New York time\n" +
			"Sun 2026-11-01 01:30:00 -04:00  2026-11-01T05:30:00Z  01:30 comes twice on 2026-11-01; this is the first.\n" +
			"Sun 2026-11-01 01:30:00 -05:00  2026-11-01T06:30:00Z  01:30 comes twice on 2026-11-01; this is the second.\n"},
		{[]string{"0 * * * *", "--zone", "America/Sao_Paulo", "--from", "2018-11-04", "-n", "1"}, exitOK, "Every hour, Sao Paulo time\n" +
			"Sun 2018-11-04 01:00:00 -02:00  2018-11-04T03:00:00Z  00:00 does not exist on 2018-11-04 (clocks go from 00:00 to 01:00); left out.\n"},
		{[]string{"0 2 * *"}, exitUsage, "There are 4 fields"},
		{[]string{"@daily", "--zone", "europe/berlin"}, exitUsage, "Did you mean Europe/Berlin?"},
		{[]string{"@daily", "--dst-gap", "jump"}, exitUsage, "dst_gap"},
		{[]string{"@daily", "--from", "yesterday"}, exitUsage, "--from"},
		{[]string{"@daily", "-n", "0"}, exitUsage, "500"},
	} {
		var out, errs bytes.Buffer
		code := run(t.Context(), append([]string{"schedule", "preview"}, test.args...), nil, strings.NewReader(""), &out, &errs)
		if code != test.code || code == exitOK && out.String() != test.want || !strings.Contains(out.String()+errs.String(), test.want) {
			t.Errorf("%q: %d\n%s%s", test.args, code, &out, &errs)
		}
	}
}

func TestScheduleImpact(t *testing.T) {
	db, err := store.Open(t.Context(), "sqlite://"+filepath.Join(t.TempDir(), "heddle.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	w := workflows.Workflow{ID: "wf_1", TenantID: "t1", Slug: "one", Status: workflows.Active, ActiveVersion: 1, LatestVersion: 1, Revision: 1}
	if err := db.CreateWorkflow(t.Context(), workflows.Revision{Workflow: w}, nil); err != nil {
		t.Fatal(err)
	}
	for id, s := range map[string]schedules.Schedule{"sched_1": {Input: []byte(`{"n":1}`)}, "sched_2": {}, "sched_3": {Version: "1"}} {
		s.ID, s.TenantID, s.WorkflowID, s.Status, s.CreatedAt = id, "t1", "wf_1", schedules.Active, time.Now()
		if err := db.CreateSchedule(t.Context(), s, nil); err != nil {
			t.Fatal(err)
		}
	}
	found, err := scheduleImpact{db}.Impact(t.Context(), "t1", "wf_1", []byte(`{"type":"object","required":["n"]}`))
	if err != nil || len(found) != 2 {
		t.Fatalf("%+v, %v", found, err)
	}
	for _, f := range found {
		if f.InputFits != (f.ScheduleID == "sched_1") || f.InputFits != (f.Problem == "") {
			t.Errorf("%+v", f)
		}
	}
}
