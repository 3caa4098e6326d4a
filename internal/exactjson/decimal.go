package exactjson

import (
	"cmp"
	"math"
	"strconv"
	"strings"
)

// Decimal is a number of any size, exactly: 0.digits · 10^exponent, digits without
// zeros at either end; zero has no digits. Equal numbers have equal decimals.
// Comparing decimals costs no more than their text is long, so 1e999999999 is
// harmless.
type Decimal struct {
	negative bool
	digits   string
	exponent int
}

// ParseDecimal reads a JSON number; false for any other text, and where the written
// exponent is beyond ±10^9, unless the number is 0.
func ParseDecimal(number string) (Decimal, bool) {
	if !IsNumber(number) {
		return Decimal{}, false
	}
	s, negative := strings.CutPrefix(number, "-")
	mantissa, power := s, ""
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		mantissa, power = s[:i], s[i+1:]
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	all := whole + fraction
	short := strings.TrimLeft(all, "0")
	// -0 is zero too, and has no sign.
	if short == "" {
		return Decimal{}, true
	}
	// The point moves in front of the first digit that is not zero.
	exponent := len(whole) - (len(all) - len(short))
	if power != "" {
		written, err := strconv.Atoi(power)
		if err != nil || written > 1e9 || written < -1e9 {
			return Decimal{}, false
		}
		exponent += written
	}
	return Decimal{negative: negative, digits: strings.TrimRight(short, "0"), exponent: exponent}, true
}

// sign returns -1, 0 or 1.
func (d Decimal) sign() int {
	switch {
	case d.digits == "":
		return 0
	case d.negative:
		return -1
	}
	return 1
}

// Compare returns -1, 0 or 1, exactly, as d is less than, equal to or greater than
// the other.
func (d Decimal) Compare(other Decimal) int {
	s := d.sign()
	if c := cmp.Compare(s, other.sign()); c != 0 {
		return c
	}
	// Both have a first digit that is not zero, so the exponent decides, and between
	// equal ones the digits, which compare like texts: 0.12 is less than 0.2.
	return s * cmp.Or(cmp.Compare(d.exponent, other.exponent), strings.Compare(d.digits, other.digits))
}

// whole reports whether the number has no fraction.
func (d Decimal) whole() bool { return d.exponent >= len(d.digits) }

// Int returns a JSON number that is a whole one of 64 bits, however it is written: 3,
// 3.0 and 30e-1 are 3. False for everything else, text that is not a number
// included.
func Int(number string) (n int64, ok bool) {
	d, ok := ParseDecimal(number)
	if !ok || !d.whole() || d.exponent > 19 {
		return 0, false
	}
	if d.digits == "" {
		return 0, true
	}
	text := d.digits + strings.Repeat("0", d.exponent-len(d.digits))
	if d.negative {
		text = "-" + text
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil
}

// Count reads a JSON number that is a count: 0 to 2^31-1, without a fraction. False
// for everything else, as Int.
func Count(number string) (n int, ok bool) {
	whole, ok := Int(number)
	return int(whole), ok && whole >= 0 && whole <= math.MaxInt32
}

// IsWhole reports whether a JSON number has no fraction, however small; false for
// what ParseDecimal refuses.
func IsWhole(number string) bool {
	d, ok := ParseDecimal(number)
	return ok && d.whole()
}
