package expressions

import (
	"strings"
	"unicode/utf8"
)

// Places and lengths in strings are in characters (Unicode code points), and not
// in bytes: len, indexOf, s[i], s[a:b].

// position returns the function that finds a part of a string with find, and
// returns the number of characters before it; -1: it does not occur. find works on
// bytes, and only its answer is converted, which costs fuel in proportion to the
// string.
func position(find func(s, part string) int) func(*evaluation, []any) (any, *Error) {
	return func(e *evaluation, a []any) (any, *Error) {
		s, part, err := e.twoStrings(a, "")
		if err != nil {
			return nil, err
		}
		at := find(s, part)
		if at < 0 {
			return at, nil
		}
		return runes(s[:at]), e.spend(len(s) / 1024)
	}
}

// slice is x[from:to] of a string or list: a is x, from and to, where nil is an end
// that was left out. A negative end counts from the last element, and an end
// outside is moved to the nearest one, so no slice is out of range. A slice of a
// list shares its elements. The error has CodeType for anything else than a string
// or a list.
func (e *evaluation) slice(a []any) (any, *Error) {
	v := a[0]
	s, isString := v.(string)
	list, isList := listOf(v)
	n := len(list)
	switch {
	case isString:
		n = runes(s)
	case !isList:
		return nil, fail(CodeType, "[from:to] takes a string or a list, got %s", kindOf(v))
	}
	from, to := 0, n
	var err *Error
	if a[1] != nil {
		if from, err = e.intArg(a[1]); err != nil {
			return nil, err
		}
	}
	if a[2] != nil {
		if to, err = e.intArg(a[2]); err != nil {
			return nil, err
		}
	}
	from, to = within(from, n), within(to, n)
	from = min(from, to)
	if isList {
		// The capacity ends with the slice: an append must not write into the list.
		return list[from:to:to], nil
	}
	// The second search begins where the first ended.
	start := byteOf(s, from)
	return s[start : start+byteOf(s[start:], to-from)], e.spend(len(s) / 512)
}

// within moves an end into 0 to n; a negative one counts from n.
func within(at, n int) int {
	if at < 0 {
		at += n
	}
	return min(max(at, 0), n)
}

// byteOf returns the byte at which the character with index n begins, at most
// len(s). O(n).
func byteOf(s string, n int) int {
	at := 0
	for ; n > 0 && at < len(s); n-- {
		_, size := utf8.DecodeRuneInString(s[at:])
		at += size
	}
	return at
}

// characters returns a string as the list of its characters, so that an index finds
// a character and not a byte; any other value is returned as it is.
func (e *evaluation) characters(v any) (any, *Error) {
	s, ok := v.(string)
	if !ok {
		return v, nil
	}
	if err := e.spend(1 + len(s)/8); err != nil {
		return nil, err
	}
	return strings.Split(s, ""), nil
}
