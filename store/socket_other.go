//go:build !linux

package store

import "syscall"

// setAckTimeout does nothing: only Linux bounds how long sent data may stay
// unacknowledged. Elsewhere keep-alive alone finds a connection that was cut.
func setAckTimeout(string, string, syscall.RawConn) error { return nil }
