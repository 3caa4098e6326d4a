package api_test

import (
	"heddle/system"
	"net/http"
	"strings"
	"testing"
	"time"
)

// The operator sees the nodes, the leader, the database and the settings; admins of other
// tenants how the node is, and nothing of the others.
func TestTheServerSaysHowItIs(t *testing.T) {
	t.Parallel()
	onBothStores(t, func(t *testing.T, s *stack) {
		for id, seen := range map[string]time.Time{s.node: time.Now(), "node_other": time.Now(), "node_gone": time.Now().Add(-system.GoneAfter)} {
			if err := s.db.NoteNode(t.Context(), system.Node{ID: id, SeenAt: seen}, time.Time{}); err != nil {
				t.Fatal(err)
			}
		}
		s.start(s.create(trivial, `"slug":"flow"`), "")
		s.eventually("the node leads", func() bool { return s.get("/v1/system").want(t, http.StatusOK).text(t, "node", "state") == "leading" })
		got := s.get("/v1/system").want(t, http.StatusOK)
		nodes := got.field(t, "nodes").([]any)
		if len(nodes) != 2 || got.text(t, "leader", "id") != s.node || got.text(t, "node", "id") != s.node || got.text(t, "settings", 1, "value") != "***" ||
			got.field(t, "slots", "of") == nil || got.field(t, "store", "schema") == jsonNumber(0) || got.field(t, "store", "size_bytes") == jsonNumber(0) || strings.Contains(got.body, "node_gone") {
			t.Errorf("%s", got.body)
		}
		other := s.do(request{method: http.MethodGet, path: "/v1/system", key: s.tenant("other")}).want(t, http.StatusOK)
		for _, hidden := range []string{"settings", "nodes", "store", "leader", "slots", "queue", "HEDDLE_"} {
			if strings.Contains(other.body, hidden) {
				t.Errorf("another tenant's admin sees %s: %s", hidden, other.body)
			}
		}
		if other.text(t, "build", "version") != "test" {
			t.Errorf("%s", other.body)
		}
	})
}
