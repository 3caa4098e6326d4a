package versions

import (
	"slices"
	"sort"
)

// alignment turns one list of unique keys into another: remove, then move, then
// add, each in the order of its list here. It has the fewest possible moves and
// takes O(n log n). For a b c d → d a x c:
//
//	removed 1 (b), leaving a c d
//	moved   2 to 0 (d), leaving d a c
//	added   2 (x)
type alignment struct {
	removed []int      // indexes in the old list, descending
	moves   []move     // each with indexes of the list as it is by then
	added   []int      // indexes in the new list, ascending
	kept    []keptPair // what is in both, in the new list's order
}

// move takes the element at from out of the list and inserts it so that it is
// at to, as in RFC 6902.
type move struct{ from, to int }

// keptPair is the index of one key in the old and in the new list. moved
// reports that it needs a move of its own, and is not just shifted by others.
type keptPair struct {
	old, new int
	moved    bool
}

// align aligns two lists. A key must not occur twice in one list. The lists are
// not kept.
func align(before, after []string) alignment {
	newPlace := make(map[string]int, len(after))
	for i, key := range after {
		newPlace[key] = i
	}
	rank := make(map[string]int, len(before)) // among the old list's survivors
	var al alignment
	oldPlace := make([]int, 0, len(before))
	for i, key := range before {
		if _, ok := newPlace[key]; ok {
			rank[key] = len(oldPlace)
			oldPlace = append(oldPlace, i)
		} else {
			al.removed = append(al.removed, i)
		}
	}
	// From the end, so that a removal does not shift those that follow.
	slices.Reverse(al.removed)
	order := make([]int, 0, len(oldPlace)) // the survivors' ranks as the new list has them
	for i, key := range after {
		if r, ok := rank[key]; ok {
			order = append(order, r)
			al.kept = append(al.kept, keptPair{old: oldPlace[r], new: i})
		} else {
			al.added = append(al.added, i)
		}
	}
	al.computeMoves(order)
	return al
}

// computeMoves computes the moves that bring 0…n-1 into the given order. A
// longest increasing subsequence stays, which leaves the fewest to move; every
// other element is moved once, from the first to the last of the new order,
// directly behind its predecessor. Because the list changes with each move, an
// element's current index is found by counting: the elements that stay before
// it, and the movers before it that have not moved yet.
func (al *alignment) computeMoves(order []int) {
	stays := longestIncreasing(order)
	final := make([]int, 0, len(order)) // where each of those that stay ends up
	staysBefore := make([]int, len(order)+1)
	movers := newFenwickTree(len(order)) // ranks that still have to move
	for i, r := range order {
		if stays[i] {
			final = append(final, i)
			staysBefore[r+1] = 1
		} else {
			movers.add(r, 1)
		}
	}
	for r := range order {
		staysBefore[r+1] += staysBefore[r]
	}
	passed, anchor := 0, 0 // how many that stay lie behind, and the rank of the last
	for i, r := range order {
		if stays[i] {
			passed, anchor = passed+1, r
			continue
		}
		al.kept[i].moved = true
		// What is placed goes directly after its predecessor, so before every
		// mover that waits between two that stay.
		from := i + staysBefore[r] - passed
		if staysBefore[r] < passed {
			from = final[staysBefore[r]]
		}
		from += movers.below(r)
		movers.add(r, -1)
		if to := i + movers.below(anchor); to != from {
			al.moves = append(al.moves, move{from: from, to: to})
		}
	}
}

// longestIncreasing marks the elements of a longest increasing subsequence of
// distinct numbers, by patience sorting in O(n log n).
func longestIncreasing(s []int) []bool {
	var tops []int // tops[k]: index of the smallest end of an increasing subsequence of k+1
	previous := make([]int, len(s))
	for i, v := range s {
		k := sort.Search(len(tops), func(k int) bool { return s[tops[k]] > v })
		previous[i] = -1
		if k > 0 {
			previous[i] = tops[k-1]
		}
		if k == len(tops) {
			tops = append(tops, i)
		} else {
			tops[k] = i
		}
	}
	marks := make([]bool, len(s))
	if len(tops) == 0 {
		return marks
	}
	for i := tops[len(tops)-1]; i >= 0; i = previous[i] {
		marks[i] = true
	}
	return marks
}

// fenwickTree holds a count per index and sums prefixes, both in O(log n). Its
// elements count from 1.
type fenwickTree []int

// newFenwickTree returns a tree of n zero counts.
func newFenwickTree(n int) fenwickTree { return make(fenwickTree, n+1) }

// add adds n at an index, from 0.
func (t fenwickTree) add(place, n int) {
	for i := place + 1; i < len(t); i += i & -i {
		t[i] += n
	}
}

// below returns the sum of the counts at all indexes less than this one.
func (t fenwickTree) below(place int) int {
	sum := 0
	for i := place; i > 0; i -= i & -i {
		sum += t[i]
	}
	return sum
}
