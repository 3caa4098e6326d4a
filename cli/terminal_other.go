//go:build !linux

package cli

import (
	"errors"
	"os"
)

// columnsOf returns 80 for every device of characters: the system is not asked.
func columnsOf(*os.File) int { return 80 }

// linesOf returns 24, as columnsOf.
func linesOf(*os.File) int { return 24 }

// hideInput refuses to read a key that would be shown.
func hideInput(*os.File) (restore func(), err error) {
	return nil, errors.New("what is typed would be shown here: pipe the key in")
}
