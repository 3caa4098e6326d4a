package validation_test

import (
	"heddle/definitions/parser"
	"heddle/definitions/source"
	"heddle/definitions/validation"
	"heddle/fault"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// sample is one definition of the corpus and exactly what is wrong with it.
//
//	=== name | yaml        (or json; or steps: a YAML list of steps)
//	the text
//	---
//	code pointer           (~ before a warning; . is the root; none: it is sound)
type sample struct {
	name   string
	format source.Format
	text   string
	want   []string
}

func corpus(t testing.TB) []sample {
	t.Helper()
	files, err := filepath.Glob("testdata/corpus/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no corpus", err)
	}
	var all []sample
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		theme := strings.TrimSuffix(filepath.Base(file), ".txt")
		for _, part := range strings.Split("\n"+string(raw), "\n=== ")[1:] {
			all = append(all, readSample(t, theme, part))
		}
	}
	return all
}

func readSample(t testing.TB, theme, part string) sample {
	head, body, _ := strings.Cut(part, "\n")
	name, format, ok := strings.Cut(head, " | ")
	text, want, found := strings.Cut("\n"+body+"\n", "\n---\n")
	if !ok || !found {
		t.Fatalf("%s: %q is no sample", theme, head)
	}
	text = strings.TrimPrefix(text, "\n")
	s := sample{name: theme + "/" + name, format: source.Format(format), text: text}
	if format == "steps" {
		s.format = source.YAML
		s.text = "name: n\nsteps:\n" + text
	}
	for line := range strings.SplitSeq(want, "\n") {
		if line = strings.TrimSpace(line); line != "" {
			s.want = append(s.want, line)
		}
	}
	return s
}

func expected(ds []fault.Issue) []string {
	var out []string
	for _, d := range ds {
		line := d.Code + " " + d.Pointer
		if d.Pointer == "" {
			line = d.Code + " ."
		}
		if d.Severity == "warning" {
			line = "~" + line
		}
		out = append(out, line)
	}
	return out
}

func TestCorpus(t *testing.T) {
	broken, sound := 0, 0
	for _, s := range corpus(t) {
		t.Run(s.name, func(t *testing.T) {
			doc, ds := validation.Check([]byte(s.text), s.format, testCatalog())
			if got := expected(ds); !slices.Equal(got, s.want) {
				t.Errorf("%s\ngot:\n%s\nwant:\n%s\n%+v", s.text, strings.Join(got, "\n"), strings.Join(s.want, "\n"), ds)
			}
			checkDiagnostics(t, ds)
			if doc != nil && doc.Canonical != nil {
				checkRoundTrip(t, doc)
			}
		})
		if len(s.want) == 0 {
			sound++
		} else {
			broken++
		}
	}
	if broken < 150 || sound < 100 {
		t.Errorf("%d broken and %d sound definitions; 150 and 100 are wanted", broken, sound)
	}
}

// checkDiagnostics holds what is true of every diagnostic.
func checkDiagnostics(t *testing.T, ds []fault.Issue) {
	t.Helper()
	warned := false
	for _, d := range ds {
		if d.Message == "" || d.Line < 1 || d.Column < 1 || !slices.Contains(source.Codes(), source.Code(d.Code)) {
			t.Errorf("incomplete: %+v", d)
		}
		if d.Severity == "error" && warned {
			t.Error("an error comes after a warning")
		}
		warned = warned || d.Severity == "warning"
	}
}

// checkRoundTrip exports, imports and exports again.
func checkRoundTrip(t *testing.T, doc *parser.Document) {
	t.Helper()
	for _, format := range []source.Format{source.JSON, source.YAML} {
		again, _ := parser.Parse(doc.Canonical, format)
		if again == nil || string(again.Canonical) != string(doc.Canonical) || again.Hash != doc.Hash {
			t.Errorf("%s: not the same again: %s", format, doc.Canonical)
		}
	}
}
