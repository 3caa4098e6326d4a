package validation_test

import (
	"heddle/definitions/parser"
	"heddle/definitions/source"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestYAMLReadsWhatIsJSON: the same text is the same definition in both notations,
// and what JSON text may hold is read inside of YAML too.
func TestYAMLReadsWhatIsJSON(t *testing.T) {
	t.Parallel()
	for yaml, name := range map[string]string{
		"name: \"\\ud83d\\ude80 a\\/b\"\nsteps: []\n":                          "🚀 a/b",
		"{\"name\": \"\\ud83d\\ude80 a\\/b\", \"steps\": []}":                  "🚀 a/b",
		"name: \"a\\\\/b\"\nsteps: []":                                         `a\/b`,
		"name: 'a\\/b'\ndescription: \"\\/\"\nsteps: []":                       `a\/b`,
		"name: a\\/b\ndescription: \"\\/\"\nsteps: []":                         `a\/b`,
		"name: |-\n  \"a\\/b\ndescription: \"\\/\"\nsteps: []":                 "\"a\\/b",
		"# x\n%YAML 1.2\n---\nname: n\nsteps: []":                              "n",
		"%YAML 1.2 # x\n%TAG ! tag:example.com,2000:\n---\nname: n\nsteps: []": "n",
		"\ufeff%YAML 1.2\n---\nname: n\nsteps: []\n...\n":                      "n",
		"name: a\u0085b\u2028c\u2029d\nsteps: []":                              "a\u0085b\u2028c\u2029d",
		"name: \"a\u0085b\u2028c\"\nsteps: []":                                 "a\u0085b\u2028c",
		"name: 'a\u0085 b\ue000'\nsteps: []":                                   "a\u0085 b\ue000",
		"name: >-\n  a\u2028b\n  c\nsteps: []":                                 "a\u2028b c",
		"{\"name\": \"a\u2028b\", \"steps\": [], \"description\": \"\u0085\"}": "a\u2028b",
	} {
		doc, ds := parser.Parse([]byte(yaml), source.YAML)
		if doc == nil || doc.Definition.Name != name {
			t.Errorf("%q: %+v", yaml, ds)
		}
	}
}

// TestEscapesMoveNoColumn: what is put in other words for the library is where
// it was.
func TestEscapesMoveNoColumn(t *testing.T) {
	t.Parallel()
	for _, src := range []string{
		"{name: \"\\ud83d\\ude80\\/\\/\", x: §'\"', steps: [{id: a, type: free, §enabld: 1}]}",
		"name: \"\\/\"\nsteps: [{id: a, type: free, name: \"\\ud83d\\ude80\", if: \"\\/\", §enabld: true}]",
		"name: \"a\u2028\u0085b\"\nsteps: [{id: a, type: free, name: \"\u2028\", §enabld: true}]",
		"%YAML 1.2\n---\nname: a\nsteps: [{id: a, type: free, §enabld: true}]",
	} {
		src = strings.Replace(src, "x: §'\"', ", "", 1)
		before, after, _ := strings.Cut(src, "§")
		line := strings.Count(before, "\n") + 1
		column := len([]rune(before[strings.LastIndex(before, "\n")+1:])) + 1
		_, ds := parser.Parse([]byte(before+after), source.YAML)
		found := false
		for _, d := range ds {
			if d.Code == "unknown_field" {
				found = d.Line == line && d.Column == column
			}
		}
		if !found {
			t.Errorf("%s: want %d:%d: %+v", src, line, column, ds)
		}
	}
}

// TestJSONIsYAML: any JSON that is a definition reads the same as YAML.
func TestJSONIsYAML(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringN(1, 20, 80).Draw(t, "name")
		quoted := strings.NewReplacer("\\", "\\\\", "\"", "\\\"", "/", "\\/", "🚀", "\\ud83d\\ude80").Replace(name)
		for _, r := range name {
			if r < ' ' || r == 0x7f {
				t.Skip("control character")
			}
		}
		text := `{"name": "` + quoted + `", "steps": [{"id": "a", "type": "free"}]}`
		asJSON, one := parser.Parse([]byte(text), source.JSON)
		asYAML, two := parser.Parse([]byte(text), source.YAML)
		if len(one) != len(two) || asJSON.Hash != asYAML.Hash {
			t.Fatalf("%s: %v %v", text, one, two)
		}
	})
}

// TestASecondDocumentIsNamedAtItsPlace: a marker inside of block text does not begin
// one.
func TestASecondDocumentIsNamedAtItsPlace(t *testing.T) {
	t.Parallel()
	_, ds := parser.Parse([]byte("---\nname: |\n  a\n  ---\nsteps: []\n---\nname: b\n"), source.YAML)
	if len(ds) != 1 || ds[0].Line != 6 || ds[0].Column != 1 || !strings.Contains(ds[0].Message, "second document") {
		t.Errorf("%+v", ds)
	}
}

// TestBrokenYAMLIsInOurWords: whatever is broken, the diagnostic points into the text
// and quotes none of the library's words.
func TestBrokenYAMLIsInOurWords(t *testing.T) {
	t.Parallel()
	base := "name: n\nsteps:\n  - id: a\n    type: http_request\n    config: {url: \"https://x\", headers: {A: 'b'}}\n    if: \"input.x == 'y'\"\n  - id: b\n    type: script\n    config:\n      script: |\n        echo\n"
	rapid.Check(t, func(t *rapid.T) {
		text := []byte(base)
		for range rapid.IntRange(1, 3).Draw(t, "breaks") {
			at := rapid.IntRange(0, len(text)).Draw(t, "at")
			put := rapid.SampledFrom([]string{"{", "}", "[", "]", "\"", "'", ": ", "- ", "\t", "\n", "&", "*", "!", "%", "@", "`", "|", ">", "?", "#", ",", "\\", " ", "---\n", "{{ x }}", "\u2028", "\x01"}).Draw(t, "put")
			text = append(text[:at:at], append([]byte(put), text[at:]...)...)
		}
		_, ds := parser.Parse(text, source.YAML)
		for _, d := range ds {
			if d.Line < 1 || d.Line > strings.Count(string(text), "\n")+1 || d.Column < 1 {
				t.Errorf("%q: %+v", text, d)
			}
			for _, theirs := range []string{"did not find", "could not find", "mapping values", "block", "flow", "scalar", "expected key", "while", "yaml:", "token"} {
				if d.Code == "syntax" && strings.Contains(d.Message, theirs) {
					t.Errorf("%q: %s", text, d.Message)
				}
			}
		}
	})
}
