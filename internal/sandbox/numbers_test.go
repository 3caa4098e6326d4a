//go:build linux

package sandbox

import (
	"testing"

	"golang.org/x/sys/unix"
)

func TestNumbersAreTheKernels(t *testing.T) {
	for _, c := range [][2]int{
		{prSetChildSubreaper, unix.PR_SET_CHILD_SUBREAPER},
		{prSetNoNewPrivs, unix.PR_SET_NO_NEW_PRIVS},
		{seccompModeFilter, unix.SECCOMP_MODE_FILTER},
		{landlockRestrictSelf, unix.SYS_LANDLOCK_RESTRICT_SELF},
		{closeRange, unix.SYS_CLOSE_RANGE},
		{closeRangeCloexec, unix.CLOSE_RANGE_CLOEXEC},
	} {
		if c[0] != c[1] {
			t.Errorf("%d, want %d", c[0], c[1])
		}
	}
}
