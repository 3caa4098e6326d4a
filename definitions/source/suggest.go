package source

import (
	"strings"
	"unicode/utf8"
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
		if d := levenshtein(written, c, distance); d < distance && c != written {
			best, distance = c, d
		}
	}
	return best
}

// levenshtein returns the number of letters to change, insert, remove or swap
// with their neighbour to turn a into b (the optimal string alignment distance),
// or limit where it is limit or more. Rows are those of the usual table: before,
// row and next are the distances of the last two prefixes of a and of the current
// one.
func levenshtein(a, b string, limit int) int {
	// A cheap bound by bytes first, since most candidates differ in length alone.
	if len(a)-len(b) >= utf8.UTFMax*limit || len(b)-len(a) >= utf8.UTFMax*limit {
		return limit
	}
	var few [2][128]rune // most names need no memory of the heap
	s, t := appendRunes(few[0][:0], a), appendRunes(few[1][:0], b)
	if len(s)-len(t) >= limit || len(t)-len(s) >= limit {
		return limit
	}
	var rows [3][128]int
	before, row, next := rows[0][:], rows[1][:], rows[2][:]
	if len(t) >= len(row) {
		before, row, next = make([]int, len(t)+1), make([]int, len(t)+1), make([]int, len(t)+1)
	}
	for j := range len(t) + 1 {
		row[j] = j
	}
	for i := 1; i <= len(s); i++ {
		next[0] = i
		least := i
		for j := 1; j <= len(t); j++ {
			cost := 1
			if s[i-1] == t[j-1] {
				cost = 0
			}
			next[j] = min(row[j]+1, next[j-1]+1, row[j-1]+cost)
			if i > 1 && j > 1 && s[i-1] == t[j-2] && s[i-2] == t[j-1] {
				next[j] = min(next[j], before[j-2]+1)
			}
			least = min(least, next[j])
		}
		// No later row falls below limit: a row is at least the least of the one
		// before it, and a swap, which reads from two rows back, costs one, by
		// which that row may be less.
		if least >= limit {
			return limit
		}
		before, row, next = row, next, before
	}
	return min(row[len(t)], limit)
}

// appendRunes appends the characters of s to dst, on the caller's array where
// they fit it.
func appendRunes(dst []rune, s string) []rune {
	for _, r := range s {
		dst = append(dst, r)
	}
	return dst
}
