package validation

import (
	"heddle/definitions"
	"heddle/definitions/parser"
	"heddle/definitions/source"
	"slices"
)

// graph is all steps of a definition, in document order, with their edges. An
// edge leads from a step to what it depends on. Edges never leave a list, so
// each list is a graph of its own; the body of a loop follows the loop in
// entries.
type graph struct {
	entries []*entry
	byID    map[string]int32 // place of the first step of each id; filled by edgeValidator
	loops   []int32          // by list: the loop whose body it is, none at the top
	parts   []string         // by list: the field of the definition that it stands in, or its loop does
}

// entry is one step and its place.
type entry struct {
	step   *definitions.Step
	node   *source.Node
	place  int32  // its index in graph.entries
	list   int32  // number of its list; the main steps' is 0
	deps   []edge // of depends_on, resolved
	owner  int32  // place of the step whose fallback it is; none: it is not a fallback
	rescue edge   // to its own fallback; at is nil when it has none
}

// edge leads to another entry of the same list.
type edge struct {
	to int32        // place of the entry
	at *source.Node // where it is written
}

// name returns what messages call the step: its id, shortened.
func (e *entry) name() string { return source.Clip(e.step.ID) }

// newGraph lists the steps of a document, without edges. Lists are numbered
// in document order, those of the main steps and their loops first.
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

// collect appends a list of steps and, each behind its loop, the lists of
// their bodies. loop is the place of the loop whose body it is, part the
// field that it stands in. at.Kids has a node for each step: a list that was
// not read has no steps.
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

// find returns the step of an id in a list; false where the list has none.
func (g *graph) find(id string, list int32) (*entry, bool) {
	place, ok := g.byID[id]
	if !ok || g.entries[place].list != list {
		return nil, false
	}
	return g.entries[place], true
}

// siblings returns the ids of one list, in document order. O(number of all
// steps).
func (g *graph) siblings(list int32) []string {
	var ids []string
	for _, e := range g.entries {
		if e.list == list && e.step.ID != "" {
			ids = append(ids, e.step.ID)
		}
	}
	return ids
}

// body returns the number of a loop's list; false for an empty body. The
// body's first step follows the loop in entries.
func (g *graph) body(loop *entry) (int32, bool) {
	next := int(loop.place) + 1
	if len(loop.step.Loop.Steps) == 0 || next >= len(g.entries) {
		return 0, false
	}
	return g.entries[next].list, true
}

// components groups the vertices into strongly connected components by
// Tarjan's algorithm, in O(vertices + edges) and without recursion, since a
// chain of steps may be 10,000 long. edges[v] lists what v leads to.
// Components that edges lead to come before those that they come from; each
// is sorted.
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

// tarjan is the state of one search. Vertices are numbered in the order of
// discovery.
type tarjan struct {
	edges       [][]int32
	number, low []int32 // low: the least number known to be reachable
	next        []int32 // by vertex: the next edge to follow
	onStack     []bool  // by vertex: discovered, and its component is not complete
	stack       []int32 // those vertices, in the order of discovery
	path        []int32 // the way from the start to the current vertex
	count       int32   // vertices discovered
	found       [][]int32
}

// enter discovers a vertex.
func (t *tarjan) enter(v int32) {
	t.count++
	t.number[v], t.low[v] = t.count, t.count
	t.stack = append(t.stack, v)
	t.onStack[v] = true
	t.path = append(t.path, v)
}

// from finds every component that can be reached from start and is not known
// yet.
func (t *tarjan) from(start int32) {
	t.enter(start)
	for len(t.path) > 0 {
		v := t.path[len(t.path)-1]
		// One edge at a time, so that the loop can return to v where it left
		// off.
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

// leave goes back from a vertex all of whose edges were followed. Where
// nothing before it can be reached, it and what lies on the stack above it
// are a component.
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
