package steps_test

import (
	"bytes"
	"errors"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
)

// files returns the names in the directory for temporary files.
func files(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestLargeBodiesAskForRoomAndLeaveNoFiles(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	large := bytes.Repeat([]byte("0123456789abcdef"), 3<<16) // 3 MiB
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/small" {
			large = large[:1<<20]
		}
		_, _ = w.Write(large)
	})
	r := open(t, "127.0.0.1")
	var asked []int64
	for _, path := range []string{"/large", "/small"} {
		c := call("http_request", `{"response":"text","url":`+quoted(s.URL+path)+`}`)
		c.ReserveMemory = func(n int64) error {
			asked = append(asked, n)
			if left := files(t, dir); len(left) > 0 {
				t.Errorf("files with names: %v", left)
			}
			return nil
		}
		res, f := perform(t.Context(), t, r, c)
		if f != nil || !bytes.Contains(res.Output, large) {
			t.Fatalf("%s: %d bytes, %+v", path, len(res.Output), f)
		}
	}
	if len(asked) != 1 || asked[0] != 3<<20 {
		t.Errorf("asked for %v", asked)
	}
	c := call("http_request", `{"url":`+quoted(s.URL+"/large")+`}`)
	large = bytes.Repeat([]byte("x"), 2<<20)
	c.ReserveMemory = func(int64) error { return errors.New("told to stop") }
	if _, f := perform(t.Context(), t, r, c); f == nil {
		t.Error("read without room")
	}
	if left := files(t, dir); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestATextIsRefusedBeforeItsEscapesAreMade(t *testing.T) {
	body := bytes.Repeat([]byte("\x01"), 12<<20) // 72 MiB as JSON
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(body) })
	r := open(t, "127.0.0.1")
	_, f := attempt(t, r, "http_request", `{"url":`+quoted(s.URL)+`}`)
	if f == nil || f.Code != "output_too_large" || !f.Permanent {
		t.Fatalf("%+v", f)
	}
	body = bytes.Repeat([]byte("\x00"), 49<<20) // 65 MiB in base64
	if _, f = attempt(t, r, "http_request", `{"url":`+quoted(s.URL)+`}`); f == nil || f.Code != "output_too_large" {
		t.Fatalf("%+v", f)
	}
	body = bytes.Repeat([]byte("\"\n"), 1<<20)
	res, f := attempt(t, r, "http_request", `{"url":`+quoted(s.URL)+`}`)
	if f != nil || !strings.Contains(string(res.Output), `"body":"\"\n`) {
		t.Fatalf("%.60s, %+v", res.Output, f)
	}
}

func TestAnEndlessBodyIsCutOff(t *testing.T) {
	var sent sync.WaitGroup
	sent.Add(1)
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		defer sent.Done()
		piece := make([]byte, 1<<20)
		for n := range 10 << 10 { // 10 GB
			if _, err := w.Write(piece); err != nil {
				if n > 100 {
					t.Errorf("%d MiB were taken", n)
				}
				return
			}
		}
		t.Error("all of it was taken")
	})
	_, f := attempt(t, open(t, "127.0.0.1"), "http_request", `{"url":`+quoted(s.URL)+`}`)
	if f == nil || f.Code != "output_too_large" || !f.Permanent {
		t.Fatalf("%+v", f)
	}
	sent.Wait()
}
