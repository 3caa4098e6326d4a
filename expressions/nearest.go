package expressions

import (
	"strings"
)

// didYouMean is the end of a message: the nearest name, or "" where none is near.
func didYouMean(name string, candidates []string) string {
	if best := nearest(name, candidates); best != "" {
		return "; did you mean " + best + "?"
	}
	return ""
}

// nearest returns the candidate with the least edit distance, without regard to
// case; of several the first. The distance is at most a third of the name's length
// in bytes, plus one. It returns "" where no candidate is that near, and for names
// of more than 100 bytes.
func nearest(name string, candidates []string) string {
	best, least := "", len(name)/3+1
	if len(name) > 100 {
		return ""
	}
	for _, c := range candidates {
		// The lengths alone make it too far: most candidates are never compared.
		if len(c) > len(name)+least || len(name) > len(c)+least {
			continue
		}
		d := distance(strings.ToLower(name), strings.ToLower(c))
		// The first of several equally near ones; a later one must be nearer.
		if d < least || (d == least && best == "") {
			best, least = c, d
		}
	}
	return best
}

// distance counts the insertions, deletions, replacements and swaps of neighbours
// that turn a into b, by bytes (optimal string alignment). O(len(a)·len(b)), in
// three rows.
func distance(a, b string) int {
	var few [3][128]int // most names need no memory of the heap
	before, row, last := few[0][:], few[1][:], few[2][:]
	if len(b) >= len(row) {
		before, row, last = make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	}
	for j := range len(b) + 1 {
		row[j], last[j] = j, j
	}
	for i := 1; i <= len(a); i++ {
		before, last, row = last, row, before
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			// Two neighbours that changed places.
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return row[len(b)]
}
