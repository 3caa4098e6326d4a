package api_test

import (
	"net/http"
	"strings"
	"testing"
)

// Two runs are shown side by side, whatever became of them, to who may view both.
func TestRunsAreCompared(t *testing.T) {
	onBothStores(t, func(t *testing.T, s *stack) {
		const chooses = `{"name":"Choose","steps":[{"id":"pick","type":"condition","config":{"expression":"input.n > 1","then":["big"],"else":["small"]}},` +
			`{"id":"big","type":"condition","depends_on":["pick"],"config":{"expression":"true"}},{"id":"small","type":"condition","depends_on":["pick"],"config":{"expression":"input.n / input.n == 1"}}],` +
			`"output":{"n":"{{ input.n }}","m":1}}`
		wf := s.create(chooses, `"slug":"choose"`)
		run := func(n string) string {
			id := s.start("choose", `{"input_data":{"n":`+n+`}}`)
			s.until(id, "completed")
			return id
		}
		one, same, two := run("1"), run("1"), run("2")
		compare := func(a, b string) response { return s.get("/api/workflows/runs/compare?a=" + a + "&b=" + b) }
		got := compare(one, same).want(t, http.StatusOK)
		if !strings.Contains(got.body, `"same":{"workflow":true,"definition":true,"status":true,"input":true,"output":true}`) || strings.Contains(got.body, `"same_output":false`) ||
			got.text(t, "a", "id") != one || got.text(t, "b", "id") != same || got.text(t, "a", "workflow", "slug") != "choose" || got.field(t, "steps_total") != jsonNumber(3) {
			t.Errorf("two alike: %s", got.body)
		}
		got = compare(one, two).want(t, http.StatusOK)
		if !strings.Contains(got.body, `"same":{"workflow":true,"definition":true,"status":true,"input":false,"output":false}`) || got.field(t, "b", "output", "n") != jsonNumber(2) {
			t.Errorf("two others: %s", got.body)
		}
		steps := map[string]string{}
		for i := range got.field(t, "steps").([]any) {
			steps[got.text(t, "steps", i, "step_id")] = got.text(t, "steps", i, "a", "status") + " " + got.text(t, "steps", i, "b", "status")
		}
		if steps["big"] != "skipped completed" || steps["small"] != "completed skipped" || steps["pick"] != "completed completed" {
			t.Errorf("the steps went %v", steps)
		}
		// Another workflow's, on another version, that has not ended.
		s.create(parked, `"slug":"parked"`)
		open := s.start("parked", "")
		s.until(open, "waiting")
		got = compare(two, open).want(t, http.StatusOK)
		if !strings.Contains(got.body, `"same":{"workflow":false,"definition":false,"status":false,"input":false,"output":false}`) || got.field(t, "steps", 0, "b") != nil || got.field(t, "steps", 3, "a") != nil || got.text(t, "steps", 3, "step_id") != "nap" {
			t.Errorf("of two workflows: %s", got.body)
		}
		for _, query := range []string{"", "?a=" + one, "?a=" + one + "&b=", "?a=" + one + "&b=" + two + "&b=" + two, "?a=" + one + "&b=" + two + "&c=1"} {
			s.get("/api/workflows/runs/compare"+query).wantCode(t, http.StatusBadRequest, "invalid_request")
		}
		compare(one, "run_none").wantCode(t, http.StatusNotFound, "run_not_found")
		path := "/api/workflows/runs/compare?a=" + one + "&b="
		granted := s.grantee("ann", wf, `"view"`)
		s.do(request{method: "GET", path: path + two, key: granted}).want(t, http.StatusOK)
		s.do(request{method: "GET", path: path + open, key: granted}).wantCode(t, http.StatusForbidden, "acl_denied")
		s.do(request{method: "GET", path: path + two, key: s.tenant("elsewhere")}).wantCode(t, http.StatusNotFound, "run_not_found")
	})
}
