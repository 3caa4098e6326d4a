package versions_test

import (
	"encoding/json"
	"heddle/versions"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Each case under testdata/diff is an object with before, after and the expected
// patch, changes and summary.
func TestCompare(t *testing.T) {
	files, err := filepath.Glob("testdata/diff/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			var c struct {
				Before, After, Patch, Changes json.RawMessage
				Summary                       string
			}
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(raw, &c); err != nil {
				t.Fatal(err)
			}
			d, err := versions.Compare(c.Before, c.After)
			if err != nil {
				t.Fatal(err)
			}
			if d.Summary != c.Summary {
				t.Errorf("summary %q, want %q", d.Summary, c.Summary)
			}
			sameJSON(t, "patch", d.Patch, c.Patch)
			sameJSON(t, "changes", marshal(t, d.Changes), c.Changes)
			got, err := versions.Apply(c.Before, d.Patch)
			if err != nil {
				t.Fatal(err)
			}
			sameJSON(t, "patched", got, c.After)
		})
	}
}

func marshal(t *testing.T, v any) json.RawMessage {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// sameJSON compares canonical forms, in which numbers keep their digits.
func sameJSON(t *testing.T, what string, got, want json.RawMessage) {
	t.Helper()
	if diff := cmp.Diff(indented(t, want), indented(t, got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s\n%s", what, diff, got)
	}
}

func canonical(t *testing.T, raw json.RawMessage) string {
	t.Helper()
	got, err := versions.Apply(raw, json.RawMessage("[]"))
	if err != nil {
		t.Fatalf("%v: %s", err, raw)
	}
	return string(got)
}

func indented(t *testing.T, raw json.RawMessage) string {
	t.Helper()
	out, err := json.MarshalIndent(json.RawMessage(canonical(t, raw)), "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}
