package executor

import "errors"

// What Store.Commit, Store.AcquireLease and Follow answer beside the store's own errors.
// They are compared with errors.Is.
var (
	ErrFenced       = errors.New("the run moved on, or the lease is another's")
	ErrDuplicateKey = errors.New("the idempotency key is taken")
	ErrNameTaken    = errors.New("the run's name is taken")
	ErrStale        = errors.New("the workflow changed since the start was decided")
	ErrFinished     = errors.New("the run is finished and its last event is known")
	ErrLeaseHeld    = errors.New("another node holds the executor's lease")
)
