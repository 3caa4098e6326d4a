package expressions

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// theirs are words that only the library's messages contain.
var theirs = []string{
	"unexpected token", "interface", "builtin", "%!", "mismatched", "reflect", "runtime", "Bracket(", "Operator(",
	"pointer accessor", "map key must", "literal not terminated", "regexp", "redeclare", "callable", "float64", "int64", "json:", "<nil>",
}

// TestMessagesAreInOurWords: however an expression is composed or damaged, neither
// Check nor an evaluation reports it in the library's words.
func TestMessagesAreInOurWords(t *testing.T) {
	t.Parallel()
	pieces := []string{
		"input.n", "input.name", "input.list", "input.ok", "steps.fetch.output", "nil", "1", "1.5", "'a'", "true", "[1, 2]", "{a: 1}", "#", ".x",
		"len(", "map(", "filter(", "sum(", "sortBy(", "upper(", "date(", "count(", "reduce(", "first(", "groupBy(", "split(", ")", "[", "]", "{", "}", "(", ",", ".",
		"?.", "??", "+", "-", "*", "/", "%", "**", "==", "!=", "<", "in", "not", "and", "contains", "matches", "..", "|", "?", ":", "let x = ", ";", "x", "if ", "else",
		"0x", "1e999", "99999999999999999999", "\\", "\"", "'", "`", "@", "~", "/*", "[0]", "['a']", "[1:2]", ".upper()", "is", "$", "::", "\x00",
	}
	env := NewEnv().Value("input", []byte(`{"type":"object","properties":{"n":{"type":"integer"},"name":{"type":"string"},"list":{"type":"array","items":{"type":"object","properties":{"x":{"type":"integer"}}}},"ok":{"type":"boolean"}}}`)).Step("fetch", nil)
	rapid.Check(t, func(t *rapid.T) {
		source := strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 1, 7).Draw(t, "source"), rapid.SampledFrom([]string{"", " "}).Draw(t, "glue"))
		var said []string
		for _, want := range []Want{WantAny, WantBool, WantItems} {
			for _, p := range Check(source, env, want) {
				said = append(said, p.Message)
			}
		}
		if p, err := Compile(source); err != nil {
			said = append(said, err.Error())
		} else if _, err := p.Eval(someWorld()); err != nil {
			said = append(said, err.Error())
		}
		for _, message := range said {
			for _, word := range theirs {
				if strings.Contains(message, word) && !strings.Contains(source, word) {
					t.Errorf("%q: %s", source, message)
				}
			}
		}
	})
}
