package expressions

import (
	"bytes"
	"encoding/json"
	"io"
	"math"
	"math/big"
	"strconv"
	"strings"
)

// decode reads one JSON value: whole numbers that fit as int, numbers that a
// float64 holds as written as that, any other as json.Number.
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

func decodeContainer(raw []byte) (any, *Error) {
	if tooDeep(raw) {
		return nil, fail(CodeLarge, "a value is nested more than %d deep", maxJSONDeep)
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, fail(CodeFailed, "a stored value is not JSON")
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fail(CodeFailed, "a stored value is more than one JSON value")
	}
	return numbers(v), nil
}

// tooDeep counts brackets outside strings.
func tooDeep(raw []byte) bool {
	depth := 0
	for i := 0; i < len(raw); i++ {
		switch raw[i] {
		case '"':
			i = skipString(raw, i) - 1
		case '{', '[':
			if depth++; depth > maxJSONDeep {
				return true
			}
		case '}', ']':
			depth--
		}
	}
	return false
}

// numbers replaces each json.Number inside a fresh value, in place.
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
			case json.Number, []any, map[string]any:
				v[k] = numbers(x)
			}
		}
	}
	return v
}

func number(n json.Number) any {
	s := string(n)
	if !strings.ContainsAny(s, ".eE") {
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

// faithful says whether a float64 stands for exactly the number that was
// written: below 2^53 that printing it gives the same digits, above that its
// value is the same.
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

// digits gives the significant digits of a number.
func digits(s string) string {
	mantissa, _, _ := strings.Cut(strings.ToLower(s), "e")
	mantissa = strings.TrimLeft(strings.ReplaceAll(strings.TrimPrefix(mantissa, "-"), ".", ""), "0")
	return strings.TrimRight(mantissa, "0")
}

func nonZero(s string) bool {
	mantissa, _, _ := strings.Cut(strings.ToLower(s), "e")
	return strings.ContainsAny(mantissa, "123456789")
}
