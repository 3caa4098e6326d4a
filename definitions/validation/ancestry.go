package validation

import "slices"

// ancestry answers which steps are ancestors of which. Direct dependencies
// are answered at once. For the rest, the ancestors among 64 neighbouring
// steps are found for all steps in one walk, when first needed: a definition
// whose steps read only their neighbours never pays for it, and the worst one
// costs steps × edges / 64.
type ancestry struct {
	parents [][]int32          // by place; a fallback's owner is its parent
	order   [][]int32          // components of parents, parents first
	blocks  map[int32][]uint64 // by target/64: for each step, a bit per ancestor
}

// newAncestry returns the ancestry of a graph whose edges are complete.
func newAncestry(g *graph) *ancestry {
	a := &ancestry{parents: make([][]int32, len(g.entries)), blocks: map[int32][]uint64{}}
	for i, e := range g.entries {
		for _, dep := range e.deps {
			a.parents[i] = append(a.parents[i], dep.to)
		}
		if e.owner != none {
			a.parents[i] = append(a.parents[i], e.owner)
		}
	}
	a.order = components(a.parents)
	return a
}

// has reports whether target is an ancestor of the step at a place. In a
// cycle each step is an ancestor of each, itself included.
func (a *ancestry) has(at, target int32) bool {
	if slices.Contains(a.parents[at], target) {
		return true
	}
	block, ok := a.blocks[target/64]
	if !ok {
		block = a.walk(target / 64)
		a.blocks[target/64] = block
	}
	return block[at]&(1<<(target%64)) != 0
}

// walk returns, for every step, its ancestors among the 64 of a block as
// bits. Parents come first in order, so each group is visited once.
func (a *ancestry) walk(block int32) []uint64 {
	marks := make([]uint64, len(a.parents))
	for _, group := range a.order {
		var all uint64
		for _, v := range group {
			for _, p := range a.parents[v] {
				all |= marks[p]
				if p/64 == block {
					all |= 1 << (p % 64)
				}
			}
		}
		for _, v := range group {
			marks[v] = all
		}
	}
	return marks
}
