package api_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"heddle/api"
	"heddle/executor"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
)

type runnerFunc func(ctx context.Context, call executor.Call) (executor.Result, error)

func (f runnerFunc) Run(ctx context.Context, call executor.Call) (executor.Result, error) {
	return f(ctx, call)
}

// giving makes a stack of which every step has this output.
func giving(output string) stackOption {
	return func(_ *api.Config, e *executor.Config) {
		e.Runner = runnerFunc(func(context.Context, executor.Call) (executor.Result, error) {
			return executor.Result{Output: json.RawMessage(output)}, nil
		})
	}
}

const oneRequest = `{"name":"Large","output":"{{ steps.get.output.body.mark }}","steps":[{"id":"get","type":"http_request","config":{"url":"https://example.com/"}}]}`

// largeLoop ends with an output that is stored apart, given largeText.
const largeLoop = `{"name":"Large loop","output":"{{ steps.each.output.results }}","steps":[{"id":"each","type":"loop",
	"config":{"items":"2","collect":"input.text","steps":[{"id":"one","type":"condition","config":{"expression":"true"}}]}}]}`

var largeText = `{"input_data":{"text":"` + strings.Repeat("x", 550_000) + `"}}`

// largeRun runs one step with a large output and returns the path of its blob.
func (s *stack) largeRun() (run response, path string) {
	s.t.Helper()
	id := s.start(s.create(oneRequest, ""), "")
	run = s.until(id, "completed")
	return run, "/api/workflows/runs/" + id + "/blobs/" + run.text(s.t, "run", "step_runs", 0, "output", "$blob")
}

func TestALargeOutputIsReferencedAndItsBytesAreServed(t *testing.T) {
	content := `{"body":{"mark":"here"},"pad":"` + strings.Repeat("0123456789", 300_000) + `"}`
	onBothStores(t, func(t *testing.T, s *stack) {
		run, path := s.largeRun()
		sum := sha256.Sum256([]byte(content))
		out, _ := run.field(t, "run", "step_runs", 0, "output").(map[string]any)
		if fmt.Sprint(out["size"]) != strconv.Itoa(len(content)) || out["sha256"] != hex.EncodeToString(sum[:]) || out["content_type"] != "application/json" || len(out) != 4 {
			t.Errorf("the reference: %v", out)
		}
		if got := run.text(t, "run", "output"); got != "here" {
			t.Errorf("the run's output: %s", got)
		}
		got := s.get(path).want(t, http.StatusOK)
		if got.body != content || got.header.Get("Content-Length") != strconv.Itoa(len(content)) || got.header.Get("Accept-Ranges") != "bytes" {
			t.Errorf("%d bytes, %v", len(got.body), got.header)
		}
		tag := got.header.Get("ETag")
		if tag != `"`+hex.EncodeToString(sum[:])+`"` {
			t.Errorf("ETag %s", tag)
		}
		s.do(request{method: http.MethodGet, path: path, header: map[string]string{"If-None-Match": tag}}).want(t, http.StatusNotModified)
		if head := s.do(request{method: http.MethodHead, path: path}).want(t, http.StatusOK); head.body != "" || head.header.Get("Content-Length") != strconv.Itoa(len(content)) {
			t.Errorf("HEAD: %d bytes, %v", len(head.body), head.header)
		}
		s.partly(path, content, tag)

		other := s.tenant("other")
		s.do(request{method: http.MethodGet, path: path, key: other}).wantCode(t, http.StatusNotFound, "run_not_found")
		s.do(request{method: http.MethodGet, path: path, key: s.key("none")}).wantCode(t, http.StatusForbidden, "acl_denied")
		s.get(path+"0").wantCode(t, http.StatusNotFound, "blob_not_found")
		s.get(strings.TrimSuffix(path, path[len(path)-3:])+"%20/").wantCode(t, http.StatusNotFound, "blob_not_found")
		_, second := s.largeRun()
		runPart, _, _ := strings.Cut(path, "/blobs/")
		_, id, _ := strings.Cut(second, "/blobs/")
		s.get(runPart+"/blobs/"+id).wantCode(t, http.StatusNotFound, "blob_not_found")

		s.do(request{method: http.MethodDelete, path: runPart}).want(t, http.StatusNoContent)
		s.get(path).wantCode(t, http.StatusNotFound, "run_not_found")
	}, giving(content))
}

