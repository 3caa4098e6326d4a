package validation_test

import (
	"flag"
	"heddle/definitions/parser"
	"heddle/definitions/source"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "add hashes of new definitions to testdata/hashes.txt")

const hashesFile = "testdata/hashes.txt"

// Stored versions are known by the hash of their canonical form, so no definition may
// ever get another one. testdata/hashes.txt holds those of the corpus and the
// examples; a line of it is right for all time.
func TestHashesNeverChange(t *testing.T) {
	got := map[string]string{}
	for _, s := range corpus(t) {
		hashInto(got, s.name, s.text, s.format)
	}
	examples, err := filepath.Glob("../../examples/*.yaml")
	if err != nil || len(examples) == 0 {
		t.Fatal("no examples", err)
	}
	for _, file := range examples {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		hashInto(got, filepath.Base(file), string(text), source.YAML)
	}
	raw, err := os.ReadFile(hashesFile)
	if err != nil && !*update {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(string(raw), "\n"), "\n")
	known := map[string]bool{}
	for _, line := range lines {
		hash, name, _ := strings.Cut(line, " ")
		known[name] = true
		if now := got[name]; now != hash && line != "" {
			t.Errorf("%s had the hash %s and now has %q", name, hash, now)
		}
	}
	for name, hash := range got {
		switch {
		case known[name]:
		case *update:
			lines = append(lines, hash+" "+name)
		default:
			t.Errorf("%s is new: add its hash with -update", name)
		}
	}
	if *update {
		slices.SortFunc(lines, func(a, b string) int { return strings.Compare(after(a), after(b)) })
		if err := os.WriteFile(hashesFile, []byte(strings.TrimPrefix(strings.Join(lines, "\n"), "\n")+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// hashInto adds the hash of a definition that can be read.
func hashInto(hashes map[string]string, name, text string, format source.Format) {
	if doc, _ := parser.Parse([]byte(text), format); doc != nil && doc.Canonical != nil {
		hashes[name] = doc.Hash
	}
}

// after returns what follows the first space of a line.
func after(line string) string {
	_, name, _ := strings.Cut(line, " ")
	return name
}
