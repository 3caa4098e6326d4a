package source

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
)

// Render writes the canonical form of a tree and notes each node's span in
// it: keys in the order of their bytes, no white space, numbers as written,
// text with the fewest escapes.
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

// quote appends a JSON string; only what must be is escaped.
func quote(dst []byte, s string) []byte {
	const digits = "0123456789abcdef"
	dst = append(dst, '"')
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

// Canonical gives the canonical form of any JSON text: sorted keys, no white
// space, strings and numbers as written. A text that ScanJSON would refuse is
// a *fault.Error.
func Canonical(raw []byte) (json.RawMessage, error) {
	root, err := scanStrictly(raw, DefinitionLimits())
	if err != nil {
		return nil, err
	}
	return Render(make([]byte, 0, len(raw)), root), nil
}

// Hash is the fingerprint of a canonical form: "sha256:" and 64 hexadecimal
// digits.
func Hash(canonical []byte) string {
	sum := sha256.Sum256(canonical)
	return "sha256:" + hex.EncodeToString(sum[:])
}
