// Package deadline bounds how long a request waits for the database. A request
// makes several calls to it, and what its caller feels is their sum: so the
// bound is a budget that travels in the request's context and that every call
// draws on. The edge that takes the request sets it, the store draws on it, and
// code that waits for something that the store has to do first draws on it too.
//
// A context without a budget is not bounded: loops that go on for as long as
// the process does have no caller who waits.
package deadline

import (
	"context"
	"sync/atomic"
	"time"
)

// key is the key of the budget in a context.
type key struct{}

// budget is how long a request may wait. With each set every call may wait that
// long, and left never falls.
type budget struct {
	left    atomic.Int64 // nanoseconds
	perCall bool
}

// WithBudget returns a context whose calls may wait for most together.
func WithBudget(ctx context.Context, most time.Duration) context.Context {
	return with(ctx, most, false)
}

// WithTimeoutPerCall returns a context of which every single call may wait for most: for requests
// that go on for as long as their caller wants, as a stream does.
func WithTimeoutPerCall(ctx context.Context, most time.Duration) context.Context {
	return with(ctx, most, true)
}

func with(ctx context.Context, most time.Duration, each bool) context.Context {
	b := &budget{perCall: each}
	b.left.Store(int64(most))
	return context.WithValue(ctx, key{}, b)
}

// Call is one call under way. It may be used from one goroutine at a time.
type Call struct {
	budget *budget
	began  time.Time
	cancel context.CancelFunc
}

// Begin returns a context for one call, which ends when the budget of ctx is
// spent. End must be called afterwards. Calls that run at the same time each
// have what is left when they begin.
func Begin(ctx context.Context) (context.Context, Call) {
	b, _ := ctx.Value(key{}).(*budget)
	if b == nil {
		return ctx, Call{}
	}
	c := Call{budget: b, began: time.Now()}
	// What is called inside is part of this call and draws on nothing.
	inner := context.WithValue(ctx, key{}, (*budget)(nil))
	inner, c.cancel = context.WithDeadline(inner, c.began.Add(time.Duration(b.left.Load())))
	return inner, c
}

// Charge takes from the budget what the call has taken. The call's context
// lives on until the budget's end or that of the context it came from: for
// results that are read afterwards.
func (c Call) Charge() {
	if c.budget != nil && !c.budget.perCall {
		c.budget.left.Add(-int64(time.Since(c.began)))
	}
}

// End takes from the budget what the call has taken and ends its context.
func (c Call) End() {
	c.Charge()
	if c.cancel != nil {
		c.cancel()
	}
}

// Do returns what f returns; once the budget of ctx is spent it returns late's
// error instead and f goes on by itself: for calls that do not end with their
// context. That the caller of the request has gone is for f to see. f is called
// in another goroutine where there is a budget, and its panic is the caller's.
func Do[T any](ctx context.Context, f func(context.Context) (T, error), late func() error) (T, error) {
	inner, call := Begin(ctx)
	if call.budget == nil {
		return f(ctx)
	}
	most := time.Duration(call.budget.left.Load())
	type result struct {
		value    T
		err      error
		panicked any
	}
	done := make(chan result, 1)
	go func() {
		var r result
		defer func() {
			r.panicked = recover()
			done <- r
		}()
		r.value, r.err = f(inner)
	}()
	r, ok := await(done, most)
	call.End()
	if !ok {
		var none T
		return none, late()
	}
	if r.panicked != nil {
		panic(r.panicked)
	}
	return r.value, r.err
}

// grace is how long a call that watches its context has to end by itself, before
// Do leaves it behind.
const grace = 100 * time.Millisecond

// await returns what is received within most and the grace; false: nothing is.
func await[R any](done <-chan R, most time.Duration) (r R, ok bool) {
	enough := time.NewTimer(most + grace)
	defer enough.Stop()
	select {
	case r = <-done:
		return r, true
	case <-enough.C:
		return r, false
	}
}
