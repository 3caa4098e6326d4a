package source

import (
	"heddle/internal/editdistance"
	"strings"
)

// Nearest returns the candidate closest to what was written, "" when none is
// close: at most a third of its characters, and at most three, may differ. A
// candidate that differs in case alone is returned at once; one that equals what
// was written never is. Names of more than 64 bytes have no suggestion, which
// bounds the cost to O(64 × their length) for each candidate.
func Nearest(written string, candidates []string) string {
	best, distance := "", min(len([]rune(written))/3, 3)
	distance++
	if len(written) > 64 {
		return ""
	}
	for _, c := range candidates {
		if strings.EqualFold(c, written) && c != written {
			return c
		}
		if d := editdistance.Between(written, c, distance); d < distance && c != written {
			best, distance = c, d
		}
	}
	return best
}
