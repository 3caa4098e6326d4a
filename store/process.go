package store

import (
	"os"
	"strconv"
	"strings"
)

// processName names this process so that another one on the same machine can
// tell for sure that it has ended: which boot of which machine, which namespace
// of process numbers, the number, and when the process began (numbers are used
// again). "" where the system does not tell.
func processName() string {
	machine := machineName()
	began := processStartTime(os.Getpid())
	if machine == "" || began == "" {
		return ""
	}
	return strings.Join([]string{machine, strconv.Itoa(os.Getpid()), began}, " ")
}

// processEnded tells whether the process of that name has surely ended. It errs
// towards no: of another machine's processes it knows nothing.
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
	began := processStartTime(pid)
	return began != "" && began != f[3]
}
