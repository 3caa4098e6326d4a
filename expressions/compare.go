package expressions

import (
	"cmp"
	"encoding/json"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"
)

// compareNumbers orders two numbers exactly: 9007199254740993 is greater than
// 9007199254740992.0. False: one of them is no number, or not comparable.
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
	if _, ok := b.(uint8); ok {
		return compareNumbers(a, int(b.(uint8)))
	}
	return compareExact(a, b)
}

func compareIntFloat(x int, y float64) int {
	switch {
	case y >= math.MaxInt64:
		return -1
	case y < math.MinInt64:
		return 1
	}
	whole := math.Trunc(y)
	if c := cmp.Compare(x, int(whole)); c != 0 {
		return c
	}
	return cmp.Compare(whole, y)
}

func compareExact(a, b any) (int, bool) {
	x, ok := rational(a)
	if !ok {
		return 0, false
	}
	y, ok := rational(b)
	if !ok {
		return 0, false
	}
	return x.Cmp(y), true
}

// rational gives a number exactly; false for exponents beyond ±2,000 and for
// more than 2,000 digits.
func rational(v any) (*big.Rat, bool) {
	switch v := v.(type) {
	case int:
		return new(big.Rat).SetInt64(int64(v)), true
	case float64:
		return new(big.Rat).SetString(strconv.FormatFloat(v, 'g', -1, 64))
	case json.Number:
		_, exponent, has := strings.Cut(strings.ToLower(string(v)), "e")
		if has {
			n, err := strconv.Atoi(exponent)
			if err != nil || n > 2_000 || n < -2_000 {
				return nil, false
			}
		}
		if len(v) > 2_000 {
			return nil, false
		}
		return new(big.Rat).SetString(string(v))
	}
	return nil, false
}

func isNumber(v any) bool {
	switch v.(type) {
	case int, uint8, float64, json.Number:
		return true
	}
	return false
}

// compare orders numbers, strings, times and durations.
func (e *evaluation) compare(operator string, a, b any) (int, *Error) {
	switch x := a.(type) {
	case string:
		if y, ok := b.(string); ok {
			return strings.Compare(x, y), e.spend(1 + min(len(x), len(y))/1024)
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
	if c, ok := compareNumbers(a, b); ok {
		return c, nil
	}
	return 0, fail(CodeType, "%s cannot compare %s with %s", operator, kindOf(a), kindOf(b))
}

// equal compares deeply; each part costs fuel.
func (e *evaluation) equal(a, b any) (bool, *Error) {
	if err := e.spend(1); err != nil {
		return false, err
	}
	switch x := a.(type) {
	case nil:
		return isNull(b), nil
	case bool:
		return a == b, nil
	case string:
		y, ok := b.(string)
		return ok && x == y, e.spend(min(len(x), len(y)) / 1024)
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
		c, ok := compareNumbers(a, b)
		return ok && c == 0 || a == b, nil
	}
	return e.equalContainers(a, b)
}

func isNull(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case []any:
		return v == nil
	}
	return false
}

func (e *evaluation) equalContainers(a, b any) (bool, *Error) {
	if x, ok := listOf(a); ok {
		y, ok := listOf(b)
		if !ok || len(x) != len(y) {
			return b == nil && isNull(a), nil
		}
		for i := range x {
			if same, err := e.equal(x[i], y[i]); err != nil || !same {
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
	if err := e.spend(2 * len(x)); err != nil {
		return false, err
	}
	for _, k := range sortedKeys(x) {
		other, ok := y[k]
		if !ok {
			return false, nil
		}
		if same, err := e.equal(x[k], other); err != nil || !same {
			return false, err
		}
	}
	return true, nil
}
