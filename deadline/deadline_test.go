package deadline_test

import (
	"context"
	"errors"
	"heddle/deadline"
	"testing"
	"testing/synctest"
	"time"
)

var errLate = errors.New("late")

func late() error { return errLate }

// takes is a call of that length which watches its context.
func takes(ctx context.Context, d time.Duration) error {
	ctx, call := deadline.Begin(ctx)
	defer call.End()
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func TestCallsDrawOnOneBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, began := deadline.WithBudget(t.Context(), 4*time.Second), time.Now()
		for range 3 {
			if err := takes(ctx, time.Second); err != nil {
				t.Fatal(err)
			}
		}
		if err := takes(ctx, 3*time.Second); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the fourth: %v", err)
		}
		if err := takes(ctx, time.Second); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the fifth: %v", err)
		}
		if took := time.Since(began); took != 4*time.Second {
			t.Errorf("all of them took %s", took)
		}
		if ctx.Err() != nil {
			t.Error("the request's own context has ended")
		}
	})
}

func TestEachCallHasTheWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := deadline.WithTimeoutPerCall(t.Context(), 4*time.Second)
		for range 5 {
			if err := takes(ctx, 3*time.Second); err != nil {
				t.Fatal(err)
			}
		}
		if err := takes(ctx, 5*time.Second); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
	})
}

func TestWithoutABudgetNothingEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		if err := takes(t.Context(), time.Hour); err != nil {
			t.Fatal(err)
		}
		if n, err := deadline.Do(t.Context(), func(ctx context.Context) (int, error) { return 7, takes(ctx, time.Hour) }, late); n != 7 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
	})
}

// What does not end with its context is left behind.
func TestDoLeavesWhatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, began := deadline.WithBudget(t.Context(), 4*time.Second), time.Now()
		release := make(chan struct{})
		_, err := deadline.Do(ctx, func(context.Context) (int, error) { <-release; return 0, nil }, late)
		if took := time.Since(began); !errors.Is(err, errLate) || took > 4200*time.Millisecond {
			t.Errorf("%v after %s", err, took)
		}
		close(release)
		own := errors.New("its own")
		_, err = deadline.Do(deadline.WithBudget(t.Context(), time.Second), func(ctx context.Context) (int, error) {
			<-ctx.Done()
			return 0, own
		}, late)
		if !errors.Is(err, own) {
			t.Errorf("a call that ends in time: %v", err)
		}
	})
}

// A call inside of another is part of it: it is not counted twice.
func TestInnerCallsAreNotCountedTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := deadline.WithBudget(t.Context(), 4*time.Second)
		_, err := deadline.Do(ctx, func(ctx context.Context) (int, error) { return 0, takes(ctx, 2*time.Second) }, late)
		if err != nil {
			t.Fatal(err)
		}
		if err := takes(ctx, 1900*time.Millisecond); err != nil {
			t.Errorf("2 s of 4 are left: %v", err)
		}
	})
}

func TestAPanicIsTheCallers(t *testing.T) {
	defer func() {
		if p := recover(); p != "ouch" {
			t.Errorf("recovered %v", p)
		}
	}()
	_, _ = deadline.Do(deadline.WithBudget(t.Context(), time.Minute), func(context.Context) (int, error) { panic("ouch") }, late)
}
