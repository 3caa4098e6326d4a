package machine

import (
	"math/bits"
	"slices"
)

// trie is a persistent sparse vector: a 32-way radix tree over rising keys in
// which only occupied places take memory. set and delete cost O(log32 key) and
// leave every older copy of the trie as it was. The zero value is empty; a copy
// of the struct is a copy of the vector.
//
// Nodes carry the edit number in which they were made. Within one edit (one
// Apply) they are changed in place, because no other copy holds them yet; every
// other node is copied first. Edit numbers must therefore never be used twice
// on copies of one trie.
type trie[T any] struct {
	root  *trieNode[T]
	shift uint8 // of the root: 0 for a leaf
	size  int
}

// trieNode holds its occupied places only, in order; used has a bit for each. A
// leaf has values, an inner node has children, never both.
type trieNode[T any] struct {
	edit     uint64
	used     uint32
	children []*trieNode[T]
	values   []T
}

const (
	// A node has 32 places: five bits of the key choose one.
	trieBits = 5
	trieMask = 1<<trieBits - 1
)

// len returns the number of occupied places.
func (t *trie[T]) len() int { return t.size }

// get returns the value at key; ok is false where the place is empty.
func (t *trie[T]) get(key uint64) (v T, ok bool) {
	n, shift := t.root, t.shift
	if n == nil || key>>shift > trieMask {
		return v, false
	}
	for {
		bit := uint32(1) << (key >> shift & trieMask)
		if n.used&bit == 0 {
			return v, false
		}
		// Only occupied places are stored, so the index of one is the number of those
		// before it.
		at := bits.OnesCount32(n.used & (bit - 1))
		if shift == 0 {
			return n.values[at], true
		}
		n, shift = n.children[at], shift-trieBits
	}
}

// set puts a value at key, in place of an earlier one, and grows the tree upwards where the
// key needs it.
func (t *trie[T]) set(edit, key uint64, v T) {
	if t.root == nil {
		// An empty tree gets at once the height that the key needs.
		t.root, t.shift = &trieNode[T]{edit: edit}, 0
		for key>>t.shift > trieMask {
			t.shift += trieBits
		}
	}
	for key>>t.shift > trieMask {
		// The old root holds the lowest keys of the higher one.
		t.root = &trieNode[T]{edit: edit, used: 1, children: []*trieNode[T]{t.root}}
		t.shift += trieBits
	}
	root, grown := t.root.insert(edit, key, t.shift, v)
	t.root = root
	if grown {
		t.size++
	}
}

// insert sets the key below n and returns the node to use in n's place, and
// whether the place was empty before.
func (n *trieNode[T]) insert(edit, key uint64, shift uint8, v T) (*trieNode[T], bool) {
	n = n.editable(edit)
	bit := uint32(1) << (key >> shift & trieMask)
	at := bits.OnesCount32(n.used & (bit - 1))
	found := n.used&bit != 0
	n.used |= bit
	if shift == 0 {
		if found {
			n.values[at] = v
		} else {
			n.values = slices.Insert(n.values, at, v)
		}
		return n, !found
	}
	if !found {
		n.children = slices.Insert(n.children, at, &trieNode[T]{edit: edit})
	}
	kid, grown := n.children[at].insert(edit, key, shift-trieBits, v)
	n.children[at] = kid
	return n, grown
}

// delete empties the place at key, if it is occupied. The tree does not become lower, but
// for an empty one.
func (t *trie[T]) delete(edit, key uint64) {
	if _, ok := t.get(key); !ok {
		return
	}
	t.size--
	if t.root = t.root.remove(edit, key, t.shift); t.root == nil {
		t.shift = 0
	}
}

// remove empties the place at key, which is occupied, and returns the node to
// use in n's place: nil when nothing is left below it.
func (n *trieNode[T]) remove(edit, key uint64, shift uint8) *trieNode[T] {
	bit := uint32(1) << (key >> shift & trieMask)
	at := bits.OnesCount32(n.used & (bit - 1))
	var kid *trieNode[T]
	if shift > 0 {
		kid = n.children[at].remove(edit, key, shift-trieBits)
	}
	// Nothing is left in the node: its parent drops it.
	if kid == nil && n.used == bit {
		return nil
	}
	n = n.editable(edit)
	switch {
	case kid != nil:
		n.children[at] = kid
	case shift > 0:
		n.children, n.used = slices.Delete(n.children, at, at+1), n.used&^bit
	default:
		n.values, n.used = slices.Delete(n.values, at, at+1), n.used&^bit
	}
	return n
}

// editable returns n itself when this edit made it, and otherwise a copy that
// the edit may change.
func (n *trieNode[T]) editable(edit uint64) *trieNode[T] {
	if n.edit == edit {
		return n
	}
	return &trieNode[T]{edit: edit, used: n.used, children: slices.Clone(n.children), values: slices.Clone(n.values)}
}

// min returns the lowest key and its value; ok is false for an empty trie.
func (t *trie[T]) min() (key uint64, v T, ok bool) {
	return t.extreme(func(used uint32) int { return bits.TrailingZeros32(used) })
}

// max returns the highest key and its value; ok is false for an empty trie.
func (t *trie[T]) max() (key uint64, v T, ok bool) {
	return t.extreme(func(used uint32) int { return 31 - bits.LeadingZeros32(used) })
}

// extreme follows the place that pick chooses in every node, down to a leaf.
func (t *trie[T]) extreme(pick func(used uint32) int) (key uint64, v T, ok bool) {
	if t.root == nil {
		return 0, v, false
	}
	n, shift := t.root, t.shift
	for {
		slot := pick(n.used)
		key |= uint64(slot) << shift
		at := bits.OnesCount32(n.used & (1<<slot - 1))
		if shift == 0 {
			return key, n.values[at], true
		}
		n, shift = n.children[at], shift-trieBits
	}
}

// all visits the values in order of their keys until yield returns false. The trie must not
// be changed by the same edit meanwhile, because its nodes are then changed in place.
func (t *trie[T]) all(yield func(key uint64, v T) bool) {
	if t.root != nil {
		t.root.walk(0, t.shift, yield)
	}
}

// walk visits what is below n, whose keys begin with base; it returns false once yield did.
func (n *trieNode[T]) walk(base uint64, shift uint8, yield func(uint64, T) bool) bool {
	for used, at := n.used, 0; used != 0; used, at = used&(used-1), at+1 {
		key := base | uint64(bits.TrailingZeros32(used))<<shift
		if shift == 0 {
			if !yield(key, n.values[at]) {
				return false
			}
		} else if !n.children[at].walk(key, shift-trieBits, yield) {
			return false
		}
	}
	return true
}
