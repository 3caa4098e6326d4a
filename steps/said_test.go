package steps_test

import (
	"bytes"
	"encoding/json"
	"heddle/executor"
	"heddle/steps"
	"io"
	"strings"
	"sync"
	"testing"
)

// kept is a log in memory.
type kept struct {
	mu      sync.Mutex
	lines   []string
	data    []json.RawMessage
	streams map[string]*bytes.Buffer
}

func (k *kept) Line(level, category, message string, data json.RawMessage) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.lines, k.data = append(k.lines, level+" "+category+" "+message), append(k.data, data)
}

func (k *kept) Stream(level, category string) io.Writer {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.streams == nil {
		k.streams = map[string]*bytes.Buffer{}
	}
	k.streams[level+" "+category] = &bytes.Buffer{}
	return k.streams[level+" "+category]
}

func TestScriptsAreHeard(t *testing.T) {
	each(t, func(t *testing.T, r *steps.Registry) {
		c, log := call("script", script("shell", "echo one; echo wrong >&2; head -c 3000000 /dev/zero | tr '\\0' x; exit 1")), &kept{}
		c.Logs = log
		_, _ = perform(t.Context(), t, r, c)
		if got := log.streams["warn stderr"].String(); got != "wrong\n" {
			t.Errorf("stderr %q", got)
		}
		if got := log.streams["info stdout"].String(); !strings.HasPrefix(got, "one\nxxx") || len(got) != 3_000_004 {
			t.Errorf("stdout has %d bytes, beginning %.20q", len(got), got)
		}
	})
}

func TestAgentsAreHeard(t *testing.T) {
	_, r := withModel(t,
		`{"choices":[{"message":{"content":"","tool_calls":[{"id":"1","type":"function","function":{"name":"none","arguments":"{}"}}]}}],"usage":{"prompt_tokens":5,"completion_tokens":7}}`,
		`{"choices":[{"message":{"content":"done"}}],"usage":{"prompt_tokens":6,"completion_tokens":8}}`)
	log := &kept{}
	c := call("agent_task", `{"agent_id":"writer","goal":"x"}`)
	c.Logs = log
	if _, f := perform(t.Context(), t, r, c); f != nil {
		t.Fatal(f)
	}
	want := "info agent turn 1: 5 tokens in, 7 out\nwarn tool none: There is no tool \"none\".\ninfo agent turn 2: 6 tokens in, 8 out"
	if got := strings.Join(log.lines, "\n"); got != want {
		t.Errorf("lines:\n%s", got)
	}
	if got := string(log.data[2]); !strings.Contains(got, `"content":"done"`) || !strings.Contains(got, `"turn":2`) {
		t.Errorf("data %s", got)
	}
}

var _ executor.Logs = (*kept)(nil)
