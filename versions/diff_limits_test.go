package versions_test

import (
	"encoding/json"
	"heddle/definitions/source"
	"heddle/fault"
	"heddle/versions"
	"strings"
	"testing"
)

func TestCompareRefuses(t *testing.T) {
	deep := strings.Repeat("[", 65) + strings.Repeat("]", 65)
	for text, code := range map[string]string{
		"": "syntax", "{": "syntax", "{} {}": "syntax", `{"a":01}`: "syntax", deep: "limit_exceeded",
		strings.Repeat("[", 20_000): "syntax",
	} {
		_, err := versions.Compare(json.RawMessage(`{}`), json.RawMessage(text))
		if fault.KindOf(err) != fault.Unacceptable || fault.CodeOf(err) != code {
			t.Errorf("after %.20s: %v", text, err)
		}
		if _, err = versions.Compare(json.RawMessage(text), json.RawMessage(`{}`)); fault.CodeOf(err) != code {
			t.Errorf("before %.20s: %v", text, err)
		}
	}
}

func TestPatchIsCanonicalLikeDefinitions(t *testing.T) {
	const text = `{ "b/\u00e9": "\u2028\u0001\n\"\\<&>", "a": [1.0, 1E+2, -0, 9007199254740993, null, true, {}], "\u0000": "" }`
	got, err := versions.Apply(json.RawMessage(text), json.RawMessage(`[]`))
	if err != nil {
		t.Fatal(err)
	}
	source2 := strings.Replace(text, `"\u0000"`, `"\u0002"`, 1) // definitions refuse NUL
	got = json.RawMessage(strings.Replace(string(got), `"\u0000"`, `"\u0002"`, 1))
	want, err := source.Canonical([]byte(source2))
	if err != nil || string(got) != string(want) {
		t.Errorf("%s\nwant %s, %v", got, want, err)
	}
}

// Lists inside steps that share nothing or little must not make the search
// for common parts quadratic: 4 lists of 20,000 numbers.
func TestLongListsInsideSteps(t *testing.T) {
	list := func(from, stride int) []any {
		out := make([]any, 20_000)
		for i := range out {
			out[i] = from + i*stride
		}
		return out
	}
	var before, after []any
	for i := range 4 {
		id := "s" + string(rune('a'+i))
		before = append(before, object{"id": id, "type": "webhook", "config": object{"payload": list(0, 1)}})
		after = append(after, object{"id": id, "type": "webhook", "config": object{"payload": reversed(list(0, i+1))}})
	}
	a, b := document(t, before), document(t, after)
	d, err := versions.Compare(a, b)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := versions.Apply(a, d.Patch); err != nil || string(got) != string(b) {
		t.Errorf("the patch does not make after of before: %v", err)
	}
}
