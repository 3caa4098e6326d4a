package api_test

import (
	"context"
	"fmt"
	"heddle/api"
	"heddle/executor"
	"heddle/steps"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// The secrets of the table: one of every character, one that may be a header's
// name, one that is a number, one that is an address.
var piecedSecrets = map[string]string{
	"ODD":   `s3cr3t-Val/ue:with@odd%chars and spaces 0123456789`,
	"TOKEN": "zqk-tokenValue-ABCdef-9876",
	"COUNT": "839204718263",
	"PLACE": "https://wkjqpxzv.hidden-place.invalid:99999/hook/Kqzxwv",
	"HOOK":  "whsec_!!jqpw-Qwzxk-vbnm",
	"ENVS":  `{"qzwxkv=jhgfd":"mnbvcx","plmokn":"ijbuhv"}`,
}

// No error quotes a piece of a value that a secret went into, wherever the secret
// stood and however the value was cut or changed before.
func TestNoErrorQuotesAPieceOfASecret(t *testing.T) {
	t.Parallel()
	echo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/away/") {
			between(w, r)
			return
		}
		body, _ := io.ReadAll(r.Body)
		around := agentAnswers[strings.Split(r.URL.Path+"/", "/")[1]]
		if around == [2]string{} {
			w.WriteHeader(http.StatusBadRequest)
		}
		fmt.Fprint(w, around[0]) // as providers do: the beginning, the end, and in capitals
		defer fmt.Fprint(w, around[1])
		got := r.URL.Query().Encode() + r.Header.Get("X-A") + string(body)
		if text, err := url.QueryUnescape(r.URL.RawQuery); err == nil {
			got += text
		}
		for _, v := range piecedSecrets {
			if escaped := strconv.Quote(v); !strings.Contains(got, v) && !strings.Contains(got, escaped[1:len(escaped)-1]) {
				continue
			}
			pieces := fmt.Sprintf("%s… …%s %s %q\n", v[:9], v[len(v)-8:], strings.ToUpper(v[2:12]), v[3:12])
			if around[0] != "" {
				pieces = strings.Trim(strconv.Quote(pieces), `"`)
			}
			fmt.Fprint(w, pieces)
		}
	}))
	t.Cleanup(echo.Close)
	guard, err := steps.NewGuard(strings.TrimPrefix(echo.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	registry := steps.Default(steps.Deps{Version: "test", Egress: guard, Agents: quotingAgents{echo.URL}, Scripts: steps.Scripts{Mode: "unconfined"}})
	t.Cleanup(registry.Close)
	s := newStack(t, func(_ *api.Config, e *executor.Config) { e.Runner = registry })
	for name, value := range piecedSecrets {
		s.do(request{method: http.MethodPut, path: "/v1/secrets/" + name, body: `{"value":` + strconv.Quote(value) + `}`}).want(t, http.StatusNoContent)
	}
	all := `secrets.ODD + secrets.TOKEN + secrets.COUNT + secrets.PLACE + secrets.HOOK + secrets.ENVS`
	httpTo := func(rest string) string {
		return `"type":"http_request","config":{"url":"` + echo.URL + `",` + rest + `}`
	}
	get := func(text string) string { return `"type":"http_request","config":{"url":"` + text + `"}` }
	webhook := func(rest string) string {
		return `"type":"webhook","config":{"url":"` + echo.URL + `","event":"e",` + rest + `}`
	}
	agent := func(id, rest string) string {
		return `"type":"agent_task","config":{"agent_id":"` + id + `","goal":"Use {{ ` + all + ` }}"` + rest + `}`
	}
	script := func(text string) string {
		return `"type":"script","config":{"script":` + strconv.Quote(text) + `,"args":["{{ secrets.ODD }}","{{ secrets.COUNT }}"],"env":{"T":"{{ secrets.TOKEN }}"},"stdin":"{{ ` + all + ` }}"}`
	}
	away := func(how, text string) string {
		return get(echo.URL + "/away/" + how + "?v={{ urlEncode(" + text + ") }}")
	}
	for name, step := range map[string]string{
		"agent's status":             agent("status", ``),
		"agent's error":              agent("error", ``),
		"agent's error as text":      agent("text", ``),
		"agent's page":               agent("page", ``),
		"agent's stream":             agent("stream", ``),
		"agent's refusal":            agent("refusal", ``),
		"agent's finish reason":      agent("finish", ``),
		"agent's choice":             agent("choice", ``),
		"agent's empty message":      agent("empty", ``),
		"agent's answer":             agent("answer", `,"output_schema":{"type":"object","required":["zz"]}`),
		"agent's answer, cut":        agent("answer", `,"output_schema":{"enum":["no"]}`),
		"agent's context":            `"type":"agent_task","config":{"agent_id":"error","goal":"g","context":{"a":["{{ secrets.ODD }}"],"b":"{{ ` + all + ` }}"}}`,
		"a redirect's host":          away("host", "secrets.TOKEN[4:12]"),
		"a redirect off limits":      away("local", "secrets.TOKEN[4:12]"),
		"a redirect's scheme":        away("scheme", "secrets.TOKEN"),
		"a redirect that never ends": away("loop", "secrets.ODD"),
		"a redirect that is none":    away("broken", "secrets.ODD"),
		"a proxy's page":             away("page", "secrets.ODD"),
		"a proxy's status line":      away("line", "secrets.TOKEN[4:12]"),
		"a proxy's header":           away("header", "secrets.TOKEN[4:12]"),
		"script's stderr, cut":       script(`printf %s "$T" | cut -c3-14 >&2; exit 3`),
		"script's stderr, capitals":  script(`printf %s "$1" | cut -c1-12 | tr a-z A-Z >&2; exit 3`),
		"script's stderr in lines":   script(`printf %s "$1" | fold -w 9 >&2; exit 3`),
		"script's stdout, cut":       script(`cut -c2-20; exit 3`),
		"script's command":           script(`"$T"`),
		"script's command, cut":      script(`"${T%??????}"`),
		"script's file":              script(`cat "/none/${T#????}"`),
		"script's syntax":            script(`eval "${1} ("`),
		"script's stdin as shell":    script(`sh`),
		"script's trace":             script(`set -x; x="${T#??}"; test "$x" = "${x%?}"`),
		"script's number":            script(`exit "$2"`),
		"script's number, cut":       script(`exit "${2#??}"`),
		"script's signal":            script(`printf %s "${T#???}" >&2; kill -9 $$`),
		"url":                        get("{{ secrets.ODD }}"),
		"url's host":                 get("https://{{ secrets.ODD }}"),
		"url's host, cut":            get("https://{{ secrets.TOKEN }}.invalid/"),
		"url's host, capitals":       get("https://{{ upper(secrets.TOKEN) }}.invalid/"),
		"url's host, a slice":        get("https://{{ secrets.TOKEN[0:12] }}.invalid/"),
		"host off limits":            get("http://{{ secrets.TOKEN }}.localhost/"),
		"number off limits":          get("http://{{ secrets.COUNT }}/"),
		"url's user":                 get("https://{{ secrets.TOKEN }}:x@example.invalid/"),
		"url's port":                 get("https://example.invalid:{{ secrets.COUNT }}/"),
		"url whole":                  get("{{ secrets.PLACE }}"),
		"url without a port":         get("{{ replace(secrets.PLACE, ':99999', '') }}"),
		"url's query":                get(echo.URL + "?q={{ secrets.ODD }}"),
		"answer":                     httpTo(`"query":{"a":"{{ ` + all + ` }}"}`),
		"header":                     httpTo(`"headers":{"X-A":"{{ secrets.ODD }}\u0001"}`),
		"header's name":              httpTo(`"headers":"{{ {(secrets.ODD[0:20]): 1} }}"`),
		"header's name, token":       httpTo(`"auth":{"type":"header","name":"{{ secrets.TOKEN }}","value":"x"},"headers":"{{ {(secrets.TOKEN): 1} }}"`),
		"auth's name":                httpTo(`"auth":{"type":"header","name":"{{ secrets.ODD[0:20] }}","value":"x"}`),
		"auth's name, cut":           httpTo(`"auth":{"type":"header","name":"{{ secrets.ODD }}","value":"x"}`),
		"auth's type":                httpTo(`"auth":{"type":"{{ secrets.ODD }}","token":"x"}`),
		"bearer":                     httpTo(`"auth":{"type":"bearer","token":"{{ secrets.ODD }}\n"}`),
		"basic":                      httpTo(`"auth":{"type":"basic","username":"{{ secrets.ODD }}","password":"x"}`),
		"auth whole":                 httpTo(`"auth":"{{ fromJSON(secrets.ENVS) }}"`),
		"method":                     httpTo(`"method":"{{ secrets.ODD }}"`),
		"expect_status":              httpTo(`"expect_status":"{{ secrets.COUNT }}"`),
		"expect_status, text":        httpTo(`"expect_status":"{{ secrets.ODD }}"`),
		"follow_redirects":           httpTo(`"follow_redirects":"{{ secrets.ODD }}"`),
		"response":                   httpTo(`"response":"{{ secrets.ODD }}"`),
		"body":                       httpTo(`"body":"{{ fromJSON(secrets.ODD) }}"`),
		"multipart":                  httpTo(`"multipart":[{"name":"{{ secrets.ODD }}","value":"x","content_type":"{{ secrets.ODD[0:15] }}"}]`),
		"multipart whole":            httpTo(`"multipart":["{{ secrets.ODD }}"]`),
		"raw":                        httpTo(`"raw":{"$base64":"{{ secrets.ODD }}"}`),
		"tls pem":                    `"type":"http_request","config":{"url":"https://example.invalid/","tls":{"ca":"{{ secrets.ODD }}"}}`,
		"tls pair":                   `"type":"http_request","config":{"url":"https://example.invalid/","tls":{"cert":"{{ secrets.ODD }}","key":"{{ secrets.TOKEN }}"}}`,
		"webhook's secret":           webhook(`"secret":"{{ secrets.HOOK }}"`),
		"webhook's headers":          webhook(`"headers":"{{ fromJSON(secrets.ENVS) }}"`),
		"webhook's answer":           webhook(`"payload":"{{ ` + all + ` }}"`),
		"script's args":              `"type":"script","config":{"script":"echo","args":"{{ secrets.ODD }}"}`,
		"script's env":               `"type":"script","config":{"script":"echo","env":"{{ fromJSON(secrets.ENVS) }}"}`,
		"script's language":          `"type":"script","config":{"script":"echo","language":"{{ secrets.ODD }}"}`,
		"agent's id":                 `"type":"agent_task","config":{"agent_id":"{{ upper(secrets.ODD[0:20]) }}","goal":"g"}`,
		"agent's tokens":             `"type":"agent_task","config":{"agent_id":"a","goal":"g","max_tokens":"{{ secrets.ODD }}"}`,
		"a number":                   httpTo(`"body":"{{ int(secrets.ODD[0:20]) }}"`),
		"a number, float":            httpTo(`"body":"{{ float(secrets.ODD[-12:]) }}"`),
		"a date":                     httpTo(`"body":"{{ date(secrets.TOKEN[4:]) }}"`),
		"a date's layout":            httpTo(`"body":"{{ date('2026', secrets.TOKEN[4:]) }}"`),
		"a zone":                     httpTo(`"body":"{{ date('2026-01-01', '2006-01-02', secrets.TOKEN[4:]) }}"`),
		"a duration":                 httpTo(`"body":"{{ duration(lower(secrets.TOKEN)) }}"`),
		"a step":                     httpTo(`"body":"{{ steps[secrets.TOKEN[4:]].output }}"`),
		"a member":                   httpTo(`"body":"{{ 'x'[secrets.TOKEN[4:]] }}"`),
		"a member of null":           httpTo(`"body":"{{ input.nothing[secrets.TOKEN[4:]].x }}"`),
		"a pattern":                  httpTo(`"body":"{{ 'x' matches ('(' + secrets.TOKEN[4:]) }}"`),
		"an index":                   httpTo(`"body":"{{ [1][int(secrets.COUNT[2:])] }}"`),
		"a range":                    httpTo(`"body":"{{ 1..int(secrets.COUNT[2:]) }}"`),
		"text in a text":             httpTo(`"body":"x {{ int(secrets.TOKEN[4:]) }}"`),
		"the answer and a trial":     httpTo(`"headers":{"X-A":"{{ secrets.TOKEN }}"},"body":["{{ secrets.ODD }}","{{ secrets.COUNT }}","{{ secrets.PLACE }}","{{ secrets.HOOK }}","{{ secrets.ENVS }}"]`),
	} {
		t.Run(name, func(t *testing.T) {
			made := s.post("/api/workflows", `{"definition":{"name":"N","steps":[{"id":"a",`+step+`,"retry":{"max_attempts":1}}]}}`)
			if made.status != http.StatusCreated {
				t.Skipf("refused when it is saved: %s", made.body)
			}
			id := s.start(made.text(t, "id"), "")
			ended := s.until(id, "failed")
			seen := ended.body + s.log.String()
			if !strings.HasPrefix(name, "script's") && !strings.HasPrefix(name, "agent's") { // which log what they print, and that is not an error
				seen += s.get("/api/workflows/runs/" + id + "/logs").body
			}
			for _, e := range s.journal(id) {
				seen += string(e.Data)
			}
			if piece := pieceIn(seen); piece != "" {
				at := strings.Index(strings.ToLower(seen), piece)
				t.Errorf("%q is in %s: %s", piece, ended.body, seen[max(0, at-300):min(len(seen), at+100)])
			}
		})
	}
}

// agentAnswers is what agents' servers write around what they quote of a prompt.
var agentAnswers = map[string][2]string{
	"error":   {`{"error":{"message":"`, `"}}`},
	"text":    {`{"error":"`, `"}`},
	"page":    {`<html><title>`, `</title></html>`},
	"stream":  {`data: {"choices":[{"delta":{"content":"`, `"}}]}` + "\n\n"},
	"refusal": {`{"choices":[{"message":{"content":null,"refusal":"`, `"}}]}`},
	"finish":  {`{"choices":[{"message":{"content":""},"finish_reason":"`, `"}]}`},
	"choice":  {`{"choices":[{"message":{"content":""},"finish_reason":"error","error":{"message":"`, `"}}]}`},
	"empty":   {`{"choices":[{"message":{"content":""}}],"note":"`, `"}`},
	"answer":  {`{"choices":[{"message":{"content":"`, `"}}]}`},
}

// quotingAgents finds an agent of each name, at a server that quotes prompts.
type quotingAgents struct{ url string }

func (a quotingAgents) Agent(_ context.Context, _, id string) (steps.Agent, error) {
	return steps.Agent{BaseURL: a.url + "/" + id, Model: "small-1"}, nil
}

// between answers as what stands between a step and its server does, with a
// part of the request in its answer.
func between(w http.ResponseWriter, r *http.Request) {
	v := r.URL.Query().Get("v")
	to := map[string]string{"host": "http://" + v + ".invalid/", "local": "http://" + v + ".localhost/", "scheme": v + "://x/", "broken": "http://[" + v, "loop": r.URL.String() + "x"}
	switch how := strings.TrimPrefix(r.URL.Path, "/away/"); {
	case to[how] != "":
		w.Header().Set("Location", to[how])
		w.WriteHeader(http.StatusFound)
	case how == "page":
		w.WriteHeader(http.StatusBadGateway)
		fmt.Fprintf(w, "<h1>502</h1>Error reading from %s…", strings.ToLower(v[:min(len(v), 12)]))
	default:
		c, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer c.Close()
		answer := map[string]string{"line": "HTTP/1.1 4x0 " + v, "header": "HTTP/1.1 200 OK\r\nX-" + v}[how]
		fmt.Fprint(c, answer+"\r\nContent-Length: 0\r\n\r\n")
	}
}

// machineText are ids, hashes and fractions of seconds: six of their digits are
// those of a secret now and then, and come from none.
var machineText = regexp.MustCompile(`[0-9a-f]{16,}|:[0-9]{2}\.[0-9]{1,9}`)

// pieceIn finds six characters of a secret in a text, in upper or lower case; "": there are none.
func pieceIn(text string) string {
	text = machineText.ReplaceAllString(strings.ToLower(text), " ")
	for _, value := range piecedSecrets {
		value = strings.TrimPrefix(strings.TrimPrefix(strings.ToLower(value), "https://"), "whsec_")
		value = strings.Replace(value, ".invalid:", "\x00", 1) // other hosts of the table end so as well
		for i := 0; i+6 <= len(value); i++ {
			if strings.Contains(text, value[i:i+6]) {
				return value[i : i+6]
			}
		}
	}
	return ""
}
