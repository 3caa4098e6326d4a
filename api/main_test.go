package api_test

import (
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	// The tests' PostgreSQL lives as long as their process.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("heddle/store/storetest.watchLog"))
}
