package source

import (
	"encoding/json"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// Kind is the JSON type of a node. A bad node stands for a value that was
// reported already; every later check stays silent about it.
type Kind uint8

const (
	Bad Kind = iota
	Null
	Boolean
	Number
	String
	Array
	Object
)

// String names the type as messages do.
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

// Node is one value of the source with its place. Scalars have text: the
// decoded string, or the number, true or false as written.
type Node struct {
	Kind      Kind
	Synthetic bool  // stands for its parent: a repeated or refused member hangs below it, outside of the tree
	Partial   bool  // members of it were refused: what is missing is not known
	index     int32 // place in the parent
	Seq       int32 // document order
	Pos       Position
	keyPos    Position // of the member's key; zero in lists
	From, To  int32    // span in the canonical form
	Parent    *Node
	Text      string
	Keys      []string // of an object, beside kids
	Kids      []*Node
	byKey     map[string]int32 // of an object with many keys; made when first asked
}

// manyKeys is from when on members are found by a map.
const manyKeys = 32

// add hangs a child into a list, or under key into an object.
func (n *Node) add(key string, child *Node) {
	child.Parent = n
	child.index = int32(len(n.Kids))
	n.Kids = append(n.Kids, child)
	if n.Kind == Object {
		n.Keys = append(n.Keys, key)
	}
}

// Member finds a child of an object; nil when there is none.
func (n *Node) Member(key string) *Node {
	if n == nil || n.Kind != Object {
		return nil
	}
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

// Item finds an item of a list; nil when there is none.
func (n *Node) Item(i int) *Node {
	if n == nil || n.Kind != Array || i >= len(n.Kids) {
		return nil
	}
	return n.Kids[i]
}

// Pick follows members; where one is absent, the last one found is given.
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

// Follow resolves a JSON pointer below n, as far as it goes.
func (n *Node) Follow(pointer string) *Node {
	if pointer == "" {
		return n
	}
	for token := range strings.SplitSeq(pointer[1:], "/") {
		next := n.Member(unescape(token))
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

// NewSynthetic makes a place below n for what is reported there and not kept.
func NewSynthetic(n *Node, seq int32, pos Position) *Node {
	return &Node{Kind: Object, Synthetic: true, Parent: n, Seq: seq, Pos: pos}
}

// Top walks up to the root.
func (n *Node) Top() *Node {
	for n.Parent != nil {
		n = n.Parent
	}
	return n
}

// Pointer is the RFC 6901 JSON pointer from the document's root. Where it would
// be longer than maxPointer bytes, it is that of the nearest value around the
// node for which it is not.
func (n *Node) Pointer() string {
	n = n.pointable()
	var tokens []string
	for ; n.Parent != nil; n = n.Parent {
		if n.Synthetic {
			continue
		}
		if n.Parent.Kind == Object {
			tokens = append(tokens, EscapePointer(n.Parent.Keys[n.index]))
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

// pointable walks up to where a pointer is short enough.
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
			size, from = 0, n.Parent
		}
	}
	return from
}

// EscapePointer writes a key as a JSON pointer's token.
func EscapePointer(key string) string {
	return strings.ReplaceAll(strings.ReplaceAll(key, "~", "~0"), "/", "~1")
}

func unescape(token string) string {
	return strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~")
}

// sorted gives the places of an object's members in the order of their keys.
func (n *Node) sorted() []int {
	order := make([]int, len(n.Keys))
	for i := range order {
		order[i] = i
	}
	sort.Slice(order, func(a, b int) bool { return n.Keys[order[a]] < n.Keys[order[b]] })
	return order
}

// Readable tells whether nothing in the tree was reported as unreadable.
func (n *Node) Readable() bool {
	for _, kid := range n.Kids {
		if !kid.Readable() {
			return false
		}
	}
	return n.Kind != Bad
}

func TextOf(n *Node) string {
	if n == nil || n.Kind != String {
		return ""
	}
	return n.Text
}

// Value turns a tree into what the schema library checks: numbers stay exact.
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

// Show is a value as messages quote it.
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

func Locate(root *Node, tokens []string) *Node {
	var pointer strings.Builder
	for _, t := range tokens {
		pointer.WriteString("/" + EscapePointer(t))
	}
	return root.Follow(pointer.String())
}

// Objects counts those in a tree.
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

// Remove takes a member out of its object and makes it a root.
func (n *Node) Remove(child *Node) {
	i := int(child.index)
	n.Keys, n.byKey = append(n.Keys[:i:i], n.Keys[i+1:]...), nil
	n.Kids = append(n.Kids[:i:i], n.Kids[i+1:]...)
	for ; i < len(n.Kids); i++ {
		n.Kids[i].index = int32(i)
	}
	child.Parent, child.index = nil, 0
}

func Pointer(tokens []string) string {
	var b strings.Builder
	for _, t := range tokens {
		b.WriteByte('/')
		b.WriteString(strings.ReplaceAll(strings.ReplaceAll(t, "~", "~0"), "/", "~1"))
	}
	return b.String()
}
