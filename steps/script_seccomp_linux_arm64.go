package steps

import "golang.org/x/sys/unix"

// deniedHere are calls of this architecture that are denied besides.
func deniedHere() []uint32 { return []uint32{unix.SYS_KEXEC_FILE_LOAD} }
