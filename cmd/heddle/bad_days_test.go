package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"heddle/client"
	"heddle/internal/await"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// badDay is the product while hosts and scripts misbehave.
type badDay struct {
	*client.Client
	t    *testing.T
	temp string
	sys  uint64 // memory that the process had from the system at first
}

// newBadDay starts the product with scripts in a temporary directory of their
// own. Steps may reach the given address alone.
func newBadDay(t *testing.T, allow string, environ ...string) *badDay {
	t.Helper()
	temp := t.TempDir()
	for _, dir := range []string{temp, filepath.Dir(temp)} {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("TMPDIR", temp)
	_, c := startServer(t, io.Discard, append(environ, "HEDDLE_DATABASE_URL=sqlite://"+filepath.Join(t.TempDir(), "h.db"), "HEDDLE_EGRESS_ALLOW="+allow)...)
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return &badDay{Client: c, t: t, temp: temp, sys: m.Sys}
}

// ends runs a workflow of one step and returns the run and the code of its error.
func (d *badDay) ends(step string) (finishedRun, string) {
	d.t.Helper()
	id, err := d.Workflows.Add(d.t.Context(), json.RawMessage(`{"name":"Bad day","steps":[`+step+`]}`), "")
	if err != nil {
		d.t.Fatal(err)
	}
	run := finished(d.t, d.Client, id, nil)
	if run.Error == nil {
		return run, run.Status
	}
	return run, run.Error.Code
}

// answers fails the test unless the server answers. How fast it does is
// printed by the whole program's bad days, and judged by no test.
func (d *badDay) answers() {
	d.t.Helper()
	for range 10 {
		if err := d.Do(d.t.Context(), client.Request{Method: http.MethodGet, Path: "/api/workflows"}, nil); err != nil {
			d.t.Fatal(err)
		}
	}
}

// nothingLeft checks that no process with the mark in its command line, no script's
// directory and not much memory is left.
func (d *badDay) nothingLeft(mark string) {
	d.t.Helper()
	lines, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, path := range lines {
		if line, err := os.ReadFile(path); err == nil && mark != "" && bytes.Contains(line, []byte(mark)) {
			d.t.Errorf("a process is left: %q", line)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(d.temp, "heddle-*")); len(left) > 0 {
		d.t.Errorf("directories are left: %v", left)
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	if grown := int64(m.Sys) - int64(d.sys); grown > 512<<20 {
		d.t.Errorf("the process has grown by %d MiB", grown>>20)
	}
	d.answers()
}

// eventually waits for a condition.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	await.True(t, what, holds)
}

func TestAForkBombEnds(t *testing.T) {
	d := newBadDay(t, "", "HEDDLE_SCRIPT_PROCESSES=64")
	var about struct{ Scripts string }
	if err := d.Do(t.Context(), client.Request{Method: http.MethodGet, Path: "/v1/info"}, &about); err != nil {
		t.Fatal(err)
	}
	if strings.HasPrefix(about.Scripts, "unavailable") {
		t.Skip("this machine has nothing that could confine a script: a fork bomb would hit all of it")
	}
	mark := fmt.Sprintf("7%d.5", time.Now().UnixNano()%1e9)
	if _, code := d.ends(`{"id":"bomb","type":"script","timeout_seconds":1,"config":{"script":"b() { setsid sleep ` + mark + ` & b | b & b; }; b; sleep ` + mark + `"}}`); code != "timeout" && code != "script_failed" {
		t.Errorf("it ended with %s", code)
	}
	d.nothingLeft(mark)
}

func TestEndlessOutputEnds(t *testing.T) {
	d := newBadDay(t, "", "HEDDLE_SCRIPTS=unconfined")
	mark := fmt.Sprintf("endless-%d", time.Now().UnixNano())
	run, code := d.ends(`{"id":"yes","type":"script","timeout_seconds":0.7,"config":{"script":"yes ` + mark + `"}}`)
	if code != "timeout" {
		t.Errorf("it ended with %s", code)
	}
	var logs struct {
		Logs []struct{ Message, Category string }
	}
	if err := d.Do(t.Context(), client.Request{Method: http.MethodGet, Path: "/api/workflows/runs/" + run.ID + "/logs?order=desc&limit=2"}, &logs); err != nil {
		t.Fatal(err)
	}
	if len(logs.Logs) != 2 || logs.Logs[0].Category != "heddle" || !strings.HasSuffix(logs.Logs[0].Message, " lines dropped") || logs.Logs[1].Message != mark {
		t.Errorf("the last lines are %+v", logs.Logs)
	}
	d.nothingLeft(mark)
}

// watched is a server that counts its open connections.
func watched(t *testing.T, h http.HandlerFunc) (s *httptest.Server, open *atomic.Int64) {
	open = &atomic.Int64{}
	s = httptest.NewUnstartedServer(h)
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			open.Add(1)
		case http.StateClosed, http.StateHijacked:
			open.Add(-1)
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	return s, open
}

// hang takes a request and never answers it. Only with its body read does the
// server see that the client has gone.
func hang(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

func TestAReceiverThatNeverAnswersIsLeft(t *testing.T) {
	for name, h := range map[string]http.HandlerFunc{
		"no answer": hang,
		"no end": func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			for r.Context().Err() == nil {
				_, _ = io.WriteString(w, "x")
				_ = http.NewResponseController(w).Flush()
				select {
				case <-r.Context().Done():
				case <-time.After(10 * time.Millisecond):
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, open := watched(t, h)
			d := newBadDay(t, s.Listener.Addr().String(), "HEDDLE_SCRIPTS=off")
			for _, step := range []string{
				`{"id":"ask","type":"http_request","timeout_seconds":0.3,"config":{"url":"` + s.URL + `"}}`,
				`{"id":"tell","type":"webhook","timeout_seconds":0.3,"retry":{"max_attempts":1},"config":{"url":"` + s.URL + `","event":"e"}}`,
			} {
				if _, code := d.ends(step); code != "timeout" {
					t.Errorf("%s ended with %s", step, code)
				}
			}
			eventually(t, "no connection is left", func() bool { return open.Load() == 0 })
			d.nothingLeft("")
		})
	}
}

// Ten gigabytes, plain or packed into a few megabytes, are not read beyond the
// limit.
func TestAGiantResponseIsNotRead(t *testing.T) {
	const giant = 10 << 30
	block := make([]byte, 64<<10)
	for _, packed := range []bool{false, true} {
		t.Run(fmt.Sprint("packed ", packed), func(t *testing.T) {
			var sent atomic.Int64
			s, open := watched(t, func(w http.ResponseWriter, _ *http.Request) {
				out := io.Writer(w)
				if packed {
					w.Header().Set("Content-Encoding", "gzip")
					out, _ = gzip.NewWriterLevel(w, gzip.BestSpeed)
				}
				for sent.Load() < giant {
					n, err := out.Write(block)
					sent.Add(int64(n))
					if err != nil {
						return
					}
				}
			})
			d := newBadDay(t, s.Listener.Addr().String(), "HEDDLE_SCRIPTS=off")
			if _, code := d.ends(`{"id":"get","type":"http_request","config":{"url":"` + s.URL + `"}}`); code != "output_too_large" {
				t.Errorf("it ended with %s", code)
			}
			eventually(t, "no connection is left", func() bool { return open.Load() == 0 })
			if most := int64(1 << 30); sent.Load() > most {
				t.Errorf("%d MiB were taken", sent.Load()>>20)
			}
			d.nothingLeft("")
		})
	}
}

func TestRedirectsLeadNowhereForbidden(t *testing.T) {
	var hit atomic.Bool
	inner := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hit.Store(true) }))
	t.Cleanup(inner.Close)
	_, port, _ := net.SplitHostPort(inner.Listener.Addr().String())
	var target atomic.Value
	s, _ := watched(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, target.Load().(string), http.StatusTemporaryRedirect)
	})
	d := newBadDay(t, s.Listener.Addr().String(), "HEDDLE_SCRIPTS=off")
	for _, to := range []string{
		inner.URL, "http://localhost:" + port, "http://[::1]:" + port, "http://[::ffff:127.0.0.1]:" + port, "http://0.0.0.0:" + port,
		"http://2130706433:" + port, "http://0x7f.1:" + port, "http://127.1:" + port, "http://169.254.169.254/latest/meta-data/", "http://10.0.0.1/",
		"http://192.168.0.1/", "http://100.64.0.1/", "http://[64:ff9b::7f00:1]/", "http://[2002:7f00:1::]/", "http://metadata.google.internal.localhost/",
	} {
		target.Store(to)
		run, code := d.ends(`{"id":"go","type":"http_request","retry":{"max_attempts":3,"delay_seconds":60},"config":{"method":"POST","url":"` + s.URL + `"}}`)
		if code != "egress_denied" {
			t.Errorf("%s: %s %+v", to, code, run.Error)
		}
	}
	if hit.Load() {
		t.Error("a forbidden server was reached")
	}
	d.nothingLeft("")
}

