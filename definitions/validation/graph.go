package validation

import (
	"heddle/definitions"
	"heddle/definitions/parser"
	"heddle/definitions/source"
	"slices"
)

// graph is all steps of a definition, in document order, with their edges. An
// edge leads from a step to what it depends on. Edges never leave a list.
type graph struct {
	entries []*entry
	byID    map[string]int32 // the first step of each id
	loops   []int32          // by list: the loop whose body it is, none at the top
	parts   []string         // by list: the field of the definition that it stands in, or its loop does
}

// entry is one step and its place. Edges go to other entries.
type entry struct {
	step   *definitions.Step
	node   *source.Node
	place  int32 // in graph.entries
	list   int32 // number of its list
	deps   []edge
	owner  int32 // the step whose fallback it is
	rescue edge  // to its own fallback; at is nil when it has none
}

// edge is a dependency and where it is written.
type edge struct {
	to int32
	at *source.Node
}

// name is what messages call the step.
func (e *entry) name() string { return source.Clip(e.step.ID) }

// newGraph lists the steps. Lists get their numbers in document order.
func newGraph(doc *parser.Document) *graph {
	g := &graph{byID: map[string]int32{}}
	g.collect(doc.Definition.Steps, doc.Root.Member("steps"), none, mainPart)
	g.collect(doc.Definition.OnFailure, doc.Root.Member("on_failure"), none, "on_failure")
	g.collect(doc.Definition.Finally, doc.Root.Member("finally"), none, "finally")
	return g
}

// mainPart is the field of the main steps; the others are handlers.
const mainPart = "steps"

// mainList is the number of the main steps' list.
const mainList = int32(0)

func (g *graph) collect(steps []definitions.Step, at *source.Node, loop int32, part string) {
	list := int32(len(g.loops))
	g.loops = append(g.loops, loop)
	g.parts = append(g.parts, part)
	for i := range steps {
		e := &entry{step: &steps[i], node: at.Kids[i], place: int32(len(g.entries)), list: list, owner: none}
		g.entries = append(g.entries, e)
		if e.step.Loop != nil && len(e.step.Loop.Steps) > 0 {
			g.collect(e.step.Loop.Steps, e.node.Member("config").Member("steps"), e.place, part)
		}
	}
}

// find gives the step of an id in a list.
func (g *graph) find(id string, list int32) (*entry, bool) {
	place, ok := g.byID[id]
	if !ok || g.entries[place].list != list {
		return nil, false
	}
	return g.entries[place], true
}

// siblings lists the ids of one list.
func (g *graph) siblings(list int32) []string {
	var ids []string
	for _, e := range g.entries {
		if e.list == list && e.step.ID != "" {
			ids = append(ids, e.step.ID)
		}
	}
	return ids
}

// body gives the number of a loop's list.
func (g *graph) body(loop *entry) (int32, bool) {
	next := int(loop.place) + 1
	if len(loop.step.Loop.Steps) == 0 || next >= len(g.entries) {
		return 0, false
	}
	return g.entries[next].list, true
}

// components groups steps into strongly connected components by Tarjan's
// algorithm, without recursion. Those that edges lead to come first.
func components(edges [][]int32) [][]int32 {
	n := len(edges)
	t := &tarjan{
		edges: edges, number: make([]int32, n), low: make([]int32, n), next: make([]int32, n), onStack: make([]bool, n),
	}
	for i := range edges {
		if t.number[i] == 0 {
			t.from(int32(i))
		}
	}
	return t.found
}

type tarjan struct {
	edges       [][]int32
	number, low []int32 // number 0: not visited
	next        []int32 // the next edge to follow
	onStack     []bool
	stack       []int32
	path        []int32
	count       int32
	found       [][]int32
}

func (t *tarjan) enter(v int32) {
	t.count++
	t.number[v], t.low[v] = t.count, t.count
	t.stack = append(t.stack, v)
	t.onStack[v] = true
	t.path = append(t.path, v)
}

func (t *tarjan) from(start int32) {
	t.enter(start)
	for len(t.path) > 0 {
		v := t.path[len(t.path)-1]
		if int(t.next[v]) < len(t.edges[v]) {
			w := t.edges[v][t.next[v]]
			t.next[v]++
			if t.number[w] == 0 {
				t.enter(w)
			} else if t.onStack[w] {
				t.low[v] = min(t.low[v], t.number[w])
			}
			continue
		}
		t.leave(v)
	}
}

func (t *tarjan) leave(v int32) {
	t.path = t.path[:len(t.path)-1]
	if len(t.path) > 0 {
		parent := t.path[len(t.path)-1]
		t.low[parent] = min(t.low[parent], t.low[v])
	}
	if t.low[v] != t.number[v] {
		return
	}
	cut := len(t.stack) - 1
	for t.stack[cut] != v {
		cut--
	}
	group := slices.Clone(t.stack[cut:])
	t.stack = t.stack[:cut]
	for _, w := range group {
		t.onStack[w] = false
	}
	slices.Sort(group)
	t.found = append(t.found, group)
}
