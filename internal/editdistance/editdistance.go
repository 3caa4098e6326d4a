// Package editdistance compares names that people mistype. It is the one edit
// distance of the module: who asks decides which names are candidates and how
// many edits still count as a slip.
package editdistance

import "unicode/utf8"

// Between returns the number of characters to change, insert, remove or swap with
// their neighbour in order to turn a into b (the optimal string alignment
// distance), or limit as soon as it is certain that it is no less than that. Case
// counts. Names below 128 bytes cost no allocation; the work is at most
// len(a)*len(b), and stops early where the lengths alone exceed the limit.
func Between(a, b string, limit int) int {
	if len(a)-len(b) >= utf8.UTFMax*limit || len(b)-len(a) >= utf8.UTFMax*limit {
		return limit
	}
	var few [2][128]rune
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
		if least >= limit {
			return limit
		}
		before, row, next = row, next, before
	}
	return min(row[len(t)], limit)
}

// appendRunes appends the characters of s to dst; []rune(s) would allocate.
func appendRunes(dst []rune, s string) []rune {
	for _, r := range s {
		dst = append(dst, r)
	}
	return dst
}
