package quota

import (
	"context"
	"heddle/fault"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// A count of stored bytes is taken again after recount, before a refusal
	// already after recheck, and never before minIntervalFactor times as long as it
	// took: counting costs a small share of the database's time, however much is
	// stored. A count that failed is not tried again before recheck.
	recount           = 30 * time.Second
	recheck           = time.Second
	minIntervalFactor = 20
	// maxWait is how long requests wait for a count after it was begun: one that
	// takes long delays those that come first, and no others.
	maxWait = 2 * time.Second
	// maxCountDuration is how long one count may take.
	maxCountDuration = 10 * time.Minute
	// maxReservationAge is the age of a reservation that will not be released any more.
	maxReservationAge = time.Minute
	// maxConcurrentCounts is how many tenants are counted at a time.
	maxConcurrentCounts = 2
)

// BytesConfig is what a Bytes is made of.
type BytesConfig struct {
	// Limit is how many bytes a tenant may have stored; 0: as many as it likes.
	Limit func(ctx context.Context, tenantID string) (int64, error)
	// Count sums the bytes that the store holds of the tenant. It may take long, and
	// ends with ctx. It runs on a goroutine of its own, without any lock.
	Count func(ctx context.Context, tenantID string) (int64, error)
	Now   func() time.Time
	// Uncounted is called for each count that failed, and once for each that is not
	// there in time and without which a request is let in (err nil). It may be nil.
	Uncounted func(tenantID string, err error)
}

// Bytes is a quota of the bytes that a tenant has stored: what the store counted
// a while ago, what this node has stored since, and what it is about to store.
// What other nodes store is seen with the next count. A nil Bytes admits everything. It
// is safe for concurrent use.
type Bytes struct {
	cfg    BytesConfig
	ctx    context.Context //nolint:containedctx // of the counts, which belong to no request
	cancel context.CancelFunc
	// counts are the counts under way, of which those that hold one of the slots
	// run.
	counts         sync.WaitGroup
	slots          chan struct{}
	limitedTenants atomic.Int64 // tenants that have a limit: 0 makes Add cost nothing

	mu      sync.RWMutex // guards tenants; a ledger has a lock of its own
	tenants map[string]*ledger
}

// ledger is what is known of one tenant, in bytes.
type ledger struct {
	mu           sync.Mutex // guards all fields
	known        bool       // there is a count
	counted      int64      // the newest one
	since        int64      // stored by this node since it began
	pending      int64      // the sum of reservations
	reservations map[string]reservation
	endedAt      time.Time     // when the last count ended; zero: there was none
	duration     time.Duration // how long it took, the wait for a slot left out
	stale        bool          // something was deleted since it began
	reported     bool          // Uncounted was called because the count under way is late
	ended        chan struct{} // closed at the end of the count under way; nil: none
	startedAt    time.Time     // when that was begun
}

// reservation is what one id is about to store, and since when.
type reservation struct {
	bytes int64
	at    time.Time
}

// NewBytes makes a Bytes. Close ends what it began. Nothing is counted before the
// first Reserve of a tenant with a limit.
func NewBytes(cfg BytesConfig) *Bytes {
	b := &Bytes{cfg: cfg, slots: make(chan struct{}, maxConcurrentCounts), tenants: map[string]*ledger{}}
	b.ctx, b.cancel = context.WithCancel(context.Background())
	return b
}

// Close ends the counts that are under way and waits for them. Later calls of Reserve
// go by what was counted before.
func (b *Bytes) Close() {
	if b == nil {
		return
	}
	b.cancel()
	b.counts.Wait()
}

// Reserve admits bytes that are about to be stored under id, or refuses them:
// fault.TooMany quota_exceeded. Where no count can be had in time they are let
// in. Release is to be called when they are stored, after Add, or will not be;
// a second Reserve under the id takes the place of the first.
func (b *Bytes) Reserve(ctx context.Context, tenantID, id string, bytes int64) error {
	if b == nil {
		return nil
	}
	limit, err := b.cfg.Limit(ctx, tenantID)
	if err != nil {
		return err
	}
	if limit <= 0 {
		b.forget(tenantID)
		return nil
	}
	l := b.of(tenantID)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.remove(id)
	if l.due(b.cfg.Now(), recount) {
		b.count(tenantID, l)
	}
	for (!l.known || l.used()+bytes > limit) && b.await(ctx, tenantID, l) {
	}
	if !l.known && l.ended != nil && !l.reported {
		l.reported = true
		b.uncounted(tenantID, nil)
	}
	if used := l.used(); used+bytes > limit {
		return fault.New(fault.TooMany, "quota_exceeded",
			"The tenant has stored %d of the %d bytes that it may, and this takes %d more; delete runs, workflows or templates that are not needed, or ask the operator for more.",
			used, limit, bytes).With("quota", "stored_bytes").With("limit", limit).With("used", used)
	}
	l.reservations[id] = reservation{bytes, b.cfg.Now()}
	l.pending += bytes
	return nil
}

