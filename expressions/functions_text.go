package expressions

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// textFunctions are the functions on strings. Lengths and places are in
// characters; see characters.go.
var textFunctions = map[string]function{
	"string":      {1, 1, func(e *evaluation, a []any) (any, *Error) { return e.print(a[0]) }},
	"trim":        {1, 2, trim},
	"trimPrefix":  {1, 2, affix(strings.TrimPrefix)},
	"trimSuffix":  {1, 2, affix(strings.TrimSuffix)},
	"upper":       {1, 1, changeCase(strings.ToUpper)},
	"lower":       {1, 1, changeCase(strings.ToLower)},
	"split":       {2, 3, split(strings.SplitN)},
	"splitAfter":  {2, 3, split(strings.SplitAfterN)},
	"replace":     {3, 4, replace},
	"join":        {1, 2, join},
	"indexOf":     {2, 2, position(strings.Index)},
	"lastIndexOf": {2, 2, position(strings.LastIndex)},
	"hasPrefix":   {2, 2, affixed(strings.HasPrefix)},
	"hasSuffix":   {2, 2, affixed(strings.HasSuffix)},
	"toJSON":      {1, 1, toJSON},
	"fromJSON":    {1, 1, fromJSON},
	"toBase64":    {1, 1, toBase64},
	"fromBase64":  {1, 1, fromBase64},
}

// print is string(x): a string as it is, any other value as templates print it.
func (e *evaluation) print(v any) (any, *Error) {
	if s, ok := v.(string); ok {
		return s, nil
	}
	s, err := text(v)
	if err != nil {
		return nil, err
	}
	return e.builtString(s)
}

// twoStrings reads the first argument and the second, which may be left out and
// then is the one given here.
func (e *evaluation) twoStrings(a []any, second string) (string, string, *Error) {
	s, err := e.stringArg(a[0])
	if err != nil {
		return "", "", err
	}
	if len(a) > 1 {
		second, err = e.stringArg(a[1])
	}
	return s, second, err
}

// trim is trim(text) for white space, and trim(text, characters).
func trim(e *evaluation, a []any) (any, *Error) {
	s, cut, err := e.twoStrings(a, "")
	if err != nil {
		return nil, err
	}
	if len(a) == 1 {
		return strings.TrimSpace(s), nil
	}
	// strings.Trim searches the set once for each character that it removes.
	if err := e.spend(len(s) / 64 * (1 + len(cut)/8)); err != nil {
		return nil, err
	}
	return strings.Trim(s, cut), nil
}

// affix returns trimPrefix or trimSuffix. Without a second argument a space is
// cut off.
func affix(cut func(s, part string) string) func(*evaluation, []any) (any, *Error) {
	return func(e *evaluation, a []any) (any, *Error) {
		s, part, err := e.twoStrings(a, " ")
		return cut(s, part), err
	}
}

// affixed returns hasPrefix or hasSuffix.
func affixed(has func(s, part string) bool) func(*evaluation, []any) (any, *Error) {
	return func(e *evaluation, a []any) (any, *Error) {
		s, part, err := e.twoStrings(a, "")
		return has(s, part), err
	}
}

// changeCase returns upper or lower. The length of the input is paid for; a few
// characters have a longer form in the other case, which is not.
func changeCase(change func(string) string) func(*evaluation, []any) (any, *Error) {
	return func(e *evaluation, a []any) (any, *Error) {
		s, err := e.stringArg(a[0])
		if err != nil {
			return nil, err
		}
		if err := e.grow(len(s)); err != nil {
			return nil, err
		}
		return change(s), nil
	}
}

// split returns split or splitAfter: of a text at a separator, "" being between
// all characters, into at most n pieces where a third argument says so; a
// negative n is no bound. The pieces are counted before the list is built. The
// error has CodeLarge for more than MaxList of them.
func split(cut func(s, by string, n int) []string) func(*evaluation, []any) (any, *Error) {
	return func(e *evaluation, a []any) (any, *Error) {
		s, by, err := e.twoStrings(a, "")
		if err != nil {
			return nil, err
		}
		n := -1
		if len(a) == 3 {
			if n, err = e.intArg(a[2]); err != nil {
				return nil, err
			}
		}
		// Of an empty separator Count returns one more than there are
		// characters.
		pieces := strings.Count(s, by) + 1
		if n >= 0 {
			pieces = min(pieces, n)
		}
		if err := capList(pieces); err != nil {
			return nil, err
		}
		parts := cut(s, by, n)
		list := make([]any, len(parts))
		for i, p := range parts {
			list[i] = p
		}
		return e.builtList(list)
	}
}

