package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestTermNotes(t *testing.T) {
	t.Chdir(t.TempDir())
	seen := map[string]string{}
	for _, url := range []string{
		"sqlite://h.db", "sqlite://" + filepath.Join(t.TempDir(), "h.db"),
		"postgres://u:p@127.0.0.1/one", "postgres://u:p@127.0.0.1/two", "postgres://u:p@127.0.0.1:5433/one",
	} {
		f := termNotes(url)
		if other := seen[f.path]; other != "" || f.path == "" {
			t.Fatalf("%s and %s share %q", url, other, f.path)
		}
		seen[f.path] = url
		many := make([]int64, 300)
		for i := range many {
			many[i] = int64(i) + 1<<60
		}
		for _, want := range [][]int64{nil, {7}, {7, 9}, {8}, nil, many[200:], nil} {
			if err := f.Save(want); err != nil {
				t.Fatal(err)
			}
			if got, err := f.Load(); err != nil || !slices.Equal(got, want) {
				t.Errorf("%s: %v, %v, want %v", url, got, err, want)
			}
		}
		if _, err := os.Stat(f.path); (err == nil) != f.reserved {
			t.Errorf("%s without notes: %v", f.path, err)
		}
	}
	if termNotes("postgres://a:b@127.0.0.1/one") != termNotes("postgres://u:p@127.0.0.1/one") {
		t.Error("a new password makes the notes another database's")
	}
	if f := termNotes("sqlite://:memory:"); f.path != "" {
		t.Errorf("a database in memory has %s", f.path)
	}
}

// A line that was torn, or not written by this program, is skipped.
func TestTermNotesOfNonsense(t *testing.T) {
	f := termNotes("sqlite://" + filepath.Join(t.TempDir(), "h.db"))
	for _, text := range []string{"", "x\n", "-4\n0\n99999999999999999999999\n", "\x00\x00"} {
		if err := os.WriteFile(f.path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := f.Load(); err != nil || len(got) > 0 {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}
