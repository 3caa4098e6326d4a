package steps

import (
	"net/url"
	"strings"
)

// parseURL parses an address that templates may have filled. What cannot stand in a path
// or query is percent-encoded (a space, characters beyond ASCII, a % that begins no
// escape), and escapes stay. Characters that separate parts, such as / or &, keep their
// meaning; the template function urlEncode takes it from them. The error is the
// permanent failure invalid_url.
func parseURL(text string) (*url.URL, error) {
	text = strings.TrimSpace(text)
	// Scheme and host are left to url.Parse, which refuses what they may not hold.
	start := strings.Index(text, "://")
	if start < 0 {
		start = 0
	} else {
		start += len("://")
	}
	if i := strings.IndexAny(text[start:], "/?#"); i >= 0 {
		text = text[:start+i] + escapeURL(text[start+i:])
	}
	u, err := url.Parse(text)
	if err != nil {
		return nil, permanent("invalid_url", "The url is not valid.")
	}
	return u, nil
}

// escapeURL percent-encodes the bytes that no part of a URL may hold. Applied twice it
// changes nothing more.
func escapeURL(s string) string {
	var out strings.Builder
	from := 0
	for i := 0; i < len(s); i++ {
		if !mustEscape(s, i) {
			continue
		}
		const hex = "0123456789ABCDEF"
		out.WriteString(s[from:i])
		out.Write([]byte{'%', hex[s[i]>>4], hex[s[i]&15]})
		from = i + 1
	}
	if from == 0 {
		return s
	}
	out.WriteString(s[from:])
	return out.String()
}

// mustEscape reports whether the byte at i cannot stand in a URL as it is (RFC 3986, 2).
// A % that two hexadecimal digits follow can.
func mustEscape(s string, i int) bool {
	switch c := s[i]; c {
	case '%':
		return i+2 >= len(s) || !isHex(s[i+1]) || !isHex(s[i+2])
	case '"', '<', '>', '\\', '^', '`', '{', '|', '}':
		return true
	default:
		return c <= ' ' || c >= 0x7f
	}
}

// isHex reports whether a byte is a hexadecimal digit.
func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}
