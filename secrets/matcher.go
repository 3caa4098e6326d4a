package secrets

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"slices"
	"sort"
)

// window is how many bytes of a pattern are looked up at each position. No pattern is
// shorter, because no value is (minValue).
const window = 8

// matcher finds any of many patterns in one pass over a text. A bit filter over windows
// of eight bytes rejects nearly every position; what passes is compared with the
// patterns that begin with that window. So the time depends on the text's length and
// hardly on the number of patterns. It does not change after newMatcher.
type matcher struct {
	filter   []uint64            // a bit for each hash of a pattern's first window
	mask     uint64              // of a hash: the filter's bits, less one
	patterns map[uint64][][]byte // by their first eight bytes, sorted
	longest  int                 // of the patterns, in bytes
}

// patternsOf returns what a secret looks like in text: itself, and its base64 and
// base64url behind 0, 1 or 2 other bytes, which are all the alignments that there are.
// Characters that also encode bits of the neighbours are left out.
func patternsOf(secret string) [][]byte {
	list := [][]byte{[]byte(secret)}
	for shift := range 3 {
		padded := append(make([]byte, shift, shift+len(secret)), secret...)
		from, to := (shift*8+5)/6, len(padded)*8/6
		for _, alphabet := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			list = append(list, []byte(alphabet.EncodeToString(padded)[from:to]))
		}
	}
	return list
}

// newMatcher returns a matcher of the secrets in all of their forms (patternsOf). Its
// filter has at least 16 bits for each window, so that at most about one position in 16
// of other text passes it.
func newMatcher(secrets []string) *matcher {
	m := &matcher{patterns: make(map[uint64][][]byte)}
	for _, s := range secrets {
		for _, p := range patternsOf(s) {
			key := windowAt(p, 0)
			m.patterns[key] = append(m.patterns[key], p)
			m.longest = max(m.longest, len(p))
		}
	}
	size := uint64(1 << 12) // bits; 16 or more for each window
	for size < 16*uint64(len(m.patterns)) {
		size *= 2
	}
	m.filter, m.mask = make([]uint64, size/64), size-1
	for key, list := range m.patterns {
		slices.SortFunc(list, bytes.Compare)
		m.patterns[key] = slices.CompactFunc(list, bytes.Equal)
		h := hash(key) & m.mask
		m.filter[h/64] |= 1 << (h % 64)
	}
	return m
}

// windowAt returns the eight bytes from i on as one number; text must have that many.
func windowAt(text []byte, i int) uint64 { return binary.LittleEndian.Uint64(text[i:]) }

// hash mixes a window by multiplication (Fibonacci hashing). The caller takes the low
// bits.
func hash(key uint64) uint64 {
	key *= 0x9E3779B97F4A7C15
	return key >> 24
}

// span is a part of a text, in bytes, from start to before end.
type span struct{ start, end int }

// find appends to found the longest match at each position where there is one; matches
// may overlap. With partial, a text that ends within a pattern, after at least half of
// it and a window, also matches there: it may have been cut off.
func (m *matcher) find(text []byte, partial bool, found []span) []span {
	for i := 0; i+window <= len(text); i++ {
		key := windowAt(text, i)
		h := hash(key) & m.mask
		if m.filter[h/64]&(1<<(h%64)) == 0 {
			continue
		}
		list, ok := m.patterns[key]
		if !ok {
			continue
		}
		if n := longestPrefix(list, text[i:]); n > 0 {
			found = append(found, span{i, i + n})
		} else if partial && cutOff(list, text[i:]) {
			return append(found, span{i, len(text)})
		}
	}
	return found
}

// longestPrefix returns the length of the longest of the sorted patterns that text
// begins with, 0 where there is none. The pattern before text in order is either a
// prefix of it or shows how much of text another could still share; each round shortens
// text to that.
func longestPrefix(sorted [][]byte, text []byte) int {
	for hi := len(sorted); hi > 0; {
		i := sort.Search(hi, func(i int) bool { return bytes.Compare(sorted[i], text) > 0 })
		if i == 0 {
			return 0
		}
		p := sorted[i-1]
		n := commonPrefix(p, text)
		if n == len(p) {
			return n
		}
		text, hi = text[:n], i-1
	}
	return 0
}

// cutOff reports whether rest is the beginning of one of the sorted patterns, and at
// least half of it.
func cutOff(sorted [][]byte, rest []byte) bool {
	i := sort.Search(len(sorted), func(i int) bool { return bytes.Compare(sorted[i], rest) >= 0 })
	for ; i < len(sorted) && bytes.HasPrefix(sorted[i], rest); i++ {
		if 2*len(rest) >= len(sorted[i]) {
			return true
		}
	}
	return false
}

// commonPrefix returns how many bytes p and text have in common at their beginning.
func commonPrefix(p, text []byte) int {
	n := min(len(p), len(text))
	for i := range n {
		if p[i] != text[i] {
			return i
		}
	}
	return n
}

// unfinished returns the first position from which on text is the beginning of a longer
// pattern, with at least least bytes of it; len(text) where there is none. It looks at
// the last longest-1 bytes only.
func (m *matcher) unfinished(text []byte, least int) int {
	for i := max(0, len(text)-m.longest+1); i <= len(text)-least; i++ {
		if m.begins(text[i:]) {
			return i
		}
	}
	return len(text)
}

// begins reports whether a pattern is longer than rest and begins with it. Shorter than
// a window, rest is compared with every pattern's first window.
func (m *matcher) begins(rest []byte) bool {
	if len(rest) >= window {
		key := windowAt(rest, 0)
		h := hash(key) & m.mask
		return m.filter[h/64]&(1<<(h%64)) != 0 && hasLonger(m.patterns[key], rest)
	}
	var first [window]byte
	for key := range m.patterns {
		binary.LittleEndian.PutUint64(first[:], key)
		if bytes.HasPrefix(first[:], rest) {
			return true
		}
	}
	return false
}

// hasLonger reports whether one of the sorted patterns begins with rest and is longer.
func hasLonger(sorted [][]byte, rest []byte) bool {
	i := sort.Search(len(sorted), func(i int) bool { return bytes.Compare(sorted[i], rest) > 0 })
	return i < len(sorted) && bytes.HasPrefix(sorted[i], rest)
}
