package fault_test

import (
	"errors"
	"fmt"
	"heddle/fault"
	"testing"
)

func TestKindAndCodeAreFoundThroughWrapping(t *testing.T) {
	cause := errors.New("connection refused")
	err := fmt.Errorf("load run: %w", fault.Wrap(cause, fault.Unavailable, "store_unavailable", "The database is away for %d s.", 3))
	if fault.KindOf(err) != fault.Unavailable || fault.CodeOf(err) != "store_unavailable" {
		t.Errorf("kind %v, code %s", fault.KindOf(err), fault.CodeOf(err))
	}
	if !errors.Is(err, cause) {
		t.Error("the cause is lost")
	}
	if fault.KindOf(cause) != fault.Internal || fault.CodeOf(cause) != "internal" {
		t.Error("an error of no package's making is not internal")
	}
}

func TestWithLeavesTheOriginalAlone(t *testing.T) {
	base := fault.New(fault.Precondition, "precondition_failed", "no")
	one := base.With("current_version", 3)
	two := one.With("etag", "r4")
	if len(base.Details) != 0 || len(one.Details) != 1 || len(two.Details) != 2 || two.Details["current_version"] != 3 {
		t.Errorf("details %v, %v, %v", base.Details, one.Details, two.Details)
	}
}
