package api_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// plainly sends a request without the client's own compression; accept "" sends no header.
func (s *stack) plainly(method, path, accept string, header map[string]string) response {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, http.NoBody)
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.admin)
	if accept != "" {
		req.Header.Set("Accept-Encoding", accept)
	}
	for name, value := range header {
		req.Header.Set(name, value)
	}
	client := &http.Transport{DisableCompression: true, DisableKeepAlives: true}
	resp, err := client.RoundTrip(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return response{resp.StatusCode, resp.Header, string(body)}
}

func unpacked(t *testing.T, text string) string {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader([]byte(text)))
	if err != nil {
		t.Fatalf("no gzip: %v", err)
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(plain)
}

// JSON of 1 KiB and more is compressed where it is accepted; nothing else is,
// and no stream.
func TestJSONIsCompressed(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	p := s.place()
	s.create(`{"name":"Long","description":"`+strings.Repeat("long ", 1000)+`","steps":[{"id":"a","type":"condition","config":{"expression":"true"}}]}`, `"slug":"long"`)
	for path, packs := range map[string]bool{
		"/api/workflows/long": true, "/api/workflows": true, "/openapi.json": true, "/schemas/definition.json": true,
		"/healthz": false, "/docs": false, "/metrics": false, "/api/workflows/export": false,
		"/api/workflows/runs/" + p.finished + "/stream": false,
	} {
		plain, packed := s.plainly("GET", path, "", nil), s.plainly("GET", path, "gzip", nil)
		if got := packed.header.Get("Content-Encoding") == "gzip"; got != packs || plain.header.Get("Content-Encoding") != "" {
			t.Errorf("%s: compressed %t, unasked %q", path, got, plain.header.Get("Content-Encoding"))
			continue
		}
		if strings.Contains(plain.header.Get("Content-Type"), "json") && !strings.Contains(path, "export") && !strings.HasPrefix(plain.header.Get("Vary"), "Accept-Encoding") {
			t.Errorf("%s: Vary is %q", path, plain.header.Get("Vary"))
		}
		if !packs {
			continue
		}
		if text := unpacked(t, packed.body); text != plain.body || packed.header.Get("Content-Length") != fmt.Sprint(len(packed.body)) ||
			!strings.HasPrefix(packed.header.Get("Vary"), "Accept-Encoding") || len(packed.body) >= len(plain.body) || packed.header.Get("ETag") != plain.header.Get("ETag") {
			t.Errorf("%s: %v and %d of %d bytes", path, packed.header, len(packed.body), len(plain.body))
		}
		head := s.plainly("HEAD", path, "gzip", nil)
		if head.body != "" || head.header.Get("Content-Encoding") != "gzip" || head.header.Get("Content-Length") != packed.header.Get("Content-Length") {
			t.Errorf("HEAD %s: %v", path, head.header)
		}
	}
	tag := s.plainly("GET", "/api/workflows/long", "gzip", nil).header.Get("ETag")
	if same := s.plainly("GET", "/api/workflows/long", "gzip", map[string]string{"If-None-Match": tag}); same.status != http.StatusNotModified ||
		same.body != "" || same.header.Get("Content-Encoding") != "" || !strings.HasPrefix(same.header.Get("Vary"), "Accept-Encoding") {
		t.Errorf("not modified: %d %v", same.status, same.header)
	}
	if gone := s.plainly("DELETE", "/api/workflows/long", "gzip", map[string]string{"If-Match": tag}); gone.status != http.StatusNoContent || gone.header.Get("Content-Encoding") != "" {
		t.Errorf("If-Match with the tag of a compressed answer: %d %s", gone.status, gone.body)
	}
}

func TestWhatAcceptEncodingMeans(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	for accept, packs := range map[string]bool{
		"gzip": true, "GZIP": true, "x-gzip": true, "gzip, deflate, br": true, "br;q=1.0, gzip;q=0.8, *;q=0.1": true,
		"*": true, "*;q=0.5": true, "gzip;q=0.001": true, "gzip; q=1": true, "identity;q=0, gzip": true, "identity;q=0.5, gzip;q=1.0": true,
		"": false, "identity": false, "br": false, "gzip;q=0": false, "gzip;q=0.000": false, "*;q=0": false, "gzip;q=0, *": false,
		"identity;q=1, gzip;q=0.5": false, "gzip;q=2": false, "gzip;q=-1": false, "gzip;q=NaN": false, "gzip;level=1": false, "gzipped": false, ",;,": false,
	} {
		got := s.plainly("GET", "/openapi.json", accept, nil).want(t, http.StatusOK)
		if (got.header.Get("Content-Encoding") == "gzip") != packs {
			t.Errorf("%q: Content-Encoding is %q", accept, got.header.Get("Content-Encoding"))
		}
	}
}

// A large value keeps its ranges, and a kept answer is compressed as the first.
func TestCompressionLeavesRangesAndReplaysAlone(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	wf := `{"definition":{"name":"` + strings.Repeat("Replayed ", 20) + `","description":"` + strings.Repeat("long ", 400) + `","steps":[{"id":"a","type":"condition","config":{"expression":"true"}}]}}`
	first := s.do(keyed("/api/workflows", wf, "k")).want(t, http.StatusCreated)
	again := s.do(keyed("/api/workflows", wf, "k")).want(t, http.StatusCreated)
	if first.body != again.body || again.header.Get("Idempotency-Replayed") != "true" {
		t.Errorf("%s\n%s", first.body, again.body)
	}
	p := s.place()
	blob := "/api/workflows/runs/" + p.large
	if got := s.plainly("GET", blob, "gzip", map[string]string{"Range": "bytes=0-99"}); got.status != http.StatusPartialContent || got.header.Get("Content-Encoding") != "" || len(got.body) != 100 {
		t.Errorf("a range: %d %v", got.status, got.header)
	}
	if got := s.plainly("GET", blob, "gzip", nil); got.header.Get("Content-Encoding") != "" {
		t.Errorf("a large value: %v", got.header)
	}
}
