package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// walkHistory reads a run's nodes page by page, one line each.
func (s *stack) walkHistory(t *testing.T, run string, limit int) (lines []string) {
	t.Helper()
	for cursor := ""; ; {
		page := s.get(fmt.Sprintf("/v1/runs/%s/history?limit=%d%s", run, limit, cursor)).want(t, http.StatusOK)
		list := page.field(t, "nodes").([]any)
		if len(list) > limit {
			t.Fatalf("%d nodes on a page of %d", len(list), limit)
		}
		for i := range list {
			line := page.text(t, "nodes", i, "node") + " " + page.text(t, "nodes", i, "type") + " " + page.text(t, "nodes", i, "state")
			if it, ok := page.field(t, "nodes", i, "iteration").(string); ok {
				line += " " + it
			}
			for j := range page.field(t, "nodes", i, "attempts").([]any) {
				if got := page.keysOf(t, "nodes", i, "attempts", j); got != "attempt cost_micro_usd error finished_at input latency_ms output started_at state tokens" {
					t.Errorf("keys %s", got)
				}
				line += fmt.Sprint(" ", page.field(t, "nodes", i, "attempts", j, "attempt"), ":", page.text(t, "nodes", i, "attempts", j, "state"))
			}
			lines = append(lines, line)
		}
		if page.field(t, "next_cursor") == nil {
			return lines
		}
		cursor = "&cursor=" + page.text(t, "next_cursor")
	}
}

func TestHistoryTellsEveryAttempt(t *testing.T) {
	onBothStores(t, func(t *testing.T, s *stack) {
		s.create(flaky, `"slug":"flaky"`)
		s.create(looped, `"slug":"looped"`)
		s.create(parked, `"slug":"slow"`)
		s.create(`{"name":"Skips","steps":[{"id":"a","type":"condition","config":{"expression":"true"},"if":"false"}]}`, `"slug":"skips"`)
		for name, c := range map[string]struct{ body, state, want string }{
			"retries": {`{"workflow_id":"flaky","input":{"n":5}}`, "failed", "call wait failed 1:failed 2:failed,bad condition failed 1:failed"},
			"a skip":  {`{"workflow_id":"skips"}`, "succeeded", "a condition skipped"},
			"an open": {`{"workflow_id":"slow"}`, "running", "nap wait waiting 1:waiting"},
			"cut off": {`{"workflow_id":"slow"}`, "cancelled", "nap wait cancelled 1:cancelled"},
			"loops": {`{"workflow_id":"looped"}`, "succeeded", "each loop succeeded 1:succeeded,inner loop succeeded each[0] 1:succeeded," +
				"one condition succeeded each[0].inner[0] 1:succeeded,inner loop succeeded each[1] 1:succeeded,one condition succeeded each[1].inner[0] 1:succeeded"},
		} {
			id := s.begin(c.body)
			if c.state == "cancelled" {
				s.post("/v1/runs/"+id+"/terminate", "").want(t, http.StatusOK)
			}
			s.untilV1(id, "", c.state)
			if name == "an open" {
				s.untilV1(id, "nap", "waiting")
			}
			for _, limit := range []int{1, 2, 200} {
				if got := strings.Join(s.walkHistory(t, id, limit), ","); got != c.want {
					t.Errorf("%s by %d: %s\nwant %s", name, limit, got, c.want)
				}
			}
		}
		id := s.begin(`{"workflow_id":"flaky","input":{"n":5}}`)
		s.untilV1(id, "", "failed")
		got := s.get("/v1/runs/"+id+"/history").want(t, http.StatusOK)
		if got.keysOf(t) != "next_cursor nodes run_id" || got.field(t, "nodes", 0, "attempts", 0, "error", "code") != "timeout" ||
			!strings.Contains(got.body, `"input":{"seconds":3600}`) {
			t.Errorf("history %s", got.body)
		}
		for _, bad := range []string{"cursor=x", "cursor=-1", "cursor=0", "limit=0"} {
			s.get("/v1/runs/"+id+"/history?"+bad).wantCode(t, 400, "invalid_request")
		}
		s.get("/v1/runs/run_0/history").wantCode(t, 404, "run_not_found")
	})
}
