package validation_test

import (
	"heddle/definitions/source"
	"heddle/definitions/validation"
	"os"
	"strings"
	"testing"
)

func TestDocsNameEveryCodeWithAnExample(t *testing.T) {
	raw, err := os.ReadFile("../../docs/diagnostics.md")
	if err != nil {
		t.Fatal(err)
	}
	sections := strings.Split(string(raw), "\n## ")[1:]
	codes := source.Codes()
	if len(sections) != len(codes) {
		t.Errorf("%d sections for %d codes", len(sections), len(codes))
	}
	for i, section := range sections {
		code, body, _ := strings.Cut(section, "\n")
		if i >= len(codes) || string(codes[i]) != code {
			t.Fatalf("section %d is %q; sections follow Codes", i, code)
		}
		_, example, ok := strings.Cut(body, "```yaml\n")
		example, _, closed := strings.Cut(example, "```")
		if !ok || !closed {
			t.Fatalf("%s has no example", code)
		}
		_, ds := validation.Check([]byte(example), source.YAML, testCatalog())
		if len(ds) != 1 || ds[0].Code != code {
			t.Errorf("the example of %s gives %v", code, found(ds))
		}
	}
}
