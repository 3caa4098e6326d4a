//go:build linux

// Package sandbox is the process between the server and a script: a copy of
// this same program, started under the name Name, that prepares a child
// process, lets it become the script, and kills whatever the script leaves
// behind.
//
// A program that imports this package is such a copy when it is started under
// that name: the package's init then does the work and ends the process, before
// the rest of the program is initialized. It may therefore import nothing but
// os and what os itself needs: Go initializes packages that are ready in the
// order of their paths, and one more import would put dozens of packages, and
// tens of milliseconds, before it. A test counts them.
//
// What a child does between fork and exec is a fixed list of raw system calls
// on memory that was laid out before: no Go code that may allocate, grow a
// stack or need a thread runs under the script's limits.
package sandbox

import "os"

// Name is argv[0] of a process that runs a script.
const Name = "heddle-script"

// Descriptors of a process that runs a script. 0 and 1 are the script's standard input
// and output; 2 takes what the Go runtime prints when this process itself fails.
const (
	SpecFD   = 3 // the spec; its end of file is the command to stop
	ReportFD = 4 // messages of reporting (send)
	StderrFD = 5 // the script's standard error
	FirstFD  = 6 // of those that a spec names
)

// None is a descriptor that a spec does not have.
const None = -1

//nolint:gochecknoinits // to run before the program's other packages are initialized is the purpose
func init() {
	if len(os.Args) > 0 && os.Args[0] == Name {
		os.Exit(serve())
	}
}
