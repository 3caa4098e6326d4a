package storetest

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"syscall"
	"testing"
)

// smallDisk names the folder of the test that OnSmallDisk runs a second time; it is
// set in that test's process only.
const smallDisk = "HEDDLE_TEST_SMALL_DISK"

// OnSmallDisk runs a test in a folder that is a file system of its own, of a size
// as mount takes it ("2m"): the calling test is run again in namespaces in which it
// may mount one. It is skipped where the machine refuses that.
func OnSmallDisk(t *testing.T, size string, test func(t *testing.T, dir string)) {
	t.Helper()
	if dir := os.Getenv(smallDisk); dir != "" {
		if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
			t.Fatalf("cannot mount: %v", err)
		}
		test(t, dir)
		return
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v") //nolint:gosec // this test itself
	cmd.Env = append(os.Environ(), smallDisk+"="+t.TempDir())
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
	}
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	switch {
	case err != nil && !errors.As(err, &exit), bytes.Contains(out, []byte("cannot mount")):
		t.Skipf("this machine does not allow mounting a small file system: %v %s", err, out)
	case err != nil:
		t.Fatalf("%v\n%s", err, out)
	}
}
