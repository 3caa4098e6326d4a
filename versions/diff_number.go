package versions

import (
	"encoding/json"
	"strconv"
	"strings"
)

// decimal is a number of any size, exactly: 0.digits · 10^exponent, digits
// without zeros at either end; zero has no digits. Equal numbers have equal
// decimals. Comparing decimals costs no more than their text is long, so
// 1e999999999 is harmless.
type decimal struct {
	negative bool
	digits   string
	exponent int
}

// parseDecimal reads a JSON number; false where its written exponent is beyond
// ±10^9.
func parseDecimal(n json.Number) (decimal, bool) {
	s, negative := strings.CutPrefix(string(n), "-")
	mantissa, power, _ := strings.Cut(strings.ToLower(s), "e")
	whole, fraction, _ := strings.Cut(mantissa, ".")
	exponent := 0
	if power != "" {
		var err error
		if exponent, err = strconv.Atoi(power); err != nil || exponent > 1e9 || exponent < -1e9 {
			return decimal{}, false
		}
	}
	digits := whole + fraction
	// The point moves in front of all digits.
	exponent += len(whole)
	short := strings.TrimLeft(digits, "0")
	exponent -= len(digits) - len(short)
	// -0 is zero too, and has no sign.
	if short == "" {
		return decimal{}, true
	}
	return decimal{negative: negative, digits: strings.TrimRight(short, "0"), exponent: exponent}, true
}

// sign returns -1, 0 or 1.
func (d decimal) sign() int {
	switch {
	case d.digits == "":
		return 0
	case d.negative:
		return -1
	}
	return 1
}

// compare returns -1, 0 or 1, exactly, as d is less than, equal to or greater
// than the other.
func (d decimal) compare(other decimal) int {
	s := d.sign()
	switch {
	case s < other.sign():
		return -1
	case s > other.sign():
		return 1
	// Both have a first digit that is not zero, so the exponent alone decides.
	case d.exponent != other.exponent:
		if d.exponent < other.exponent {
			return -s
		}
		return s
	}
	// Fractions compare like texts: 0.12 is less than 0.2.
	return s * strings.Compare(d.digits, other.digits)
}

// equalByValue reports whether two decoded values are equal, with numbers compared
// by value: 1.0 is 1 and 1e2 is 100, as JSON Schema and RFC 6902 (section 4.6)
// define it.
func equalByValue(a, b any) bool {
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for key, x := range a {
			if y, ok := b[key]; !ok || !equalByValue(x, y) {
				return false
			}
		}
		return true
	case []any:
		b, ok := b.([]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for i := range a {
			if !equalByValue(a[i], b[i]) {
				return false
			}
		}
		return true
	case json.Number:
		b, ok := b.(json.Number)
		return ok && (a == b || sameNumber(a, b))
	}
	return equal(a, b)
}

// sameNumber reports whether two numbers have the same value; false where one is out
// of range.
func sameNumber(a, b json.Number) bool {
	x, okX := parseDecimal(a)
	y, okY := parseDecimal(b)
	return okX && okY && x.compare(y) == 0
}
