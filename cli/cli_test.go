package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"heddle/client"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
)

func TestSet(t *testing.T) {
	for _, test := range []struct{ pairs, want string }{
		{"a=1", `{"a":1}`},
		{"a=1 b=text c=true d=null", `{"a":1,"b":"text","c":true,"d":null}`},
		{"a.b=1 a.c=[1,2]", `{"a":{"b":1,"c":[1,2]}}`},
		{"a=12345678901234567890", `{"a":12345678901234567890}`},
		{"a=1.2.3 b=", `{"a":"1.2.3","b":""}`},
		{"a=x=y", `{"a":"x=y"}`},
		{"=1", ""},
		{"a", ""},
		{"a=1 a.b=2", ""},
	} {
		object := map[string]any{}
		var err error
		for pair := range strings.FieldsSeq(test.pairs) {
			err = errors.Join(err, assign(object, pair))
		}
		got, _ := json.Marshal(object)
		if (err == nil) != (test.want != "") || err == nil && string(got) != test.want {
			t.Errorf("--set %s: %s, %v", test.pairs, got, err)
		}
	}
}

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		`{"a": 12345678901234567890}`: `{"a":12345678901234567890}`,
		"a: [1, b]":                   `{"a":[1,"b"]}`,
		`{"a": 1} {"b": 2}`:           "", `{"a": `: "", "a: [": "",
	} {
		v, err := parse([]byte(text))
		got, _ := json.Marshal(v)
		if (err == nil) != (want != "") || err == nil && string(got) != want {
			t.Errorf("%s: %s, %v", text, got, err)
		}
	}
}

func TestOneID(t *testing.T) {
	gone := errors.New("gone")
	ids := []string{"run_0123", "run_0124", "run_0200"}
	for _, test := range []struct {
		ref, want string
		err       bool
	}{{"run_02", "run_0200", false}, {"02", "run_0200", false}, {"run_012", "", true}, {"run_0123", "run_0123", false}, {"run_9", "", true}} {
		got, err := one("run", test.ref, ids, gone)
		if got != test.want || (err != nil) != test.err {
			t.Errorf("%s is %s, %v", test.ref, got, err)
		}
	}
	if _, err := one("run", "run_012", ids, gone); ExitCode(err) != ExitUsage || !strings.Contains(err.Error(), "run_0123, run_0124") {
		t.Errorf("of two: %v", err)
	}
}

func TestATableFitsTheTerminal(t *testing.T) {
	tab := newTable("NAME", "TEXT")
	tab.row("a", "short")
	tab.row("bb", "a text that is too long\n\x1b[2J for a line")
	var wide, narrow bytes.Buffer
	if err := errors.Join(tab.write(&wide, 0), tab.write(&narrow, 16)); err != nil {
		t.Fatal(err)
	}
	if want := "NAME  TEXT\na     short\nbb    a text th…\n"; narrow.String() != want {
		t.Errorf("16 columns:\n%s", narrow.String())
	}
	if strings.ContainsAny(wide.String(), "\x1b") || strings.Count(wide.String(), "\n") != 3 {
		t.Errorf("wide: %q", wide.String())
	}
}

func TestExitCodes(t *testing.T) {
	for want, err := range map[int]error{
		ExitOK: nil, ExitFailure: &client.Error{Status: http.StatusNotFound}, ExitUsage: usagef("wrong"),
		ExitUnreachable: &client.UnreachableError{Err: errors.New("refused")}, ExitDenied: &client.Error{Status: http.StatusForbidden},
	} {
		if got := ExitCode(err); got != want {
			t.Errorf("%v ends with %d and not %d", err, got, want)
		}
	}
}

// The tree shows each step once, those of a loop below it, with what it said last.
func TestTree(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	tr := newTree("run_1")
	tr.expect([]client.ListedStep{{StepID: "fetch"}, {StepID: "each"}, {StepID: "last"}})
	tr.apply("run_started", client.RunEvent{Timestamp: at})
	tr.apply("step_started", client.RunEvent{StepID: "fetch", Attempt: 1, Timestamp: at})
	tr.apply("step_retrying", client.RunEvent{StepID: "fetch", Attempt: 1, Timestamp: at.Add(time.Second), Error: &client.Failure{Code: "timeout", Message: "Too slow."}})
	tr.apply("step_started", client.RunEvent{StepID: "fetch", Attempt: 2, Timestamp: at.Add(2 * time.Second)})
	tr.apply("step_started", client.RunEvent{StepID: "body", Iteration: "each[0]", Timestamp: at.Add(2 * time.Second)})
	iteration := "each[0]"
	tr.say(client.LogLine{StepID: "body", Iteration: &iteration, Message: "half\x1b[2J way\n"})
	tr.apply("step_waiting", client.RunEvent{StepID: "last", Kind: "timer", Timestamp: at})
	if got := tr.render(at, 0, 60, 20, false); !strings.Contains(got, "timer") {
		t.Errorf("a wait is not said:\n%s", got)
	}
	tr.apply("step_started", client.RunEvent{StepID: "last", Timestamp: at})
	tr.apply("step_completed", client.RunEvent{StepID: "last", Timestamp: at.Add(3 * time.Second)})
	got := tr.render(at.Add(4*time.Second), 0, 60, 20, false)
	want := `run_1  running  4.0s
  ⠋  fetch                 running       2.0s  attempt 2  T…
  ·  each                  pending
    ⠋  each[0].body          running       2.0s  half�[2J w…
  ✓  last                  completed     3.0s
`
	if got != want {
		t.Errorf("the tree is\n%s", got)
	}
	tr.apply("step_completed", client.RunEvent{StepID: "fetch", Timestamp: at.Add(5 * time.Second)})
	tr.apply("run_failed", client.RunEvent{Timestamp: at.Add(6 * time.Second), Error: &client.Failure{Code: "x", Message: "No."}})
	got = tr.render(at.Add(time.Hour), 0, 60, 4, true)
	if !strings.Contains(got, "failed  6.0s  No. [x]") || !strings.Contains(got, "… 2 more") || strings.Count(got, "\n") != 4 {
		t.Errorf("at the end, in four lines:\n%s", got)
	}
	if !errors.Is(tr.outcome(), ErrAnswered) {
		t.Error("a failed run ends with 0")
	}
}

