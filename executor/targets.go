package executor

import (
	"context"
	"sync"
)

// targetCache remembers what starts name, so that a start costs no read of the workflow. An
// entry may be old, because nothing invalidates it; Starter.decide reads it again where
// that matters. It is safe for concurrent use.
type targetCache struct {
	max int // entries at most

	mu    sync.Mutex // guards byKey
	byKey map[targetKey]Target
}

// targetKey is what a start names, as the client wrote it: two names of one workflow are
// two entries.
type targetKey struct{ tenantID, workflow, version string }

// newTargetCache makes a cache of at most size targets; a full one is emptied.
func newTargetCache(size int) *targetCache {
	return &targetCache{max: size, byKey: make(map[targetKey]Target)}
}

// get returns what a start names, and whether that was remembered and so may be old; with
// fresh it is read from the store in any case. Errors: those of WorkflowStore.Target, after
// which the entry is forgotten.
func (c *targetCache) get(ctx context.Context, store Store, key targetKey, fresh bool) (t Target, remembered bool, err error) {
	c.mu.Lock()
	t, ok := c.byKey[key]
	c.mu.Unlock()
	if ok && !fresh {
		return t, true, nil
	}
	t, err = store.Target(ctx, key.tenantID, key.workflow, key.version)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		delete(c.byKey, key)
		return Target{}, false, err
	}
	if len(c.byKey) >= c.max {
		clear(c.byKey)
	}
	c.byKey[key] = t
	return t, false, nil
}
