package api

import (
	"context"
	"fmt"
	"heddle/api/core"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// namesSeen is a handler over the whole table whose every route, in place of
// its work, notes which route was reached and with which names.
type namesSeen struct {
	h      served
	route  string
	values []string
}

func newNamesSeen() *namesSeen {
	seen := &namesSeen{}
	seen.h = tableWithoutServices(func(r *core.Route) {
		r.Serve = func(c *core.Call) error {
			seen.route, seen.values = c.Route.Path, append([]string{}, c.PathParams.ParamValues()...)
			return c.ReplyStatus(http.StatusNoContent)
		}
	})
	return seen
}

func (n *namesSeen) visit(t interface{ Fatalf(string, ...any) }, method, target string) int {
	req, err := http.NewRequestWithContext(context.Background(), method, "http://here"+target, http.NoBody)
	if err != nil {
		t.Fatalf("%s: %v", target, err)
	}
	n.route, n.values = "", nil
	w := httptest.NewRecorder()
	n.h.ServeHTTP(w, req)
	return w.Code
}

// encoded writes a name in one of the many ways in which a client may.
func encoded(t *rapid.T, name string) string {
	var b strings.Builder
	for i := range len(name) {
		ch := name[i]
		bare := ch >= 'a' && ch <= 'z' || ch >= 'A' && ch <= 'Z' || ch >= '0' && ch <= '9' || strings.IndexByte("-._~!$&'()*+,;=:@", ch) >= 0
		switch how := rapid.IntRange(0, 2).Draw(t, "how"); {
		case bare && how == 0:
			b.WriteByte(ch)
		case how == 1:
			fmt.Fprintf(&b, "%%%02x", ch)
		default:
			fmt.Fprintf(&b, "%%%02X", ch)
		}
	}
	return b.String()
}

var placeholder = regexp.MustCompile(`\{[a-z_]+\}`)

// For every route, whatever a name is and however it is escaped, the handler
// reads the name.
func TestNamesInPathsAreDecodedOnce(t *testing.T) {
	t.Parallel()
	seen := newNamesSeen()
	names := rapid.OneOf(
		rapid.SampledFrom([]string{"A%41", "%", "%25", "%2F", "a/b", "/", "once-only", "a b", "a+b", "ä€😀", "..", "a;b", "a?b#c", ":id", "*", "%zz"}),
		rapid.StringN(1, 40, 120),
	)
	rapid.Check(t, func(t *rapid.T) {
		r := &seen.h.routes[rapid.IntRange(0, len(seen.h.routes)-1).Draw(t, "route")]
		var want []string
		target := placeholder.ReplaceAllStringFunc(r.Path, func(string) string {
			want = append(want, "n"+names.Draw(t, "name")) // n: the name of no other route
			return encoded(t, want[len(want)-1])
		})
		if rapid.Bool().Draw(t, "slash") && target != "/" {
			target += "/"
		}
		if code := seen.visit(t, r.Method, target); code != http.StatusNoContent || seen.route != r.Path {
			t.Fatalf("%s %s: %d at %q, want %q", r.Method, target, code, seen.route, r.Path)
		}
		if fmt.Sprintf("%q", seen.values) != fmt.Sprintf("%q", append([]string{}, want...)) {
			t.Fatalf("%s: names %q, want %q", target, seen.values, want)
		}
	})
}

// A slash that is not escaped splits the path everywhere, also at its end, and
// the words of a route may be escaped too.
func TestSlashesAndWordsInPaths(t *testing.T) {
	t.Parallel()
	seen := newNamesSeen()
	for target, want := range map[string]string{
		"/v1/agents/a%2Fb":                "/v1/agents/{agent_id}",
		"/v1/agents/a%252Fb":              "/v1/agents/{agent_id}",
		"/v1/agents/a/b":                  "",
		"/v1/%61gents/x":                  "/v1/agents/{agent_id}",
		"/v1%2Fagents/x":                  "",
		"/api/workflows/once%2Donly":      "/api/workflows/{id}",
		"/api/workflows/once%2Donly/runs": "/api/workflows/{id}/runs",
		"/api/workflows/a/b/c/d":          "",
		"/api/workflows/":                 "/api/workflows",
		"/":                               "/",
	} {
		seen.visit(t, http.MethodGet, target)
		if seen.route != want {
			t.Errorf("%s reached %q, want %q", target, seen.route, want)
		}
	}
}
