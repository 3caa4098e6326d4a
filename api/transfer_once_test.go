package api_test

import (
	"net/http"
	"strings"
	"testing"
)

// line is one more workflow for an import.
func line(slug string) string { return strings.Replace(oneLine, `"arrived"`, `"`+slug+`"`, 1) + "\n" }

func (s *stack) importsOnce(key, query, lines string) response {
	s.t.Helper()
	return s.do(request{
		method: "POST", path: "/api/workflows/import" + query, body: lines,
		header: map[string]string{"Content-Type": "application/x-ndjson", "Idempotency-Key": key},
	})
}

func (s *stack) workflows() int {
	s.t.Helper()
	return strings.Count(s.export(""), "\n")
}

func TestAnImportWithAKeyIsOneImport(t *testing.T) {
	onBoth(t, func(t *testing.T, open func() *stack) {
		s := open()
		both := line("one") + line("two")
		first := s.importsOnce("k", "?on_conflict=rename", both).want(t, http.StatusOK)
		again := s.importsOnce("k", "?on_conflict=rename", both).want(t, http.StatusOK)
		if again.body != first.body || again.header.Get("Idempotency-Replayed") != "true" || first.header.Get("Idempotency-Replayed") != "" {
			t.Errorf("answered %s, then %s %v", first.body, again.body, again.header)
		}
		for _, other := range []string{both + line("three"), line("one"), ""} {
			s.importsOnce("k", "?on_conflict=rename", other).wantCode(t, http.StatusConflict, "idempotency_key_reused")
		}
		if n := s.workflows(); n != 2 {
			t.Errorf("%d workflows of two lines", n)
		}
		s.importsOnce("l", "?on_conflict=rename", both).want(t, http.StatusOK)
		if n := s.workflows(); n != 4 {
			t.Errorf("%d workflows after an import with another key", n)
		}
	})
}

// An import that was cut off goes on where it was: what an earlier request with
// the key stored is reported and not stored again.
func TestAnImportThatWasCutOffGoesOn(t *testing.T) {
	onBoth(t, func(t *testing.T, open func() *stack) {
		s := open()
		s.importsOnce("k", "", line("one")+"{broken\n").wantCode(t, http.StatusBadRequest, "invalid_request")
		whole := line("one") + line("two")
		s.forgets = true
		if got := s.importsOnce("k", "", whole); got.status/100 == 2 {
			t.Fatalf("the process died and answered %s", got.body)
		}
		done := s.importsOnce("k", "", whole).want(t, http.StatusOK)
		if n := s.workflows(); n != 2 || len(done.field(t, "imported").([]any)) != 2 {
			t.Errorf("%d workflows; told %s", n, done.body)
		}
		s.importsOnce("m", "", line("three")+"{broken\n").wantCode(t, http.StatusBadRequest, "invalid_request")
		s.importsOnce("m", "", line("four")).wantCode(t, http.StatusConflict, "idempotency_key_reused")
	})
}
