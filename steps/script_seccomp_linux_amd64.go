package steps

import "golang.org/x/sys/unix"

// deniedHere returns the calls that only this architecture has and that are denied too.
func deniedHere() []uint32 {
	return []uint32{
		unix.SYS_IOPL, unix.SYS_IOPERM, unix.SYS_MODIFY_LDT, unix.SYS_USTAT, unix.SYS_SYSFS, unix.SYS_USELIB,
		unix.SYS_KEXEC_FILE_LOAD,
	}
}
