package store

import (
	"os"
	"strconv"
	"strings"
)

// processName names this process so that another one on the same machine can
// know for certain that it has ended: boot and namespace of process numbers, the
// number, and when the process began, because numbers are used again. The parts
// are separated by spaces. It is "" where the system does not say.
func processName() string {
	machine := machineName()
	began := processStartTime(os.Getpid())
	if machine == "" || began == "" {
		return ""
	}
	return strings.Join([]string{machine, strconv.Itoa(os.Getpid()), began}, " ")
}

// processEnded reports whether the process of that name has certainly ended. It
// is false where that is not known: for processes of other machines, containers
// and boots.
func processEnded(name string) bool {
	f := strings.Fields(name)
	machine := machineName()
	if len(f) != 4 || machine == "" || f[0]+" "+f[1] != machine {
		return false
	}
	pid, err := strconv.Atoi(f[2])
	if err != nil || pid < 1 {
		return false
	}
	if processMissing(pid) {
		return true
	}
	// The number is in use: by the same process, or by a later one.
	began := processStartTime(pid)
	return began != "" && began != f[3]
}