func TestFindingsStandBelowTheirLines(t *testing.T) {
	text := "name: W\nsteps:\n  - {id: a, type: webhok}"
	shown := withFindings(text, []client.Diagnostic{
		{Line: 3, Column: 14, Severity: "error", Message: "There is no webhok.", Suggestion: "webhook"},
		{Severity: "warning", Message: "Something."},
	})
	if want := "name: W\n#! warning: Something.\nsteps:\n  - {id: a, type: webhok}\n#!           error: There is no webhok. Did you mean \"webhook\"?\n"; shown != want {
		t.Errorf("shown\n%s", shown)
	}
	if got := withoutFindings(shown); got != text+"\n" {
		t.Errorf("without them\n%s", got)
	}
}

// What is watched is printed when it changes, and not otherwise.
func TestWatching(t *testing.T) {
	var out bytes.Buffer
	enough := errors.New("enough")
	p := &Process{Out: &out, Err: &out, Every: func(_ context.Context, _ time.Duration, f func() error) error {
		for range 4 {
			if err := f(); err != nil {
				return err
			}
		}
		return enough
	}}
	s := &session{Process: p, ctx: t.Context()}
	texts := []string{"a\n", "a\n", "b\n", "b\n"}
	err := s.watching(func() error {
		_, err := s.Out.Write([]byte(texts[0]))
		texts = texts[1:]
		return err
	})
	if !errors.Is(err, enough) || out.String() != "a\nb\n" {
		t.Errorf("%q, %v", out.String(), err)
	}
}

func TestContextsAreTheUsersAlone(t *testing.T) {
	dir := t.TempDir()
	p := &Process{Environ: []string{"XDG_CONFIG_HOME=" + dir}}
	all := contexts{Current: "a", Servers: map[string]target{"a": {URL: "http://a.example", Key: "k"}, "b": {URL: "http://b.example", Key: "l"}}}
	if err := p.keep(all); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, "heddle", "contexts.json"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v %v", info, err)
	}
	for _, test := range []struct {
		environ string
		o       options
		want    target
	}{
		{"", options{}, target{"http://a.example", "k"}},
		{"", options{context: "b"}, target{"http://b.example", "l"}},
		{"HEDDLE_CONTEXT=b", options{}, target{"http://b.example", "l"}},
		{"HEDDLE_KEY=m", options{}, target{"http://a.example", "m"}},
		{"HEDDLE_URL=http://c.example HEDDLE_KEY=m", options{}, target{"http://c.example", "m"}},
		{"HEDDLE_URL=http://c.example HEDDLE_KEY=m", options{context: "b"}, target{"http://b.example", "m"}},
		{"HEDDLE_KEY=m", options{url: "http://d.example"}, target{"http://d.example", "m"}},
	} {
		q := &Process{Environ: append(p.Environ, strings.Fields(test.environ)...)}
		if got, err := q.target(test.o); err != nil || got != test.want {
			t.Errorf("%s %+v: %+v, %v", test.environ, test.o, got, err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "heddle", "contexts.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := p.target(options{}); ExitCode(err) != ExitUsage {
		t.Errorf("a broken file: %v", err)
	}
}

// Each verb says what it does, in one line without a full stop, and begins with a verb.
func TestEveryVerbIsDescribed(t *testing.T) {
	for _, noun := range Nouns(&Process{}) {
		for _, cmd := range append([]*cobra.Command{noun}, noun.Commands()...) {
			if cmd.Short == "" || strings.HasSuffix(cmd.Short, ".") || len(cmd.Short) > 80 {
				t.Errorf("%s: %q", cmd.CommandPath(), cmd.Short)
			}
		}
	}
}
