package source

import (
	"encoding/json"
	"heddle/internal/exactjson"
	"slices"
	"strconv"
	"strings"
)

// Kind is the JSON type of a node. Bad stands for a value that was reported
// already; every later check stays silent about it. The zero Kind is Bad, so that
// a node that reading leaves half-way is never taken for a value.
type Kind uint8

// Bad is unreadable or refused; the others are the six types of RFC 8259.
const (
	Bad Kind = iota
	Null
	Boolean
	Number
	String
	Array
	Object
)

// String returns the type as messages name it, with its article: "a number", "a
// list". Bad is "unreadable".
func (k Kind) String() string {
	switch k {
	case Null:
		return "null"
	case Boolean:
		return "a boolean"
	case Number:
		return "a number"
	case String:
		return "text"
	case Array:
		return "a list"
	case Object:
		return "an object"
	default:
		return "unreadable"
	}
}

// Node is one value of the source with its place in the text. A tree is built
// by one scan and belongs to the goroutine that scanned it: Member fills an
// index when it is first needed, so a tree that several goroutines share is
// not safe to search. After the scan Render sets the spans, Remove detaches a
// member, and whoever reports a value makes its Kind Bad; nothing else
// changes a node.
//
// The tree of {"a": [1, true]}, as Kind Text:
//
//	Object
//	  Keys[0] "a", Kids[0] Array
//	    Kids[0] Number 1
//	    Kids[1] Boolean true
//
// and its pointers are "", "/a", "/a/0" and "/a/1".
type Node struct {
	// Synthetic: the node stands for its parent. A repeated or refused member
	// hangs below such a node, outside of the tree, so that its own mistakes are
	// reported with a pointer into the document although the value itself is not
	// part of it.
	Kind      Kind             // Bad: reported already
	Synthetic bool             // never among the kids of its parent
	Partial   bool             // members of it were refused: what is missing is not known
	index     int32            // place among the parent's kids; 0 for a root
	Seq       int32            // document order, from 0; the order in which diagnostics are listed
	Pos       Position         // of the value's first character
	keyPos    Position         // of the member's key; zero in lists
	From, To  int32            // span in the canonical form, To exclusive; set by Render, else 0
	Parent    *Node            // nil for the root
	Text      string           // the decoded string, or the number, true or false as written; "" for others
	Keys      []string         // of an object, beside Kids and in document order; nil for others
	Kids      []*Node          // items or members in document order
	byKey     map[string]int32 // of an object with more than manyKeys keys; made when first needed
}

// manyKeys is the number of members of an object beyond which they are found by a
// map. Below it a scan of the keys is faster than making the map.
const manyKeys = 32

// add appends a child to a list, or to an object under key; of a list, key is not
// used. The caller has checked that the key is new.
func (n *Node) add(key string, child *Node) {
	child.Parent = n
	child.index = int32(len(n.Kids))
	n.Kids = append(n.Kids, child)
	if n.Kind == Object {
		n.Keys = append(n.Keys, key)
	}
}

// Member returns the child of an object under key, nil when there is none, when n
// is not an object and when n is nil, so that lookups can be chained. O(1) on
// large objects after the first call.
func (n *Node) Member(key string) *Node {
	if n == nil || n.Kind != Object {
		return nil
	}
	// The index of a repeated key would be that of the last, but keys are
	// unique here.
	if len(n.Keys) > manyKeys {
		if n.byKey == nil {
			n.byKey = make(map[string]int32, len(n.Keys))
			for i, k := range n.Keys {
				n.byKey[k] = int32(i)
			}
		}
		if i, ok := n.byKey[key]; ok {
			return n.Kids[i]
		}
		return nil
	}
	for i, k := range n.Keys {
		if k == key {
			return n.Kids[i]
		}
	}
	return nil
}

// Item returns the i-th item of a list, nil when there is none, when n is not a
// list and when n is nil. i is 0 or more.
func (n *Node) Item(i int) *Node {
	if n == nil || n.Kind != Array || i >= len(n.Kids) {
		return nil
	}
	return n.Kids[i]
}

// Pick follows members from n. Where one is absent it returns the last one found,
// so a diagnostic about a missing value points at the nearest object around its
// place.
func (n *Node) Pick(path ...string) *Node {
	for _, key := range path {
		next := n.Member(key)
		if next == nil {
			return n
		}
		n = next
	}
	return n
}

// Follow resolves an RFC 6901 JSON pointer below n and returns the node at which
// it ends, or the last one that exists on the way. A pointer is "" or begins with
// "/".
func (n *Node) Follow(pointer string) *Node {
	if pointer == "" {
		return n
	}
	for token := range strings.SplitSeq(pointer[1:], "/") {
		// An object's member named "0" is found here; an index counts for lists
		// alone.
		next := n.Member(exactjson.UnescapeToken(token))
		if next == nil {
			i, err := strconv.Atoi(token)
			if err != nil || i < 0 {
				return n
			}
			next = n.Item(i)
		}
		if next == nil {
			return n
		}
		n = next
	}
	return n
}

