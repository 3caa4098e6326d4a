package exactjson

import "strings"

// EscapeToken returns a name as one token of a JSON pointer: ~ as ~0 and / as ~1, ~
// first, or else the ~ of a new ~1 would be escaped as well (RFC 6901, section 3).
func EscapeToken(name string) string {
	if !strings.ContainsAny(name, "~/") {
		return name
	}
	return strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1")
}

// UnescapeToken is the inverse of EscapeToken; ~1 is replaced before ~0 (RFC 6901,
// section 4).
func UnescapeToken(token string) string {
	return strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~")
}

// Pointer returns the JSON pointer of unescaped names; "" for none.
func Pointer(names []string) string {
	var b strings.Builder
	for _, name := range names {
		b.WriteByte('/')
		b.WriteString(EscapeToken(name))
	}
	return b.String()
}
