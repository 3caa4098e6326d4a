package validation

import (
	"heddle/definitions/source"
	"slices"
	"strings"
)

// searchBudget bounds the edges that the search for the shortest cycle of one
// component may look at; beyond it the shortest found so far is reported. A
// short cycle is easier to mend, but any cycle is true.
const searchBudget = 1_000_000

// cycleValidator reports steps that wait for each other.
type cycleValidator struct {
	*pass
	cyclic map[int32]bool // the steps of reported cycles, by place
}

// check reports one shortest cycle per component of more than one step. An
// arrow reads "depends on"; the cycle begins at its first step in document
// order.
//
// A fallback waits for its owner to fail, and an owner waits for its fallback
// to end. Both edges at once would make every fallback a cycle, so the graph
// is searched twice, with one of the two each time.
func (v *cycleValidator) check() {
	v.among(v.ancestry.parents, v.ancestry.order)
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
		v.among(edges, components(edges))
	}
}

// among reports the components of edges that hold no step of a cycle
// reported before.
func (v *cycleValidator) among(edges [][]int32, groups [][]int32) {
	for _, group := range groups {
		if len(group) < 2 || v.reported(group) {
			continue
		}
		c := &cycleSearch{edges: edges, member: map[int32]bool{}, budget: searchBudget}
		for _, place := range group {
			c.member[place] = true
			v.cyclic[place] = true
		}
		v.report(c.shortest(group))
	}
}

// reported reports whether a step of the group is in a cycle that was
// reported.
func (v *cycleValidator) reported(group []int32) bool {
	return slices.ContainsFunc(group, func(place int32) bool { return v.cyclic[place] })
}

// report reports a cycle, given as places in the order of its edges,
// where its first edge is written.
func (v *cycleValidator) report(cycle []int32) {
	// The same cycle is reported in the same words wherever the search began.
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

// edgeTo returns the node at which a step's edge to another is written, or
// the step where it is written nowhere.
func (v *cycleValidator) edgeTo(e *entry, to int32) *source.Node {
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
	member map[int32]bool // the steps of the component
	budget int            // edges that may still be looked at
}

// shortest returns the shortest cycle of a component, or the shortest found
// within the budget. It searches breadth first from every step that has more
// than one edge inside the component: a cycle that passes through none of
// those is the whole component, a ring, which the first search finds wherever
// it starts. No cycle is shorter than two.
func (c *cycleSearch) shortest(group []int32) []int32 {
	var best []int32
	for _, start := range group {
		if best != nil && (c.budget <= 0 || c.choices(start) < 2) {
			continue
		}
		// Later searches need to find only what is shorter.
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

// choices returns the number of a step's edges inside the component.
func (c *cycleSearch) choices(place int32) int {
	n := 0
	for _, to := range c.edges[place] {
		if c.member[to] {
			n++
		}
	}
	return n
}

// from returns the shortest cycle through start that is shorter than limit,
// nil where there is none or the search has become longer than that.
func (c *cycleSearch) from(start int32, limit int) []int32 {
	came := map[int32]int32{start: start}
	row := []int32{start}
	// Each round of the loop follows one more edge, so the first way back is
	// the shortest.
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

// trail walks back from last to start over the steps that were come from, and
// returns the way forward.
func trail(came map[int32]int32, start, last int32) []int32 {
	way := []int32{last}
	for last != start {
		last = came[last]
		way = append(way, last)
	}
	slices.Reverse(way)
	return way
}
