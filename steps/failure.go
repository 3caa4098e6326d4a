package steps

import (
	"fmt"
	"time"

	"heddle/executor/machine"
)

// permanent is a failure that trying again cannot mend.
func permanent(code, format string, args ...any) error {
	return failure(code, true, nil, format, args...).Err()
}

// transient is a failure that may pass.
func transient(code, format string, args ...any) error {
	return failure(code, false, nil, format, args...).Err()
}

func failure(code string, permanent bool, details map[string]any, format string, args ...any) *machine.Failure {
	return &machine.Failure{
		Error:     machine.Error{Code: code, Message: fmt.Sprintf(format, args...), Details: details},
		Permanent: permanent,
	}
}

// after sets the receiver's wish for the next attempt.
func after(f *machine.Failure, d time.Duration) *machine.Failure {
	f.RetryAfter = d
	return f
}

// asFailure gives err where it is a failure already.
func asFailure(err error) error {
	if f, ok := machine.AsFailure(err); ok {
		return f.Err()
	}
	return nil
}
