package steps_test

import (
	"heddle/steps"
	"net/http"
	"strings"
	"testing"
)

// Texts that templates put into a url arrive encoded, and escapes are not encoded again.
func TestURLsAreEncodedAsTheirPlaceDemands(t *testing.T) {
	t.Parallel()
	seen := make(chan string, 1)
	s := serve(t, func(_ http.ResponseWriter, r *http.Request) { seen <- r.RequestURI })
	r := open(t, "127.0.0.1")
	for url, want := range map[string]string{
		"/find?q=two words":            "/find?q=two%20words",
		"/find?q=two%20words":          "/find?q=two%20words",
		"/find?q=a+b&c=d/e?f":          "/find?q=a+b&c=d/e?f",
		"/find?q=50% off":              "/find?q=50%25%20off",
		"/a b/ü?q=ü":                   "/a%20b/%C3%BC?q=%C3%BC",
		"/a%2Fb/%c3%bc":                "/a%2Fb/%c3%bc",
		"/100%":                        "/100%25",
		"?q=\"<x>\"":                   "/?q=%22%3Cx%3E%22",
		"/x?filter[name]={a|b}":        "/x?filter[name]=%7Ba%7Cb%7D",
		"/x?a=line\nbreak\tand\x00nul": "/x?a=line%0Abreak%09and%00nul",
		"/x?q=a b#part two":            "/x?q=a%20b",
		" /x ":                         "/x",
	} {
		if _, f := attempt(t, r, "http_request", `{"url":`+quoted(s.URL+strings.TrimPrefix(url, " "))+`}`); f != nil {
			t.Errorf("%s: %+v", url, f)
			continue
		}
		if got := <-seen; got != want {
			t.Errorf("%s became %s, want %s", url, got, want)
		}
	}
	if _, f := attempt(t, r, "webhook", `{"event":"e","url":`+quoted(s.URL+"/a b?c=d e")+`}`); f != nil {
		t.Errorf("webhook: %+v", f)
	} else if got := <-seen; got != "/a%20b?c=d%20e" {
		t.Errorf("webhook: %s", got)
	}
	moved := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", s.URL+"/moved here?a=b c")
		w.WriteHeader(302)
	})
	if _, f := attempt(t, r, "http_request", `{"url":`+quoted(moved.URL)+`}`); f != nil {
		t.Errorf("redirect: %+v", f)
	} else if got := <-seen; got != "/moved%20here?a=b%20c" {
		t.Errorf("redirect: %s", got)
	}
	m := &model{answers: []string{toolUse("find", `{"q":"a b"}`), "Done."}}
	server := serve(t, m.ServeHTTP)
	tools := []steps.AgentTool{{Name: "find", Method: "GET", URL: s.URL + "/by name?x=a b"}}
	r = open(t, "127.0.0.1", func(d *steps.Deps) { d.Agents = toolAgents{agents{server.URL}, tools} })
	if _, f := attempt(t, r, "agent_task", `{"agent_id":"writer","goal":"g"}`); f != nil {
		t.Errorf("tool: %+v", f)
	} else if got := <-seen; got != "/by%20name?q=a+b&x=a+b" {
		t.Errorf("tool: %s", got)
	}
	for _, url := range []string{"http://a b/", "http://[::1/", "http:///x"} {
		fail(t, r, "http_request", `{"url":`+quoted(url)+`}`, "invalid_url", true)
	}
}
