// Package await is how the tests of this module wait. A test waits for a
// condition, never for a span of time, and no test judges how long something
// took: Patience is far beyond what any of them needs on a loaded machine, so
// only something that never happens reaches it. Benchmarks measure time.
package await

import (
	"testing"
	"time"
)

// Patience bounds every wait of a test. It is below go test's own limit of ten
// minutes for a package, so that the wait that hangs is the one that is named.
const Patience = 3 * time.Minute

// between is the time between two looks at a condition.
const between = 2 * time.Millisecond

// True returns once holds reports true; what names the condition in the
// failure. It must be called from the goroutine of the test.
func True(t testing.TB, what string, holds func() bool) {
	t.Helper()
	deadline := time.NewTimer(Patience)
	defer deadline.Stop()
	look := time.NewTicker(between)
	defer look.Stop()
	for !holds() {
		select {
		case <-look.C:
		case <-deadline.C:
			t.Fatalf("not within %s: %s", Patience, what)
		}
	}
}

// Receive returns the next value of c; the zero value once c is closed. It must
// be called from the goroutine of the test.
func Receive[T any](t testing.TB, what string, c <-chan T) T {
	t.Helper()
	deadline := time.NewTimer(Patience)
	defer deadline.Stop()
	select {
	case v := <-c:
		return v
	case <-deadline.C:
		t.Fatalf("not within %s: %s", Patience, what)
		panic("unreachable")
	}
}
