package console

import (
	"bytes"
	"compress/gzip"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

// served is the console of all tests.
var served = sync.OnceValue(New)

// ask sends a request to the console; ok is false where it is not the console's.
func ask(t *testing.T, method, target string, header ...string) (answer *http.Response, ok bool) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, target, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	ok = served().Serve(w, r)
	return w.Result(), ok
}

func bodyOf(t *testing.T, r *http.Response) string {
	t.Helper()
	content, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// The server answers its page for exactly the paths that are screens.
func TestThePrefixesAreThoseOfTheScreens(t *testing.T) {
	text, err := os.ReadFile("web/src/routes.ts")
	if err != nil {
		t.Fatal(err)
	}
	list := regexp.MustCompile(`(?s)export const prefixes = \[(.*?)\]`).FindSubmatch(text)
	if list == nil {
		t.Fatal("routes.ts has no prefixes")
	}
	var want []string
	for _, m := range regexp.MustCompile(`'([^']*)'`).FindAllSubmatch(list[1], -1) {
		want = append(want, string(m[1]))
	}
	slices.Sort(want)
	if got := slices.Sorted(maps.Keys(prefixes)); !slices.Equal(got, want) {
		t.Errorf("the server has %q, routes.ts %q", got, want)
	}
}

func TestEveryScreenIsThePage(t *testing.T) {
	for prefix := range prefixes {
		for _, target := range []string{"/" + prefix, "/" + prefix + "?a=b", "/" + prefix + "/x/y"} {
			if prefix == "" && target != "/" && target != "/?a=b" {
				continue
			}
			answer, ok := ask(t, http.MethodGet, target)
			if !ok || answer.StatusCode != http.StatusOK || answer.Header.Get("Content-Type") != "text/html; charset=utf-8" || !strings.Contains(bodyOf(t, answer), `<div id="root">`) {
				t.Errorf("%s: %v %+v", target, ok, answer)
			}
		}
	}
}

// What is not a screen is left to the API: other paths, other methods, a built file that is
// not there any more.
func TestAllElseIsLeftToTheAPI(t *testing.T) {
	for _, target := range []string{"/v1/info", "/api/workflows", "/openapi.json", "/assets/index-gone.js", "/assets/", "/assets", "/index.html", "//", "//login", "/runsx", "/Runs", "/v1/runs"} {
		if answer, ok := ask(t, http.MethodGet, target); ok {
			t.Errorf("%s is answered %d", target, answer.StatusCode)
		}
	}
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions} {
		if _, ok := ask(t, method, "/runs"); ok {
			t.Errorf("%s /runs is answered", method)
		}
	}
}

// The policy admits this answer's nonce alone, and nothing from elsewhere.
func TestThePolicyIsThatOfTheAnswer(t *testing.T) {
	seen := map[string]bool{}
	for range 20 {
		answer, _ := ask(t, http.MethodGet, "/runs")
		page := bodyOf(t, answer)
		policy := answer.Header.Get("Content-Security-Policy")
		nonce := regexp.MustCompile(`style-src 'self' 'nonce-([A-Za-z0-9+/]{22})'`).FindStringSubmatch(policy)
		if nonce == nil || !strings.Contains(page, `<meta name="nonce" content="`+nonce[1]+`"`) || seen[nonce[1]] {
			t.Fatalf("the policy %q of a page\n%s", policy, page)
		}
		seen[nonce[1]] = true
		for _, want := range []string{"default-src 'none'", "script-src 'self'", "connect-src 'self'", "base-uri 'self'", "form-action 'none'", "frame-ancestors 'none'", "require-trusted-types-for 'script'"} {
			if !strings.Contains(policy, want) {
				t.Errorf("the policy lacks %s", want)
			}
		}
		if strings.Contains(policy, "unsafe") || strings.Contains(policy, "http") {
			t.Errorf("the policy %s", policy)
		}
		head := answer.Header
		if head.Get("Cache-Control") != "no-store" || head.Get("X-Content-Type-Options") != "nosniff" || head.Get("Referrer-Policy") != "same-origin" || head.Get("Cross-Origin-Opener-Policy") != "same-origin" {
			t.Errorf("%v", head)
		}
		if strings.Contains(page, nonceMark) || strings.Contains(page, baseMark) {
			t.Errorf("a mark is left in\n%s", page)
		}
	}
}

