package expressions

import (
	"bytes"
	"encoding/json"
	"errors"
	"heddle/internal/exactjson"
	"math"
	"math/big"
	"strconv"
	"strings"
)

// decode reads one JSON value: whole numbers of 64 bits as int, numbers that a
// float64 holds as written as float64, any others as json.Number with their digits.
// No bytes are null. Stored values are valid JSON, so that scalars are recognized
// by their first byte. The error has CodeLarge for nesting beyond maxJSONDeep, and
// CodeFailed for what is not JSON.
func decode(raw json.RawMessage) (any, *Error) {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 {
		return nil, nil
	}
	switch raw[0] {
	case 'n':
		return nil, nil
	case 't':
		return true, nil
	case 'f':
		return false, nil
	case '{', '[':
		return decodeContainer(raw)
	case '"':
		return decodeString(raw)
	}
	return number(json.Number(raw)), nil
}

// decodeString reads a quoted string; one without escapes is copied without the
// decoder.
func decodeString(raw []byte) (any, *Error) {
	if len(raw) >= 2 && bytes.IndexByte(raw, '\\') < 0 && raw[len(raw)-1] == '"' {
		return string(raw[1 : len(raw)-1]), nil
	}
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return nil, fail(CodeFailed, "a stored value is not JSON")
	}
	return s, nil
}

// decodeContainer reads a list or an object. The depth is checked first, since the
// decoder recurses.
func decodeContainer(raw []byte) (any, *Error) {
	if exactjson.DeeperThan(raw, maxJSONDeep) {
		return nil, fail(CodeLarge, "a value is nested more than %d deep", maxJSONDeep)
	}
	var v any
	switch err := exactjson.Decode(raw, &v); {
	case errors.Is(err, exactjson.ErrTrailing):
		return nil, fail(CodeFailed, "a stored value is more than one JSON value")
	case err != nil:
		return nil, fail(CodeFailed, "a stored value is not JSON")
	}
	return numbers(v), nil
}

// numbers replaces each json.Number inside a value that was just decoded, in place,
// and returns the value.
func numbers(v any) any {
	switch v := v.(type) {
	case json.Number:
		return number(v)
	case []any:
		for i := range v {
			v[i] = numbers(v[i])
		}
	case map[string]any:
		for k, x := range v {
			switch x.(type) {
			// Other members are not written again: assigning to a map costs
			// more than the test.
			case json.Number, []any, map[string]any:
				v[k] = numbers(x)
			}
		}
	}
	return v
}

// number returns a JSON number in the type that holds it exactly: int, float64 or
// json.Number. 1.0 and 1e2 are float64, -0 stays a json.Number.
func number(n json.Number) any {
	s := string(n)
	if !strings.ContainsAny(s, ".eE") {
		// -0 as an int would lose its sign, and be printed differently.
		if i, err := strconv.Atoi(s); err == nil && s != "-0" {
			return i
		}
		return n
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || !faithful(f, s) {
		return n
	}
	return f
}

// faithful reports whether a float64 stands for exactly the number that was
// written: below 2^53 that printing it yields the same digits, above that its
// value is the same. Up to fifteen digits survive in normal numbers, and are
// not printed to find out.
func faithful(f float64, written string) bool {
	if math.Abs(f) >= 1<<53 {
		exact, ok := rational(json.Number(written))
		return ok && exact.Cmp(new(big.Rat).SetFloat64(f)) == 0
	}
	if f == 0 {
		return !nonZero(written)
	}
	d := digits(written)
	return len(d) <= 15 || d == digits(strconv.FormatFloat(f, 'e', -1, 64))
}

// digits returns the significant digits of a number, without sign, point, exponent
// and zeros at either end: those of -0.0120e5 are 12.
func digits(s string) string {
	mantissa, _, _ := strings.Cut(strings.ToLower(s), "e")
	mantissa = strings.TrimLeft(strings.ReplaceAll(strings.TrimPrefix(mantissa, "-"), ".", ""), "0")
	return strings.TrimRight(mantissa, "0")
}

// nonZero reports whether a number has a digit other than zero: one that parses as
// 0 may be too small for float64.
func nonZero(s string) bool {
	mantissa, _, _ := strings.Cut(strings.ToLower(s), "e")
	return strings.ContainsAny(mantissa, "123456789")
}
