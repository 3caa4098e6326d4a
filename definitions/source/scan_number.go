package source

import (
	"math"
	"math/big"
	"strconv"
	"strings"
)

// number reads a number by the grammar of RFC 8259, section 6, and keeps its
// text: 1.0 and 1 stay different in the canonical form, and no digit is lost. One
// that is too large makes n Bad.
func (s *scanner) number(n *Node) {
	end := s.at
	for end < len(s.src) && strings.IndexByte("+-.eE0123456789", s.src[end]) >= 0 {
		end++
	}
	written := string(s.src[s.at:end])
	if !IsNumber(written) {
		s.broken("%q is not a JSON number", Clip(written))
		return
	}
	s.at = end
	n.Kind, n.Text = Number, written
	if TooLarge(written) {
		n.Kind = Bad
		s.finds.Error(LimitExceeded, n, "A number has more than %d digits or an exponent beyond ±%d; write it as text", MaxDigits, MaxExponent)
	}
}

// IsNumber reports whether w is a number by the grammar of JSON: no plus sign, no
// leading zero, digits on both sides of a point.
func IsNumber(w string) bool {
	w = strings.TrimPrefix(w, "-")
	whole := digits(w)
	if whole == 0 || whole > 1 && w[0] == '0' {
		return false
	}
	w = w[whole:]
	if strings.HasPrefix(w, ".") {
		fraction := digits(w[1:])
		if fraction == 0 {
			return false
		}
		w = w[1+fraction:]
	}
	if w == "" {
		return true
	}
	if w[0] != 'e' && w[0] != 'E' {
		return false
	}
	w = w[1:]
	if w != "" && (w[0] == '+' || w[0] == '-') {
		w = w[1:]
	}
	return w != "" && digits(w) == len(w)
}

// digits returns the number of decimal digits that w begins with.
func digits(w string) int {
	for i := range len(w) {
		if w[i] < '0' || w[i] > '9' {
			return i
		}
	}
	return len(w)
}

// TooLarge reports whether a JSON number has more than MaxDigits digits or an
// exponent beyond MaxExponent, either way: exact arithmetic on it would cost too
// much.
func TooLarge(written string) bool {
	mantissa, exponent, found := strings.Cut(strings.ToLower(written), "e")
	count := 0
	for i := range len(mantissa) {
		if mantissa[i] >= '0' && mantissa[i] <= '9' {
			count++
		}
	}
	if count > MaxDigits {
		return true
	}
	if !found {
		return false
	}
	e, err := strconv.Atoi(exponent)
	return err != nil || e > MaxExponent || e < -MaxExponent
}

// Count reads a JSON number that is a count: 0 to 2^31-1, without a fraction. It
// may be written in any way: 3, 3.0, 30e-1. ok is false for everything else, text
// that is not a number included.
func Count(written string) (n int, ok bool) {
	if short, err := strconv.ParseInt(written, 10, 32); err == nil {
		return int(short), short >= 0
	}
	f, err := strconv.ParseFloat(written, 64)
	if err != nil || !IsNumber(written) || f < 0 || f > math.MaxInt32 || len(written) > 2*MaxDigits {
		return 0, false
	}
	mantissa, _, _ := strings.Cut(strings.ToLower(written), "e")
	// A float below 1 may be a fraction that is tiny or nearly 1; only a mantissa
	// without another digit than 0 is the count 0.
	if f < 1 {
		return 0, !strings.ContainsAny(mantissa, "123456789")
	}
	exact, ok := new(big.Rat).SetString(written) // its exponent is no larger than its text is long
	if !ok || !exact.IsInt() {
		return 0, false
	}
	return int(exact.Num().Int64()), true
}

// HasFraction reports whether a JSON number is not a whole one, however small its
// fraction is. The number must not be TooLarge: it is expanded to be compared.
// What is not a number has a fraction.
func HasFraction(text string) bool {
	if !strings.ContainsAny(text, ".eE") {
		return false
	}
	r, ok := new(big.Rat).SetString(text)
	return !ok || !r.IsInt()
}
