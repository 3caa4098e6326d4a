package steps

import (
	"fmt"
	"heddle/executor/machine"
	"strings"
	"time"
)

// permanent returns a failure that another attempt cannot avoid. The message, made as by
// fmt.Sprintf, is shown to tenants.
func permanent(code, format string, args ...any) error {
	return failure(code, true, nil, format, args...).Err()
}

// transient returns a failure that may be absent at the next attempt.
func transient(code, format string, args ...any) error {
	return failure(code, false, nil, format, args...).Err()
}

// failure returns the failure of an attempt. details may be nil. Its message can be
// masked argument by argument (MaskMessage), so that a secret in a value from outside is
// removed without touching the server's own words around it.
func failure(code string, permanent bool, details map[string]any, format string, args ...any) *machine.Failure {
	return &machine.Failure{
		Error:       machine.Error{Code: code, Message: fmt.Sprintf(format, args...), Details: details},
		Permanent:   permanent,
		MaskMessage: func(mask func(string) string) string { return reworded(mask, format, args) },
	}
}

// ownText marks an argument of a message as written by this server: nothing in it comes
// from a config or from outside, so it is never masked.
type ownText string

// reworded returns the message with mask applied to every argument that is not ownText.
// A masked number is printed as the text that it has become.
func reworded(mask func(string) string, format string, args []any) string {
	clean := make([]any, len(args))
	for i, arg := range args {
		clean[i] = arg
		if _, own := arg.(ownText); own {
			continue
		}
		// A number may hold a secret too.
		if text := fmt.Sprint(arg); mask(text) != text {
			clean[i] = mask(text)
			format = strings.ReplaceAll(format, "%d", "%v")
		}
	}
	return fmt.Sprintf(format, clean...)
}

// after returns f with the delay that the receiver asked for before the next attempt; 0:
// none. It changes f.
func after(f *machine.Failure, d time.Duration) *machine.Failure {
	f.RetryAfter = d
	return f
}

// asFailure returns err as a failure where it is one; nil otherwise.
func asFailure(err error) error {
	if f, ok := machine.AsFailure(err); ok {
		return f.Err()
	}
	return nil
}
