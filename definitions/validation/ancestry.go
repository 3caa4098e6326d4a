package validation

import "slices"

// ancestry answers which steps are ancestors of which. Direct dependencies are
// answered at once. For the rest, the ancestors among 64 neighbouring steps
// are found for all steps in one walk, when first asked for: a definition
// whose steps read only their neighbours never pays for it, and the worst one
// costs steps × edges / 64.
type ancestry struct {
	parents [][]int32 // a fallback's owner is its parent
	order   [][]int32 // components, parents first
	blocks  map[int32][]uint64
}

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

// has tells whether target is an ancestor of the step at a place.
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

// walk marks, for every step, its ancestors among the 64 of a block.
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
