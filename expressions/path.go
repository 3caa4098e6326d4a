package expressions

import (
	"slices"
	"strconv"
	"strings"

	"github.com/expr-lang/expr/ast"
)

// path is an identifier followed by constant members only: input.a["b"][0]. It
// is what can be resolved without the library, in the stored bytes.
type path struct {
	root   string
	column int // of the root, in characters from 1
	hops   []hop
}

// hop is one member of a path, or the end of an optional chain. The parser ends
// a chain before a bracket: the hops of a?.b.c[0] are ?.b, .c, the end of the
// chain, and [0]. Parentheses around a chain do not end it.
type hop struct {
	key      string
	index    int  // not negative
	numeric  bool // [index] instead of .key
	optional bool // ?. : null ends the chain
	ends     bool // no member: an optional chain that ended before jumps here
	column   int  // in characters from 1; 0 of an end
}

// pathOf reads a node as a path; false where something in it is computed, or
// its root is a let.
func pathOf(n ast.Node, lets []string) (path, bool) {
	switch n := n.(type) {
	case *ast.IdentifierNode:
		if slices.Contains(lets, n.Value) {
			return path{}, false
		}
		return path{root: n.Value, column: column(n)}, true
	case *ast.ChainNode:
		p, ok := pathOf(n.Node, lets)
		if !ok {
			return path{}, false
		}
		// Where a null inside the chain goes on reading.
		p.hops = append(p.hops, hop{ends: true})
		return p, true
	case *ast.MemberNode:
		return memberPath(n, lets)
	}
	return path{}, false
}

// memberPath is pathOf for a member access; its hop is the last one.
func memberPath(n *ast.MemberNode, lets []string) (path, bool) {
	h := hop{optional: n.Optional, column: column(n)}
	switch key := n.Property.(type) {
	case *ast.StringNode:
		h.key = key.Value
	case *ast.IntegerNode:
		h.index, h.numeric = key.Value, true
	default:
		return path{}, false
	}
	p, ok := pathOf(n.Node, lets)
	if !ok {
		return path{}, false
	}
	// The members before it are there by now.
	p.hops = append(p.hops, h)
	return p, true
}

// first returns the name that follows the root directly, such as the step's id;
// false where nothing follows, or a number does.
func (p path) first() (string, bool) {
	for _, h := range p.hops {
		if h.ends {
			continue
		}
		// steps[0] names no step.
		return h.key, !h.numeric
	}
	return "", false
}

// names returns the path as plain words, indexes in decimal; false where it
// holds an optional hop.
func (p path) names() ([]string, bool) {
	names := []string{p.root}
	for _, h := range p.hops {
		switch {
		case h.optional || h.ends:
			return nil, false
		case h.numeric:
			names = append(names, strconv.Itoa(h.index))
		default:
			names = append(names, h.key)
		}
	}
	return names, true
}

// text prints the root and the first n hops as they would be written, for
// messages; ?. is printed as a dot.
func (p path) text(n int) string {
	var b strings.Builder
	b.WriteString(p.root)
	for _, h := range p.hops[:n] {
		switch {
		case h.ends:
		case h.numeric:
			b.WriteString("[" + strconv.Itoa(h.index) + "]")
		case identifier(h.key):
			b.WriteString("." + h.key)
		default:
			b.WriteString("[" + strconv.Quote(h.key) + "]")
		}
	}
	return b.String()
}

// identifier reports whether a text is one word that may be written behind a
// dot.
func identifier(s string) bool {
	return s != "" && wordLength(s) == len(s) && (s[0] < '0' || s[0] > '9')
}
