package access

import (
	"encoding/hex"
	"sync"
	"time"
)

// cacheTTL is how long a cached key or quota is used without reading the store,
// and so how long a change made on another node may go unnoticed here. Changes
// made on this node take effect at once.
const cacheTTL = 2 * time.Second

// cacheSize bounds the entries of each cache; a full one is emptied.
const cacheSize = 10_000

// keyCache holds valid keys, or sessions, for cacheTTL, so that a burst of requests reads the
// store once. It is safe for concurrent use; mu guards all other fields.
type keyCache struct {
	mu sync.RWMutex
	// entries are keyed by the SHA-256 of the key's text.
	entries map[[32]byte]cachedKey
	// markedUsed is when each key, by id, was last written as used by this node.
	markedUsed map[string]time.Time
	// generation rises with each invalidation, see put.
	generation uint64
}

// cachedKey is a valid key or session as the store had it at readAt.
type cachedKey struct {
	principal Principal
	readAt    time.Time
}

// newKeyCache returns an empty cache.
func newKeyCache() *keyCache {
	return &keyCache{entries: map[[32]byte]cachedKey{}, markedUsed: map[string]time.Time{}}
}

// get returns the principal of the key with that digest; false where it is not cached, or was read too long ago. An age below
// zero (the clock was set back) counts as too old.
func (c *keyCache) get(sum [32]byte, now time.Time) (Principal, bool) {
	c.mu.RLock()
	e, ok := c.entries[sum]
	c.mu.RUnlock()
	if age := now.Sub(e.readAt); !ok || age < 0 || age >= cacheTTL {
		return Principal{}, false
	}
	return e.principal, true
}

// currentGeneration returns the number of invalidations so far. Callers take it
// before they read the store and hand it to put.
func (c *keyCache) currentGeneration() uint64 {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.generation
}

// put caches a key that was read from the store at now, unless the cache was
// invalidated since generation was taken: otherwise a key that was read just
// before its revocation would be cached just after it.
func (c *keyCache) put(sum [32]byte, p Principal, now time.Time, generation uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.generation != generation {
		return
	}
	if len(c.entries) >= cacheSize {
		clear(c.entries)
	}
	c.entries[sum] = cachedKey{principal: p, readAt: now}
}

// invalidate empties the cache, because keys, roles or grants have changed.
func (c *keyCache) invalidate() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.generation++
	clear(c.entries)
}

// claimMarkUsed reports whether the caller is to write that the key was used
// now. It returns true once a minute per key, to one of all callers.
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

// hexString returns a digest in the form that the store keeps (Key.Hash).
func hexString(sum [32]byte) string { return hex.EncodeToString(sum[:]) }
