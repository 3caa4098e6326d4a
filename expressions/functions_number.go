package expressions

import (
	"encoding/json"
	"math"
	"math/bits"
	"slices"
	"strconv"
	"strings"
)

// numberFunctions are the functions on numbers. What float64 cannot hold is
// calculated exactly, except in float and median.
var numberFunctions = map[string]function{
	"abs":    {1, 1, func(e *evaluation, a []any) (any, *Error) { return e.absolute(a[0]) }},
	"ceil":   {1, 1, rounding(math.Ceil)},
	"floor":  {1, 1, rounding(math.Floor)},
	"round":  {1, 1, rounding(math.Round)},
	"int":    {1, 1, func(e *evaluation, a []any) (any, *Error) { return e.toInt(a[0]) }},
	"float":  {1, 1, func(_ *evaluation, a []any) (any, *Error) { return toFloat(a[0]) }},
	"max":    {1, -1, extreme(1)},
	"min":    {1, -1, extreme(-1)},
	"mean":   {1, -1, mean},
	"median": {1, -1, median},
}

// bitFunctions work on whole numbers as 64 bits in two's complement. bitnand is
// x and not y, as in the library.
var bitFunctions = map[string]function{
	"bitand":  bitwise(func(x, y int) int { return x & y }),
	"bitor":   bitwise(func(x, y int) int { return x | y }),
	"bitxor":  bitwise(func(x, y int) int { return x ^ y }),
	"bitnand": bitwise(func(x, y int) int { return x &^ y }),
	"bitshl":  shift(shiftLeft),
	"bitshr":  shift(func(x int, n uint) (int, *Error) { return x >> n, nil }),
	"bitushr": shift(func(x int, n uint) (int, *Error) { return int(uint(x) >> n), nil }),
	"bitnot": {1, 1, func(e *evaluation, a []any) (any, *Error) {
		x, err := e.intArg(a[0])
		return ^x, err
	}},
}

// absolute is abs(x). The smallest whole number has no absolute value in 64
// bits: CodeFailed.
func (m *meter) absolute(v any) (any, *Error) {
	switch v := v.(type) {
	case int:
		if v < 0 {
			return m.negate(v)
		}
		return v, nil
	// Its sign is the first character.
	case json.Number:
		return json.Number(strings.TrimPrefix(string(v), "-")), nil
	}
	f, err := float(v)
	return math.Abs(f), err
}

// rounding returns ceil, floor or round. The result is of the type of the
// argument: a float64 for a float64, and whole for what is calculated exactly.
func rounding(round func(float64) float64) func(*evaluation, []any) (any, *Error) {
	return func(e *evaluation, a []any) (any, *Error) {
		// Also an int beyond 2^53, which float64 would move to another one.
		if needsExact(a[0]) {
			return e.rounded(a[0], round)
		}
		f, err := float(a[0])
		return round(f), err
	}
}

// toInt is int(x): it cuts fractions off, towards zero, and reads decimal text
// without one. The error has CodeFailed for what 64 bits do not hold and for
// text that is not a whole number, CodeType for other values.
func (m *meter) toInt(v any) (any, *Error) {
	if s, ok := v.(string); ok {
		n, err := strconv.Atoi(s)
		if err != nil {
			return nil, fail(CodeFailed, "%s is not a whole number of 64 bits", shown(s))
		}
		return n, nil
	}
	if n, ok := whole(v); ok {
		return n, nil
	}
	// Through exact arithmetic: the number may fit 64 bits, but not float64.
	if n, isExact := v.(json.Number); isExact {
		return m.rounded(n, math.Trunc)
	}
	f, err := float(v)
	if err != nil {
		return nil, err
	}
	// The constant rounds up to 2^63, the first number beyond.
	if math.IsNaN(f) || f >= math.MaxInt64 || f < math.MinInt64 {
		return nil, fail(CodeFailed, "the number does not fit 64 bits")
	}
	return int(f), nil
}

// toFloat is float(x): the nearest float64 of a number, or of decimal text. The
// error has CodeFailed for text that is not a finite number.
func toFloat(v any) (any, *Error) {
	s, ok := v.(string)
	if !ok {
		return float(v)
	}
	f, err := strconv.ParseFloat(s, 64)
	// ParseFloat reads inf and nan, which JSON cannot hold.
	if err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
		return nil, fail(CodeFailed, "%s is not a number", shown(s))
	}
	return f, nil
}

