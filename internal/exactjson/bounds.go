package exactjson

// Bounds of JSON that is accepted from outside, so that no later reader has more to
// bear.
const (
	MaxDepth    = 64   // levels of lists and objects
	MaxDigits   = 1000 // of one number
	MaxExponent = 1000 // of one number, in either direction
)

// DeeperThan reports whether lists and objects nest more than depth levels; a scalar
// nests none. It does not recurse, so that no nesting is too deep for it.
func DeeperThan(text []byte, depth int) bool {
	open := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			i = SkipString(text, i) - 1
		case '{', '[':
			if open++; open > depth {
				return true
			}
		case '}', ']':
			open--
		}
	}
	return false
}

// IsNumber reports whether w is a number by the grammar of JSON (RFC 8259, section
// 6): no plus sign, no leading zero, digits on both sides of a point.
func IsNumber(w string) bool {
	if w != "" && w[0] == '-' {
		w = w[1:]
	}
	whole := digits(w)
	if whole == 0 || whole > 1 && w[0] == '0' {
		return false
	}
	w = w[whole:]
	if w != "" && w[0] == '.' {
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
// much. The sign and the point are not digits, zeros in front of the exponent do
// not count.
func TooLarge[T ~string | ~[]byte](number T) bool {
	count, i := 0, 0
	for ; i < len(number) && number[i] != 'e' && number[i] != 'E'; i++ {
		if number[i] >= '0' && number[i] <= '9' {
			count++
		}
	}
	if count > MaxDigits {
		return true
	}
	exponent := 0
	for i++; i < len(number); i++ {
		if c := number[i]; c >= '0' && c <= '9' {
			if exponent = 10*exponent + int(c-'0'); exponent > MaxExponent {
				return true
			}
		}
	}
	return false
}
