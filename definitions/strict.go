package definitions

import "heddle/fault"

// ScanJSON checks that raw is one JSON value within the limits: no duplicate
// keys, no NUL, valid UTF-8, no absurd numbers. The error is a *fault.Error,
// Malformed invalid_request with every problem as an issue, or TooLarge
// body_too_large.
func ScanJSON(raw []byte, limits Limits) error {
	_, err := scanStrictly(raw, limits)
	return err
}

func scanStrictly(raw []byte, limits Limits) (*node, error) {
	if len(raw) > limits.Bytes {
		return nil, fault.New(fault.TooLarge, "body_too_large", "The body is larger than %d bytes.", limits.Bytes)
	}
	finds := &findings{}
	root := scanJSON(raw, limits, finds)
	if len(finds.list) == 0 {
		return root, nil
	}
	return nil, malformed(finds.resolve(newSource(raw)))
}
