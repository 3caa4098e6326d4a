package executor

import (
	"fmt"
	"heddle/executor/machine"
	"heddle/fault"
	"log/slog"
	"runtime/debug"
	"time"
)

// apply is machine.ApplyWith behind a guard: a defect of the machine, shown by one run,
// must not end the process and with it all others. The run that showed it is terminated, so
// that nothing is repeated endlessly. Where that panics too the error is fault.Internal
// machine_defect and the run is unchanged.
func apply(log *slog.Logger, run *machine.Run, in machine.Input, now time.Time, blobs *machine.Blobs) (machine.Change, error) {
	c, err := guarded(log, run, in, now, blobs)
	if fault.CodeOf(err) != "machine_defect" {
		return c, err
	}
	end := machine.Terminate{Reason: "The run met a defect of Heddle and was ended; the server's log has the details.", By: bySystem}
	if ended, endErr := guarded(log, run, end, now, nil); endErr == nil {
		return ended, nil
	}
	return machine.Change{Run: run}, err
}

// guarded is machine.ApplyWith with a panic turned into fault.Internal machine_defect. The
// panic and its stack are logged; run is immutable and so is not harmed.
func guarded(log *slog.Logger, run *machine.Run, in machine.Input, now time.Time, blobs *machine.Blobs) (c machine.Change, err error) {
	defer func() {
		if r := recover(); r != nil {
			log.Error("the machine panicked", "run_id", run.RunID, "input", fmt.Sprintf("%T", in),
				"panic", r, "stack", string(debug.Stack()))
			c = machine.Change{Run: run}
			err = fault.New(fault.Internal, "machine_defect", "Run %s met a defect of Heddle; the server's log has the details.", run.RunID)
		}
	}()
	return machine.ApplyWith(run, in, now, blobs)
}
