package store_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"heddle/executor"
	"heddle/fault"
	"heddle/internal/await"
)

// onFullDisk names the folder in which the test below runs a second time, in
// namespaces of its own where it may mount a small file system.
const onFullDisk = "HEDDLE_TEST_SMALL_DISK"

// A disk that is full refuses the write, and SQLite takes the transaction back:
// that the change is not there is known, and said.
func TestAFullDiskIsAKnownOutcome(t *testing.T) {
	if dir := os.Getenv(onFullDisk); dir != "" {
		fullDisk(t, dir)
		return
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestAFullDiskIsAKnownOutcome$", "-test.v")
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

func fullDisk(t *testing.T, dir string) {
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=2m"); err != nil {
		t.Fatalf("cannot mount: %v", err)
	}
	db := open(t, "sqlite://"+filepath.Join(dir, "h.db"))
	workflow(t, db)
	ballast, err := os.Create(filepath.Join(dir, "ballast"))
	if err != nil {
		t.Fatal(err)
	}
	for err = nil; err == nil; _, err = ballast.Write(make([]byte, 4096)) {
	}
	_ = ballast.Close()
	large := func(id string) executor.Commit {
		c := insertion(id)
		c.Row.Input = json.RawMessage(`"` + string(bytes.Repeat([]byte("x"), 200_000)) + `"`)
		return c
	}
	for range 3 {
		wantCode(t, "a commit", db.Commit(t.Context(), 0, []executor.Commit{large("run_1")})[0], "store_unavailable")
		wantCode(t, "readiness", db.Ping(t.Context()), "store_unavailable")
	}
	if err := os.Remove(ballast.Name()); err != nil {
		t.Fatal(err)
	}
	await.True(t, "the store takes writes again", func() bool { return db.Ping(t.Context()) == nil })
	if _, err := db.Run(t.Context(), "t1", "run_1"); fault.KindOf(err) != fault.NotFound {
		t.Errorf("the run that was refused: %v", err)
	}
	if err := db.Commit(t.Context(), 0, []executor.Commit{large("run_1")})[0]; err != nil {
		t.Error(err)
	}
}
