package bench

import (
	"errors"
	"os"
	"runtime"
	"runtime/pprof"
)

// Profile begins a CPU profile of this process. The function that it returns ends it and
// writes two files for `go tool pprof`: prefix.cpu.pprof, and prefix.allocs.pprof with what
// the process has allocated since it began. One profile can be under way at a time.
func Profile(prefix string) (stop func() error, err error) {
	cpu, err := os.Create(prefix + ".cpu.pprof")
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(cpu); err != nil {
		return nil, errors.Join(err, cpu.Close())
	}
	return func() error {
		pprof.StopCPUProfile()
		return errors.Join(cpu.Close(), writeAllocations(prefix+".allocs.pprof"))
	}, nil
}

// writeAllocations writes the profile of allocations to a file.
func writeAllocations(name string) error {
	f, err := os.Create(name) //nolint:gosec // the operator's own choice
	if err != nil {
		return err
	}
	// The profile is as of the last collection.
	runtime.GC()
	return errors.Join(pprof.Lookup("allocs").WriteTo(f, 0), f.Close())
}
