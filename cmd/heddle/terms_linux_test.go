package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
)

// onFullDisk names the folder in which the test below runs a second time, in
// namespaces of its own where it may mount a small file system.
const onFullDisk = "HEDDLE_TEST_SMALL_DISK"

// The notes beside a SQLite file are written where nothing else can be.
func TestTermNotesAreWrittenOnAFullDisk(t *testing.T) {
	if dir := os.Getenv(onFullDisk); dir != "" {
		notesOnAFullDisk(t, dir)
		return
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestTermNotesAreWrittenOnAFullDisk$", "-test.v")
	cmd.Env = append(os.Environ(), onFullDisk+"="+t.TempDir())
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
	}
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	switch {
	case err != nil && !errors.As(err, &exit), bytes.Contains(out, []byte("cannot mount")):
		t.Skipf("this machine lets nobody mount a small file system: %v %s", err, out)
	case err != nil:
		t.Fatalf("%v\n%s", err, out)
	}
}

func notesOnAFullDisk(t *testing.T, dir string) {
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=256k"); err != nil {
		t.Fatalf("cannot mount: %v", err)
	}
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
