package store

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// setAckTimeout sets TCP_USER_TIMEOUT (RFC 5482) to ackTimeout on a socket that
// is about to connect. A Unix socket has no such option.
func setAckTimeout(network, _ string, c syscall.RawConn) error {
	if len(network) < 3 || network[:3] != "tcp" {
		return nil
	}
	var failed error
	err := c.Control(func(fd uintptr) {
		failed = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(ackTimeout.Milliseconds()))
	})
	if err != nil {
		return err
	}
	return failed
}
