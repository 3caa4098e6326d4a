package validation_test

import (
	"fmt"
	"heddle/definitions/source"
	"heddle/definitions/validation"
	"heddle/steps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// mistake is something that an author who knows another product writes, and
// what the first diagnostic must say of it.
//
//	=== name | steps       (or yaml, json, step, http, if, text; see mistakeText)
//	the text
//	---
//	code pointer [-> suggestion]     (~ before a warning; . is the root)
//	a phrase of the message, one a line
//	line:column
//	+n                               (n more diagnostics follow; none without it)
type mistake struct {
	name, text              string
	format                  source.Format
	code, pointer, suggests string
	phrases                 []string
	more, place             string
}

var (
	placeForm = regexp.MustCompile(`^[0-9]+:[0-9]+$`)
	moreForm  = regexp.MustCompile(`^\+[0-9]+$`)
)

func mistakes(t testing.TB) []mistake {
	t.Helper()
	files, err := filepath.Glob("testdata/mistakes/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no mistakes", err)
	}
	var all []mistake
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		theme := strings.TrimSuffix(filepath.Base(file), ".txt")
		for _, part := range strings.Split("\n"+string(raw), "\n=== ")[1:] {
			all = append(all, readMistake(t, theme, part))
		}
	}
	return all
}

func readMistake(t testing.TB, theme, part string) mistake {
	t.Helper()
	head, body, _ := strings.Cut(part, "\n")
	name, form, ok := strings.Cut(head, " | ")
	text, want, found := strings.Cut("\n"+body+"\n", "\n---\n")
	if !ok || !found {
		t.Fatalf("%s: %q is not a mistake", theme, head)
	}
	m := mistake{name: theme + "/" + name, more: "+0"}
	m.text, m.format = mistakeText(t, form, strings.TrimPrefix(text, "\n"))
	first, phrases, _ := strings.Cut(want, "\n")
	first, m.suggests, _ = strings.Cut(first, " -> ")
	m.code, m.pointer, _ = strings.Cut(first, " ")
	m.pointer = strings.TrimPrefix(m.pointer, ".")
	for line := range strings.SplitSeq(phrases, "\n") {
		switch {
		case moreForm.MatchString(line):
			m.more = line
		case placeForm.MatchString(line):
			m.place = line
		case line != "":
			m.phrases = append(m.phrases, line)
		}
	}
	return m
}

// mistakeText puts around a text what its form leaves out.
func mistakeText(t testing.TB, form, text string) (string, source.Format) {
	t.Helper()
	const before = "name: n\ninput: {type: object, properties: {ok: {type: boolean}, name: {type: string}, items: {type: array}, n: {type: integer}, e: {type: string, enum: [low, high]}}}\nsteps:\n"
	indent := func(by string) string {
		return by + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n"+by) + "\n"
	}
	switch form {
	case "json":
		return text, source.JSON
	case "yaml":
		return text, source.YAML
	case "steps":
		return before + text, source.YAML
	case "if": // the expression that decides about b, which runs after a
		return before + "- {id: a, type: http_request, config: {url: 'https://x.example'}}\n" +
			"- id: b\n  type: script\n  depends_on: [a]\n  config: {script: x}\n  if: |-\n" + indent("    "), source.YAML
	case "text": // a text in a config
		return before + "- {id: a, type: http_request, config: {url: 'https://x.example'}}\n" +
			"- id: b\n  type: script\n  depends_on: [a]\n  config:\n    script: x\n    stdin: |-\n" + indent("      "), source.YAML
	case "input":
		return "name: n\nsteps: [{id: a, type: script, config: {script: x}}]\ninput:\n" + indent("  "), source.YAML
	}
	t.Fatalf("%q is not a form of a mistake", form)
	return "", ""
}

// TestMistakesLeadToTheFix: the first diagnostic about what is natural in another
// product says what to write here, and its consequences are not reported as well.
func TestMistakesLeadToTheFix(t *testing.T) {
	t.Parallel()
	catalog := steps.Default(steps.Deps{})
	for _, m := range mistakes(t) {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			_, ds := validation.Check([]byte(m.text), m.format, catalog)
			if len(ds) == 0 {
				t.Fatalf("nothing is said of\n%s", m.text)
			}
			d := ds[0]
			code := d.Code
			if d.Severity == "warning" {
				code = "~" + code
			}
			if code != m.code || d.Pointer != m.pointer || d.Suggestion != m.suggests {
				t.Errorf("%s\ngot  %s %s -> %s\nwant %s %s -> %s\n%s", m.text, code, d.Pointer, d.Suggestion, m.code, m.pointer, m.suggests, d.Message)
			}
			for _, phrase := range m.phrases {
				if !strings.Contains(d.Message, phrase) {
					t.Errorf("%q is missing in: %s", phrase, d.Message)
				}
			}
			if place := fmt.Sprintf("%d:%d", d.Line, d.Column); m.place != "" && place != m.place {
				t.Errorf("%s\nit is at %s, want %s: %s", m.text, place, m.place, d.Message)
			}
			if more := fmt.Sprintf("+%d", len(ds)-1); more != m.more {
				t.Errorf("%s diagnostics follow, want %s: %+v", more, m.more, ds[1:])
			}
			checkDiagnostics(t, ds)
		})
	}
}