// flat returns the arguments with all lists in them opened, at any depth.
func (e *evaluation) flat(args []any) ([]any, *Error) {
	f := &flattener{e: e}
	for _, a := range args {
		f.add(a, 0)
	}
	return f.out, f.err
}

// extreme returns max, for sign 1, or min, for -1: of arguments and of the
// elements of lists, all of them numbers. The result is the element itself,
// with its type; of equal ones the first. Of nothing it is null.
func extreme(sign int) func(*evaluation, []any) (any, *Error) {
	return func(e *evaluation, a []any) (any, *Error) {
		values, err := e.flat(a)
		if err != nil {
			return nil, err
		}
		var best any
		for i, v := range values {
			if !isNumber(v) {
				return nil, fail(CodeType, "expected numbers, got %s", kindOf(v))
			}
			// compare is exact; the first element is compared with itself, so
			// that it is checked too.
			c, err := e.compare("the function", v, orFirst(best, v, i))
			if err != nil {
				return nil, err
			}
			if i == 0 || c*sign > 0 {
				best = v
			}
		}
		return best, nil
	}
}

// orFirst returns first for the first element, which is compared with itself:
// that checks its type.
func orFirst(best, first any, i int) any {
	if i == 0 {
		return first
	}
	return best
}

// floats is flat with all numbers as float64; the slice is new.
func (e *evaluation) floats(args []any) ([]float64, *Error) {
	values, err := e.flat(args)
	if err != nil {
		return nil, err
	}
	out := make([]float64, len(values))
	for i, v := range values {
		if out[i], err = float(v); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// mean is mean(…), exact like + and /. That of nothing is 0, as in the library.
func mean(e *evaluation, a []any) (any, *Error) {
	values, err := e.flat(a)
	if err != nil || len(values) == 0 {
		return 0.0, err
	}
	// A whole zero: the sum stays whole as long as the values are.
	var total any = 0
	for _, v := range values {
		if total, err = e.arithmetic("+", total, v); err != nil {
			return nil, err
		}
	}
	// A float64, or exact where the total is.
	return e.arithmetic("/", total, len(values))
}

// median is median(…), as a float64; of an even number of values it is the mean
// of the two in the middle, of nothing 0, as in the library.
func median(e *evaluation, a []any) (any, *Error) {
	values, err := e.floats(a)
	if err != nil || len(values) == 0 {
		return 0.0, err
	}
	if err := e.spend(len(values) * bits.Len(uint(len(values)))); err != nil {
		return nil, err
	}
	slices.Sort(values)
	// The slice is floats' own and may be sorted in place.
	half := len(values) / 2
	if len(values)%2 == 1 {
		return values[half], nil
	}
	return (values[half-1] + values[half]) / 2, nil
}

// bitwise returns a function of two whole numbers.
func bitwise(op func(x, y int) int) function {
	return function{2, 2, func(e *evaluation, a []any) (any, *Error) {
		x, err := e.intArg(a[0])
		if err != nil {
			return nil, err
		}
		y, err := e.intArg(a[1])
		return op(x, y), err
	}}
}

// shiftLeft fails with CodeFailed where bits would be lost, the sign included.
func shiftLeft(x int, n uint) (int, *Error) {
	// Shifting back brings the same number if no bit was lost; a shift of 64
	// and more leaves 0.
	if r := x << n; r>>n == x {
		return r, nil
	}
	return 0, errBeyond()
}

// shift returns a function that shifts a whole number; a negative distance has
// CodeFailed, one of 64 and more shifts everything out.
func shift(op func(x int, n uint) (int, *Error)) function {
	return function{2, 2, func(e *evaluation, a []any) (any, *Error) {
		x, err := e.intArg(a[0])
		if err != nil {
			return nil, err
		}
		n, err := e.intArg(a[1])
		if err == nil && n < 0 {
			err = fail(CodeFailed, "the shift is negative")
		}
		if err != nil {
			return nil, err
		}
		return op(x, uint(n))
	}}
}
