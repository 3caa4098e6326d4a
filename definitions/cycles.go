package definitions

import (
	"slices"
	"strings"
)

// searchBudget bounds the edges that the search for the shortest cycle of one
// component may look at; beyond it the shortest found so far is reported.
const searchBudget = 1_000_000

// cycles reports one shortest cycle per component of more than one step. An
// arrow reads "depends on"; the cycle begins at its first step in document
// order.
func (v *validator) cycles(components [][]int32) {
	for _, group := range components {
		if len(group) < 2 {
			continue
		}
		c := &cycleSearch{graph: v.graph, member: map[int32]bool{}, budget: searchBudget}
		for _, place := range group {
			c.member[place] = true
		}
		v.reportCycle(c.shortest(group))
	}
}

func (v *validator) reportCycle(cycle []int32) {
	start := slices.Index(cycle, slices.Min(cycle))
	cycle = append(slices.Clone(cycle[start:]), cycle[:start]...)
	names := make([]string, 0, len(cycle)+1)
	var others []*node
	for i, place := range cycle {
		e := v.graph.entries[place]
		names = append(names, e.step.ID)
		if i > 0 {
			others = append(others, e.node)
		}
	}
	names = append(names, names[0])
	first := v.graph.entries[cycle[0]]
	at := first.node
	for _, dep := range first.deps {
		if dep.to == cycle[1] {
			at = dep.at
			break
		}
	}
	v.finds.error(Cycle, at, "Cycle detected: %s", strings.Join(names, " → ")).relate(others...)
}

// cycleSearch looks for the shortest cycle in one component.
type cycleSearch struct {
	graph  *graph
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
	for _, dep := range c.graph.entries[place].deps {
		if c.member[dep.to] {
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
			for _, dep := range c.graph.entries[v].deps {
				c.budget--
				if dep.to == start {
					return trail(came, start, v)
				}
				if _, seen := came[dep.to]; seen || !c.member[dep.to] {
					continue
				}
				came[dep.to] = v
				next = append(next, dep.to)
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