// NewSynthetic returns a node that stands for n (see Node.Synthetic), for what is
// reported at pos and not kept. It is an Object, so that a refused member can be
// added below it; n itself does not change.
func NewSynthetic(n *Node, seq int32, pos Position) *Node {
	return &Node{Kind: Object, Synthetic: true, Parent: n, Seq: seq, Pos: pos}
}

// Top returns the root of n's tree: n itself when it has no parent. O(depth).
func (n *Node) Top() *Node {
	for n.Parent != nil {
		n = n.Parent
	}
	return n
}

// Pointer returns the RFC 6901 JSON pointer of n from the document's root; "" is
// the root. Where it would be longer than MaxPointer bytes, it is that of the
// nearest value around the node for which it is not.
func (n *Node) Pointer() string {
	n = n.pointable()
	var tokens []string
	for ; n.Parent != nil; n = n.Parent {
		// It stands for its parent and has no token of its own.
		if n.Synthetic {
			continue
		}
		if n.Parent.Kind == Object {
			tokens = append(tokens, exactjson.EscapeToken(n.Parent.Keys[n.index]))
		} else {
			tokens = append(tokens, strconv.Itoa(int(n.index)))
		}
	}
	var b strings.Builder
	for _, token := range slices.Backward(tokens) {
		b.WriteByte('/')
		b.WriteString(token)
	}
	return b.String()
}

// pointable walks up to the nearest node whose pointer fits MaxPointer. It counts
// eight bytes for each token beside its key: a slash, and an index of up to seven
// digits or a few escapes.
func (n *Node) pointable() *Node {
	size, from := 0, n
	for ; n.Parent != nil; n = n.Parent {
		if n.Synthetic {
			continue
		}
		size += 8
		if n.Parent.Kind == Object {
			size += len(n.Parent.Keys[n.index])
		}
		if size > MaxPointer {
			// Too long up to here: the search starts again from the value
			// around it.
			size, from = 0, n.Parent
		}
	}
	return from
}

// sorted appends to order the indexes of an object's members in the order of the bytes of
// their keys, which is the order of the canonical form.
func (n *Node) sorted(order []int32) []int32 {
	for i := range n.Keys {
		order = append(order, int32(i))
	}
	slices.SortFunc(order, func(a, b int32) int { return strings.Compare(n.Keys[a], n.Keys[b]) })
	return order
}

// Readable reports whether nothing in the tree was reported as unreadable. It
// walks the whole tree; refused members, which hang outside of it, do not count.
func (n *Node) Readable() bool {
	for _, kid := range n.Kids {
		if !kid.Readable() {
			return false
		}
	}
	return n.Kind != Bad
}

// TextOf returns the text of a string, "" for nil and for every other kind.
func TextOf(n *Node) string {
	if n == nil || n.Kind != String {
		return ""
	}
	return n.Text
}

// Value returns the tree as the values that the schema library checks. Numbers
// are json.Number, so they stay exact; Bad and Null are nil.
func (n *Node) Value() any {
	switch n.Kind {
	case String:
		return n.Text
	case Number:
		return json.Number(n.Text)
	case Boolean:
		return n.Text == "true"
	case Array:
		list := make([]any, len(n.Kids))
		for i, kid := range n.Kids {
			list[i] = kid.Value()
		}
		return list
	case Object:
		m := make(map[string]any, len(n.Kids))
		for i, kid := range n.Kids {
			m[n.Keys[i]] = kid.Value()
		}
		return m
	default:
		return nil
	}
}

// Show returns a value as messages quote it: a string in single quotes and not
// shortened, a number or boolean as written, and the type of everything else.
func (n *Node) Show() string {
	switch n.Kind {
	case String:
		return "'" + n.Text + "'"
	case Number, Boolean:
		return n.Text
	default:
		return n.Kind.String()
	}
}

// Locate returns the node at the end of a path of unescaped tokens, as Follow
// does.
func Locate(root *Node, tokens []string) *Node {
	return root.Follow(exactjson.Pointer(tokens))
}

// Objects returns the number of objects in a tree, n included.
func (n *Node) Objects() int {
	count := 0
	if n.Kind == Object {
		count = 1
	}
	for _, kid := range n.Kids {
		count += kid.Objects()
	}
	return count
}

// Remove takes a direct child out of the object n and makes it a root of its own.
// The slices of n are copied, not changed in place. O(number of members).
func (n *Node) Remove(child *Node) {
	i := int(child.index)
	// The full slice expressions leave room for nothing, so append copies.
	n.Keys, n.byKey = append(n.Keys[:i:i], n.Keys[i+1:]...), nil
	n.Kids = append(n.Kids[:i:i], n.Kids[i+1:]...)
	for ; i < len(n.Kids); i++ {
		n.Kids[i].index = int32(i)
	}
	child.Parent, child.index = nil, 0
}
