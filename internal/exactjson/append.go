package exactjson

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"unicode/utf8"
)

// Canonical returns the canonical form of a decoded value; see Append.
func Canonical(v any) json.RawMessage { return Append(nil, v) }

// Append appends the canonical form of a decoded value. A value of another type is
// written as null. It recurses as deep as the value nests.
func Append(dst []byte, v any) []byte {
	switch v := v.(type) {
	case map[string]any:
		o := ObjectIn(dst)
		for _, name := range Names(v) {
			o.Name(name)
			o.Buf = Append(o.Buf, v[name])
		}
		return o.End()
	case []any:
		dst = append(dst, '[')
		for i, element := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = Append(dst, element)
		}
		return append(dst, ']')
	case string:
		return AppendString(dst, v)
	case json.Number:
		return append(dst, v...)
	case bool:
		return strconv.AppendBool(dst, v)
	}
	return append(dst, "null"...)
}

// AppendString appends a JSON string. Only what RFC 8259 requires is escaped: the
// quote, the backslash and control characters below U+0020, by \n, \r and \t or else
// \u00xx in small letters. Each byte that is not UTF-8 becomes U+FFFD.
func AppendString[T ~string | ~[]byte](dst []byte, s T) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	// Stretches without escapes are copied as a whole; start is where the current one
	// begins.
	start := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= utf8.RuneSelf {
			// A U+FFFD that was written has three bytes, and stays.
			r, size := utf8.DecodeRuneInString(string(s[i:min(i+utf8.UTFMax, len(s))]))
			if r == utf8.RuneError && size == 1 {
				dst = append(append(dst, s[start:i]...), "\uFFFD"...)
				start = i + 1
			}
			i += size - 1
			continue
		}
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, s[start:i]...)
		start = i + 1
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	return append(append(dst, s[start:]...), '"')
}

// Quote returns a text as a JSON string, as AppendString writes it.
func Quote[T ~string | ~[]byte](s T) json.RawMessage {
	return AppendString(make([]byte, 0, len(s)+2), s)
}

// Encode returns the JSON of a Go value as encoding/json writes it, but with <, >
// and & as they are, so that text does not grow. The errors are those of
// encoding/json.
func Encode(v any) (json.RawMessage, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// Names returns an object's names, sorted by their bytes.
func Names[V any](object map[string]V) []string {
	names := make([]string, 0, len(object))
	for name := range object {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
