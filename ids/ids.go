// Package ids makes the identifiers of stored objects: a prefix that names the
// kind ("wf_", "run_") and 24 lower-case hex digits that sort by time of
// making. Within one Maker every id is greater than the one before, whatever
// the clock does.
package ids

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"sync"
	"time"
)

// Digits is the number of hex digits after the prefix.
const Digits = 24

// Maker makes ids: 6 bytes of Unix milliseconds, 2 of a rising counter, 4
// random. It is safe for concurrent use.
type Maker struct {
	now func() time.Time

	mu      sync.Mutex // guards counter and last
	counter uint16
	last    uint64 // milliseconds << 16 | counter of the last id
}

// New returns a Maker over a clock. The counter starts at random, so that two
// processes that share a database seldom make the same first eight bytes.
func New(now func() time.Time) *Maker {
	var seed [2]byte
	_, _ = rand.Read(seed[:]) // never fails (crypto/rand)
	return &Maker{now: now, counter: binary.BigEndian.Uint16(seed[:])}
}

// New returns an id with the prefix, greater than every id that this Maker has
// made with the same prefix.
func (m *Maker) New(prefix string) string {
	var b [12]byte
	binary.BigEndian.PutUint64(b[:8], m.next())
	_, _ = rand.Read(b[8:])
	return prefix + hex.EncodeToString(b[:])
}

// next returns the greater of the clock with a raised counter and the last value
// plus one: a full counter or a clock that went back borrows from the future.
func (m *Maker) next() uint64 {
	ms := uint64(m.now().UnixMilli())
	m.mu.Lock()
	defer m.mu.Unlock()
	m.counter++
	v := ms<<16 | uint64(m.counter)
	if v <= m.last {
		v = m.last + 1
		m.counter = uint16(v)
	}
	m.last = v
	return v
}

// IsBareID reports whether s is exactly the 24 hex digits of an id, without prefix.
func IsBareID(s string) bool {
	if len(s) != Digits {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
