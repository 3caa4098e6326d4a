package expressions

import (
	"heddle/internal/editdistance"
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
		d := editdistance.Between(strings.ToLower(name), strings.ToLower(c), least+1)
		// The first of several equally near ones; a later one must be nearer.
		if d < least || (d == least && best == "") {
			best, least = c, d
		}
	}
	return best
}
