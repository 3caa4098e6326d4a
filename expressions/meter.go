package expressions

import (
	"encoding/json"
	"strconv"
	"strings"
)

// meter counts down what one evaluation may still do and build. What reads or builds
// in proportion to values takes it, and pays before it works.
type meter struct {
	fuel  int // element visits left, of MaxFuel
	built int // bytes of strings that may still be built, of MaxBuilt
}

// fullMeter returns the meter of an evaluation that has not begun.
func fullMeter() meter { return meter{fuel: MaxFuel, built: MaxBuilt} }

// spend takes n units of fuel. The error has CodeLimit when fewer than n are left;
// none is left afterwards.
func (m *meter) spend(n int) *Error {
	if n > m.fuel {
		m.fuel = 0
		return fail(CodeLimit, "the expression does too much work (more than %d element visits); use a step for it", MaxFuel)
	}
	m.fuel -= n
	return nil
}

// read pays for reading numbers that are kept as text: nothing for other values, nor for
// texts as long as those of 64 bits and of float64.
func (m *meter) read(values ...any) *Error {
	n := 0
	for _, v := range values {
		if v, ok := v.(json.Number); ok {
			n += len(v) / 64
		}
	}
	return m.spend(n)
}

// calculate pays for one exact operation on numbers: for each eight of their digits as
// much as for an element visit, those included that an exponent stands for. Numbers that
// float64 holds have few.
func (m *meter) calculate(values ...any) *Error {
	n := 8
	for _, v := range values {
		v, ok := v.(json.Number)
		if !ok {
			continue
		}
		n += len(v)
		_, exponent, _ := strings.Cut(strings.ToLower(string(v)), "e")
		// What is not a number of digits here is refused by rational.
		if e, err := strconv.Atoi(exponent); err == nil {
			n += min(max(e, -e), maxExact)
		}
	}
	return m.spend(n / 8)
}

// grow pays for a string of n bytes before it is built, in bytes and in fuel. The
// error has CodeLarge beyond MaxString, or when less than n is left of MaxBuilt.
func (m *meter) grow(n int) *Error {
	if n > MaxString {
		return fail(CodeLarge, "a string of %d bytes would be built; at most %d are allowed", n, MaxString)
	}
	if n > m.built {
		return fail(CodeLarge, "the expression builds more than %d bytes of strings", MaxBuilt)
	}
	m.built -= n
	return m.spend(1 + n/1024)
}
