package executor

import (
	"heddle/executor/machine"
	"heddle/fault"
	"log/slog"
	"testing"
	"time"
)

func TestAMachineDefectIsAnErrorOfOneRun(t *testing.T) {
	broken := &machine.Run{Header: machine.Header{RunID: "run_1"}, State: machine.Running} // without plan or steps
	_, err := apply(slog.New(slog.DiscardHandler), broken, machine.Tick{}, time.UnixMilli(1), nil)
	if fault.KindOf(err) != fault.Internal || fault.CodeOf(err) != "machine_defect" {
		t.Errorf("got %v", err)
	}
}
