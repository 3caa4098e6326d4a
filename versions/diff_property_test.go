package versions_test

import (
	"encoding/json"
	"fmt"
	"heddle/fault"
	"heddle/versions"
	"regexp"
	"strings"
	"testing"

	jsonpatch "github.com/evanphx/json-patch/v5"
	"pgregory.net/rapid"
)

type object = map[string]any

// scalars include numbers that only exact arithmetic distinguishes, and texts that
// need escapes.
func scalars() *rapid.Generator[any] {
	return rapid.SampledFrom([]any{
		nil, true, false, "", "a", "b/c~d", "é\u2028\"\\\n\x01<>&", "{{ steps.s1.output }}", `{{ steps["s2"].output.x }}`,
		json.Number("0"), json.Number("1"), json.Number("1.0"), json.Number("9007199254740993"), json.Number("9007199254740992"), json.Number("1e400"),
	})
}

func values(depth int) *rapid.Generator[any] {
	if depth == 0 {
		return scalars()
	}
	return rapid.OneOf(
		scalars(),
		rapid.Map(rapid.SliceOfN(values(depth-1), 0, 5), func(l []any) any { return l }),
		rapid.Map(rapid.MapOfN(rapid.SampledFrom([]string{"k", "l", "", "a/b", "m~n", "steps", "id", "0"}), values(depth-1), 0, 4), func(m object) any { return m }),
	)
}

// someSteps draws steps with ids from a small set, so that two lists share
// many.
func someSteps(t *rapid.T, free map[string]bool, depth int) []any {
	list := []any{}
	for range rapid.IntRange(0, 7).Draw(t, "steps") {
		id := fmt.Sprintf("s%d", rapid.IntRange(0, 12).Draw(t, "id"))
		if free[id] {
			continue
		}
		free[id] = true
		step := object{"id": id, "type": "http_request", "config": values(2).Draw(t, "config")}
		switch rapid.IntRange(0, 5).Draw(t, "kind") {
		case 0:
			if depth > 0 {
				step["type"], step["config"] = "loop", object{"items": "steps.s3.output", "steps": someSteps(t, free, depth-1)}
			}
		case 1:
			step["type"], step["config"] = "condition", object{"expression": "steps.s4.output > 1", "then": []any{"s1"}, "else": []any{"s2"}}
		case 2:
			step["config"] = object{}
		}
		if rapid.Bool().Draw(t, "depends") {
			step["depends_on"] = []any{fmt.Sprintf("s%d", rapid.IntRange(0, 12).Draw(t, "dependency"))}
		}
		list = append(list, step)
	}
	return list
}

func definition(t *rapid.T) json.RawMessage {
	free := map[string]bool{}
	d := object{"name": "w", "steps": someSteps(t, free, 2)}
	for _, field := range []string{"on_failure", "finally"} {
		if rapid.Bool().Draw(t, field) {
			d[field] = someSteps(t, free, 1)
		}
	}
	if rapid.Bool().Draw(t, "input") {
		d["input"] = values(3).Draw(t, "input")
	}
	return encode(t, d)
}

func encode(t *rapid.T, v any) json.RawMessage {
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	out, err := versions.Apply(raw, json.RawMessage("[]"))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// checkDiff checks that the patch turns before into after, byte for byte, also
// when another library applies it.
func checkDiff(t *rapid.T, before, after json.RawMessage) versions.Diff {
	d, err := versions.Compare(before, after)
	if err != nil {
		t.Fatal(err)
	}
	got, err := versions.Apply(before, d.Patch)
	if err != nil || string(got) != string(after) {
		t.Fatalf("%s\n+ %s\n= %s, %v\nwant %s", before, d.Patch, got, err, after)
	}
	if got, ok := appliedElsewhere(before, d.Patch); ok && string(encode(t, json.RawMessage(got))) != string(after) {
		t.Fatalf("elsewhere: %s\n+ %s\n= %s\nwant %s", before, d.Patch, got, after)
	}
	if string(before) == string(after) != (string(d.Patch) == "[]") || string(d.Patch) == "[]" != (d.Summary == "No changes") {
		t.Fatalf("patch %s, summary %s", d.Patch, d.Summary)
	}
	return d
}

// emptyKey finds a path through an empty key.
var emptyKey = regexp.MustCompile(`"(path|from)":"[^"]*(//|/")`)

// appliedElsewhere applies the patch with another library; false where that library
// cannot: it walks an empty key wrongly, and has panicked on lists with null.
func appliedElsewhere(before, patch json.RawMessage) (result []byte, ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	if emptyKey.Match(patch) {
		return nil, false
	}
	p, err := jsonpatch.DecodePatch(patch)
	if err != nil {
		return nil, false
	}
	result, err = p.Apply(before)
	return result, err == nil
}

func TestPatchMakesAfterOfBefore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { checkDiff(t, definition(t), definition(t)) })
}

func TestPatchOfAnyJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		before, after := encode(t, values(4).Draw(t, "before")), encode(t, values(4).Draw(t, "after"))
		checkDiff(t, before, after)
		checkDiff(t, encode(t, object{"steps": before}), encode(t, object{"steps": after}))
	})
}

func TestEqualDefinitionsDoNotDiffer(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := definition(t)
		if diff := checkDiff(t, d, d); string(diff.Patch) != "[]" || len(diff.Changes) != 0 {
			t.Fatalf("%+v", diff)
		}
	})
}

// The patch of a shuffled list of n steps consists of moves: n less the length of
// the longest increasing subsequence.
func TestShuffledStepsAreMoves(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var list []any
		for i := range rapid.IntRange(0, 12).Draw(t, "steps") {
			list = append(list, object{"id": fmt.Sprintf("s%d", i)})
		}
		before, after := list, list
		if len(list) > 0 {
			after = rapid.Permutation(list).Draw(t, "after")
		}
		d := checkDiff(t, encode(t, object{"steps": before}), encode(t, object{"steps": after}))
		for _, change := range d.Changes {
			if change.Change != "moved" {
				t.Fatalf("%+v", change)
			}
		}
		var ops []any
		if err := json.Unmarshal(d.Patch, &ops); err != nil || len(ops) > len(d.Changes) {
			t.Fatalf("%d operations for %d moves: %s", len(ops), len(d.Changes), d.Patch)
		}
	})
}

// Applying any patch ends in a document or an error.
func TestApplyTakesAnyPatch(t *testing.T) {
	tokens := rapid.SampledFrom([]string{"", "/", "/-", "/0", "/1", "/k", "/l", "/a~1b", "/m~0n", "/~", "k", "/99999999999999999999"})
	pointers := rapid.Map(rapid.SliceOfN(tokens, 0, 3), func(parts []string) string { return strings.Join(parts, "") })
	rapid.Check(t, func(t *rapid.T) {
		var ops []any
		for range rapid.IntRange(0, 5).Draw(t, "operations") {
			op := object{"op": rapid.SampledFrom([]string{"add", "remove", "replace", "move", "copy", "test", "x"}).Draw(t, "op")}
			for _, key := range []string{"path", "from"} {
				op[key] = pointers.Draw(t, key)
			}
			if rapid.Bool().Draw(t, "has value") {
				op["value"] = values(2).Draw(t, "value")
			}
			ops = append(ops, op)
		}
		doc := encode(t, values(3).Draw(t, "document"))
		patch := encode(t, ops)
		got, err := versions.Apply(doc, patch)
		if err == nil && !json.Valid(got) {
			t.Fatalf("%s + %s = %s", doc, patch, got)
		}
		if err != nil && fault.KindOf(err) != fault.Unacceptable {
			t.Fatal(err)
		}
	})
}
