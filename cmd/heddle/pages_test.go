package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestPagesOfTheAPIRun runs the sessions of docs/api, and that of the command line, as a reader would: every block of
// shell of a page, in order, in one bash, against a server of its own. A following block
// that is marked "prints" is compared with what the shell printed.
func TestPagesOfTheAPIRun(t *testing.T) {
	for _, tool := range []string{"bash", "curl"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed: %v", tool, err)
		}
	}
	pages, err := filepath.Glob("../../docs/api/*.md")
	if err != nil || len(pages) < 3 {
		t.Fatalf("pages %v: %v", pages, err)
	}
	for _, page := range append(pages, "../../docs/cli.md") {
		t.Run(filepath.Base(page), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(page)
			if err != nil {
				t.Fatal(err)
			}
			runPage(t, sessionOf(string(text)))
		})
	}
}

// block is one block of shell and what the page says that it prints.
type block struct {
	shell, prints string
	kind          string // of prints: json, text; "": nothing is said
}

var fenced = regexp.MustCompile("(?ms)^```([a-z]+)( prints)?\n(.*?)^```$")

func sessionOf(page string) []block {
	var session []block
	for _, m := range fenced.FindAllStringSubmatch(page, -1) {
		switch {
		case m[1] == "sh":
			session = append(session, block{shell: m[3]})
		case m[2] != "" && len(session) > 0:
			last := &session[len(session)-1]
			last.kind, last.prints = m[1], m[3]
		}
	}
	return session
}

func runPage(t *testing.T, session []block) {
	t.Helper()
	if !slices.ContainsFunc(session, func(b block) bool { return b.kind != "" }) {
		t.Fatal("the page has no session whose answers it shows")
	}
	const key, mark = "a-key-for-the-pages-0123456789", "\x1e"
	base := startProgram(t, key)
	script := "set -euo pipefail\n"
	for _, b := range session {
		script += strings.ReplaceAll(b.shell, "http://127.0.0.1:8080", base) + "printf '" + mark + "'\n"
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	bash := exec.CommandContext(ctx, "bash", "-c", script)
	bash.Dir = t.TempDir()
	bash.Env = []string{"PATH=" + programDir(t) + ":" + os.Getenv("PATH"), "KEY=" + key, "LC_ALL=C.UTF-8", "HOME=" + bash.Dir}
	var complaints strings.Builder
	bash.Stderr = &complaints
	out, err := bash.Output()
	printed := strings.Split(string(out), mark)
	if err != nil {
		t.Errorf("block %d ended the session: %v\n%s%s", len(printed), err, printed[len(printed)-1], complaints.String())
	}
	for i, b := range session[:min(len(session), len(printed)-1)] {
		if diff := b.differs(printed[i]); diff != "" {
			t.Errorf("%s\nprinted\n%s\nnot as the page says: %s", b.shell, printed[i], diff)
		}
	}
}

// differs returns where what was printed is not what the page says; "": nowhere.
// … stands for any text in a text, "…" for any value, a member "…" for any
// others, an item "…" for any further ones.
func (b block) differs(printed string) string {
	switch b.kind {
	case "":
		return ""
	case "json":
		want, err := valuesOf(b.prints)
		if err != nil {
			return "the page's own JSON: " + err.Error()
		}
		got, err := valuesOf(printed)
		if err != nil {
			return "it is not JSON: " + err.Error()
		}
		return unlike("", want, got)
	}
	want, got := strings.Split(strings.TrimSpace(b.prints), "\n"), strings.Split(strings.TrimSpace(printed), "\n")
	for i := range max(len(want), len(got)) {
		if i >= len(want) || i >= len(got) || !fits(want[i], got[i]) {
			return fmt.Sprintf("line %d", i+1)
		}
	}
	return ""
}

// valuesOf reads the JSON values of a text, one after another.
func valuesOf(text string) ([]any, error) {
	var all []any
	for dec := json.NewDecoder(strings.NewReader(text)); ; {
		dec.UseNumber()
		var v any
		err := dec.Decode(&v)
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
}

// unlike returns the place of the first difference, or "".
func unlike(at string, want, got any) string {
	switch w := want.(type) {
	case map[string]any:
		if g, ok := got.(map[string]any); ok {
			return unlikeObject(at, w, g)
		}
	case []any:
		if g, ok := got.([]any); ok {
			return unlikeList(at, w, g)
		}
	case string:
		if g, ok := got.(string); w == "…" || ok && fits(w, g) {
			return ""
		}
	default:
		if want == got {
			return ""
		}
	}
	return fmt.Sprintf("%s is %v", at, got)
}

func unlikeObject(at string, want, got map[string]any) string {
	_, others := want["…"]
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if _, said := want[name]; !said && !others {
			return at + "/" + name + " is not said"
		}
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		value, there := got[name]
		if name == "…" {
			continue
		}
		if !there {
			return at + "/" + name + " is not there"
		}
		if diff := unlike(at+"/"+name, want[name], value); diff != "" {
			return diff
		}
	}
	return ""
}

func unlikeList(at string, want, got []any) string {
	if n := len(want) - 1; n >= 0 && want[n] == "…" && len(got) >= n {
		want, got = want[:n], got[:n]
	}
	if len(want) != len(got) {
		return fmt.Sprintf("%s has %d items", at, len(got))
	}
	for i := range want {
		if diff := unlike(fmt.Sprintf("%s/%d", at, i), want[i], got[i]); diff != "" {
			return diff
		}
	}
	return ""
}

// fits reports whether a text is the wanted one, in which … stands for any.
func fits(want, got string) bool {
	pattern := strings.ReplaceAll(regexp.QuoteMeta(want), "…", ".*")
	return regexp.MustCompile("^(?s:" + pattern + ")$").MatchString(got)
}

// asProgram makes this test's binary the product itself: see TestMain.
const asProgram = "TEST_RUNS_AS_HEDDLE=1"

// programDir returns a directory that holds the program as heddle.
func programDir(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	script := "#!/bin/sh\n" + asProgram + " exec '" + self + "' \"$@\"\n"
	if err := os.WriteFile(filepath.Join(dir, "heddle"), []byte(script), 0o700); err != nil { //nolint:gosec // it is run
		t.Fatal(err)
	}
	return dir
}

// startProgram runs the whole program on a free port until the test ends, and
// returns its address.
func startProgram(t *testing.T, key string, environ ...string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "serve")
	cmd.Dir = t.TempDir()
	cmd.Env = append(environ, asProgram, "PATH="+os.Getenv("PATH"), "HEDDLE_LISTEN=127.0.0.1:0", "HEDDLE_BOOTSTRAP_KEY="+key)
	var log strings.Builder
	cmd.Stderr = &log
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		for lines.Scan() { // to its end
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("the server ended: %v\n%s", err, log.String())
		}
	})
	for lines.Scan() {
		if f := strings.Fields(lines.Text()); len(f) == 2 && f[0] == "serving" {
			return f[1]
		}
	}
	t.Fatal("the server said no address")
	return ""
}
