package source

import "heddle/fault"

// ScanJSON checks that raw is one JSON value within the limits: no duplicate
// keys, no NUL, valid UTF-8, no number that is exactjson.TooLarge. The error
// is a *fault.Error: Malformed invalid_request with every problem as an issue, or
// TooLarge body_too_large.
func ScanJSON(raw []byte, limits Limits) error {
	_, err := scanStrictly(raw, limits)
	return err
}

// scanStrictly is ScanJSON with the tree. Any diagnostic is an error here: the
// scanner makes no warnings.
func scanStrictly(raw []byte, limits Limits) (*Node, error) {
	if len(raw) > limits.Bytes {
		return nil, fault.New(fault.TooLarge, "body_too_large", "The body is larger than %d bytes.", limits.Bytes)
	}
	finds := &Diagnostics{}
	root := ScanNodes(raw, limits, finds)
	if len(finds.List) == 0 {
		return root, nil
	}
	return nil, Malformed(finds.Resolve(NewText(raw)))
}

// Malformed returns the error of a body that cannot be read: fault.Malformed
// invalid_request, whose message is the first issue with its place and which
// holds all of them. issues is kept and must not be empty.
func Malformed(issues []fault.Issue) *fault.Error {
	first := issues[0]
	where := ""
	if first.Pointer != "" {
		where = " at " + first.Pointer
	}
	err := fault.New(fault.Malformed, "invalid_request", "%s%s (line %d, column %d).", first.Message, where, first.Line, first.Column)
	err.Issues = issues
	return err
}
