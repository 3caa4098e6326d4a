package machine_test

import (
	"errors"
	"fmt"
	"heddle/executor/machine"
	"testing"
)

func TestFailureTravelsAsError(t *testing.T) {
	f := &machine.Failure{Error: machine.Error{Code: "egress_denied", Message: "no"}, Permanent: true}
	got, ok := machine.AsFailure(fmt.Errorf("attempt 1: %w", f.Err()))
	if !ok || got != f {
		t.Fatalf("AsFailure = %v, %v; want the failure itself", got, ok)
	}
	if _, ok := machine.AsFailure(errors.New("plain")); ok {
		t.Error("a plain error is no failure")
	}
	if (*machine.Failure)(nil).Err() != nil {
		t.Error("no failure must be no error")
	}
}
