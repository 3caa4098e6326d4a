package access

import (
	"encoding/hex"
	"sync"
	"time"
)

// cacheTTL is how long another node's revocation may go unnoticed here; on
// this node it acts at once.
const cacheTTL = 2 * time.Second

// cacheSize bounds the keys that are remembered.
const cacheSize = 10_000

// keyCache remembers keys that the store has vouched for a moment ago, so that
// a burst of requests asks it once.
type keyCache struct {
	mu         sync.RWMutex
	entries    map[[32]byte]cachedKey
	markedUsed map[string]time.Time
	generation uint64
}

type cachedKey struct {
	principal Principal
	expires   time.Time
	readAt    time.Time
}

func newKeyCache() *keyCache {
	return &keyCache{entries: map[[32]byte]cachedKey{}, markedUsed: map[string]time.Time{}}
}

func (c *keyCache) get(sum [32]byte, now time.Time) (Principal, time.Time, bool) {
	c.mu.RLock()
	e, ok := c.entries[sum]
	c.mu.RUnlock()
	if age := now.Sub(e.readAt); !ok || age < 0 || age >= cacheTTL {
		return Principal{}, time.Time{}, false
	}
	return e.principal, e.expires, true
}

// currentGeneration is taken before the store is read and handed to put, so that what
// was read before a revocation is not remembered after it.
func (c *keyCache) currentGeneration() uint64 {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.generation
}

func (c *keyCache) put(sum [32]byte, p Principal, expires, now time.Time, generation uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.generation != generation {
		return
	}
	if len(c.entries) >= cacheSize {
		clear(c.entries)
	}
	c.entries[sum] = cachedKey{principal: p, expires: expires, readAt: now}
}

// invalidate drops everything: keys, roles or grants have changed.
func (c *keyCache) invalidate() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.generation++
	clear(c.entries)
}

// claimMarkUsed tells whether the caller is the one to write that the key is in
// use now: one a minute per key.
func (c *keyCache) claimMarkUsed(keyID string, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now.Sub(c.markedUsed[keyID]) < time.Minute {
		return false
	}
	if len(c.markedUsed) >= cacheSize {
		clear(c.markedUsed)
	}
	c.markedUsed[keyID] = now
	return true
}

func hexString(sum [32]byte) string { return hex.EncodeToString(sum[:]) }
