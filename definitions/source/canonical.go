package source

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
)

// Render appends the canonical form of a tree to dst, sets each node's From
// and To to its span in the result, and returns the extended slice.
//
// The form: keys in the order of their bytes, no white space, numbers as
// written, text with the fewest escapes. Hashes of stored definitions cover
// it, so it must never change by a byte. A Bad node is written as null and a
// refused member not at all, so only the form of a tree without errors stands
// for its text.
func Render(dst []byte, n *Node) []byte {
	n.From = int32(len(dst))
	switch n.Kind {
	case String:
		dst = quote(dst, n.Text)
	case Object:
		dst = append(dst, '{')
		for i, place := range n.sorted() {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = quote(dst, n.Keys[place])
			dst = append(dst, ':')
			dst = Render(dst, n.Kids[place])
		}
		dst = append(dst, '}')
	case Array:
		dst = append(dst, '[')
		for i, kid := range n.Kids {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = Render(dst, kid)
		}
		dst = append(dst, ']')
	case Number, Boolean:
		dst = append(dst, n.Text...)
	default:
		dst = append(dst, "null"...)
	}
	n.To = int32(len(dst))
	return dst
}

// quote appends a JSON string. Only what RFC 8259 requires is escaped: the quote,
// the backslash and control characters below U+0020, by \n, \r and \t or else
// \u00xx in small letters. The text is valid UTF-8 already.
func quote(dst []byte, s string) []byte {
	const digits = "0123456789abcdef"
	dst = append(dst, '"')
	// Runs of plain bytes are appended at once; start is where the current one
	// begins.
	start := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
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
			dst = append(dst, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		}
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}

// Canonical returns the canonical form of any JSON text, within the limits of a
// definition. A text that ScanJSON would refuse is its *fault.Error. raw is not
// changed, and the result shares no memory with it.
func Canonical(raw []byte) (json.RawMessage, error) {
	root, err := scanStrictly(raw, DefinitionLimits())
	if err != nil {
		return nil, err
	}
	return Render(make([]byte, 0, len(raw)), root), nil
}

// Hash returns the fingerprint of a canonical form: "sha256:" and 64 hexadecimal
// digits in small letters. Two definitions are the same version where it is
// equal.
func Hash(canonical []byte) string {
	sum := sha256.Sum256(canonical)
	return "sha256:" + hex.EncodeToString(sum[:])
}