// partly requests parts of the content.
func (s *stack) partly(path, content, tag string) {
	s.t.Helper()
	n := len(content)
	for header, want := range map[string][2]int{
		"bytes=0-0":                           {0, 1},
		"bytes=5-9":                           {5, 10},
		"bytes=1048570-1048590":               {1048570, 1048591},
		fmt.Sprintf("bytes=%d-", n-3):         {n - 3, n},
		"bytes=-7":                            {n - 7, n},
		fmt.Sprintf("bytes=%d-%d", n-2, 99*n): {n - 2, n},
		fmt.Sprintf("bytes=-%d", 99*n):        {0, n},
	} {
		got := s.do(request{method: http.MethodGet, path: path, header: map[string]string{"Range": header}}).want(s.t, http.StatusPartialContent)
		if got.body != content[want[0]:want[1]] || got.header.Get("Content-Range") != fmt.Sprintf("bytes %d-%d/%d", want[0], want[1]-1, n) {
			s.t.Errorf("%s: %d bytes, %s", header, len(got.body), got.header.Get("Content-Range"))
		}
	}
	for _, header := range []string{fmt.Sprintf("bytes=%d-", n), fmt.Sprintf("bytes=%d-%d", 2*n, 3*n), "bytes=-0"} {
		got := s.do(request{method: http.MethodGet, path: path, header: map[string]string{"Range": header}})
		got.wantCode(s.t, http.StatusRequestedRangeNotSatisfiable, "range_not_satisfiable")
		if got.header.Get("Content-Range") != fmt.Sprintf("bytes */%d", n) {
			s.t.Errorf("%s: %s", header, got.header.Get("Content-Range"))
		}
	}
	for _, header := range []string{"bytes=0-1,4-5", "bytes=9-5", "bytes=x-", "bytes=-", "bytes=--1", "bytes=+1-2", "lines=1-2", "bytes", "bytes=99999999999999999999-"} {
		got := s.do(request{method: http.MethodGet, path: path, header: map[string]string{"Range": header}}).want(s.t, http.StatusOK)
		if len(got.body) != n {
			s.t.Errorf("%s: %d bytes", header, len(got.body))
		}
	}
	header := map[string]string{"Range": "bytes=0-0", "If-Range": `"another"`}
	s.do(request{method: http.MethodGet, path: path, header: header}).want(s.t, http.StatusOK)
	// Preconditions that decide without the range come before it.
	beyond := fmt.Sprintf("bytes=%d-", n)
	for _, c := range []struct {
		name, value string
		status      int
	}{
		{"If-Range", `"another"`, http.StatusOK},
		{"If-Range", "Wed, 21 Oct 2015 07:28:00 GMT", http.StatusOK},
		{"If-None-Match", `"another", W/` + tag, http.StatusNotModified},
		{"If-None-Match", "*", http.StatusNotModified},
		{"If-Range", tag, http.StatusRequestedRangeNotSatisfiable},
		{"If-None-Match", `"another"`, http.StatusRequestedRangeNotSatisfiable},
		{"If-Match", tag, http.StatusRequestedRangeNotSatisfiable},
		{"If-Match", `"another"`, http.StatusPreconditionFailed},
	} {
		got := s.do(request{method: http.MethodGet, path: path, header: map[string]string{"Range": beyond, c.name: c.value}})
		if got.status != c.status {
			s.t.Errorf("%s: %s beyond the end: %d, want %d", c.name, c.value, got.status, c.status)
		}
	}
	for _, list := range []string{`"another"`, "W/" + tag, "junk"} {
		got := s.do(request{method: http.MethodGet, path: path, header: map[string]string{"If-Match": list}})
		if got.wantCode(s.t, http.StatusPreconditionFailed, "precondition_failed"); got.header.Get("ETag") != "" {
			s.t.Errorf("If-Match %s: %v", list, got.header)
		}
	}
	for _, list := range []string{`"another", ` + tag, "*"} {
		s.do(request{method: http.MethodGet, path: path, header: map[string]string{"If-Match": list}}).want(s.t, http.StatusOK)
	}
	header["If-Range"] = tag
	s.do(request{method: http.MethodGet, path: path, header: header}).want(s.t, http.StatusPartialContent)
}

func TestALargeOutputHoldsNoSecret(t *testing.T) {
	const secret = "s3cret/value+with=signs"
	pad := strings.Repeat("z", 2<<20)
	content, err := json.Marshal(map[string]any{
		"body": map[string]string{"mark": secret}, "plain": pad + secret + pad, "url": url.QueryEscape(secret), "base64": base64.StdEncoding.EncodeToString([]byte("xy" + secret)),
		"key " + secret: "", "base64url": base64.RawURLEncoding.EncodeToString([]byte(secret)),
	})
	if err != nil {
		t.Fatal(err)
	}
	s := newStack(t, giving(string(content)))
	s.do(request{method: http.MethodPut, path: "/v1/secrets/TOKEN", body: `{"value":"` + secret + `"}`}).want(t, http.StatusNoContent)
	run, path := s.largeRun()
	got := s.get(path).want(t, http.StatusOK)
	if run.text(t, "run", "output") != "***" || !strings.Contains(got.body, pad+"***"+pad) {
		t.Errorf("the run gave %v", run.field(t, "run", "output"))
	}
	for _, form := range []string{secret, url.QueryEscape(secret), base64.StdEncoding.EncodeToString([]byte(secret))[:20], base64.StdEncoding.EncodeToString([]byte("xy" + secret))[4:20]} {
		if strings.Contains(got.body, form) {
			t.Errorf("the stored value holds %s", form)
		}
	}
}
