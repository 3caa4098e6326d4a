//go:build linux

package sandbox

import (
	"io"
	"syscall"
)

// Report is what a script's process reported. The zero value means that it said nothing:
// it was killed, or did not come to be.
type Report struct {
	Started bool          // it was about to become the script, and nothing failed since
	Failed  Stage         // the preparation that failed; 0: none did
	Errno   syscall.Errno // why Failed did
	Ended   bool          // the script ended, with Code or by Signal
	Code    int           // -1 after a signal
	Signal  int           // 0: it exited by itself
}

// Stage is a part of the preparation of a script's process. It crosses the pipes as a
// number; 0 is none.
type Stage int

// The stages, in their order.
const (
	Reading Stage = iota + 1
	Forking
	Preparing
	Grouping
	Redirecting
	EnteringDirectory
	EnteringCgroup
	Dropping
	Confining
	Changing
	Limiting
	Filtering
	Executing
)

// stages describes each stage in words, for the messages of failures.
var stages = [...]string{
	Reading: "reading the order", Forking: "starting a process", Preparing: "preparing the process", Grouping: "making a process group",
	Redirecting: "connecting the output", EnteringDirectory: "entering the directory", Dropping: "giving up privileges",
	Confining: "confining by landlock", Changing: "changing the user", EnteringCgroup: "entering the cgroup",
	Limiting: "setting the limits", Filtering: "filtering system calls", Executing: "executing the interpreter",
}

// String returns what is done at the stage, such as "setting the limits".
func (s Stage) String() string {
	if s > 0 && int(s) < len(stages) {
		return stages[s]
	}
	return "an unknown stage"
}

// Marks of the messages on ReportFD, each a mark and two numbers of 8 bytes. A child
// writes markStarted just before exec, which may still fail; then markFailed follows.
const (
	markStarted = 1
	markFailed  = 2  // stage, errno
	markEnded   = 3  // code, signal
	messageSize = 24 // bytes of a message
)

// send writes one message to ReportFD, in a single write, which a pipe does not divide
// at this size.
func send(mark, a, b uint64) error {
	var m [messageSize]byte
	put(m[0:], mark)
	put(m[8:], a)
	put(m[16:], b)
	_, err := syscall.Write(ReportFD, m[:])
	return err
}

// ReadReport reads messages until the end of r. A message that is cut off or unknown
// ends the report: the process was killed, or is another program.
func ReadReport(r io.Reader) Report {
	var rep Report
	for {
		var m [messageSize]byte
		if _, err := io.ReadFull(r, m[:]); err != nil {
			return rep
		}
		a, b := get(m[8:]), get(m[16:])
		switch get(m[:]) {
		case markStarted:
			rep.Started = true
		case markFailed:
			rep.Started, rep.Failed, rep.Errno = false, Stage(a), syscall.Errno(b)
		case markEnded:
			rep.Ended, rep.Code, rep.Signal = true, int(int64(a)), int(b)
		default:
			return rep
		}
	}
}
