package executor_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/fault"
	"strings"
	"sync/atomic"
	"testing"
)

// The secrets of fakeSecrets; the first goes over lines.
const (
	secretText = "-----BEGIN-----\nabcdefgh\n-----END-----"
	secretWord = "0123456789012345678901234567890123456789"
)

// fakeSecrets knows its secrets in plain form only.
type fakeSecrets struct{}

func (fakeSecrets) Reveal(context.Context, string, []string) (map[string]string, error) {
	return map[string]string{"KEY": secretText, "WORD": secretWord}, nil
}

func (fakeSecrets) Redactor(context.Context, string) (func(json.RawMessage) json.RawMessage, error) {
	return func(v json.RawMessage) json.RawMessage {
		for _, secret := range []string{secretText, secretWord} {
			inner, _ := json.Marshal(secret)
			v = bytes.ReplaceAll(v, inner[1:len(inner)-1], []byte("***"))
		}
		return v
	}, nil
}

func (fakeSecrets) Unfinished(context.Context, string) (func([]byte) int, error) {
	return func(text []byte) int {
		for i := range text {
			for _, secret := range []string{secretText, secretWord} {
				if rest := string(text[i:]); len(rest) < len(secret) && strings.HasPrefix(secret, rest) {
					return i
				}
			}
		}
		return len(text)
	}, nil
}

func (fakeSecrets) Holds(context.Context, string, json.RawMessage) (bool, error) { return false, nil }

func withSecrets(c *executor.Config) { c.Secrets = fakeSecrets{} }

const oneScript = "name: One\nsteps:\n  - { id: a, type: script, config: { script: x } }\n"

// logged runs a workflow of one step that says something, and returns the lines.
func logged(t *testing.T, say func(logs executor.Logs), opts ...stackOption) []executor.Log {
	t.Helper()
	s := newStack(t, func(_ context.Context, call executor.Call) (executor.Result, error) {
		say(call.Logs)
		return ok("")
	}, opts...)
	id := s.start(s.workflow(oneScript), "{}").RunID
	s.waitState(id, machine.Completed)
	page, err := s.svc.Logs(t.Context(), tenant, executor.LogQuery{RunID: id, Limit: 100_000})
	if err != nil {
		t.Fatal(err)
	}
	return page.Logs
}

func messages(lines []executor.Log) string {
	var b strings.Builder
	for _, l := range lines {
		fmt.Fprintf(&b, "%s %s %s\n", l.Level, l.Category, l.Message)
	}
	return b.String()
}

func TestLinesOfStepsAreKept(t *testing.T) {
	lines := logged(t, func(logs executor.Logs) {
		out, errs := logs.Stream(executor.LogInfo, "stdout"), logs.Stream(executor.LogWarn, "stderr")
		fmt.Fprint(out, "one\ntw")
		fmt.Fprint(errs, "wrong\r\n")
		fmt.Fprint(out, "o\n\nb\xffad\x00 end")
		logs.Line(executor.LogError, "agent", "said", json.RawMessage(`{"n":1}`))
	})
	want := "info stdout one\nwarn stderr wrong\ninfo stdout two\ninfo stdout \nerror agent said\ninfo stdout b\uFFFDad end\n"
	if got := messages(lines); got != want {
		t.Errorf("lines:\n%swant:\n%s", got, want)
	}
	for i, l := range lines {
		if l.StepID != "a" || l.Attempt != 1 || l.At.IsZero() || l.RunID == "" || i > 0 && l.ID <= lines[i-1].ID {
			t.Errorf("line %+v", l)
		}
	}
	if string(lines[4].Data) != `{"n":1}` {
		t.Errorf("data %s", lines[4].Data)
	}
}

// What was said up to then is read while the step is still in flight.
func TestLinesAreReadWhileTheStepRuns(t *testing.T) {
	said, goOn := make(chan struct{}), make(chan struct{})
	s := newStack(t, func(_ context.Context, call executor.Call) (executor.Result, error) {
		fmt.Fprint(call.Logs.Stream(executor.LogInfo, "stdout"), "first\nsec")
		close(said)
		<-goOn
		return ok("")
	})
	id := s.start(s.workflow(oneScript), "{}").RunID
	<-said
	page, err := s.svc.Logs(t.Context(), tenant, executor.LogQuery{RunID: id, Limit: 10})
	if err != nil || messages(page.Logs) != "info stdout first\n" {
		t.Errorf("lines %+v, %v", page.Logs, err)
	}
	close(goOn)
	s.waitState(id, machine.Completed)
	page, err = s.svc.Logs(t.Context(), tenant, executor.LogQuery{RunID: id, Limit: 10})
	if err != nil || messages(page.Logs) != "info stdout first\ninfo stdout sec\n" {
		t.Errorf("lines %+v, %v", page.Logs, err)
	}
	_, err = s.svc.Logs(t.Context(), "ten_other", executor.LogQuery{RunID: id, Limit: 10})
	wantCode(t, err, fault.NotFound, "run_not_found")
}

