package validation

import (
	"heddle/definitions/source"
	"slices"
	"strings"
)

// searchBudget bounds the edges that the search for the shortest cycle of one
// component may look at; beyond it the shortest found so far is reported.
const searchBudget = 1_000_000

// cycles reports one shortest cycle per component of more than one step. An
// arrow reads "depends on"; the cycle begins at its first step in document
// order. A fallback waits for its owner to fail; an owner waits for its
// fallback to end: cycles are looked for both ways.
func (v *validator) cycles() {
	v.cyclesOf(v.ancestry.parents, v.ancestry.order)
	edges := make([][]int32, len(v.graph.entries))
	rescued := false
	for i, e := range v.graph.entries {
		for _, dep := range e.deps {
			edges[i] = append(edges[i], dep.to)
		}
		if e.rescue.at != nil {
			rescued = true
			edges[i] = append(edges[i], e.rescue.to)
		}
	}
	if rescued {
		v.cyclesOf(edges, components(edges))
	}
}

// cyclesOf reports the components that hold no step of a cycle reported
// before.
func (v *validator) cyclesOf(edges [][]int32, groups [][]int32) {
	for _, group := range groups {
		if len(group) < 2 || v.reported(group) {
			continue
		}
		c := &cycleSearch{edges: edges, member: map[int32]bool{}, budget: searchBudget}
		for _, place := range group {
			c.member[place] = true
			v.cyclic[place] = true
		}
		v.reportCycle(c.shortest(group))
	}
}

func (v *validator) reported(group []int32) bool {
	return slices.ContainsFunc(group, func(place int32) bool { return v.cyclic[place] })
}

func (v *validator) reportCycle(cycle []int32) {
	start := slices.Index(cycle, slices.Min(cycle))
	cycle = append(slices.Clone(cycle[start:]), cycle[:start]...)
	names := make([]string, 0, len(cycle)+1)
	var others []*source.Node
	for i, place := range cycle {
		e := v.graph.entries[place]
		names = append(names, e.step.ID)
		if i > 0 {
			others = append(others, e.node)
		}
	}
	names = append(names, names[0])
	first := v.graph.entries[cycle[0]]
	v.finds.Error(source.Cycle, v.edgeTo(first, cycle[1]), "Cycle detected: %s", strings.Join(names, " → ")).WithRelated(others...)
}

// edgeTo is the place at which a step's edge is written.
func (v *validator) edgeTo(e *entry, to int32) *source.Node {
	for _, dep := range append(slices.Clone(e.deps), e.rescue) {
		if dep.at != nil && dep.to == to {
			return dep.at
		}
	}
	if e.owner == to {
		return v.graph.entries[to].rescue.at
	}
	return e.node
}

// cycleSearch looks for the shortest cycle in one component.
type cycleSearch struct {
	edges  [][]int32
	member map[int32]bool
	budget int
}

// shortest searches breadth first from every step that has a choice. A cycle
// through none of those is the whole component: a ring.
func (c *cycleSearch) shortest(group []int32) []int32 {
	var best []int32
	for _, start := range group {
		if best != nil && (c.budget <= 0 || c.choices(start) < 2) {
			continue
		}
		limit := len(group) + 1
		if best != nil {
			limit = len(best)
		}
		if found := c.from(start, limit); found != nil {
			best = found
		}
		if len(best) == 2 {
			break
		}
	}
	return best
}

// choices counts a step's edges inside the component.
func (c *cycleSearch) choices(place int32) int {
	n := 0
	for _, to := range c.edges[place] {
		if c.member[to] {
			n++
		}
	}
	return n
}

// from finds the shortest cycle through start that is shorter than limit.
func (c *cycleSearch) from(start int32, limit int) []int32 {
	came := map[int32]int32{start: start}
	row := []int32{start}
	for length := 1; len(row) > 0 && length < limit; length++ {
		var next []int32
		for _, v := range row {
			for _, to := range c.edges[v] {
				c.budget--
				if to == start {
					return trail(came, start, v)
				}
				if _, seen := came[to]; seen || !c.member[to] {
					continue
				}
				came[to] = v
				next = append(next, to)
			}
		}
		row = next
	}
	return nil
}

// trail walks back from last to start and gives the way forward.
func trail(came map[int32]int32, start, last int32) []int32 {
	way := []int32{last}
	for last != start {
		last = came[last]
		way = append(way, last)
	}
	slices.Reverse(way)
	return way
}
