package executor

import (
	"sync"

	"golang.org/x/sync/semaphore"
)

// HostNamer is implemented by a Runner that knows which host an attempt goes to. At most
// Config.MaxPerHost attempts go to one host at a time. The others wait, and a run all of
// whose attempts wait lends its slot, so that a host which does not answer holds up no
// other run. Its methods are called concurrently.
type HostNamer interface {
	// NamesHost reports whether attempts of a type can have a host.
	NamesHost(typeName string) bool
	// HostOf returns the host of an attempt whose config is rendered, as the key under
	// which attempts are counted; "": none, and the attempt does not wait.
	HostOf(call Call) string
}

// maxLending is how many runs may be in memory for runs to lend their slots while
// they wait for a host: a run that waits so has to stay there.
const maxLending = 2000

// hostLimiter bounds the attempts at each host. A host is known only while attempts are at
// it or wait for it, so memory does not grow with the number of hosts. It is safe for
// concurrent use.
type hostLimiter struct {
	limit int // attempts at one host at a time

	// mu guards byHost and the users of each host.
	mu     sync.Mutex
	byHost map[string]*hostLimit
}

// hostLimit is one host: the semaphore, which serves those who wait in order, and how many
// attempts are there or wait.
type hostLimit struct {
	gate  *semaphore.Weighted
	users int
}

// newHostLimiter makes a limiter that lets most attempts go to each host at a time.
func newHostLimiter(most int) *hostLimiter {
	return &hostLimiter{limit: most, byHost: make(map[string]*hostLimit)}
}

// acquireRef returns a host's semaphore, and the function that releases the reference to
// it, which is called exactly once. The caller acquires the semaphore itself, because that
// may take long, and releases it before the reference.
func (h *hostLimiter) acquireRef(name string) (g *semaphore.Weighted, forget func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	at := h.byHost[name]
	if at == nil {
		at = &hostLimit{gate: semaphore.NewWeighted(int64(h.limit))}
		h.byHost[name] = at
	}
	at.users++
	return at.gate, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		if at.users--; at.users == 0 {
			delete(h.byHost, name)
		}
	}
}