// A secret that comes in pieces, over several lines, with a look at the log
// between them, is not shown in pieces either.
func TestLinesHoldNoSecrets(t *testing.T) {
	for name, pieces := range map[string][]string{
		"at once":        {"a " + secretText + " z\n"},
		"in a line":      {"a -----BEG", "IN-----\nabcd", "efgh\n-----END----", "- z\n"},
		"line by line":   {"a -----BEGIN-----\n", "abcdefgh\n", "-----END----- z\n"},
		"byte by byte":   strings.Split("a "+secretText+" z\n", ""),
		"without an end": {"a -----BEGIN-----\n", "abcdefgh\n-----END----- z"},
	} {
		t.Run(name, func(t *testing.T) {
			var s *stack
			next := make(chan chan struct{})
			s = newStack(t, func(_ context.Context, call executor.Call) (executor.Result, error) {
				out := call.Logs.Stream(executor.LogInfo, "stdout")
				for _, p := range pieces {
					fmt.Fprint(out, p)
					looked := make(chan struct{})
					next <- looked
					<-looked
				}
				call.Logs.Line(executor.LogInfo, "agent", "x "+secretText, json.RawMessage(`["-----BEGIN-----\nabcdefgh\n-----END-----"]`))
				close(next)
				return ok("")
			}, withSecrets)
			id := s.start(s.workflow(oneScript), "{}").RunID
			for looked := range next {
				if _, err := s.svc.Logs(t.Context(), tenant, executor.LogQuery{RunID: id, Limit: 10}); err != nil {
					t.Error(err)
				}
				close(looked)
			}
			s.waitState(id, machine.Completed)
			page, err := s.svc.Logs(t.Context(), tenant, executor.LogQuery{RunID: id, Limit: 10})
			if err != nil {
				t.Fatal(err)
			}
			got := messages(page.Logs)
			if !strings.Contains(got, "info stdout a *** z\n") || !strings.Contains(got, "info agent x ***\n") || len(page.Logs) != 2 {
				t.Errorf("lines:\n%s", got)
			}
			for _, l := range page.Logs {
				if strings.Contains(string(l.Data), "abcdefgh") {
					t.Errorf("data %s", l.Data)
				}
			}
		})
	}
}

func TestLinesAreBounded(t *testing.T) {
	long := strings.Repeat("x", 100_000)
	lines := logged(t, func(logs executor.Logs) {
		out := logs.Stream(executor.LogInfo, "stdout")
		fmt.Fprint(out, long, "\nshort\n")
		for range 50_000 {
			fmt.Fprint(out, "l\n")
		}
		fmt.Fprint(out, "no end")
	})
	if len(lines) != 10_001 {
		t.Fatalf("%d lines", len(lines))
	}
	if m := lines[0].Message; len(m) != 8192+len("…") || !strings.HasSuffix(m, "x…") {
		t.Errorf("the long line has %d bytes", len(m))
	}
	if lines[1].Message != "short" {
		t.Errorf("after it: %q", lines[1].Message)
	}
	last := lines[10_000]
	if last.Message != "… 40003 lines dropped" || last.Level != "warn" || last.Category != "heddle" || string(last.Data) != `{"dropped":40003}` {
		t.Errorf("the last line is %+v", last)
	}

	big := logged(t, func(logs executor.Logs) {
		out := logs.Stream(executor.LogInfo, "stdout")
		for range 400 {
			fmt.Fprint(out, long[:8000], "\n")
		}
	})
	if n := len(big); n != 133 {
		t.Errorf("%d lines of 8,000 bytes are kept", n)
	}
}

// A secret at the place where a line is no longer looked at is not shown in part.
func TestALongLineHoldsNoHalfSecret(t *testing.T) {
	lines := logged(t, func(logs executor.Logs) {
		fmt.Fprint(logs.Stream(executor.LogInfo, "stdout"), strings.Repeat(secretWord, 64<<10), "\n")
	}, withSecrets)
	if got := messages(lines); len(lines) != 1 || strings.Contains(got, "0123") || !strings.HasSuffix(got, "***…\n") {
		t.Errorf("lines %.100s…%s", got, got[max(0, len(got)-100):])
	}
}

// failingLogs is a store that takes no log lines while it is broken.
type failingLogs struct {
	executor.Store
	broken atomic.Bool
}

func (f *failingLogs) AppendLogs(ctx context.Context, logs []executor.Log) error {
	if f.broken.Load() {
		return errors.New("no room")
	}
	return f.Store.AppendLogs(ctx, logs)
}

// A store that does not take lines holds up neither step nor run; the lines are stored once
// it does.
func TestLinesWaitForTheStore(t *testing.T) {
	var f *failingLogs
	s := newStack(t, func(_ context.Context, call executor.Call) (executor.Result, error) {
		fmt.Fprint(call.Logs.Stream(executor.LogInfo, "stdout"), "kept\n")
		return ok("")
	}, func(c *executor.Config) {
		f = &failingLogs{Store: c.Store}
		f.broken.Store(true)
		c.Store = f
	})
	id := s.start(s.workflow(oneScript), "{}").RunID
	s.waitState(id, machine.Completed)
	read := func() string {
		page, err := s.svc.Logs(t.Context(), tenant, executor.LogQuery{RunID: id, Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		return messages(page.Logs)
	}
	if got := read(); got != "" {
		t.Errorf("lines %q", got)
	}
	f.broken.Store(false)
	s.eventually("the line is kept", func() bool {
		page, err := s.db.Logs(t.Context(), executor.LogQuery{RunID: id, Limit: 10})
		return err == nil && messages(page.Logs) == "info stdout kept\n"
	})
}

// A performer can take secrets out before it shortens something.
func TestPerformersCanRedact(t *testing.T) {
	s := newStack(t, func(_ context.Context, call executor.Call) (executor.Result, error) {
		cut := string(call.Redact(json.RawMessage(`"a ` + secretWord + `"`)))[:5]
		return executor.Result{Output: json.RawMessage(cut + `"`)}, nil
	}, withSecrets)
	id := s.start(s.workflow("name: One\noutput: \"{{ steps.a.output }}\"\nsteps:\n  - { id: a, type: script, config: { script: x } }\n"), "{}").RunID
	rec := s.waitState(id, machine.Completed)
	if string(rec.Output) != `"a **"` {
		t.Errorf("output %s", rec.Output)
	}
}
