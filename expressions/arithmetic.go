package expressions

import (
	"encoding/json"
	"math"
	"strconv"
	"time"
)

// arithmetic is + - * / % ** on two values: numbers, two strings under +, times
// and durations. Whole numbers stay whole, except under / and **. The error has
// CodeType for operands that the operator does not take, CodeFailed for a whole
// result beyond 64 bits, a result that is not finite and a division by zero,
// and CodeLarge for a string or a number beyond the limits.
//
// The order matters: what float64 would round is calculated exactly before
// anything is turned into a float64. Strings and what is calculated exactly cost
// fuel by length; other numbers cost none, since the number of nodes and the visits of
// predicates bound how often this is called.
func (e *evaluation) arithmetic(operator string, a, b any) (any, *Error) {
	// Paid for before the string is built.
	if x, ok := a.(string); ok && operator == "+" {
		if y, ok := b.(string); ok {
			if err := e.grow(len(x) + len(y)); err != nil {
				return nil, err
			}
			return x + y, nil
		}
	}
	if err := e.read(a, b); err != nil {
		return nil, err
	}
	if v, ok := timeArithmetic(operator, a, b); ok {
		return v, nil
	}
	if v, ok := scaled(operator, a, b); ok {
		return v, nil
	}
	if !isNumber(a) || !isNumber(b) {
		return nil, mismatch(operator, a, b)
	}
	x, xok := whole(a)
	y, yok := whole(b)
	if xok && yok && operator != "/" && operator != "**" {
		return wholeArithmetic(operator, x, y)
	}
	isPower := operator == "**"
	if isPower || needsExact(a) || needsExact(b) {
		if err := e.calculate(a, b); err != nil {
			return nil, err
		}
	}
	// Powers decide for themselves whether float64 holds them.
	if isPower {
		if v, done, err := power(a, b); done {
			return v, err
		}
	} else if needsExact(a) || needsExact(b) {
		return exactly(operator, a, b)
	}
	f, err := float(a)
	if err != nil {
		return nil, err
	}
	g, err := float(b)
	if err != nil {
		return nil, err
	}
	return floatArithmetic(operator, f, g)
}

// mismatch is the error of two operands that do not fit the operator. A string
// beside something else is usually meant as text to be joined.
func mismatch(operator string, a, b any) *Error {
	hint := ""
	_, left := a.(string)
	_, right := b.(string)
	if operator == "+" && (left || right) {
		hint = "; string(x) makes text of a value"
	}
	return fail(CodeType, "%s cannot take %s and %s%s", operator, kindOf(a), kindOf(b), hint)
}

// whole returns a value of a whole type; false for any other, also for a float64
// without a fraction.
func whole(v any) (int, bool) {
	switch v := v.(type) {
	case int:
		return v, true
	case uint8:
		return int(v), true
	}
	return 0, false
}

// float returns a number as the nearest float64. The error has CodeType for a value
// that is not a number, and CodeLarge for a number beyond the range of float64.
func float(v any) (float64, *Error) {
	switch v := v.(type) {
	case int:
		return float64(v), nil
	case uint8:
		return float64(v), nil
	case float64:
		return v, nil
	case json.Number:
		f, err := strconv.ParseFloat(string(v), 64)
		if err != nil {
			return 0, fail(CodeLarge, "the number is too large to calculate with")
		}
		return f, nil
	}
	return 0, fail(CodeType, "expected a number, got %s", kindOf(v))
}

// wholeArithmetic is + - * % of whole numbers. The error has CodeFailed where the
// result leaves 64 bits, and for % 0. The remainder has the sign of x, as in Go.
func wholeArithmetic(operator string, x, y int) (any, *Error) {
	overflow := false
	r := 0
	switch operator {
	case "+":
		r = x + y
		overflow = (x > 0 && y > 0 && r < 0) || (x < 0 && y < 0 && r >= 0)
	case "-":
		r = x - y
		overflow = (x >= 0 && y < 0 && r < 0) || (x < 0 && y > 0 && r >= 0)
	case "*":
		r = x * y
		// Go's multiplication wraps; the division undoes it unless it did. -1
		// times the smallest number is the one case that survives.
		overflow = x != 0 && (r/x != y || (x == -1 && y == math.MinInt))
	case "%":
		if y == 0 {
			return nil, fail(CodeFailed, "division by zero")
		}
		r = x % y
	}
	if overflow {
		return nil, errBeyond()
	}
	return r, nil
}

// floatArithmetic is + - * / ** of float64 numbers. % of them has CodeType; a
// result that is not finite, and a division by zero, have CodeFailed: JSON could
// not hold them.
func floatArithmetic(operator string, f, g float64) (any, *Error) {
	r := 0.0
	switch operator {
	case "+":
		r = f + g
	case "-":
		r = f - g
	case "*":
		r = f * g
	case "/":
		if g == 0 {
			return nil, fail(CodeFailed, "division by zero")
		}
		r = f / g
	case "**":
		r = math.Pow(f, g)
	default:
		return nil, fail(CodeType, "%% takes whole numbers")
	}
	if math.IsInf(r, 0) || math.IsNaN(r) {
		return nil, fail(CodeFailed, "the result of %s is not a finite number", operator)
	}
	return r, nil
}

// timeArithmetic is time ± duration, duration + time, time - time and duration ±
// duration; false for anything else.
func timeArithmetic(operator string, a, b any) (any, bool) {
	sign := time.Duration(1)
	switch operator {
	case "+":
	case "-":
		sign = -1
	default:
		return nil, false
	}
	switch x := a.(type) {
	case time.Time:
		switch y := b.(type) {
		case time.Duration:
			return x.Add(sign * y), true
		case time.Time:
			// The sum of two times means nothing.
			return x.Sub(y), sign < 0
		}
	case time.Duration:
		switch y := b.(type) {
		case time.Duration:
			return x + sign*y, true
		case time.Time:
			return y.Add(x), sign > 0
		}
	}
	return nil, false
}

// negate is the unary minus. The smallest whole number has no negative within 64
// bits: CodeFailed.
func (m *meter) negate(v any) (any, *Error) {
	switch v := v.(type) {
	case int:
		return wholeArithmetic("-", 0, v)
	case time.Duration:
		return -v, nil
	case json.Number:
		if err := m.calculate(v); err != nil {
			return nil, err
		}
		return exactly("-", 0, v)
	// Named here, since float would ask for a number where - takes more than
	// numbers.
	case string, nil, bool:
		return nil, fail(CodeType, "- cannot take %s", kindOf(v))
	}
	f, err := float(v)
	return -f, err
}

// scaled is duration * number and number * duration; false for anything else, and
// where the result would leave 64 bits (about 292 years). A whole factor is exact
// to the nanosecond.
func scaled(operator string, a, b any) (any, bool) {
	d, ok := a.(time.Duration)
	if !ok {
		d, ok = b.(time.Duration)
		// The other operand is the factor.
		b = a
	}
	f, err := float(b)
	if !ok || operator != "*" || err != nil || math.Abs(f*float64(d)) >= math.MaxInt64 {
		return nil, false
	}
	if n, isWhole := whole(b); isWhole {
		return d * time.Duration(n), true
	}
	return time.Duration(f * float64(d)), true
}
