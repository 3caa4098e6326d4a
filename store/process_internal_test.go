package store

import (
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

func TestAProcessIsKnownToHaveEnded(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells which processes have ended")
	}
	own := processName()
	if own == "" || processEnded(own) {
		t.Fatalf("this process is %q and counts as ended", own)
	}
	other := exec.Command("sleep", "60")
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	pid := other.Process.Pid
	name := strings.Join([]string{machineName(), strconv.Itoa(pid), processStartTime(pid)}, " ")
	if processEnded(name) {
		t.Errorf("%q counts as ended while it lives", name)
	}
	if err := other.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = other.Wait()
	if !processEnded(name) {
		t.Errorf("%q was killed and does not count as ended", name)
	}
	f := strings.Fields(own)
	for what, name := range map[string]string{
		"no name": "", "another boot": "x " + strings.Join(f[1:], " "), "another namespace": f[0] + " x " + f[2] + " " + f[3],
		"no number": f[0] + " " + f[1] + " x " + f[3],
	} {
		if processEnded(name) {
			t.Errorf("%s: counts as ended", what)
		}
	}
	used := f[0] + " " + f[1] + " " + strconv.Itoa(os.Getpid()) + " 1"
	if !processEnded(used) {
		t.Error("a number that is used again hides that its first owner has ended")
	}
}
