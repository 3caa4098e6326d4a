package steps_test

import (
	"encoding/json"
	"heddle/definitions/parser"
	"heddle/definitions/source"
	"heddle/definitions/validation"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
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
	doc, found := validation.Check([]byte(src.String()), source.YAML, registry)
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
		if section := registry.Traits(name).Docs; section == "" || !strings.Contains(readDocs(t), "\n## "+section+"\n") {
			t.Errorf("%s names the section %q, which docs/steps.md does not have", name, section)
		}
	}
}

// Codes of internal defects, which neither authors nor operators can act on.
var undocumented = map[string]bool{"unknown_step_type": true, "not_performable": true, "schema_invalid": true}

func TestCodesAreDocumented(t *testing.T) {
	docs := readDocs(t)
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	code := regexp.MustCompile(`(?:permanent|transient|failure)\("([a-z_]+)"`)
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue // the codes of the toy type are not documented
		}
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

func TestTheLanguageByExampleIsValid(t *testing.T) {
	text, err := os.ReadFile("../docs/definitions.md")
	if err != nil {
		t.Fatal(err)
	}
	registry, seen := open(t, ""), map[string]bool{}
	examples := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	for _, example := range examples {
		doc, found := validation.Check([]byte(example[1]), source.YAML, registry)
		name, _, _ := strings.Cut(example[1], "\n")
		for _, d := range found {
			t.Errorf("%s: %+v", name, d)
		}
		if !validation.Valid(found) {
			continue
		}
		for _, s := range doc.Definition.Steps {
			seen[s.Type] = true
		}
	}
	for _, name := range append(registry.Names(), "condition", "loop", "wait") {
		if !seen[name] {
			t.Errorf("%s has no example", name)
		}
	}
	schema := parser.Schema(registry)
	for _, field := range fieldsOfSteps(t, schema) {
		if !strings.Contains(string(text), field+":") {
			t.Errorf("the field %s of a step or definition is in no example", field)
		}
	}
}

// fieldsOfSteps returns the fields that the published schema has for a definition and
// its steps.
func fieldsOfSteps(t *testing.T, schema json.RawMessage) []string {
	t.Helper()
	type properties struct {
		Properties map[string]json.RawMessage `json:"properties"`
	}
	var s struct {
		properties
		Defs map[string]properties `json:"$defs"`
	}
	if err := json.Unmarshal(schema, &s); err != nil {
		t.Fatal(err)
	}
	names := slices.Collect(maps.Keys(s.Properties))
	for _, def := range []string{"Step", "Retry", "Compensation", "Concurrency", "Case"} {
		if len(s.Defs[def].Properties) == 0 {
			t.Fatalf("the schema has no %s", def)
		}
		names = slices.AppendSeq(names, maps.Keys(s.Defs[def].Properties))
	}
	return names
}
