package steps_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"
)

// echo is a server that answers with the method, content type and body of the request.
func echo(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	_, _ = io.WriteString(w, r.Method+"|"+r.Header.Get("Content-Type")+"|"+string(body)+"|"+r.Header.Get("Authorization"))
}

func TestHTTPRequestForms(t *testing.T) {
	s := serve(t, echo)
	r := open(t, "127.0.0.1")
	for config, want := range map[string]string{
		`"method":"POST","form":{"a":["x y",1],"b":true}`:                              "POST|application/x-www-form-urlencoded|a=x+y&a=1&b=true|",
		`"method":"PUT","raw":"<a/>","headers":{"content-type":"application/xml"}`:     "PUT|application/xml|<a/>|",
		`"method":"PATCH","raw":{"$base64":"AGE="}`:                                    "PATCH|text/plain; charset=utf-8|\x00a|",
		`"method":"post","body":null`:                                                  "POST|application/json|null|",
		`"method":"POST","body":"text"`:                                                `POST|application/json|"text"|`,
		`"auth":{"type":"bearer","token":"t"}`:                                         "GET||" + "|Bearer t",
		`"method":"DELETE","headers":{"Authorization":"Custom x","Content-Type":null}`: "DELETE|||Custom x",
	} {
		res, f := attempt(t, r, "http_request", `{"response":"text","url":`+quoted(s.URL)+`,`+config+`}`)
		if f != nil {
			t.Errorf("%s: %+v", config, f)
			continue
		}
		expected := strings.NewReplacer(`\u0026`, "&", `\u003c`, "<", `\u003e`, ">").Replace(quoted(want))
		if strings.Contains(want, "\x00") {
			expected = `{"$base64":"` + base64.StdEncoding.EncodeToString([]byte(want)) + `"}`
		}
		if !strings.Contains(string(res.Output), `"body":`+expected) {
			t.Errorf("%s: %s, want %s", config, res.Output, expected)
		}
	}
}

// What was meant to be bytes is never sent as text.
func TestBytesThatAreNotBase64AreRefused(t *testing.T) {
	requests := make(chan string, 10)
	s := serve(t, func(_ http.ResponseWriter, r *http.Request) { requests <- r.Method })
	r := open(t, "127.0.0.1")
	for _, bad := range []string{`{"$base64":"not base64"}`, `{"$base64":"AGE"}`, `{"$base64":7}`, `{"$base64":null}`, `{"$base64":{"a":1},"b":2}`} {
		fail(t, r, "http_request", `{"method":"POST","url":`+quoted(s.URL)+`,"raw":`+bad+`}`, "invalid_config", true)
		fail(t, r, "http_request", `{"method":"POST","url":`+quoted(s.URL)+`,"multipart":[{"name":"f","value":`+bad+`}]}`, "invalid_config", true)
		st, ok := r.StepType("http_request")
		if !ok {
			t.Fatal("no http_request")
		}
		found := st.CheckConfig(json.RawMessage(`{"url":"https://example.com","raw":` + bad + `}`))
		if len(found) != 1 || found[0].Pointer != "/raw/$base64" {
			t.Errorf("%s: %+v", bad, found)
		}
	}
	if len(requests) > 0 {
		t.Errorf("%d requests were sent", len(requests))
	}
}

func TestTraceContextIsSent(t *testing.T) {
	seen := make(chan http.Header, 10)
	s := serve(t, func(_ http.ResponseWriter, r *http.Request) { seen <- r.Header })
	r := open(t, "127.0.0.1")
	c := call("http_request", `{"url":`+quoted(s.URL)+`}`)
	c.TraceParent, c.TraceState = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "vendor=1"
	if _, f := perform(t.Context(), t, r, c); f != nil {
		t.Fatalf("failed: %+v", f)
	}
	if h := <-seen; h.Get("traceparent") != c.TraceParent || h.Get("tracestate") != "vendor=1" {
		t.Errorf("headers %v", h)
	}
	var made []string
	for n := 1; n <= 2; n++ {
		c := call("http_request", `{"url":`+quoted(s.URL)+`}`)
		c.Attempt = n
		if _, f := perform(t.Context(), t, r, c); f != nil {
			t.Fatalf("failed: %+v", f)
		}
		h := <-seen
		if h.Get("Idempotency-Key") != "run_1/s/0" {
			t.Errorf("Idempotency-Key %q", h.Get("Idempotency-Key"))
		}
		made = append(made, h.Get("traceparent"))
	}
	if !regexp.MustCompile(`^00-[0-9a-f]{32}-[0-9a-f]{16}-00$`).MatchString(made[0]) || made[0][:35] != made[1][:35] || made[0] == made[1] {
		t.Errorf("two attempts of one run share a trace and differ in the span: %v", made)
	}
}

func TestHTTPRequestResponseLimits(t *testing.T) {
	endless := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/told" {
			w.Header().Set("Content-Length", "99999999999")
		}
		if r.URL.Path == "/header" {
			w.Header().Set("X-Long", strings.Repeat("x", 100<<10))
		}
		block := make([]byte, 1<<20)
		for range 80 {
			if _, err := w.Write(block); err != nil {
				return
			}
		}
	})
	r := open(t, "127.0.0.1")
	fail(t, r, "http_request", `{"url":`+quoted(endless.URL)+`}`, "output_too_large", true)
	fail(t, r, "http_request", `{"url":`+quoted(endless.URL+"/told")+`}`, "output_too_large", true)
	if f := fail(t, r, "http_request", `{"url":`+quoted(endless.URL+"/header")+`}`, "header_too_large", true); !strings.Contains(f.Message, "larger than 64 KiB") {
		t.Errorf("message %s", f.Message)
	}
	half := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 60<<20)) })
	fail(t, r, "http_request", `{"url":`+quoted(half.URL)+`}`, "output_too_large", true) // as base64 it is 80 MiB
}

func TestHTTPRequestEndsWithItsContext(t *testing.T) {
	asked := make(chan struct{}, 2)
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/body" {
			_ = http.NewResponseController(w).Flush()
		}
		asked <- struct{}{}
		<-r.Context().Done()
	})
	r := open(t, "127.0.0.1")
	for _, path := range []string{"/", "/body"} {
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			<-asked
			cancel()
		}()
		_, f := perform(ctx, t, r, call("http_request", `{"url":`+quoted(s.URL+path)+`}`))
		if f == nil || f.Code != "stopped" || f.Permanent {
			t.Errorf("%s: %+v", path, f)
		}
	}
	ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	if _, f := perform(ctx, t, r, call("http_request", `{"url":`+quoted(s.URL)+`}`)); f == nil || f.Code != "timeout" || f.Permanent {
		t.Errorf("failure %+v", f)
	}
}

func TestHTTPRequestAsksForJSON(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") })
	fail(t, open(t, "127.0.0.1"), "http_request", `{"url":`+quoted(s.URL)+`,"response":"json"}`, "response_not_json", true)
}

func TestUnexpectedStatusShowsTheBody(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(422)
		_, _ = io.WriteString(w, "quantity must be positive"+strings.Repeat(".", 9000))
	})
	f := fail(t, open(t, "127.0.0.1"), "http_request", `{"url":`+quoted(s.URL+"?key=hush")+`}`, "unexpected_status", true)
	body, _ := f.Details["body"].(string)
	if !strings.HasPrefix(body, "quantity must be positive") || len(body) != 2048 || f.Details["status_code"] != 422 ||
		f.Message != "The server answered 422 Unprocessable Entity; expected 200-399." {
		t.Errorf("failure %.300v", f)
	}
}