// await waits for the count under way, or for a new one where it is time for
// that; false: there is none to wait for, it takes too long, or ctx has ended.
// l.mu is held, but not while it waits.
func (b *Bytes) await(ctx context.Context, tenantID string, l *ledger) bool {
	if l.ended == nil {
		if !l.due(b.cfg.Now(), recheck) {
			return false
		}
		b.count(tenantID, l)
	}
	ended := l.ended
	if ended == nil { // closed
		return false
	}
	left := maxWait - b.cfg.Now().Sub(l.startedAt)
	if left <= 0 {
		return false
	}
	l.mu.Unlock()
	defer l.mu.Lock()
	enough := time.NewTimer(left)
	defer enough.Stop()
	select {
	case <-ended:
		return true
	case <-enough.C:
		return false
	case <-ctx.Done():
		return false
	}
}

// due reports whether the count is to be taken again when it is so old. It is not
// while one is under way, nor before minIntervalFactor times the last one's duration
// have passed; it is at once where there was none, where something was deleted since
// the last one began, or where the clock went back. l.mu is held.
func (l *ledger) due(now time.Time, old time.Duration) bool {
	age := now.Sub(l.endedAt)
	switch {
	case l.ended != nil:
		return false
	case l.endedAt.IsZero() || age < 0:
		return true
	case age < minIntervalFactor*l.duration:
		return false
	}
	return l.stale && l.known || age >= old || !l.known && age >= recheck
}

// used returns what the tenant has stored or is about to store. l.mu is held.
func (l *ledger) used() int64 { return l.counted + l.since + l.pending }

// remove ends a reservation, if it is there: a missing one has 0 bytes. l.mu is held.
func (l *ledger) remove(id string) {
	l.pending -= l.reservations[id].bytes
	delete(l.reservations, id)
}

// count begins a count, on a goroutine that waits for one of maxConcurrentCounts
// slots; l.mu is held, and no other is under way. At its end reservations that are
// older than maxReservationAge are dropped: what they stood for is in the count, or
// was never stored.
func (b *Bytes) count(tenantID string, l *ledger) {
	if l.ended != nil || b.ctx.Err() != nil {
		return
	}
	l.ended, l.startedAt, l.reported = make(chan struct{}), b.cfg.Now(), false
	b.counts.Go(func() {
		b.slots <- struct{}{}
		defer func() { <-b.slots }()
		ctx, cancel := context.WithTimeout(b.ctx, maxCountDuration)
		defer cancel()
		l.mu.Lock()
		began, before := b.cfg.Now(), l.since
		l.stale = false
		l.mu.Unlock()
		n, err := b.cfg.Count(ctx, tenantID)
		l.mu.Lock()
		defer l.mu.Unlock()
		l.endedAt = b.cfg.Now()
		l.duration = max(0, l.endedAt.Sub(began))
		if err != nil {
			b.uncounted(tenantID, err)
		} else {
			// What was stored while it counted is in it or not: it stays in since.
			l.known, l.counted = true, n
			l.since -= before
		}
		for id, h := range l.reservations {
			if l.endedAt.Sub(h.at) >= maxReservationAge {
				l.remove(id)
			}
		}
		close(l.ended)
		l.ended = nil
	})
}

// uncounted passes on that a count failed or is late, unless Close was called.
func (b *Bytes) uncounted(tenantID string, err error) {
	if b.cfg.Uncounted != nil && b.ctx.Err() == nil {
		b.cfg.Uncounted(tenantID, err)
	}
}

// Tracks reports whether any tenant has a limit: whether Add does anything.
func (b *Bytes) Tracks() bool { return b != nil && b.limitedTenants.Load() > 0 }

// Add counts bytes that were stored just now. Where no tenant has a limit it costs
// one atomic read. The reservation that they were stored under stays until Release.
func (b *Bytes) Add(tenantID string, bytes int64) {
	if !b.Tracks() {
		return
	}
	if l := b.known(tenantID); l != nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.since += bytes
	}
}

// Release ends a reservation. An unknown one is passed over.
func (b *Bytes) Release(tenantID, id string) {
	if !b.Tracks() {
		return
	}
	if l := b.known(tenantID); l != nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.remove(id)
	}
}

// Freed notes that something of the tenant's was deleted: the next request counts
// again, as what was freed is not known without that.
func (b *Bytes) Freed(tenantID string) {
	if !b.Tracks() {
		return
	}
	if l := b.known(tenantID); l != nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.stale = true
	}
}

// known returns the tenant's ledger, nil where it has no limit.
func (b *Bytes) known(tenantID string) *ledger {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.tenants[tenantID]
}

// of returns the tenant's ledger, which it makes where there is none.
func (b *Bytes) of(tenantID string) *ledger {
	if l := b.known(tenantID); l != nil {
		return l
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	l := b.tenants[tenantID]
	if l == nil {
		l = &ledger{reservations: map[string]reservation{}}
		b.tenants[tenantID] = l
		b.limitedTenants.Add(1)
	}
	return l
}

// forget drops the ledger of a tenant that has no limit any more, and with it what was
// reserved. A count that is under way goes on and is of no use.
func (b *Bytes) forget(tenantID string) {
	if !b.Tracks() || b.known(tenantID) == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.tenants[tenantID] != nil {
		delete(b.tenants, tenantID)
		b.limitedTenants.Add(-1)
	}
}
