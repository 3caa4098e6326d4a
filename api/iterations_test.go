package api_test

import (
	"fmt"
	"strings"
	"testing"
)

func TestIterationsArePaged(t *testing.T) {
	s := newStack(t)
	id := s.start(s.create(`{"name":"Mixed","steps":[{"id":"each","type":"loop","config":{"items":"[0, 1, {}, 3, 4]","concurrency":9,"tolerate_failures":1,"collect":"item * 2","steps":[`+
		`{"id":"one","type":"condition","config":{"expression":"item >= 0"}},`+
		`{"id":"nap","type":"wait","config":{"seconds":3600},"depends_on":["one"],"if":"item == 4"}]}}]}`, ""), "")
	base := "/api/workflows/runs/" + id + "/steps/each/iterations"
	s.until(id, "waiting")
	for filter, want := range map[string]string{
		"":                  "each[0] completed 0,each[1] completed 2,each[2] failed <nil>,each[3] completed 6,each[4] running <nil>",
		"status=completed&": "each[0] completed 0,each[1] completed 2,each[3] completed 6",
		"status=failed&":    "each[2] failed <nil>",
		"status=running&":   "each[4] running <nil>",
	} {
		for _, limit := range []int{1, 2, 50} {
			var got []string
			for cursor := ""; ; {
				page := s.get(fmt.Sprintf("%s?%slimit=%d%s", base, filter, limit, cursor)).want(t, 200)
				list, _ := page.field(t, "iterations").([]any)
				if len(list) > limit {
					t.Fatalf("%d iterations on a page of %d", len(list), limit)
				}
				for i := range list {
					got = append(got, fmt.Sprint(page.text(t, "iterations", i, "iteration"), " ", page.text(t, "iterations", i, "status"), " ", page.field(t, "iterations", i, "result")))
				}
				if page.field(t, "next_cursor") == nil {
					break
				}
				cursor = "&cursor=" + page.text(t, "next_cursor")
			}
			if strings.Join(got, ",") != want {
				t.Errorf("%s limit %d: %s, want %s", filter, limit, got, want)
			}
		}
	}
	s.get(base+"?status=skipped").wantCode(t, 400, "invalid_request")
	for _, cursor := range []string{"x", "e", "e-1", "z3", "e99999999999999999999"} {
		s.get(base+"?cursor="+cursor).wantCode(t, 400, "invalid_request")
	}
	s.get("/api/workflows/runs/"+id+"/steps/one/iterations").wantCode(t, 404, "step_not_found")
	s.get("/api/workflows/runs/"+id+"/steps/%20/iterations").wantCode(t, 404, "step_not_found")
}
