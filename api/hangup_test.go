package api_test

import (
	"context"
	"fmt"
	"heddle/access"
	"heddle/api"
	"heddle/store/storetest"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestAChangeWhoseClientHangsUpIsOnTheTrail sends changes whose clients disconnect
// within 20 ms. Whatever came to be has exactly one line, and nothing else has
// any.
func TestAChangeWhoseClientHangsUpIsOnTheTrail(t *testing.T) {
	t.Parallel()
	test := func(t *testing.T, s *stack) {
		const each = 30
		wf := s.create(parked, `"slug":"parked"`)
		var hangups []hangup
		for i := range each {
			runID := s.start(wf, "")
			hangups = append(hangups,
				hangup{"workflow", http.MethodPost, "/api/workflows", fmt.Sprintf(`{"slug":"h-%d","definition":%s}`, i, trivial), func() bool {
					_, err := s.db.Workflow(t.Context(), s.tenantID(), fmt.Sprintf("h-%d", i))
					return err == nil
				}},
				hangup{"secret", http.MethodPut, fmt.Sprintf("/v1/secrets/H_%d", i), `{"value":"nobody may know"}`, func() bool {
					return strings.Contains(s.get("/v1/secrets?limit=200").body, fmt.Sprintf(`"H_%d"`, i))
				}},
				hangup{"key", http.MethodPost, "/v1/keys", fmt.Sprintf(`{"name":"k-%d","role":"none"}`, i), func() bool {
					return strings.Contains(s.get("/v1/keys?limit=200").body, fmt.Sprintf(`"k-%d"`, i))
				}},
				hangup{"cancel", http.MethodPost, "/api/workflows/runs/" + runID + "/cancel", "", func() bool {
					return s.get("/api/workflows/runs/"+runID).text(t, "run", "status") == "cancelled"
				}},
				hangup{"delete with force", http.MethodDelete, "/api/workflows/" + s.createWithRun(fmt.Sprintf("d-%d", i)) + "?force=true", "", func() bool {
					_, err := s.db.Workflow(t.Context(), s.tenantID(), fmt.Sprintf("d-%d", i))
					return err != nil
				}},
			)
		}
		server := httptest.NewUnstartedServer(nil)
		server.Config = api.NewServer(s.handler)
		server.Start()
		var wg sync.WaitGroup
		for i, h := range hangups {
			wg.Go(func() { s.hangUp(server.URL, h, i) })
			if i%20 == 0 {
				wg.Wait()
			}
		}
		wg.Wait()
		server.Close() // returns once the last request is done
		lines := map[string]int{}
		for cursor := ""; ; {
			entries, next, err := s.access.Audit(t.Context(), access.AuditQuery{TenantID: s.tenantID(), Limit: 200, Cursor: cursor})
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range entries {
				lines[e.RequestID]++
			}
			if cursor = next; next == "" {
				break
			}
		}
		done := 0
		for i, h := range hangups {
			want := 0
			if h.done() {
				want = 1
			}
			done += want
			if got := lines[fmt.Sprintf("hangup-%d", i)]; got != want {
				t.Errorf("%s: %d lines, want %d", h.name, got, want)
			}
		}
		t.Logf("%d of %d requests took effect", done, len(hangups))
		if done == 0 {
			t.Error("no request took effect: nothing was tried")
		}
	}
	// A file: a database in memory goes with a connection that is dropped.
	t.Run("sqlite", func(t *testing.T) { test(t, newStackOn(t, storetest.SQLite(t))) })
	t.Run("postgres", func(t *testing.T) { test(t, newStackOn(t, storetest.Postgres(t))) })
}

type hangup struct {
	name, method, path, body string
	done                     func() bool
}

// hangUp sends a request and disconnects at a random moment.
func (s *stack) hangUp(url string, h hangup, n int) {
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Duration(rand.IntN(20_000))*time.Microsecond)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, h.method, url+h.path, strings.NewReader(h.body))
	if err != nil {
		s.t.Error(err)
		return
	}
	req.Header.Set("Authorization", "Bearer "+s.admin)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Request-Id", fmt.Sprintf("hangup-%d", n))
	if resp, err := s.client.RoundTrip(req); err == nil {
		_ = resp.Body.Close()
	}
}

// createWithRun makes a workflow with an open run.
func (s *stack) createWithRun(slug string) string {
	s.t.Helper()
	wf := s.create(parked, `"slug":"`+slug+`"`)
	s.start(wf, "")
	return wf
}
