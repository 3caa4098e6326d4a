package versions_test

import (
	"encoding/json"
	"heddle/versions"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const textBefore = `{"name": "w", "timeout_seconds": 60, "steps": [
	{"id": "fetch", "type": "http_request", "config": {"url": "https://api.example.com/data", "headers": {"X.Y": "1"}}},
	{"id": "wait", "type": "wait"},
	{"id": "old", "type": "script", "config": {"script": "cd /\nls\ndf\nexit 0"}},
	{"id": "gone", "type": "wait"},
	{"id": "case", "type": "condition", "if": "true", "config": {"cases": [{"when": "1 > 0", "then": []}]}}]}`

const textAfter = `{"name": "w", "timeout_seconds": 90, "steps": [
	{"id": "wait", "type": "wait"},
	{"id": "fetch", "type": "http_request", "config": {"url": "https://new.example.com/a/longer/path/than/before", "headers": {"X.Y": "2"}}},
	{"id": "old", "type": "script", "config": {"script": "cd /\nls -l\ndf -h\ndu\nexit 0"}},
	{"id": "case", "type": "condition", "config": {"cases": [{"when": "2 > 0", "then": []}]}},
	{"id": "alarm", "type": "webhook", "config": {"url": "https://example.com"}}]}`

const textWanted = `Added 1 step, removed 1 step, moved 1 step, modified 3 steps, changed settings

+ alarm (webhook)
- gone (wait)
~ wait (wait) moved
~ fetch (http_request)
    ~ config.headers["X.Y"]: "1" → "2"
    ~ config.url
        - "https://api.example.com/data"
        + "https://new.example.com/a/longer/path/than/before"
~ old (script)
    ~ config.script
        - ls
        - df
        + ls -l
        + df -h
        + du
~ case (condition)
    ~ config.cases[0].when: "1 > 0" → "2 > 0"
    - if: "true"
~ settings
    ~ timeout_seconds: 60 → 90
`

func TestText(t *testing.T) {
	d := compare(t, textBefore, textAfter)
	if diff := cmp.Diff(textWanted, d.Text(false)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	coloured := d.Text(true)
	plain := strings.NewReplacer("\x1b[32m", "", "\x1b[31m", "", "\x1b[33m", "", "\x1b[0m", "").Replace(coloured)
	if plain != textWanted || !strings.Contains(coloured, "\x1b[32m+ alarm (webhook)\x1b[0m\n") {
		t.Errorf("with colours: %q", coloured)
	}
}

func TestTextOfOtherChanges(t *testing.T) {
	many := strings.Repeat(`x\n`, 30)
	for want, c := range map[string]struct{ before, after string }{
		"No changes\n": {`{"steps":[]}`, `{"steps":[]}`},
		"Renamed 1 step\n\n~ b (wait) renamed from a\n": {
			`{"steps":[{"id":"a","type":"wait"}]}`, `{"steps":[{"id":"b","type":"wait"}]}`,
		},
		"Added 1 step, removed 1 step, renamed 1 step, modified 2 steps\n\n+ new (x)\n- gone (x)\n~ w (z) renamed from v\n~ c (x)\n    ~ config.n: 1 → 2\n~ b (x)\n    ~ list: \"steps\" → \"finally\"\n": {
			`{"steps":[{"id":"a","type":"x"},{"id":"b","type":"x"}],"on_failure":[{"id":"c","type":"x","config":{"n":1}},{"id":"gone","type":"x"}],"finally":[{"id":"v","type":"z"}]}`,
			`{"steps":[{"id":"a","type":"x"}],"on_failure":[{"id":"c","type":"x","config":{"n":2}}],"finally":[{"id":"w","type":"z"},{"id":"b","type":"x"},{"id":"new","type":"x","name":"other"}]}`,
		},
		"Modified 1 step\n\n~ a (x)\n    + retry.except: [\"timeout\"]\n    ~ retry.on: [503] → [503,\"exit_code:2\"]\n": {
			`{"steps":[{"id":"a","type":"x","retry":{"on":[503]}}]}`, `{"steps":[{"id":"a","type":"x","retry":{"on":[503,"exit_code:2"],"except":["timeout"]}}]}`,
		},
		"Changed settings. No functional change\n\n~ settings\n    + description: \"d\"\n": {
			`{"steps":[]}`, `{"steps":[],"description":"d"}`,
		},
		"Changed settings\n\n~ settings\n    ~ (document): 1 → [2]\n": {`1`, `[2]`},
		"Changed settings. No functional change\n\n~ settings\n    ~ name: \"a\" → \"\\u001b[2J\\u202e\\u009b\"\n": {
			`{"name":"a"}`, `{"name":"\u001b[2J\u202e\u009b"}`,
		},
		"Changed settings. No functional change\n\n~ settings\n    + name: \"" + strings.Repeat("é", 158) + "…\n": {
			`{}`, `{"name":"` + strings.Repeat("é", 500) + `"}`,
		},
		"Changed settings. No functional change\n\n~ settings\n    ~ name\n        - a\n" +
			strings.Repeat("        + x\n", 12) + "        + … 19 more lines\n": {`{"name":"a"}`, `{"name":"` + many + `"}`},
	} {
		if diff := cmp.Diff(want, compare(t, c.before, c.after).Text(false)); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	}
}

func compare(t *testing.T, before, after string) versions.Diff {
	t.Helper()
	d, err := versions.Compare(json.RawMessage(before), json.RawMessage(after))
	if err != nil {
		t.Fatal(err)
	}
	return d
}
