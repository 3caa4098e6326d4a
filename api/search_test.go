package api_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// foundBy returns what a search finds, as "type title" in the order of the answer.
func (s *stack) foundBy(key, query string) string {
	s.t.Helper()
	got := s.do(request{method: http.MethodGet, path: "/v1/search?" + query, key: key}).want(s.t, http.StatusOK)
	var list []string
	for i := range got.field(s.t, "hits").([]any) {
		list = append(list, got.text(s.t, "hits", i, "type")+" "+got.text(s.t, "hits", i, "title"))
	}
	return strings.Join(list, ", ")
}

// A search finds what the text may mean, of the types that were asked for, and never more than
// the caller may view.
func TestSearchFindsWhatTheCallerMayView(t *testing.T) {
	t.Parallel()
	onBothStores(t, func(t *testing.T, s *stack) {
		order := s.create(strings.Replace(trivial, `"name":"`, `"name":"Straße `, 1), `"slug":"order-flow"`)
		s.create(trivial, `"slug":"hidden-order"`)
		run := s.start(order, "")
		s.until(run, "completed")
		for _, slug := range []string{"order-flow", "hidden-order"} {
			s.post("/api/workflows/"+slug+"/schedules", `{"cron_expression":"0 2 * * *"}`).want(t, http.StatusCreated)
		}
		s.post("/api/workflows/templates", `{"name":"Order pattern","definition":`+trivial+`}`).want(t, http.StatusCreated)
		made := s.post("/v1/keys", `{"name":"one","role":"none"}`).want(t, http.StatusCreated)
		s.do(request{method: http.MethodPut, path: "/v1/grants", body: `{"key_id":"` + made.text(t, "id") + `","workflow":"order-flow","actions":["view"]}`}).want(t, http.StatusOK)
		granted := made.text(t, "key")
		all := s.foundBy("", "q=ORDER")
		for _, hit := range []string{"workflow ", "schedule 0 2 * * * UTC", "template Order pattern"} {
			if !strings.Contains(all, hit) {
				t.Errorf("%q is not in %s", hit, all)
			}
		}
		if got := s.foundBy("", "types=run&q="+run[:20]); got != "run order-flow" {
			t.Errorf("by the beginning of the id: %s", got)
		}
		if got := s.foundBy("", "types=workflow&q="+url.QueryEscape("STRASSE")); !strings.HasPrefix(got, "workflow Straße") || strings.Contains(got, ",") {
			t.Errorf("by name: %s", got)
		}
		if got := s.foundBy(granted, "q=order"); strings.Count(got, "workflow ") != 1 || strings.Count(got, "schedule ") != 1 || strings.Contains(got, "template") {
			t.Errorf("a key with one grant finds %s", got)
		}
		if got := s.foundBy(s.tenant("other"), "q=order&types=workflow,run,schedule,step"); got != "" {
			t.Errorf("another tenant finds %s", got)
		}
		s.create(`{"name":"Bill","steps":[{"id":"charge_card","name":"Charge the Straße","type":"condition","config":{"expression":"true"}},`+
			`{"id":"each","type":"loop","config":{"items":"2","steps":[{"id":"inner_card","type":"wait","config":{"seconds":1}}]}}],`+
			`"finally":[{"id":"tidy","name":"Card away","type":"wait","config":{"seconds":1}}]}`, `"slug":"billing"`)
		for query, want := range map[string]string{
			"card": "step Charge the Straße, step inner_card, step Card away", "charge-card": "step Charge the Straße", "THE strasse": "step Charge the Straße", "inner card": "step inner_card",
			"ard": "", "--": "", "card charge": "",
		} {
			if got := s.foundBy("", "types=step&q="+url.QueryEscape(query)); got != want {
				t.Errorf("steps by %q: %s", query, got)
			}
		}
		if got := s.foundBy(granted, "types=step&q=card"); got != "" {
			t.Errorf("a key without a grant on it finds %s", got)
		}
		if got := s.foundBy(s.grantee("biller", "billing", `"view"`), "types=step&q=card"); strings.Count(got, "step ") != 3 {
			t.Errorf("a key with a grant on it finds %s", got)
		}
		hit := s.get("/v1/search?types=step&q=inner").want(t, http.StatusOK)
		if hit.text(t, "hits", 0, "id") != "inner_card" || hit.text(t, "hits", 0, "workflow", "slug") != "billing" {
			t.Errorf("a step is shown as %s", hit.body)
		}
		for _, bad := range []string{"", "q=", "q=x&types=user", "q=" + strings.Repeat("x", 201)} {
			s.get("/v1/search?"+bad).wantCode(t, http.StatusBadRequest, "invalid_request")
		}
		for i := range 25 {
			s.create(trivial, fmt.Sprintf(`"slug":"many-%d"`, i))
		}
		if n := strings.Count(s.foundBy("", "q=many&types=workflow"), "workflow "); n != 20 {
			t.Errorf("%d hits", n)
		}
	})
}