// A thousand runs wait for one host that never answers. A webhook to another
// host is delivered at once all the same, and when the thousand are cancelled,
// nothing is left of them.
func TestAThousandRunsWaitForOneHost(t *testing.T) {
	hangs, open := watched(t, hang)
	var delivered atomic.Int64
	fine, _ := watched(t, func(http.ResponseWriter, *http.Request) { delivered.Add(1) })
	d := newBadDay(t, "127.0.0.1", "HEDDLE_SCRIPTS=off")
	hook := func(slug, url string) string {
		id, err := d.Workflows.Add(t.Context(), json.RawMessage(`{"name":"Hook","steps":[{"id":"tell","type":"webhook","config":{"url":"`+url+`","event":"e"}}]}`), slug)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	stuck, good := hook("stuck", hangs.URL), hook("good", fine.URL)
	before := runtime.NumGoroutine()
	var starters sync.WaitGroup
	for range 20 {
		starters.Go(func() {
			for range 50 {
				if _, err := d.Runs.StartWith(t.Context(), stuck, nil, ""); err != nil {
					t.Error(err)
				}
			}
		})
	}
	starters.Wait()
	for range 5 {
		if run := finished(t, d.Client, good, nil); run.Status != "completed" {
			t.Errorf("a webhook to another host: %s %+v", run.Status, run.Error)
		}
	}
	if n := open.Load(); n < 1 || n > 5 {
		t.Errorf("%d connections to the host that hangs", n)
	}
	d.answers()
	if err := d.Do(t.Context(), client.Request{Method: http.MethodDelete, Path: "/api/workflows/" + stuck + "?force=true"}, nil); err != nil {
		t.Fatal(err)
	}
	eventually(t, "no connection is left", func() bool { return open.Load() == 0 })
	eventually(t, "no goroutine is left", func() bool { return runtime.NumGoroutine() < before+50 })
	d.nothingLeft("")
}
