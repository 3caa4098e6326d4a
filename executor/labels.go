package executor

import (
	"context"
	"encoding/json"
	"heddle/fault"
	"regexp"
	"unicode/utf8"
)

// The bounds of the labels of a run.
const (
	MaxLabels     = 20
	MaxLabelValue = 200 // characters
)

// labelKey is the form of a label's key.
var labelKey = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$`)

// checkLabels refuses labels that a run cannot have: fault.Unacceptable invalid_labels, or
// secret_in_input where one has the value of a secret in it.
func checkLabels(ctx context.Context, secrets Secrets, req StartRequest) error {
	if len(req.Labels) == 0 {
		return nil
	}
	if len(req.Labels) > MaxLabels {
		return fault.New(fault.Unacceptable, "invalid_labels", "A run has at most %d labels, not %d.", MaxLabels, len(req.Labels))
	}
	for key, value := range req.Labels {
		if !labelKey.MatchString(key) {
			return fault.New(fault.Unacceptable, "invalid_labels", "A label's key is 1 to 63 letters, digits, dots, dashes and underscores and begins with a letter or a digit; %.70q is not.", key)
		}
		if value == "" || utf8.RuneCountInString(value) > MaxLabelValue || !plainText(value) {
			return fault.New(fault.Unacceptable, "invalid_labels", "The value of the label %s must be 1 to %d characters of text without control characters.", key, MaxLabelValue)
		}
	}
	text, err := json.Marshal(req.Labels)
	if err != nil {
		return err
	}
	return refuseSecrets(ctx, secrets, req.TenantID, text)
}

// plainText reports whether a text is UTF-8 without control characters.
func plainText(text string) bool {
	for _, r := range text {
		if r < ' ' || r == 0x7f {
			return false
		}
	}
	return utf8.ValidString(text)
}
