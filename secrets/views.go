package secrets

import (
	"bytes"
	"sort"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// view is a text as a reader would decode it, with the way back: the parts that were
// decoded, in order, and the view that it was decoded from. Between units every byte
// stands for itself. A secret found in a view is so located in the text itself.
type view struct {
	text   []byte
	units  []unit // by at
	parent *view  // nil: this is the text itself
}

// unit is a decoded escape: the n bytes from at on of the view stand for the bytes from
// from to before end of the parent. n is 0 where the escape means nothing, such as a
// line break that is left out.
type unit struct{ at, n, from, end int }

// origin returns the span of the text that a span of the view was decoded from. s must
// not be empty unless v is the text itself.
func (v *view) origin(s span) span {
	if v.parent == nil {
		return s
	}
	start, _ := v.source(s.start)
	_, end := v.source(s.end - 1)
	return v.parent.origin(span{start, end})
}

// source returns which bytes of the parent the view's byte i was decoded from. It takes
// O(log n) of the number of units.
func (v *view) source(i int) (start, end int) {
	after := sort.Search(len(v.units), func(k int) bool { return v.units[k].at > i })
	if after == 0 {
		return i, i + 1
	}
	u := v.units[after-1]
	if i < u.at+u.n {
		return u.from, u.end
	}
	start = u.end + i - u.at - u.n
	return start, start + 1
}

// viewsOf returns the other ways to read a text: with backslash escapes undone once and
// twice (JSON in a string, and JSON in that); each of those and the text itself with
// percent escapes undone (path and query form, once and twice); and with line breaks
// removed (wrapped base64). Readings for which the text has no signs are left out, so
// that plain text costs nothing more.
func viewsOf(text []byte) []*view {
	bases := []*view{{text: text}}
	for range 2 {
		last := bases[len(bases)-1]
		if bytes.IndexByte(last.text, '\\') < 0 {
			break
		}
		bases = append(bases, last.decode(`\`, unescape))
	}
	views := bases[1:]
	for _, b := range bases {
		views = append(views, b.percents(2)...)
		if bytes.IndexByte(b.text, '\n') >= 0 {
			views = append(views, b.decode("\r\n", unwrap))
		}
	}
	return views
}

// percents returns the readings of percent escapes, in path form and in query form,
// where + is a space, applied up to times times.
func (v *view) percents(times int) []*view {
	if times == 0 || bytes.IndexByte(v.text, '%') < 0 {
		if bytes.IndexByte(v.text, '+') < 0 {
			return nil
		}
		return []*view{v.decode("+", unplus)}
	}
	path := v.decode("%", unpercent)
	forms := append([]*view{path}, path.percents(times-1)...)
	if bytes.IndexByte(v.text, '+') >= 0 {
		query := v.decode("+", unplus).decode("%", unpercent)
		forms = append(append(forms, query), query.percents(times-1)...)
	}
	return forms
}

// decode returns v with escapes undone. signs are the bytes that may begin an escape.
// next reads the escape at the beginning of rest and returns how many bytes it takes and
// what they mean; 0 taken: it is not an escape. room is memory for the meaning, which
// decode copies before the next call.
func (v *view) decode(signs string, next func(rest []byte, room *[utf8.UTFMax]byte) (taken int, meaning []byte)) *view {
	out := &view{text: make([]byte, 0, len(v.text)), parent: v}
	var room [utf8.UTFMax]byte
	for i, copied := 0, 0; ; {
		n := bytes.IndexAny(v.text[i:], signs)
		if n < 0 {
			out.text = append(out.text, v.text[copied:]...)
			return out
		}
		i += n
		taken, meaning := next(v.text[i:], &room)
		if taken == 0 {
			i++
			continue
		}
		out.text = append(out.text, v.text[copied:i]...)
		out.units = append(out.units, unit{at: len(out.text), n: len(meaning), from: i, end: i + taken})
		out.text = append(out.text, meaning...)
		i += taken
		copied = i
	}
}

// unwrap leaves a line break out.
func unwrap([]byte, *[utf8.UTFMax]byte) (int, []byte) { return 1, nil }

// unplus reads + as the space that it is in a query.
func unplus([]byte, *[utf8.UTFMax]byte) (int, []byte) { return 1, []byte{' '} }

// unpercent reads %XX (RFC 3986, 2.1).
func unpercent(rest []byte, room *[utf8.UTFMax]byte) (int, []byte) {
	if len(rest) > 2 {
		if n, err := strconv.ParseUint(string(rest[1:3]), 16, 8); err == nil {
			room[0] = byte(n)
			return 3, room[:1]
		}
	}
	return 0, nil
}

// unescape reads an escape of JSON (RFC 8259, 7), or \x or \' as other languages write
// them.
func unescape(rest []byte, room *[utf8.UTFMax]byte) (int, []byte) {
	if len(rest) < 2 {
		return 0, nil
	}
	switch c := rest[1]; c {
	case '"', '\\', '/', '\'':
		room[0] = c
	case 'n':
		room[0] = '\n'
	case 't':
		room[0] = '\t'
	case 'r':
		room[0] = '\r'
	case 'b':
		room[0] = '\b'
	case 'f':
		room[0] = '\f'
	case 'x':
		n, err := hex(rest, 2)
		if err != nil {
			return 0, nil
		}
		room[0] = byte(n)
		return 4, room[:1]
	case 'u':
		return unescapeRune(rest, room)
	default:
		return 0, nil
	}
	return 2, room[:1]
}

// unescapeRune reads \uXXXX, or two of them that are one character (a surrogate pair).
func unescapeRune(rest []byte, room *[utf8.UTFMax]byte) (int, []byte) {
	n, err := hex(rest, 4)
	if err != nil {
		return 0, nil
	}
	taken, r := 6, rune(n)
	if utf16.IsSurrogate(r) && len(rest) >= 12 && rest[6] == '\\' && rest[7] == 'u' {
		if low, err := hex(rest[6:], 4); err == nil {
			if both := utf16.DecodeRune(r, rune(low)); both != utf8.RuneError {
				taken, r = 12, both
			}
		}
	}
	return taken, room[:utf8.EncodeRune(room[:], r)]
}

// hex reads the digits after the two bytes that begin an escape, such as \u.
func hex(rest []byte, digits int) (uint64, error) {
	if len(rest) < 2+digits {
		return 0, strconv.ErrSyntax
	}
	return strconv.ParseUint(string(rest[2:2+digits]), 16, 32)
}
