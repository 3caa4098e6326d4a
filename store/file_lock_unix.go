//go:build unix

package store

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// lockFile takes an exclusive lock (flock(2)) on the file at path, which it
// creates. The lock ends with the process, however that ends. The error names
// the other server's cause for the operator.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("the lock file %q cannot be opened: %w", path, err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		inUse := fmt.Errorf("another heddle serves this database (%q is locked): stop it, or give this one another HEDDLE_DATABASE_URL; several servers need PostgreSQL", path)
		return nil, errors.Join(inUse, f.Close())
	}
	return f, nil
}
