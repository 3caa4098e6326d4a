package steps

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// statusRange is an inclusive range of HTTP status codes.
type statusRange struct{ low, high int }

// expectation is expect_status: the status codes that are a success. Empty, it stands
// for 200-399.
type expectation []statusRange

// UnmarshalJSON reads a number, a range "200-204", or a list of both that is not empty.
// null is as if it were absent.
func (e *expectation) UnmarshalJSON(raw []byte) error {
	raw = bytes.TrimSpace(raw)
	if string(raw) == "null" {
		return nil
	}
	// One entry is a list of one.
	list := []json.RawMessage{raw}
	if len(raw) > 0 && raw[0] == '[' {
		if err := json.Unmarshal(raw, &list); err != nil {
			return err
		}
		if len(list) == 0 {
			return errors.New("expect_status must not be an empty list")
		}
	}
	for _, one := range list {
		r, err := parseStatus(one)
		if err != nil {
			return err
		}
		*e = append(*e, r)
	}
	return nil
}

// jsonSchema makes expectation a schemaSource. The ranges themselves are checked by
// checkExpect.
func (expectation) jsonSchema() map[string]any {
	// The text form has no pattern here: parseStatus explains a wrong one better.
	number := map[string]any{"type": "integer", "minimum": 100, "maximum": 599}
	text := map[string]any{"type": "string"}
	return map[string]any{"anyOf": []map[string]any{
		number, text,
		{"type": "array", "minItems": 1, "items": map[string]any{"anyOf": []map[string]any{number, text}}},
	}}
}

// parseStatus reads one entry of expect_status: a number, also as 200.0, or a range as
// text. Codes are 100 to 599.
func parseStatus(raw json.RawMessage) (statusRange, error) {
	text, err := printValue(raw)
	if err != nil {
		return statusRange{}, err
	}
	first, last, ranged := strings.Cut(text, "-")
	low, err1 := strconv.Atoi(strings.TrimSpace(first))
	if f, err := strconv.ParseFloat(text, 64); err == nil && raw[0] != '"' && f == math.Trunc(f) { // 200.0
		low, err1 = int(min(f, 1000)), nil
	}
	high, err2 := low, error(nil)
	if ranged {
		high, err2 = strconv.Atoi(strings.TrimSpace(last))
	}
	if err1 != nil || err2 != nil || low < 100 || high > 599 || low > high {
		return statusRange{}, fmt.Errorf("expect_status must be a status code such as 200, a range such as \"200-204\", or a list of both")
	}
	return statusRange{low, high}, nil
}

// accepts reports whether a status is a success.
func (e expectation) accepts(status int) bool {
	if len(e) == 0 {
		return status >= 200 && status <= 399
	}
	for _, r := range e {
		if status >= r.low && status <= r.high {
			return true
		}
	}
	return false
}

// String returns the expectation for messages, such as "200-204 or 302".
func (e expectation) String() string {
	if len(e) == 0 {
		return "200-399"
	}
	words := make([]string, len(e))
	for i, r := range e {
		words[i] = strconv.Itoa(r.low)
		if r.high != r.low {
			words[i] += "-" + strconv.Itoa(r.high)
		}
	}
	return join(words, " or ")
}

// transientStatus reports whether an unexpected status may change without a change of
// the request: errors of the server (5xx), 408 Request Timeout and 429 Too Many
// Requests.
func transientStatus(status int) bool {
	return status >= 500 || status == 408 || status == 429
}
