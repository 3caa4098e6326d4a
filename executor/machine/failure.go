package machine

import "errors"

// attemptError carries a Failure through an error return. Failure itself
// cannot be an error, because it embeds a struct that is called Error.
type attemptError struct{ failure *Failure }

// Error returns the code and the message.
func (e attemptError) Error() string {
	return e.failure.Code + ": " + e.failure.Message
}

// Err returns the failure as an error, for runners; nil for a nil failure.
// AsFailure returns it again.
func (f *Failure) Err() error {
	if f == nil {
		return nil
	}
	return attemptError{f}
}

// AsFailure returns the Failure in an error made by Failure.Err, wrapped or not; false for
// any other error. The Failure is not copied.
func AsFailure(err error) (*Failure, bool) {
	var e attemptError
	if !errors.As(err, &e) {
		return nil, false
	}
	return e.failure, true
}
