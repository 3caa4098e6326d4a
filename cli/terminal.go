package cli

import (
	"io"
	"os"
)

// isTerminal reports whether the file is a terminal.
func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && columnsOf(f) > 0
}

// terminalWidth returns how many columns the output has, and whether it is a terminal.
func terminalWidth(out io.Writer) (width int, terminal bool) {
	f, ok := out.(*os.File)
	if !ok || !isTerminal(f) {
		return 0, false
	}
	return columnsOf(f), true
}
