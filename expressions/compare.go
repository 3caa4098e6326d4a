package expressions

import (
	"cmp"
	"encoding/json"
	"heddle/internal/exactjson"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"
)

// compareNumbers orders two numbers exactly, whatever their types: 9007199254740993
// is greater than 9007199254740992.0. It returns -1, 0 or 1; false: one of them is
// not a number, or has too many digits to be compared.
func compareNumbers(a, b any) (int, bool) {
	switch x := a.(type) {
	case uint8:
		return compareNumbers(int(x), b)
	case int:
		switch y := b.(type) {
		case int:
			return cmp.Compare(x, y), true
		case float64:
			return compareIntFloat(x, y), true
		}
	case float64:
		switch y := b.(type) {
		case int:
			return -compareIntFloat(y, x), true
		case float64:
			return cmp.Compare(x, y), true
		}
	}
	// After the switch, which has made an int of a first uint8.
	if _, ok := b.(uint8); ok {
		return compareNumbers(a, int(b.(uint8)))
	}
	return compareExact(a, b)
}

// compareIntFloat orders a whole number and a float64 without rounding the first. y
// is never NaN.
func compareIntFloat(x int, y float64) int {
	switch {
	// The constant rounds up to 2^63, the first number beyond.
	case y >= math.MaxInt64:
		return -1
	case y < math.MinInt64:
		return 1
	}
	// Within 64 bits the conversion to int is exact; the fraction decides between
	// equal ones.
	whole := math.Trunc(y)
	if c := cmp.Compare(x, int(whole)); c != 0 {
		return c
	}
	return cmp.Compare(whole, y)
}

// compareExact is compareNumbers by decimals, for what has no faster way; at least
// one of the two is a json.Number. It costs no more than the texts are long: a
// fraction of 1.1e-1999 has 2,000 digits.
func compareExact(a, b any) (int, bool) {
	x, ok := decimal(a)
	if !ok {
		return 0, false
	}
	y, ok := decimal(b)
	if !ok {
		return 0, false
	}
	return x.Compare(y), true
}

// decimal returns a number exactly; false where rational returns false.
func decimal(v any) (exactjson.Decimal, bool) {
	text, ok := exactText(v)
	if !ok {
		return exactjson.Decimal{}, false
	}
	return exactjson.ParseDecimal(text)
}

// rational returns a number as an exact fraction. It returns false for what is not
// a number, for exponents beyond ±2,000 and for more than 2,000 bytes of text: a
// short text such as 1e999999999 would take gigabytes.
func rational(v any) (*big.Rat, bool) {
	text, ok := exactText(v)
	if !ok {
		return nil, false
	}
	return new(big.Rat).SetString(text)
}

// exactText returns the digits that stand for a number; false where rational
// returns false.
func exactText(v any) (string, bool) {
	switch v := v.(type) {
	case int:
		return strconv.Itoa(v), true
	case float64:
		// The shortest decimal that stands for it: 0.1 is a tenth here, and not the
		// binary fraction nearest to it.
		return strconv.FormatFloat(v, 'g', -1, 64), true
	case json.Number:
		// A fraction needs as many digits as its exponent says.
		_, exponent, has := strings.Cut(strings.ToLower(string(v)), "e")
		if has {
			n, err := strconv.Atoi(exponent)
			if err != nil || n > 2_000 || n < -2_000 {
				return "", false
			}
		}
		return string(v), len(v) <= 2_000
	}
	return "", false
}

// isNumber reports whether a value is of one of the types of numbers. uint8 is
// a character that the library itself read from a string, inside an optional
// chain; everything else here counts it as a whole number.
func isNumber(v any) bool {
	switch v.(type) {
	case int, uint8, float64, json.Number:
		return true
	}
	return false
}

// compare orders two numbers, strings, times or durations: -1, 0 or 1. Strings are
// ordered by their bytes, and cost fuel by length. The error has CodeType for
// anything else, also for two values of different kinds; operator names the caller
// in it.
func (m *meter) compare(operator string, a, b any) (int, *Error) {
	switch x := a.(type) {
	case string:
		if y, ok := b.(string); ok {
			return strings.Compare(x, y), m.spend(1 + min(len(x), len(y))/1024)
		}
	case time.Time:
		if y, ok := b.(time.Time); ok {
			return x.Compare(y), nil
		}
	case time.Duration:
		if y, ok := b.(time.Duration); ok {
			return cmp.Compare(x, y), nil
		}
	}
	if err := m.read(a, b); err != nil {
		return 0, err
	}
	if c, ok := compareNumbers(a, b); ok {
		return c, nil
	}
	return 0, fail(CodeType, "%s cannot compare %s with %s", operator, kindOf(a), kindOf(b))
}

// equal compares two values deeply. Numbers are equal by value and times by
// instant; values of different kinds are not equal, which is not an error. Each
// part of a value costs fuel, so that the same large part, reached many times, is
// paid for each time.
func (m *meter) equal(a, b any) (bool, *Error) {
	if err := m.spend(1); err != nil {
		return false, err
	}
	switch x := a.(type) {
	case nil:
		return isNull(b), nil
	case bool:
		return a == b, nil
	case string:
		y, ok := b.(string)
		return ok && x == y, m.spend(min(len(x), len(y)) / 1024)
	case time.Time:
		y, ok := b.(time.Time)
		return ok && x.Equal(y), nil
	case time.Duration:
		return a == b, nil
	}
	if isNumber(a) {
		if !isNumber(b) {
			return false, nil
		}
		if err := m.read(a, b); err != nil {
			return false, err
		}
		c, ok := compareNumbers(a, b)
		// Numbers that are too long to compare are equal where they are written the
		// same.
		return ok && c == 0 || a == b, nil
	}
	return m.equalContainers(a, b)
}

// isNull reports whether a value is null: nil, or a nil list.
func isNull(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case []any:
		return v == nil
	}
	return false
}

// equalContainers is equal for lists and objects. Members are compared in the order
// of their keys, so that the fuel runs out at the same place each time.
func (m *meter) equalContainers(a, b any) (bool, *Error) {
	if x, ok := listOf(a); ok {
		y, ok := listOf(b)
		// A nil list is null, and equal to nil.
		if !ok || len(x) != len(y) {
			return b == nil && isNull(a), nil
		}
		for i := range x {
			if same, err := m.equal(x[i], y[i]); err != nil || !same {
				return false, err
			}
		}
		return true, nil
	}
	x, ok := objectOf(a)
	y, both := objectOf(b)
	if !ok || !both || len(x) != len(y) {
		return false, nil
	}
	// Sorting the keys is paid for as another visit of each.
	if err := m.spend(2 * len(x)); err != nil {
		return false, err
	}
	for _, k := range exactjson.Names(x) {
		other, ok := y[k]
		if !ok {
			return false, nil
		}
		if same, err := m.equal(x[k], other); err != nil || !same {
			return false, err
		}
	}
	return true, nil
}
