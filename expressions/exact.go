package expressions

import (
	"encoding/json"
	"math"
	"math/big"
)

// maxExact bounds the digits behind the point of what is calculated exactly. More
// are an error, not rounded: the caller chooses rounding with float(x).
const maxExact = 2_000

// needsExact reports whether float64 cannot hold a number as it is written: a whole
// number beyond 2^53, or a json.Number.
func needsExact(v any) bool {
	switch v := v.(type) {
	case int:
		return v > 1<<53 || v < -(1<<53)
	case json.Number:
		return true
	}
	return false
}

// exactly is + - * / % on numbers that float64 would round. The result is exact,
// except for a quotient whose digits never end: that is the nearest float64, as of
// any two numbers. The error has CodeFailed for a whole result beyond 64 bits and
// for a division by zero, CodeLarge for an operand beyond the range of float64 or
// of rational, and for a result of more than maxExact digits, and CodeType for % of
// fractions.
func exactly(operator string, a, b any) (any, *Error) {
	// What is beyond float64 is refused here as in floating point: whether an
	// operand is calculated exactly should not decide that.
	for _, v := range []any{a, b} {
		if _, err := float(v); err != nil {
			return nil, err
		}
	}
	x, xok := rational(a)
	y, yok := rational(b)
	if !xok || !yok {
		return nil, fail(CodeLarge, "the number is too large to calculate with")
	}
	r := new(big.Rat)
	switch operator {
	case "+":
		r.Add(x, y)
	case "-":
		r.Sub(x, y)
	case "*":
		r.Mul(x, y)
	case "/":
		if y.Sign() == 0 {
			return nil, fail(CodeFailed, "division by zero")
		}
		r.Quo(x, y)
	case "%":
		return exactRemainder(x, y)
	}
	return exactResult(r)
}

// exactRemainder is % of whole numbers of any size; the result has the sign of x.
func exactRemainder(x, y *big.Rat) (any, *Error) {
	switch {
	case !x.IsInt() || !y.IsInt():
		return nil, fail(CodeType, "%% takes whole numbers")
	case y.Sign() == 0:
		return nil, fail(CodeFailed, "division by zero")
	}
	return exactResult(new(big.Rat).SetInt(new(big.Int).Rem(x.Num(), y.Num())))
}

// exactResult returns a fraction in the type that holds it: int, float64 or
// json.Number; see exactly for the errors.
func exactResult(r *big.Rat) (any, *Error) {
	if r.IsInt() {
		if n := r.Num(); n.IsInt64() {
			return int(n.Int64()), nil
		}
		return nil, errBeyond()
	}
	// The digits of a fraction end if its denominator has no prime factors but
	// 2 and 5.
	digits, ends := r.FloatPrec()
	if !ends {
		f, _ := r.Float64()
		return f, nil
	}
	if digits > maxExact {
		return nil, fail(CodeLarge, "the result has more than %d digits; float(x) calculates with rounding", maxExact)
	}
	return number(json.Number(r.FloatString(digits))), nil
}

// errBeyond is the error of a whole result beyond 64 bits.
func errBeyond() *Error {
	return fail(CodeFailed, "the whole number is beyond 64 bits; float(x) calculates with rounding")
}

// power is ** of a whole number and a whole exponent, whose result float64 may not
// hold. With done it has decided: the value, or the error. Without, both are to be
// ignored, and the floating point of floatArithmetic is right. A power is a float64
// where that is exact, and an int beyond.
func power(a, b any) (any, bool, *Error) {
	if _, isFloat := a.(float64); isFloat || !isWhole(a) {
		return nil, needsExact(a), fail(CodeFailed, "** rounds this number; float(x) calculates with rounding")
	}
	// An exponent such as 2.0 is whole too.
	n, ok := whole(b)
	if f, isFloat := b.(float64); isFloat && f == math.Trunc(f) && math.Abs(f) < 1<<53 {
		n, ok = int(f), true
	}
	x, known := rational(a)
	switch {
	case !ok || !known || n < 0:
		return nil, needsExact(a) || needsExact(b), fail(CodeFailed, "** rounds this number; float(x) calculates with rounding")
	case x.Num().BitLen() <= 1:
		return nil, false, nil // 0, 1 and -1
	// Decided by length alone: the power itself would have more than a thousand
	// bytes.
	case x.Num().BitLen()*n > 8_192:
		return nil, needsExact(a), errBeyond()
	}
	r := new(big.Int).Exp(x.Num(), big.NewInt(int64(n)), nil)
	switch {
	case !r.IsInt64():
		return nil, true, errBeyond()
	case r.BitLen() > 53: // as float64 it would be printed with other digits
		return int(r.Int64()), true, nil
	}
	return float64(r.Int64()), true, nil
}

// isWhole reports whether a value is a number without a fraction; 1.0 and 1e3 are
// whole.
func isWhole(v any) bool {
	r, ok := rational(v)
	return ok && r.IsInt()
}

// rounded is ceil, floor, round or truncation, as round does it, of a number that
// float64 cannot hold. The result is whole and exact. The error has CodeLarge for a
// number beyond rational, CodeFailed for a result beyond 64 bits, CodeLimit where the fuel
// ends.
func (m *meter) rounded(v any, round func(float64) float64) (any, *Error) {
	if err := m.calculate(v); err != nil {
		return nil, err
	}
	r, ok := rational(v)
	if !ok {
		return nil, fail(CodeLarge, "the number is too large to calculate with")
	}
	// Which way to go is the same for a small number with the same sign and the
	// same side of one half.
	q, rest := new(big.Int).QuoRem(r.Num(), r.Denom(), new(big.Int))
	half := new(big.Int).Abs(rest)
	small := 0.0
	switch c := half.Lsh(half, 1).Cmp(r.Denom()); {
	case rest.Sign() == 0:
	case c < 0:
		small = 0.25
	case c == 0:
		small = 0.5
	default:
		small = 0.75
	}
	if r.Sign() < 0 {
		small = -small
	}
	q.Add(q, big.NewInt(int64(round(small))))
	return exactResult(new(big.Rat).SetInt(q))
}
