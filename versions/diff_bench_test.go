package versions_test

import (
	"encoding/json"
	"fmt"
	"heddle/versions"
	"math/rand"
	"testing"
)

// workflow returns a chain of n steps; edit may change each.
func workflow(n int, edit func(i int, step object)) []any {
	list := make([]any, n)
	for i := range list {
		step := object{
			"id": fmt.Sprintf("step_%d", i), "type": "http_request", "name": fmt.Sprintf("Step %d", i),
			"config": object{
				"method": "POST", "url": fmt.Sprintf("https://api.example.com/items/%d", i),
				"headers": object{"Accept": "application/json"}, "query": object{"tags": []any{"a", "b", "c"}},
			},
			"retry": object{"max_attempts": 3, "backoff": "exponential"},
		}
		if i > 0 {
			step["depends_on"] = []any{fmt.Sprintf("step_%d", i-1)}
		}
		if edit != nil {
			edit(i, step)
		}
		list[i] = step
	}
	return list
}

func reversed(list []any) []any {
	out := make([]any, len(list))
	for i, v := range list {
		out[len(list)-1-i] = v
	}
	return out
}

func rename(i int, step object) {
	step["id"] = fmt.Sprintf("new_%d", i)
	if i > 0 {
		step["depends_on"] = []any{fmt.Sprintf("new_%d", i-1)}
	}
}

// edits are the ways in which a long list of steps becomes another.
func edits(n int) map[string][]any {
	shuffled := workflow(n, nil)
	rand.New(rand.NewSource(1)).Shuffle(n, func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	return map[string][]any{
		"inserted": append([]any{object{"id": "first", "type": "wait", "config": object{"seconds": 1}}}, workflow(n, nil)...),
		"reversed": reversed(workflow(n, nil)),
		"shuffled": shuffled,
		"modified": workflow(n, func(i int, step object) {
			step["config"].(object)["query"] = object{"tags": []any{"a", i, "c", "d"}}
			step["depends_on"] = []any{"step_0"}
		}),
		"renamed": workflow(n, rename),
		"replaced": workflow(n, func(i int, step object) {
			rename(i, step)
			step["type"] = "webhook"
		}),
	}
}

func document(tb testing.TB, steps []any) json.RawMessage {
	tb.Helper()
	raw, err := json.Marshal(object{"name": "w", "steps": steps})
	if err != nil {
		tb.Fatal(err)
	}
	if raw, err = versions.Apply(raw, json.RawMessage("[]")); err != nil {
		tb.Fatal(err)
	}
	return raw
}

func BenchmarkCompare(b *testing.B) {
	for _, n := range []int{100, 1000, 5000} {
		before := document(b, workflow(n, nil))
		for _, name := range []string{"inserted", "reversed", "shuffled", "modified", "renamed", "replaced"} {
			after := document(b, edits(n)[name])
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				b.SetBytes(int64(len(before)))
				for b.Loop() {
					if _, err := versions.Compare(before, after); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// Rewritten lists inside steps, the first of 400 objects that are searched for
// common parts and use up the budget, the others of 2,000 numbers.
func BenchmarkCompareLists(b *testing.B) {
	payload := func(step, from int) object {
		list := make([]any, 400)
		for i := range list {
			list[i] = object{"at": i, "key": "k", "value": from + i, "more": []any{"x"}}
		}
		if step > 0 {
			list = make([]any, 2000)
			for i := range list {
				list[i] = (i*7919 + from) % 2003
			}
		}
		return object{"payload": list}
	}
	lists := func(from int) json.RawMessage {
		return document(b, workflow(100, func(i int, step object) { step["config"] = payload(i, from) }))
	}
	before, after := lists(0), lists(1)
	for b.Loop() {
		if _, err := versions.Compare(before, after); err != nil {
			b.Fatal(err)
		}
	}
}

func TestLongListsOfSteps(t *testing.T) {
	const n = 1000
	before := document(t, workflow(n, nil))
	for name, want := range map[string]struct {
		operations int
		summary    string
	}{
		"inserted": {1, "Added 1 step"},
		"reversed": {n - 1, "Moved 999 steps. No functional change"},
		"modified": {3*n - 1, "Modified 1000 steps"},
		"renamed":  {2*n - 1, "Renamed 1000 steps"},
		"replaced": {1, "Added 1000 steps, removed 1000 steps"},
	} {
		after := document(t, edits(n)[name])
		d, err := versions.Compare(before, after)
		if err != nil {
			t.Fatal(err)
		}
		var ops []any
		if err := json.Unmarshal(d.Patch, &ops); err != nil {
			t.Fatal(err)
		}
		if len(ops) != want.operations || d.Summary != want.summary {
			t.Errorf("%s: %d operations, %q", name, len(ops), d.Summary)
		}
		if got, err := versions.Apply(before, d.Patch); err != nil || string(got) != string(after) {
			t.Errorf("%s: the patch does not make after of before: %v", name, err)
		}
	}
}
