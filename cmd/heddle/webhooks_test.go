package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
)

// A receiver that refuses the same Idempotency-Key with another body, as this server
// does, accepts the retry of a delivery.
func TestAWebhookIsTheSameOnEveryAttempt(t *testing.T) {
	type delivery struct{ key, id, stamp, body string }
	seen := make(chan delivery, 3)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		seen <- delivery{r.Header.Get("Idempotency-Key"), r.Header.Get("Webhook-Id"), r.Header.Get("Webhook-Timestamp"), string(body)}
		if len(seen) < 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(receiver.Close)
	_, c := startServer(t, io.Discard, "HEDDLE_DATABASE_URL=sqlite://"+filepath.Join(t.TempDir(), "h.db"), "HEDDLE_EGRESS_ALLOW=127.0.0.1", "HEDDLE_SCRIPTS=off")
	id, err := c.Workflows.Add(t.Context(), json.RawMessage(fmt.Sprintf(`{"name":"Tell","steps":[{"id":"tell","type":"webhook",
		"retry":{"max_attempts":3,"delay_seconds":0.01},"config":{"url":%q,"event":"e","payload":{"run":"{{ run.id }}","input":"{{ input }}"}}}]}`, receiver.URL)), "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Runs.StartWith(t.Context(), id, map[string]int{"b": 1, "a": 2}, ""); err != nil {
		t.Fatal(err)
	}
	first := <-seen
	for range 2 {
		if d := <-seen; d.key != first.key || d.id != first.id || d.body != first.body || d.stamp == "" {
			t.Errorf("a retry sent %+v after %+v", d, first)
		}
	}
}
