package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"heddle/client"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// syncBuffer is a log that two goroutines may use.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// startServer runs the product in this process over the settings.
func startServer(t *testing.T, log io.Writer, environ ...string) (*stack, *client.Client) {
	t.Helper()
	set, _, err := sources{environ: append(environ, "HEDDLE_BOOTSTRAP_KEY="+testServerKey)}.load()
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	st, err := open(t.Context(), set, slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- st.serve(ctx, ln, func() { close(ready) }) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("serve: %v", err)
		}
		if err := st.close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	<-ready
	return st, client.New("http://"+ln.Addr().String(), testServerKey, client.WithAttempts(1), client.WithHTTPClient(http.DefaultClient))
}

// echo answers with what it got, in every encoding; /fail also with status 500.
func echo(t *testing.T) *httptest.Server {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		w.Header().Set("X-Echo", base64.StdEncoding.EncodeToString([]byte(token)))
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Path == "/fail" {
			w.WriteHeader(http.StatusInternalServerError)
		}
		inner, _ := json.Marshal(map[string]string{"token": token, token: "x"})
		_ = json.NewEncoder(w).Encode(map[string]any{
			"url": r.URL.String(), "headers": r.Header, "body": string(body), "inner": string(inner), token: true,
			"percent": url.QueryEscape(token), "base64url": base64.URLEncoding.EncodeToString([]byte("ab" + token)),
		})
	}))
	t.Cleanup(s.Close)
	return s
}

const leaky = `{"name":"Leaky","steps":[
 {"id":"ask","type":"http_request","config":{"method":"POST","url":"%[1]s/ask","query":{"k":"{{ secrets.TOKEN }}"},"body":{"t":"{{ secrets.TOKEN }}"},"auth":{"type":"bearer","token":"{{ secrets.TOKEN }}"}}},
 {"id":"basic","type":"http_request","config":{"url":"%[1]s/basic","auth":{"type":"basic","username":"me","password":"{{ secrets.TOKEN }}"}}},
 {"id":"refused","type":"http_request","on_error":"continue","config":{"url":"%[1]s/fail","auth":{"type":"bearer","token":"{{ secrets.TOKEN }}"}}},
 {"id":"print","type":"script","config":{"language":"python","env":{"T":"{{ secrets.TOKEN }}"},"script":%[2]s}},
 {"id":"fail","type":"script","on_error":"continue","config":{"env":{"T":"{{ secrets.TOKEN }}"},"script":"echo \"bad $T\" >&2; exit 3"}},
 {"id":"hook","type":"webhook","on_error":"continue","retry":{"max_attempts":1},"config":{"url":"%[1]s/fail","event":"e","payload":{"t":"{{ secrets.TOKEN }}"},"secret":"{{ secrets.TOKEN }}","headers":{"Authorization":"{{ secrets.TOKEN }}"}}},
 {"id":"none","type":"http_request","on_error":"continue","config":{"url":"%[1]s/","headers":{"A":"{{ secrets.MISSING }}"}}},
 {"id":"later","type":"script","depends_on":["ask","print"],"config":{"args":["{{ steps.ask.output }}","{{ steps.print.output.stdout }}"],"script":"echo \"$@\""}}
],"output":{"all":"{{ steps.ask.output }} {{ steps.print.output }}"}}`

const printer = `import base64, json, os, sys, time, urllib.parse
t = os.environ["T"]
print(t, json.dumps({"k": t}), repr(t), urllib.parse.quote(t), urllib.parse.quote_plus(t))
print(base64.b64encode(t.encode()).decode(), base64.urlsafe_b64encode(("x" + t).encode()).decode())
print(base64.encodebytes((t * 5).encode()).decode())
for part in [t[:5], t[5:9], t[9:] + "\n"] + base64.encodebytes((t * 9).encode()).decode().splitlines(True):
    sys.stdout.write(part)
    sys.stdout.flush()
    time.sleep(0.03)`

