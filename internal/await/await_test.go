package await_test

import (
	"heddle/internal/await"
	"testing"
	"testing/synctest"
	"time"
)

// failing is a testing.TB that records a fatal failure and ends its goroutine's
// function by panicking, as FailNow would end a test's.
type failing struct {
	testing.TB
	failed bool
}

func (f *failing) Helper()               {}
func (f *failing) Fatalf(string, ...any) { f.failed = true; panic(f) }

func fails(wait func(t testing.TB)) (failed bool) {
	f := &failing{}
	defer func() {
		if r := recover(); r != nil && r != any(f) {
			panic(r)
		}
		failed = f.failed
	}()
	wait(f)
	return f.failed
}

// In a bubble the clock runs only while everybody waits.
func TestWaitsEndByTheConditionOrByPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun, looks := time.Now(), 0
		await.True(t, "the third look", func() bool { looks++; return looks == 3 })
		if time.Since(begun) >= time.Second {
			t.Error("a condition that holds was waited for on")
		}
		if !fails(func(t testing.TB) { await.True(t, "never", func() bool { return false }) }) {
			t.Error("a condition that never holds is not a failure")
		}
		never := make(chan int)
		if !fails(func(t testing.TB) { await.Receive(t, "never", never) }) {
			t.Error("a value that never comes is not a failure")
		}
		soon := make(chan int)
		go func() { soon <- 7 }()
		if got := await.Receive(t, "a value", soon); got != 7 {
			t.Errorf("%d", got)
		}
	})
}
