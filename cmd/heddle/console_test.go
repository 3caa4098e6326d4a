package main

import (
	"bufio"
	"encoding/json"
	"heddle/client"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// fetched is the answer to a GET, with its body.
func fetched(t *testing.T, address string, header http.Header) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	maps.Copy(r.Header, header)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, string(body)
}

// The console and the API share one address: the screens' paths are the console's, and all
// others, those that nobody has among them, the API's.
func TestTheConsoleAndTheAPIShareAnAddress(t *testing.T) {
	s := newTestServer(t)
	for _, target := range []string{"/", "/login", "/runs/run_1", "/workflows/a/edit"} {
		if answer, body := fetched(t, s.c.URL()+target, nil); answer.StatusCode != http.StatusOK || !strings.Contains(body, `<div id="root">`) {
			t.Errorf("%s: %d %s", target, answer.StatusCode, body)
		}
	}
	for _, target := range []string{"/nothing", "/assets/gone.js", "/runsx", "/index.html"} {
		answer, body := fetched(t, s.c.URL()+target, nil)
		var refusal struct {
			Error struct {
				Code      string `json:"code"`
				RequestID string `json:"request_id"`
			} `json:"error"`
		}
		if err := json.Unmarshal([]byte(body), &refusal); err != nil || answer.StatusCode != http.StatusNotFound || refusal.Error.Code == "" || refusal.Error.RequestID == "" {
			t.Errorf("%s: %d %s", target, answer.StatusCode, body)
		}
	}
	// No route has a screen's path but the front, which is for programs that ask for no page.
	var document struct {
		Paths map[string]map[string]json.RawMessage
	}
	if err := s.c.Do(t.Context(), client.Request{Method: http.MethodGet, Path: "/openapi.json"}, &document); err != nil || len(document.Paths) < 20 {
		t.Fatalf("%d paths, error %v", len(document.Paths), err)
	}
	for path, methods := range document.Paths {
		if path == "/" || methods["get"] == nil {
			continue
		}
		target := regexp.MustCompile(`\{[^}]*\}`).ReplaceAllString(path, "x")
		if strings.HasSuffix(target, "/stream") || target == "/v1/events" {
			continue // they last
		}
		if _, body := fetched(t, s.c.URL()+target, nil); strings.Contains(body, `<div id="root">`) {
			t.Errorf("%s is answered by the console", path)
		}
	}
}

// Behind a proxy that takes a prefix off, the page's files are found below the prefix.
func TestTheConsoleBehindAPrefix(t *testing.T) {
	s := newTestServer(t)
	target, err := url.Parse(s.c.URL())
	if err != nil {
		t.Fatal(err)
	}
	proxy := httptest.NewServer(http.StripPrefix("/tools", httputil.NewSingleHostReverseProxy(target)))
	t.Cleanup(proxy.Close)
	page := proxy.URL + "/tools/runs/run_1"
	_, body := fetched(t, page, nil)
	at, err := url.Parse(page)
	if err != nil {
		t.Fatal(err)
	}
	base, err := at.Parse(regexp.MustCompile(`<base href="([^"]*)"`).FindStringSubmatch(body)[1])
	if err != nil {
		t.Fatal(err)
	}
	files := regexp.MustCompile(`(?:src|href)="(\./[^"]+\.(?:js|css|svg))"`).FindAllStringSubmatch(body, -1)
	if len(files) < 3 {
		t.Fatalf("the page names %d files:\n%s", len(files), body)
	}
	for _, m := range files {
		file, err := base.Parse(m[1])
		if err != nil {
			t.Fatal(err)
		}
		if answer, _ := fetched(t, file.String(), nil); answer.StatusCode != http.StatusOK {
			t.Errorf("%s: %d", file, answer.StatusCode)
		}
	}
}

// printed runs serve until the lines that it greets with are there, and returns them and
// what it has logged when it ended.
func printed(t *testing.T, folder string, use func(link string), environ ...string) (greeting, log string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, "serve")
	cmd.Dir = folder
	cmd.Env = append([]string{asProgram, "PATH=" + os.Getenv("PATH"), "HEDDLE_LISTEN=127.0.0.1:0", "HEDDLE_LOG_LEVEL=debug"}, environ...)
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	// The link is the last of it; without one the stream ends with the process.
	ended := false
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		greeting += lines.Text() + "\n"
		if f := strings.Fields(lines.Text()); len(f) == 2 && f[0] == "serving" && use == nil {
			ended = true
			_ = cmd.Process.Signal(syscall.SIGTERM)
		} else if len(f) == 3 && f[0] == "sign" && use != nil && !ended {
			use(f[2])
			ended = true
			_ = cmd.Process.Signal(syscall.SIGTERM)
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, said.String())
	}
	return greeting, said.String()
}

// TestTheLinkThatServePrints signs a browser in once, whatever made the admin key, and is
// nowhere in the log.
func TestTheLinkThatServePrints(t *testing.T) {
	folder := t.TempDir()
	used := ""
	follow := func(link string) {
		at, err := url.Parse(link)
		if err != nil || at.Path != "/login" {
			t.Fatalf("%q %v", link, err)
		}
		used = at.Query().Get("token")
		if answer, body := fetched(t, link, nil); answer.StatusCode != http.StatusOK || !strings.Contains(body, `<div id="root">`) || strings.Contains(body, used) {
			t.Errorf("the link is answered %d %s", answer.StatusCode, body)
		}
		c := client.New("http://"+at.Host, "", client.WithAttempts(1))
		if err := c.Do(t.Context(), client.Request{Method: http.MethodPost, Path: "/v1/session", Body: map[string]string{"link": used}}, nil); err != nil {
			t.Error(err)
		}
		if err := c.Do(t.Context(), client.Request{Method: http.MethodPost, Path: "/v1/session", Body: map[string]string{"link": used}}, nil); err == nil {
			t.Error("the link is good twice")
		}
	}
	for _, start := range []string{"a key is made", "the next start"} {
		greeting, log := printed(t, folder, follow)
		if want := strings.Contains(start, "made"); strings.Contains(greeting, "admin key") != want {
			t.Errorf("%s: %s", start, greeting)
		}
		if used == "" || strings.Contains(log, used) || strings.Count(greeting, used) != 1 {
			t.Errorf("%s: %s\n%s", start, greeting, log)
		}
	}
	follow = func(link string) {
		if !strings.HasPrefix(link, "https://heddle.example.org/x/login?token=") {
			t.Errorf("%q", link)
		}
	}
	printed(t, folder, follow, "HEDDLE_PUBLIC_URL=https://heddle.example.org/x/")
	if greeting, _ := printed(t, folder, nil, "HEDDLE_LOGIN_LINK=off"); strings.Contains(greeting, "sign in") {
		t.Errorf("switched off: %s", greeting)
	}
	if greeting, _ := printed(t, filepath.Dir(folder), nil, "HEDDLE_DATABASE_URL=sqlite://"+filepath.Join(folder, "heddle.db"), "HEDDLE_LISTEN=0.0.0.0:0"); strings.Contains(greeting, "sign in") {
		t.Errorf("where others reach the server: %s", greeting)
	}
}
