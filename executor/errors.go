package executor

import "errors"

// What Store.Commit and Store.AcquireLease answer beside the store's own
// errors.
var (
	ErrFenced       = errors.New("the run moved on, or the lease is another's")
	ErrDuplicateKey = errors.New("the idempotency key is taken")
	ErrLeaseHeld    = errors.New("another node holds the executor's lease")
)