// A proxy may take any prefix off: wherever the page is seen, its files are found from there.
func TestTheBaseHoldsBehindAPrefix(t *testing.T) {
	for _, prefix := range []string{"", "/heddle", "/tools/heddle"} {
		for _, target := range []string{"/", "/login", "/runs/run_1", "/workflows/a/compare/1/2", "/runs/"} {
			answer, _ := ask(t, http.MethodGet, target)
			base := regexp.MustCompile(`<base href="([^"]*)"`).FindStringSubmatch(bodyOf(t, answer))
			if base == nil {
				t.Fatalf("%s has no base", target)
			}
			seen := url.URL{Scheme: "https", Host: "example.org", Path: prefix + target}
			at, err := seen.Parse(base[1])
			if err != nil || at.Path != prefix+"/" {
				t.Errorf("%s: the base %q leads to %v (%v)", prefix+target, base[1], at, err)
			}
		}
	}
}

func TestHeadersOfAPageAreThoseOfItsHead(t *testing.T) {
	for _, target := range []string{"/runs", "/favicon.svg"} {
		get, _ := ask(t, http.MethodGet, target)
		head, ok := ask(t, http.MethodHead, target)
		if !ok || bodyOf(t, head) != "" || head.Header.Get("Content-Length") != get.Header.Get("Content-Length") || head.Header.Get("Content-Type") != get.Header.Get("Content-Type") {
			t.Errorf("%s: %v and %v", target, get.Header, head.Header)
		}
	}
}

// Built files that carry their hash in the name are kept for ever, and others are asked for
// again; either is sent compressed, and not at all to who has it.
func TestBuiltFiles(t *testing.T) {
	h := served()
	for name, a := range h.assets {
		target := "/" + name
		plain, _ := ask(t, http.MethodGet, target)
		if got := bodyOf(t, plain); got != string(a.plain) || plain.Header.Get("Content-Encoding") != "" || plain.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %d bytes, %v", name, len(got), plain.Header)
		}
		if kind := plain.Header.Get("Content-Type"); kind == "" || path.Ext(name) == ".js" && kind != "text/javascript; charset=utf-8" {
			t.Errorf("%s is %q", name, kind)
		}
		kept := plain.Header.Get("Cache-Control")
		if hashed := strings.HasPrefix(name, "assets/"); hashed != strings.Contains(kept, "immutable") || hashed && !regexp.MustCompile(`-[A-Za-z0-9_-]{8}\.`).MatchString(name) {
			t.Errorf("%s is kept by %q", name, kept)
		}
		if a.zip() != nil {
			packed, _ := ask(t, http.MethodGet, target, "Accept-Encoding", "br, gzip")
			r, err := gzip.NewReader(packed.Body)
			if err != nil || packed.Header.Get("Content-Encoding") != "gzip" {
				t.Fatalf("%s: %v %v", name, err, packed.Header)
			}
			if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, a.plain) {
				t.Errorf("%s is not the same when it is unpacked: %v", name, err)
			}
			if refused, _ := ask(t, http.MethodGet, target, "Accept-Encoding", "gzip;q=0, br"); refused.Header.Get("Content-Encoding") != "" {
				t.Errorf("%s is compressed for a client that refuses it", name)
			}
		}
		// A proxy that compresses makes the tag a weak one.
		for _, tag := range []string{a.etag, "W/" + a.etag, `"x", ` + a.etag, "*"} {
			same, _ := ask(t, http.MethodGet, target, "If-None-Match", tag)
			if same.StatusCode != http.StatusNotModified || bodyOf(t, same) != "" || same.Header.Get("ETag") != a.etag {
				t.Errorf("%s with If-None-Match %s: %d %v", name, tag, same.StatusCode, same.Header)
			}
		}
		if other, _ := ask(t, http.MethodGet, target, "If-None-Match", `"other"`); other.StatusCode != http.StatusOK {
			t.Errorf("%s of another tag: %d", name, other.StatusCode)
		}
	}
	if len(h.assets) < 3 {
		t.Errorf("the build has %d files", len(h.assets))
	}
}
