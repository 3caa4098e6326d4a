package steps_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"heddle/definitions"
)

func readDocs(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../docs/steps.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestExamplesInTheDocsAreValid(t *testing.T) {
	registry := open(t, "")
	var src strings.Builder
	src.WriteString("name: Examples\ninput: { type: object, properties: { order_id: { type: string }, message: { type: string } } }\nsteps:\n")
	for _, block := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(readDocs(t), -1) {
		src.WriteString(block[1])
	}
	doc, found := definitions.Check([]byte(src.String()), definitions.YAML, registry)
	for _, d := range found {
		t.Errorf("%+v", d)
	}
	seen := map[string]bool{}
	for _, s := range doc.Definition.Steps {
		seen[s.Type] = true
	}
	for _, name := range registry.Names() {
		if !seen[name] {
			t.Errorf("%s has no example", name)
		}
	}
}

// Codes of runs' inner defects, which nobody can do anything about.
var undocumented = map[string]bool{"unknown_step_type": true, "not_performable": true, "schema_invalid": true, "no_script_helper": true}

func TestCodesAreDocumented(t *testing.T) {
	docs := readDocs(t)
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	code := regexp.MustCompile(`(?:permanent|transient|failure)\("([a-z_]+)"`)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range code.FindAllStringSubmatch(string(text), -1) {
			if !undocumented[m[1]] && m[1] != "stopped" && !strings.Contains(docs, "`"+m[1]+"`") {
				t.Errorf("%s: %s is not documented", file, m[1])
			}
		}
	}
}