// replace is replace(text, old, new) and replace(text, old, new, n), of the
// first n occurrences; a negative n means all. The size of the result is paid
// for before it is built.
func replace(e *evaluation, a []any) (any, *Error) {
	s, old, err := e.twoStrings(a, "")
	if err != nil {
		return nil, err
	}
	with, err := e.stringArg(a[2])
	if err != nil {
		return nil, err
	}
	// Every occurrence may make the text longer.
	n := strings.Count(s, old)
	if len(a) == 4 {
		limit, err := e.intArg(a[3])
		if err != nil {
			return nil, err
		}
		if limit >= 0 {
			n = min(n, limit)
		}
	}
	if err := e.grow(len(s) + n*max(0, len(with)-len(old))); err != nil {
		return nil, err
	}
	return strings.Replace(s, old, with, n), nil
}

// join is join(list, separator); without a separator nothing stands between.
// Elements that are not strings are printed as string() does. It stops as soon
// as the result would be too large.
func join(e *evaluation, a []any) (any, *Error) {
	list, err := e.listArg(a[0])
	if err != nil {
		return nil, err
	}
	glue := ""
	if len(a) == 2 {
		if glue, err = e.stringArg(a[1]); err != nil {
			return nil, err
		}
	}
	parts := make([]string, len(list))
	size := max(0, len(list)-1) * len(glue)
	for i, x := range list {
		if parts[i], err = text(x); err != nil {
			return nil, err
		}
		// grow fails for this size, so that nothing is joined.
		if size += len(parts[i]); size > MaxString {
			return nil, e.grow(size)
		}
	}
	return e.builtString(strings.Join(parts, glue))
}

// toJSON is toJSON(x), in the form of encode.
func toJSON(e *evaluation, a []any) (any, *Error) {
	raw, err := encode(a[0])
	if err != nil {
		return nil, err
	}
	return e.builtString(string(raw))
}

// fromJSON is fromJSON(text), which counts as reading as many bytes of values.
// The error has CodeFailed for what is not one JSON value.
func fromJSON(e *evaluation, a []any) (any, *Error) {
	s, err := e.stringArg(a[0])
	if err != nil {
		return nil, err
	}
	if !json.Valid([]byte(s)) {
		return nil, fail(CodeFailed, "the text is not JSON")
	}
	return e.decode(json.RawMessage(s))
}

// toBase64 is toBase64(text), and base64(text): the standard alphabet with
// padding, RFC 4648, section 4.
func toBase64(e *evaluation, a []any) (any, *Error) {
	s, err := e.stringArg(a[0])
	if err != nil {
		return nil, err
	}
	if err := e.grow(base64.StdEncoding.EncodedLen(len(s))); err != nil {
		return nil, err
	}
	return base64.StdEncoding.EncodeToString([]byte(s)), nil
}

// fromBase64 is fromBase64(text), of what toBase64 writes. The error has
// CodeFailed for other text, and for bytes that are not UTF-8: values are JSON,
// which could not hold them.
func fromBase64(e *evaluation, a []any) (any, *Error) {
	s, err := e.stringArg(a[0])
	if err != nil {
		return nil, err
	}
	if err := e.grow(base64.StdEncoding.DecodedLen(len(s))); err != nil {
		return nil, err
	}
	b, derr := base64.StdEncoding.DecodeString(s)
	if derr != nil {
		return nil, fail(CodeFailed, "the text is not base64")
	}
	// Checked before it becomes a value: every string here is UTF-8.
	if !utf8.Valid(b) {
		return nil, fail(CodeFailed, "the bytes are not UTF-8 text")
	}
	return string(b), nil
}
