package steps_test

import (
	"strings"
	"testing"
)

// An attempt finds in rendered templates what validation finds in literal texts.
func TestConfigsThatContradictThemselvesAreRefused(t *testing.T) {
	t.Parallel()
	r := open(t, "127.0.0.1")
	for _, config := range []string{
		`"headers":{"X-A":"1","x-a":"2"}`,
		`"headers":{"X-A":"one\r\ntwo"}`,
		`"headers":{"X-A":"one\n"}`,
		`"auth":{"type":"basic","username":"a:b","password":"p"}`,
		`"auth":{"type":"bearer","token":""}`,
		`"auth":{"type":"bearer","token":"t\n"}`,
		`"auth":{"type":"bearer","token":"t"},"headers":{"authorization":"u"}`,
		`"auth":{"type":"header","name":"X-Key","value":"t"},"headers":{"x-key":"u"}`,
		`"multipart":[{"name":"a","value":"b"}],"headers":{"content-type":"multipart/form-data"}`,
	} {
		fail(t, r, "http_request", `{"url":"http://127.0.0.1:1/",`+config+`}`, "invalid_config", true)
	}
	for _, config := range []string{`"secret":""`, `"headers":{"X-A":"1","x-a":"2"}`} {
		fail(t, r, "webhook", `{"url":"http://127.0.0.1:1/","event":"e",`+config+`}`, "invalid_config", true)
	}
	if f := fail(t, r, "http_request", `{"url":"http://127.0.0.1:1/","follow_redirects":12345678}`, "invalid_config", true); strings.Contains(f.Message, "1234") {
		t.Errorf("the value is quoted: %s", f.Message)
	}
	s := serve(t, echo)
	out := succeed(t, r, "http_request", `{"url":`+quoted(s.URL)+`,"auth":{"type":"bearer","token":"t"},"headers":{"Authorization":"","authorization":null}}`)
	if out["body"] != "GET|||Bearer t" {
		t.Errorf("empty headers are left out: %v", out["body"])
	}
}
