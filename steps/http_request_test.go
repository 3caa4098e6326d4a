package steps_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

func quoted(s string) string {
	raw, _ := json.Marshal(s)
	return string(raw)
}

func TestHTTPRequestSendsWhatConfigSays(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.Header().Add("X-Two", "a")
		w.Header().Add("X-Two", "b")
		_ = json.NewEncoder(w).Encode(map[string]any{"method": r.Method, "query": r.URL.RawQuery, "body": string(body), "headers": r.Header})
	})
	r := open(t, s.Listener.Addr().String())
	out := succeed(t, r, "http_request", `{"method":"POST","url":`+quoted(s.URL+"/a?x=1")+`,"query":{"y":[1,"b c"],"z":true},
		"headers":{"X-Number":12345678901234567890},"body":{"n":9007199254740993,"e":1e400},"auth":{"type":"basic","username":"u","password":"p"}}`)
	body := out["body"].(map[string]any)
	headers := body["headers"].(map[string]any)
	for what, got := range map[string][2]any{
		"status":      {out["status_code"], 200.0},
		"method":      {body["method"], "POST"},
		"query":       {body["query"], "x=1&y=1&y=b+c&z=true"},
		"body":        {body["body"], `{"n":9007199254740993,"e":1e400}`},
		"type":        {fmt.Sprint(headers["Content-Type"]), "[application/json]"},
		"number":      {fmt.Sprint(headers["X-Number"]), "[12345678901234567890]"},
		"auth":        {fmt.Sprint(headers["Authorization"]), "[Basic dTpw]"},
		"key":         {fmt.Sprint(headers["Idempotency-Key"]), "[run_1/s/0]"},
		"agent":       {fmt.Sprint(headers["User-Agent"]), "[heddle/1.2.3]"},
		"flat header": {out["headers"].(map[string]any)["x-two"], "a, b"},
	} {
		if got[0] != got[1] {
			t.Errorf("%s: %v, want %v", what, got[0], got[1])
		}
	}
}

func TestHTTPRequestReadsBodies(t *testing.T) {
	tests := []struct{ name, contentType, body, how, want string }{
		{"json kept exactly", "application/json", `{"big": 9007199254740993, "f": 1.0}`, "", `{"big":9007199254740993,"f":1.0}`},
		{"problem json", "application/problem+json", `[1]`, "", `[1]`},
		{"wild number becomes text", "application/json", `[1e999999, 2]`, "", `["1e999999",2]`},
		{"text", "text/plain", `{"a":1}`, "", `"{\"a\":1}"`},
		{"json asked for", "text/plain", `{"a":1}`, "json", `{"a":1}`},
		{"text asked for", "application/json", `{"a":1}`, "text", `"{\"a\":1}"`},
		{"broken json", "application/json", `{"a":`, "", `"{\"a\":"`},
		{"not utf-8", "text/plain", "\xff\xfe", "", `{"$base64":"//4="}`},
		{"nul", "text/plain", "a\x00b", "", `{"$base64":"YQBi"}`},
		{"escaped nul in json", "application/json", `"a\u0000"`, "", `"\"a\\u0000\""`},
		{"markup", "text/html", "<b>&amp;</b>", "", `"<b>&amp;</b>"`},
		{"empty", "application/json", "", "", `null`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", tt.contentType)
				_, _ = io.WriteString(w, tt.body)
			})
			r := open(t, s.Listener.Addr().String())
			res, f := attempt(t, r, "http_request", `{"url":`+quoted(s.URL)+`,"response":`+quoted(tt.how)+`}`)
			if f != nil {
				t.Fatalf("failed: %+v", f)
			}
			if _, body, _ := strings.Cut(string(res.Output), `"body":`); body != tt.want+"}" {
				t.Errorf("body %s, want %s", body, tt.want)
			}
		})
	}
}

func TestHTTPRequestStatuses(t *testing.T) {
	tests := []struct {
		status    int
		expect    string
		code      string
		permanent bool
	}{
		{200, ``, "", false},
		{302, ``, "", false},
		{404, ``, "unexpected_status", true},
		{404, `404`, "", false},
		{404, `["200-204",404]`, "", false},
		{200, `201`, "unexpected_status", true},
		{503, `"500-599"`, "", false},
		{408, ``, "unexpected_status", false},
		{429, ``, "unexpected_status", false},
		{500, ``, "unexpected_status", false},
		{503, ``, "unexpected_status", false},
		{400, ``, "unexpected_status", true},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.status, tt.expect), func(t *testing.T) {
			s := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(tt.status) })
			r := open(t, s.Listener.Addr().String())
			config := `{"url":` + quoted(s.URL) + `,"follow_redirects":false`
			if tt.expect != "" {
				config += `,"expect_status":` + tt.expect
			}
			if tt.code == "" {
				succeed(t, r, "http_request", config+"}")
				return
			}
			fail(t, r, "http_request", config+"}", tt.code, tt.permanent)
		})
	}
}

func TestHTTPRequestHonoursRetryAfter(t *testing.T) {
	for value, want := range map[string]time.Duration{
		"7": 7 * time.Second,
		at.Add(time.Hour).Format(http.TimeFormat):  time.Hour,
		at.Add(-time.Hour).Format(http.TimeFormat): 0,
		"soon": 0,
		"-3":   0,
	} {
		s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", value)
			w.WriteHeader(503)
		})
		f := fail(t, open(t, s.Listener.Addr().String()), "http_request", `{"url":`+quoted(s.URL)+`}`, "unexpected_status", false)
		if f.RetryAfter != want {
			t.Errorf("Retry-After %q gives %v, want %v", value, f.RetryAfter, want)
		}
	}
}

func TestAnExpectedStatusMayBeWrittenWithItsPoint(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(418) })
	for expect, fits := range map[string]bool{"418.0": true, "[200, 4.18e2]": true, "418.5": false, `"418.0"`: false, "1e999": false} {
		_, f := attempt(t, open(t, "127.0.0.1"), "http_request", `{"url":`+quoted(s.URL)+`,"expect_status":`+expect+`}`)
		if fits != (f == nil) {
			t.Errorf("%s: %+v", expect, f)
		}
	}
}
