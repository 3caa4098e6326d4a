package cli

import (
	"fmt"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// A terminal says how large it is, and does not show what is typed while a key is read.
func TestTerminal(t *testing.T) {
	keyboard, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer keyboard.Close() //nolint:errcheck // the test's own
	number, err := unix.IoctlGetInt(int(keyboard.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(keyboard.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	screen, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer screen.Close() //nolint:errcheck // the test's own
	if err := unix.IoctlSetWinsize(int(screen.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 20, Col: 70}); err != nil {
		t.Fatal(err)
	}
	if width, terminal := terminalWidth(screen); !terminal || width != 70 || linesOf(screen) != 20 {
		t.Errorf("terminal %t, %d columns, %d lines", terminal, width, linesOf(screen))
	}
	shows := func() bool {
		mode, err := unix.IoctlGetTermios(int(screen.Fd()), unix.TCGETS)
		if err != nil {
			t.Fatal(err)
		}
		return mode.Lflag&unix.ECHO != 0
	}
	restore, err := hideInput(screen)
	if err != nil || shows() {
		t.Errorf("what is typed is shown: %v", err)
	}
	if restore(); !shows() {
		t.Error("what is typed stays hidden")
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close() //nolint:errcheck // the test's own
	if isTerminal(null) {
		t.Error("the null device is a terminal")
	}
}
