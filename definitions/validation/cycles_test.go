package validation_test

import (
	"encoding/json"
	"fmt"
	"heddle/definitions/source"
	"heddle/definitions/validation"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// wired makes a definition of free steps s0, s1, … with these dependencies.
func wired(deps [][]int) []byte {
	type step struct {
		ID        string   `json:"id"`
		Type      string   `json:"type"`
		DependsOn []string `json:"depends_on,omitempty"`
	}
	steps := make([]step, len(deps))
	for i, ds := range deps {
		steps[i] = step{ID: fmt.Sprint("s", i), Type: "free"}
		for _, d := range ds {
			steps[i].DependsOn = append(steps[i].DependsOn, fmt.Sprint("s", d))
		}
	}
	raw, _ := json.Marshal(map[string]any{"name": "n", "steps": steps})
	return raw
}

// reach returns, by the plainest algorithm, which steps reach which others over at
// least one edge.
func reach(deps [][]int) [][]bool {
	n := len(deps)
	r := make([][]bool, n)
	for i := range r {
		r[i] = make([]bool, n)
		for _, d := range deps[i] {
			r[i][d] = true
		}
	}
	for k := range n {
		for i := range n {
			for j := range n {
				r[i][j] = r[i][j] || r[i][k] && r[k][j]
			}
		}
	}
	return r
}

// girth is the length of the shortest cycle among the steps of a component,
// found by trying all powers of the edges.
func girth(deps [][]int, group []int) int {
	for length := 2; length <= len(group); length++ {
		for _, start := range group {
			at := map[int]bool{start: true}
			for range length {
				next := map[int]bool{}
				for v := range at {
					for _, d := range deps[v] {
						if d != v {
							next[d] = true
						}
					}
				}
				at = next
			}
			if at[start] {
				return length
			}
		}
	}
	return 0
}

func drawGraph(t *rapid.T) [][]int {
	n := rapid.IntRange(1, 12).Draw(t, "n")
	deps := make([][]int, n)
	for i := range deps {
		deps[i] = rapid.SliceOfNDistinct(rapid.IntRange(0, n-1), 0, min(n, 3), rapid.ID[int]).Draw(t, "deps")
	}
	return deps
}

// components groups the steps of a graph that reach each other.
func components(r [][]bool) [][]int {
	var groups [][]int
	seen := map[int]bool{}
	for i := range r {
		if seen[i] {
			continue
		}
		group := []int{i}
		for j := i + 1; j < len(r); j++ {
			if r[i][j] && r[j][i] {
				group = append(group, j)
				seen[j] = true
			}
		}
		if len(group) > 1 {
			groups = append(groups, group)
		}
	}
	return groups
}

func TestCyclesAgreeWithAPlainChecker(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		deps := drawGraph(t)
		_, ds := validation.Check(wired(deps), source.JSON, testCatalog())
		var cycles [][]int
		selves := 0
		for _, d := range ds {
			switch d.Code {
			case "self_dependency":
				selves++
			case "cycle":
				cycles = append(cycles, readCycle(t, d.Message))
			}
		}
		for i, ds := range deps {
			if slices.Contains(ds, i) {
				selves--
			}
		}
		if selves != 0 {
			t.Fatalf("%d self dependencies too many", selves)
		}
		groups := components(reach(deps))
		if len(groups) != len(cycles) {
			t.Fatalf("%d cycles for %d components: %v", len(cycles), len(groups), ds)
		}
		for _, cycle := range cycles {
			checkCycle(t, deps, groups, cycle)
		}
	})
}

func readCycle(t *rapid.T, message string) []int {
	var cycle []int
	for name := range strings.SplitSeq(strings.TrimPrefix(message, "Cycle detected: "), " → ") {
		var i int
		if _, err := fmt.Sscanf(name, "s%d", &i); err != nil {
			t.Fatalf("%q: %v", message, err)
		}
		cycle = append(cycle, i)
	}
	if cycle[0] != cycle[len(cycle)-1] || cycle[0] != slices.Min(cycle) {
		t.Fatalf("%q does not begin and end at its first step", message)
	}
	return cycle[:len(cycle)-1]
}

func checkCycle(t *rapid.T, deps [][]int, groups [][]int, cycle []int) {
	for i, v := range cycle {
		if next := cycle[(i+1)%len(cycle)]; !slices.Contains(deps[v], next) {
			t.Fatalf("no edge s%d → s%d in %v", v, next, deps)
		}
	}
	for _, group := range groups {
		if slices.Contains(group, cycle[0]) {
			if want := girth(deps, group); len(cycle) != want {
				t.Fatalf("cycle %v has %d steps, the shortest of %v has %d", cycle, len(cycle), deps, want)
			}
		}
	}
}

func TestAPlantedCycleIsFound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 200).Draw(t, "n")
		deps := make([][]int, n)
		for i := 1; i < n; i++ {
			deps[i] = []int{rapid.IntRange(0, i-1).Draw(t, "dep")}
		}
		last := rapid.IntRange(1, n-1).Draw(t, "last")
		root := last
		for len(deps[root]) > 0 {
			root = deps[root][0]
		}
		deps[root] = []int{last}
		_, ds := validation.Check(wired(deps), source.JSON, nil)
		if len(ds) != 1 || ds[0].Code != "cycle" || ds[0].Pointer != fmt.Sprintf("/steps/%d/depends_on/0", root) {
			t.Fatalf("planted s%d → s%d: %v", root, last, ds)
		}
	})
}

// shapes of 10,000 steps that hurt a careless checker.
func hardGraphs(n int) map[string][][]int {
	chain, ring, wide, ladder := make([][]int, n), make([][]int, n), make([][]int, n), make([][]int, n)
	for i := range n {
		ring[i] = []int{(i + 1) % n}
		ladder[i] = []int{(i + 1) % n, (i + 2) % n}
		if i > 0 {
			chain[i] = []int{i - 1}
			wide[i] = []int{0}
		}
	}
	return map[string][][]int{"chain": chain, "ring": ring, "wide": wide, "ladder": ladder}
}

// readers is a chain in which each step reads the output of one before it.
func readers(n int, reads func(i int) int) []byte {
	steps := make([]map[string]any, n)
	for i := range steps {
		steps[i] = map[string]any{"id": fmt.Sprint("s", i), "type": "free"}
		if i > 0 {
			steps[i]["depends_on"] = []string{fmt.Sprint("s", i-1)}
			steps[i]["config"] = map[string]any{"v": fmt.Sprintf("{{ steps.s%d.output }}", reads(i))}
		}
	}
	raw, _ := json.Marshal(map[string]any{"name": "n", "steps": steps})
	return raw
}

func BenchmarkReferences(b *testing.B) {
	for _, n := range []int{1_000, 10_000} {
		for name, reads := range map[string]func(i int) int{
			"previous": func(i int) int { return i - 1 },
			"first":    func(int) int { return 0 },
			"all":      func(i int) int { return i / 2 },
		} {
			src := readers(n, reads)
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				for b.Loop() {
					if _, ds := validation.Check(src, source.JSON, testCatalog()); len(ds) > 0 {
						b.Fatal(ds[0])
					}
				}
			})
		}
	}
}

func BenchmarkCheck(b *testing.B) {
	for _, n := range []int{1_000, 10_000} {
		for _, name := range []string{"chain", "ring", "wide", "ladder"} {
			src := wired(hardGraphs(n)[name])
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				for b.Loop() {
					validation.Check(src, source.JSON, testCatalog())
				}
			})
		}
	}
}
