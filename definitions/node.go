package definitions

import (
	"slices"
	"sort"
	"strconv"
	"strings"
)

// jsonType is the JSON type of a node. A bad node stands for a value that was
// reported already; every later check stays silent about it.
type jsonType uint8

const (
	bad jsonType = iota
	null
	boolean
	number
	text
	array
	object
)

// String names the type as messages do.
func (k jsonType) String() string {
	switch k {
	case null:
		return "null"
	case boolean:
		return "a boolean"
	case number:
		return "a number"
	case text:
		return "text"
	case array:
		return "a list"
	case object:
		return "an object"
	default:
		return "unreadable"
	}
}

// node is one value of the source with its place. Scalars have text: the
// decoded string, or the number, true or false as written.
type node struct {
	kind     jsonType
	ghost    bool  // stands for its parent: a repeated or refused member hangs below it, outside of the tree
	partial  bool  // members of it were refused: what is missing is not known
	index    int32 // place in the parent
	seq      int32 // document order
	pos      position
	keyPos   position // of the member's key; zero in lists
	from, to int32    // span in the canonical form
	parent   *node
	text     string
	keys     []string // of an object, beside kids
	kids     []*node
	byKey    map[string]int32 // of an object with many keys; made when first asked
}

// manyKeys is from when on members are found by a map.
const manyKeys = 32

// position is a place in the source: a byte offset (JSON) or a line and a
// column counted from 1 (YAML).
type position struct {
	offset       int32
	line, column int32
}

// add hangs a child into a list, or under key into an object.
func (n *node) add(key string, child *node) {
	child.parent = n
	child.index = int32(len(n.kids))
	n.kids = append(n.kids, child)
	if n.kind == object {
		n.keys = append(n.keys, key)
	}
}

// member finds a child of an object; nil when there is none.
func (n *node) member(key string) *node {
	if n == nil || n.kind != object {
		return nil
	}
	if len(n.keys) > manyKeys {
		if n.byKey == nil {
			n.byKey = make(map[string]int32, len(n.keys))
			for i, k := range n.keys {
				n.byKey[k] = int32(i)
			}
		}
		if i, ok := n.byKey[key]; ok {
			return n.kids[i]
		}
		return nil
	}
	for i, k := range n.keys {
		if k == key {
			return n.kids[i]
		}
	}
	return nil
}

// at finds an item of a list; nil when there is none.
func (n *node) at(i int) *node {
	if n == nil || n.kind != array || i >= len(n.kids) {
		return nil
	}
	return n.kids[i]
}

// pick follows members; where one is absent, the last one found is given.
func (n *node) pick(path ...string) *node {
	for _, key := range path {
		next := n.member(key)
		if next == nil {
			return n
		}
		n = next
	}
	return n
}

// follow resolves a JSON pointer below n, as far as it goes.
func (n *node) follow(pointer string) *node {
	if pointer == "" {
		return n
	}
	for token := range strings.SplitSeq(pointer[1:], "/") {
		next := n.member(unescape(token))
		if next == nil {
			i, err := strconv.Atoi(token)
			if err != nil || i < 0 {
				return n
			}
			next = n.at(i)
		}
		if next == nil {
			return n
		}
		n = next
	}
	return n
}

// ghostOf makes a place below n for what is reported there and not kept.
func ghostOf(n *node, seq int32, pos position) *node {
	return &node{kind: object, ghost: true, parent: n, seq: seq, pos: pos}
}

// top walks up to the root.
func (n *node) top() *node {
	for n.parent != nil {
		n = n.parent
	}
	return n
}

// pointer is the RFC 6901 JSON pointer from the document's root. Where it would
// be longer than maxPointer bytes, it is that of the nearest value around the
// node for which it is not.
func (n *node) pointer() string {
	n = n.pointable()
	var tokens []string
	for ; n.parent != nil; n = n.parent {
		if n.ghost {
			continue
		}
		if n.parent.kind == object {
			tokens = append(tokens, escape(n.parent.keys[n.index]))
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
func (n *node) pointable() *node {
	size, from := 0, n
	for ; n.parent != nil; n = n.parent {
		if n.ghost {
			continue
		}
		size += 8
		if n.parent.kind == object {
			size += len(n.parent.keys[n.index])
		}
		if size > maxPointer {
			size, from = 0, n.parent
		}
	}
	return from
}

// escape writes a key as a JSON pointer's token.
func escape(key string) string {
	return strings.ReplaceAll(strings.ReplaceAll(key, "~", "~0"), "/", "~1")
}

func unescape(token string) string {
	return strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~")
}

// sorted gives the places of an object's members in the order of their keys.
func (n *node) sorted() []int {
	order := make([]int, len(n.keys))
	for i := range order {
		order[i] = i
	}
	sort.Slice(order, func(a, b int) bool { return n.keys[order[a]] < n.keys[order[b]] })
	return order
}

// readable tells whether nothing in the tree was reported as unreadable.
func (n *node) readable() bool {
	for _, kid := range n.kids {
		if !kid.readable() {
			return false
		}
	}
	return n.kind != bad
}
