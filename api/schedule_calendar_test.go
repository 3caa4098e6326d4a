package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// A calendar counts by day of the schedule's zone what became of due times, and what is due; a
// backfill's preview says what ran already; a preview says where runs would clash.
func TestCalendarsAndPreviewsOfSchedules(t *testing.T) {
	onBothStores(t, func(t *testing.T, s *stack) {
		s.t = t
		w := s.create(trivial, `"slug":"nightly"`)
		s.create(trivial, `"slug":"other"`)
		const all = "/api/workflows/schedules"
		one := all + "/" + s.post("/api/workflows/nightly/schedules", `{"cron_expression":"0,30 * * * *","timezone":"Asia/Kathmandu","starts_at":"2026-01-01T00:00:00Z"}`).want(t, http.StatusCreated).text(t, "schedule_id")
		id := one[len(all)+1:]
		kathmandu := time.FixedZone("", 5*3600+45*60)
		s.post(one+"/backfill", `{"from":"2026-01-05T17:00:00Z","to":"2026-01-05T18:30:00Z","overlap_policy":"allow"}`).want(t, http.StatusAccepted)
		tomorrow := time.Now().In(kathmandu).AddDate(0, 0, 1).Format(time.DateOnly)

		get := func(query string) response { return s.get(all+"/calendar?"+query).want(t, http.StatusOK) }
		// 17:15, 17:45 and 18:15 UTC are 23:00, 23:30 and 0:00 there.
		past := get("from=2026-01-05&to=2026-01-06&schedule=" + id)
		if !strings.Contains(past.body, `"days":[{"date":"2026-01-05","outcomes":{"fired":0,"late":0,"caught_up":2,"coalesced":0,"skipped":0,"waiting":0},"due":0},{"date":"2026-01-06","outcomes":{"fired":0,"late":0,"caught_up":1,`) ||
			past.text(t, "calendars", 0, "timezone") != "Asia/Kathmandu" || past.field(t, "calendars", 0, "capped") != false || past.text(t, "calendars", 0, "workflow", "slug") != "nightly" {
			t.Errorf("%s", past.body)
		}
		if due := get("from=" + tomorrow + "&to=" + tomorrow + "&workflow=nightly"); due.field(t, "calendars", 0, "days", 0, "due") != jsonNumber(48) || due.text(t, "calendars", 0, "days", 0, "date") != tomorrow {
			t.Errorf("%s", due.body)
		}
		if none := get("from=2026-01-05&to=2026-01-05&workflow=other"); !strings.Contains(none.body, `"calendars":[]`) {
			t.Errorf("%s", none.body)
		}
		if hidden := s.do(request{method: "GET", path: all + "/calendar?from=2026-01-05&to=2026-01-05", key: s.grantee("ann", s.create(trivial, ""), `"view"`)}).want(t, http.StatusOK); strings.Contains(hidden.body, id) {
			t.Errorf("%s", hidden.body)
		}
		for _, query := range []string{"", "from=2026-01-05", "from=2026-01-05&to=2026-01-04", "from=2026-01-01&to=2027-02-05", "from=2026-01-05T00:00:00Z&to=2026-01-06", "from=2026-02-30&to=2026-03-01", "from=2026-01-05&to=2026-01-06&limit=101"} {
			s.get(all+"/calendar?"+query).wantCode(t, http.StatusBadRequest, "invalid_request")
		}

		dry := s.post(one+"/backfill?dry_run=true", `{"from":"2026-01-05T16:30:00Z","to":"2026-01-05T18:30:00Z"}`).want(t, http.StatusOK)
		if fmt.Sprintf("%v %v %v %v", dry.field(t, "slots"), dry.field(t, "ran"), dry.field(t, "due_times", 0, "ran"), dry.field(t, "due_times", 1, "ran")) != "4 3 false true" ||
			dry.text(t, "due_times", 1, "local") != "2026-01-05T23:00:00+05:45" || dry.text(t, "due_times", 1, "outcome") != "caught_up" || dry.text(t, "due_times", 1, "run_id") == "" {
			t.Errorf("%s", dry.body)
		}
		if n := s.get(one+"/slots").want(t, http.StatusOK).field(t, "total"); n != jsonNumber(3) {
			t.Errorf("a preview left %v lines", n)
		}
		s.post(one+"/backfill?dry_run=true", `{"from":"2020-01-01T00:00:00Z","to":"2026-01-01T00:00:00Z"}`).wantCode(t, http.StatusUnprocessableEntity, "backfill_too_large")

		upto := s.get(one+"/preview?from=2026-01-05T17:00:00Z&to=2026-01-05T17:45:00Z&count=500").want(t, http.StatusOK)
		if got := strings.Count(upto.body, `"local"`); got != 2 || strings.Contains(upto.body, "overlap") {
			t.Errorf("%s", upto.body)
		}
		s.eventually("the runs have ended", func() bool {
			return s.get(one+"/preview?count=2&against=nightly").want(t, http.StatusOK).field(t, "overlap", "runs") == jsonNumber(3)
		})
		s.post(all+"/preview", `{"cron_expression":"* * * * *","count":3,"against":"`+w+`","to":"2999-01-01T00:00:00Z"}`).want(t, http.StatusOK).field(t, "overlap", "p95_seconds")
		s.post(all+"/preview", `{"cron_expression":"* * * * *","against":"none"}`).wantCode(t, http.StatusNotFound, "workflow_not_found")
	})
}
