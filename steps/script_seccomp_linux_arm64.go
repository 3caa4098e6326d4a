package steps

import "golang.org/x/sys/unix"

// deniedHere returns the calls that are denied on this architecture beside deniedCalls.
func deniedHere() []uint32 { return []uint32{unix.SYS_KEXEC_FILE_LOAD} }
