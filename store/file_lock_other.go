//go:build !unix

package store

import (
	"fmt"
	"os"
)

// lockFile only opens the file: here the executor's lease alone keeps a second
// server from driving runs.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("the lock file %q cannot be opened: %w", path, err)
	}
	return f, nil
}