// TestNoSecretLeavesThroughARun sends a secret through every kind of step that
// can be made to say it, and looks for it wherever a run shows.
func TestNoSecretLeavesThroughARun(t *testing.T) {
	const secret = `s3cr&t/"wörd"+<x>\ 42`
	log := &syncBuffer{}
	receiver := echo(t)
	dir := t.TempDir()
	st, c := startServer(t, log, "HEDDLE_DATABASE_URL=sqlite://"+filepath.Join(dir, "h.db"),
		"HEDDLE_EGRESS_ALLOW=127.0.0.1", "HEDDLE_SCRIPTS=unconfined", "HEDDLE_LOG_LEVEL=debug")
	ctx := t.Context()
	put := client.Request{Method: http.MethodPut, Path: "/v1/secrets/TOKEN", Body: map[string]string{"value": secret}}
	if err := c.Do(ctx, put, nil); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(filepath.Join(dir, "heddle.key")); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("the key's file: %v %v", info, err)
	}
	script, _ := json.Marshal(printer)
	id, err := c.Workflows.Add(ctx, json.RawMessage(fmt.Sprintf(leaky, receiver.URL, script)), "leaky")
	if err != nil {
		t.Fatal(err)
	}
	run, err := c.Runs.StartWith(ctx, id, nil, "")
	if err != nil {
		t.Fatal(err)
	}
	var shown bytes.Buffer
	if err := c.Runs.Follow(ctx, run, 0, func(f client.Frame) error {
		fmt.Fprintf(&shown, "%+v\n%s\n", f, f.Data)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	var whole json.RawMessage
	if err := c.Do(ctx, client.Request{Method: http.MethodGet, Path: "/api/workflows/runs/" + run}, &whole); err != nil {
		t.Fatal(err)
	}
	shown.Write(whole)
	var logs struct {
		Logs []struct{ Message string }
	}
	if err := c.Do(ctx, client.Request{Method: http.MethodGet, Path: "/api/workflows/runs/" + run + "/logs?limit=200"}, &logs); err != nil || len(logs.Logs) < 10 {
		t.Fatalf("%d log lines, %v", len(logs.Logs), err)
	}
	for _, line := range logs.Logs {
		shown.WriteString(line.Message + "\n")
	}
	journal, err := st.db.Events(ctx, run, 0, 10_000)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range journal {
		shown.Write(e.Data)
	}
	for _, want := range []string{`"secret_not_found"`, "MISSING", "***", `"completed"`, "script_failed", "unexpected_status"} {
		if !strings.Contains(shown.String(), want) {
			t.Errorf("the run does not show %s:\n%s", want, whole)
		}
	}
	look := shown.String() + log.String()
	quoted, _ := json.Marshal(secret)
	twice, _ := json.Marshal(string(quoted))
	forms := []string{
		secret, "s3cr", "wörd", `w\u00f6rd`, string(quoted[1 : len(quoted)-1]), string(twice), url.QueryEscape(secret), url.PathEscape(secret),
	}
	for pre := range 3 {
		text := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", pre) + secret))
		forms = append(forms, text[4:20], strings.NewReplacer("+", "-", "/", "_").Replace(text[4:20]))
	}
	for _, form := range forms {
		if i := strings.Index(look, form); i >= 0 {
			t.Errorf("%q is shown: …%s…", form, look[max(0, i-100):min(len(look), i+100)])
		}
	}
}

func TestAnotherKeyDoesNotStart(t *testing.T) {
	database := "HEDDLE_DATABASE_URL=sqlite://" + filepath.Join(t.TempDir(), "h.db")
	t.Run("first", func(t *testing.T) {
		_, c := startServer(t, io.Discard, database, "HEDDLE_SECRET_KEY=the-first-key-of-all")
		put := client.Request{Method: http.MethodPut, Path: "/v1/secrets/TOKEN", Body: map[string]string{"value": "12345678"}}
		if err := c.Do(t.Context(), put, nil); err != nil {
			t.Fatal(err)
		}
	})
	for _, key := range []string{"", "another-key-of-mine"} {
		set, _, err := sources{environ: []string{database, "HEDDLE_SECRET_KEY=" + key, "HEDDLE_BOOTSTRAP_KEY=" + testServerKey}}.load()
		if err != nil {
			t.Fatal(err)
		}
		if st, err := open(t.Context(), set, slog.New(slog.DiscardHandler)); err == nil {
			_ = st.close()
			t.Errorf("it started with the key %q", key)
		} else if !strings.Contains(err.Error(), "HEDDLE_SECRET_KEY") {
			t.Errorf("the refusal names no setting: %v", err)
		}
	}
}
