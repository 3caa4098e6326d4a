// Package quota holds tenants to what they may have at one time of something that
// is stored: it counts by what the store says and by what is about to be stored. It
// knows neither the store nor where a limit comes from.
//
// Whoever is about to store something reserves it, stores it, and releases the
// reservation. Between two counts the quota goes by what was counted last and by the
// reservations of this node, so several nodes together may exceed a limit, by what
// they store until the next count. A Gate counts things: it asks the store about
// once a second and tenant, and for each request at the limit. Bytes sums sizes,
// which is so expensive that it happens in the background.
package quota

import (
	"context"
	"heddle/fault"
	"strings"
	"sync"
	"time"
)

const (
	// countLife is how long a count is used: what other nodes store meanwhile is
	// not seen.
	countLife = time.Second
	// reservationLife is how long something is counted as about to be stored where no
	// Release says otherwise: its node may be gone.
	reservationLife = 10 * time.Second
)

// Gate is a quota of one kind of thing for each tenant. A nil Gate admits everything.
// It is safe for concurrent use. The exported fields are set before the first call
// and not changed afterwards.
type Gate struct {
	// Name is the quota's, as an error names it: open_runs.
	Name string
	// Limit is how many a tenant may have; 0: as many as it likes.
	Limit func(ctx context.Context, tenantID string) (int, error)
	// Count is how many the tenant has, counted up to most. It is called with the
	// tenant locked, and must not call the Gate.
	Count func(ctx context.Context, tenantID string, most int) (int, error)
	Now   func() time.Time

	mu sync.Mutex // guards tenants, not what it points to
	// tenants has an entry for each tenant that ever reserved something here; nil
	// before the first.
	tenants map[string]*tenant
}

// tenant is what is known of one tenant. Its lock is held while the store counts,
// so that requests of one tenant wait for one count.
type tenant struct {
	mu        sync.Mutex // guards all fields
	limit     int        // the one that remaining was computed with
	remaining int        // that may be let in without counting
	until     time.Time  // until when remaining is used
	// reservations are what is about to be stored, by id, and since when.
	reservations map[string]time.Time
}

// Reserve admits one more, which is about to be stored under id, or refuses it:
// fault.TooMany quota_exceeded. An error of Limit or Count is returned as it is,
// and nothing is reserved. Release is to be called when it is stored, or
// will not be.
func (g *Gate) Reserve(ctx context.Context, tenantID, id string) error {
	if g == nil {
		return nil
	}
	limit, err := g.Limit(ctx, tenantID)
	if err != nil || limit <= 0 {
		return err
	}
	t := g.of(tenantID)
	t.mu.Lock()
	defer t.mu.Unlock()
	now := g.Now()
	if t.remaining <= 0 || t.limit != limit || now.Before(t.until.Add(-countLife)) || !now.Before(t.until) {
		for other, since := range t.reservations {
			if now.Sub(since) >= reservationLife {
				delete(t.reservations, other)
			}
		}
		n, err := g.Count(ctx, tenantID, limit)
		if err != nil {
			return err
		}
		// What is reserved may be in the count already: then too few are let in until
		// the next count, which is the safe side.
		t.limit, t.remaining, t.until = limit, limit-n-len(t.reservations), now.Add(countLife)
	}
	if t.remaining <= 0 {
		return fault.New(fault.TooMany, "quota_exceeded", "The tenant has as many %s as it may have, %d; wait until there are fewer, or ask the operator for more.",
			strings.ReplaceAll(g.Name, "_", " "), limit).With("quota", g.Name).With("limit", limit)
	}
	t.remaining--
	t.reservations[id] = now
	return nil
}

// Release ends the reservation of what is stored by now, or will not be. A second
// call, or one for an unknown id, does nothing. It does not raise what remains: that
// is counted anew.
func (g *Gate) Release(tenantID, id string) {
	if g == nil {
		return
	}
	g.mu.Lock()
	t := g.tenants[tenantID]
	g.mu.Unlock()
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.reservations, id)
}

// of returns the tenant's state, which it makes at the first call.
func (g *Gate) of(tenantID string) *tenant {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.tenants == nil {
		g.tenants = map[string]*tenant{}
	}
	t := g.tenants[tenantID]
	if t == nil {
		t = &tenant{reservations: map[string]time.Time{}}
		g.tenants[tenantID] = t
	}
	return t
}
