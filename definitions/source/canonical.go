package source

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"heddle/internal/exactjson"
)

// Render appends the canonical form of a tree to dst, sets each node's From
// and To to its span in the result, and returns the extended slice.
//
// The form is that of exactjson.Append, by which stored definitions are hashed. A
// Bad node is written as null and a refused member not at all, so only the form of
// a tree without errors stands for its text.
func Render(dst []byte, n *Node) []byte {
	n.From = int32(len(dst))
	switch n.Kind {
	case String:
		dst = exactjson.AppendString(dst, n.Text)
	case Object:
		o := exactjson.ObjectIn(dst)
		var few [fewKeys]int32
		for _, i := range n.sorted(few[:0]) {
			o.Name(n.Keys[i])
			o.Buf = Render(o.Buf, n.Kids[i])
		}
		dst = o.End()
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
