package main

import (
	"heddle/store/storetest"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// The notes beside a SQLite file can be written when the disk is full.
func TestTermNotesAreWrittenOnAFullDisk(t *testing.T) {
	storetest.OnSmallDisk(t, "256k", notesOnAFullDisk)
}

func notesOnAFullDisk(t *testing.T, dir string) {
	f := termNotes("sqlite://" + filepath.Join(dir, "h.db"))
	if _, err := f.Load(); err != nil { // as at a start
		t.Fatal(err)
	}
	ballast, err := os.Create(filepath.Join(dir, "ballast"))
	if err != nil {
		t.Fatal(err)
	}
	for err = nil; err == nil; _, err = ballast.Write(make([]byte, 4096)) {
	}
	_ = ballast.Close()
	if err := (termFile{path: f.path + "2", reserved: true}).Save([]int64{1}); err == nil {
		t.Fatal("the disk is not full")
	}
	for _, want := range [][]int64{{41, 42}, {43}, nil} {
		if err := f.Save(want); err != nil {
			t.Fatal(err)
		}
		if got, err := f.Load(); err != nil || !slices.Equal(got, want) {
			t.Errorf("%v, %v, want %v", got, err, want)
		}
	}
}
