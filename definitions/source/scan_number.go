package source

import (
	"math"
	"math/big"
	"strconv"
	"strings"
)

// number reads by the grammar of RFC 8259 and keeps the text.
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

// IsNumber checks the JSON grammar of a number.
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

func digits(w string) int {
	for i := range len(w) {
		if w[i] < '0' || w[i] > '9' {
			return i
		}
	}
	return len(w)
}

// TooLarge tells whether a number is beyond what arithmetic on it may cost.
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

// Count reads a JSON number that is a count: 0 or more, without a fraction,
// within 32 bits. It may be written in any way: 3, 3.0, 30e-1.
func Count(written string) (n int, ok bool) {
	if short, err := strconv.ParseInt(written, 10, 32); err == nil {
		return int(short), short >= 0
	}
	f, err := strconv.ParseFloat(written, 64)
	if err != nil || !IsNumber(written) || f < 0 || f > math.MaxInt32 || len(written) > 2*MaxDigits {
		return 0, false
	}
	mantissa, _, _ := strings.Cut(strings.ToLower(written), "e")
	if f < 1 {
		return 0, !strings.ContainsAny(mantissa, "123456789")
	}
	exact, ok := new(big.Rat).SetString(written) // its exponent is no larger than its text is long
	if !ok || !exact.IsInt() {
		return 0, false
	}
	return int(exact.Num().Int64()), true
}

// HasFraction reports whether a JSON number is no whole one, however small or
// close to one it is.
func HasFraction(text string) bool {
	if !strings.ContainsAny(text, ".eE") {
		return false
	}
	r, ok := new(big.Rat).SetString(text)
	return !ok || !r.IsInt()
}
