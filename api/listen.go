package api

import (
	"heddle/api/core"
	"net"
)

// Listen wraps a listener for a server of NewServer, so that also what net/http refuses before any
// handler sees the request is answered as every other error is.
func Listen(ln net.Listener) net.Listener { return core.Listen(ln) }
