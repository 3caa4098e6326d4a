package access

import (
	"context"
	"fmt"
	"heddle/fault"
	"sync"
	"time"
)

// Quotas bounds what a tenant may have at one time; 0 means without limit, and
// Unset, in a tenant's own quotas, what the server's settings say.
type Quotas struct {
	OpenRuns    int   // runs that have not ended
	Streams     int   // open event streams, at each node
	Schedules   int   // schedules that have not ended
	StoredBytes int64 // contents of definitions, templates and runs
}

// Unset marks a quota that the tenant does not have of its own: the server's
// setting applies.
const Unset = -1

// The largest values of a quota: of counts, and of StoredBytes (100 TB).
const (
	MaxQuota       = 1_000_000_000
	MaxStoredBytes = 100_000_000_000_000
)

// withDefaults returns a tenant's own quotas, with the server's where they are
// Unset.
func (q Quotas) withDefaults(server Quotas) Quotas {
	return Quotas{
		orDefault(q.OpenRuns, server.OpenRuns), orDefault(q.Streams, server.Streams),
		orDefault(q.Schedules, server.Schedules), orDefault(q.StoredBytes, server.StoredBytes),
	}
}

// orDefault returns own, or otherwise where own is Unset.
func orDefault[N int | int64](own, otherwise N) N {
	if own == Unset {
		return otherwise
	}
	return own
}

// TenantQuotas is a tenant with its own quotas (Unset where it has none) and
// the effective ones.
type TenantQuotas struct {
	Tenant    Tenant
	Own       Quotas
	Effective Quotas
}

// quotaCache holds tenants' effective quotas for cacheTTL. mu guards entries,
// which is nil until the first use, and changes.
type quotaCache struct {
	mu      sync.Mutex
	entries map[string]cachedQuotas
	// changes counts SetQuotas: what was read before one is not kept after it.
	changes int
}

// cachedQuotas are effective quotas as they were computed from what the store had at
// readAt.
type cachedQuotas struct {
	q      Quotas
	readAt time.Time
}

// Quotas returns a tenant's effective quotas. They may be cacheTTL old where
// another node changed them.
func (s *Service) Quotas(ctx context.Context, tenantID string) (Quotas, error) {
	now := s.now()
	s.quotas.mu.Lock()
	e, known := s.quotas.entries[tenantID]
	changes := s.quotas.changes
	s.quotas.mu.Unlock()
	if age := now.Sub(e.readAt); known && age >= 0 && age < cacheTTL {
		return e.q, nil
	}
	own, err := s.store.TenantQuotas(ctx, tenantID)
	if err != nil {
		return Quotas{}, err
	}
	q := own.withDefaults(s.serverQuotas)
	s.quotas.mu.Lock()
	defer s.quotas.mu.Unlock()
	if s.quotas.changes != changes {
		return q, nil
	}
	if s.quotas.entries == nil || len(s.quotas.entries) >= cacheSize {
		s.quotas.entries = map[string]cachedQuotas{}
	}
	s.quotas.entries[tenantID] = cachedQuotas{q, now}
	return q, nil
}

// TenantQuotas returns a tenant, found by its id or slug, with its quotas as
// stored. An unknown one is fault.NotFound tenant_not_found.
func (s *Service) TenantQuotas(ctx context.Context, ref string) (TenantQuotas, error) {
	t, err := s.store.Tenant(ctx, ref)
	if err != nil {
		return TenantQuotas{}, err
	}
	own, err := s.store.TenantQuotas(ctx, t.ID)
	if err != nil {
		return TenantQuotas{}, err
	}
	return TenantQuotas{t, own, own.withDefaults(s.serverQuotas)}, nil
}

// SetQuotas replaces a tenant's own quotas and returns the effective ones. They
// hold at once on this node and within cacheTTL on others; what the tenant has
// already is not touched. Errors: fault.NotFound tenant_not_found;
// fault.Unacceptable invalid_quota.
func (s *Service) SetQuotas(ctx context.Context, ref string, own Quotas) (TenantQuotas, error) {
	for name, n := range map[string]int64{
		"open_runs": int64(own.OpenRuns), "streams": int64(own.Streams), "schedules": int64(own.Schedules), "stored_bytes": own.StoredBytes,
	} {
		most := int64(MaxQuota)
		if name == "stored_bytes" {
			most = MaxStoredBytes
		}
		if n < Unset || n > most {
			return TenantQuotas{}, fault.New(fault.Unacceptable, "invalid_quota",
				"%s must be null (what the server's settings say), 0 (as many as the tenant likes) or at most %d.", name, most)
		}
	}
	t, err := s.store.Tenant(ctx, ref)
	if err != nil {
		return TenantQuotas{}, err
	}
	if err := s.store.PutTenantQuotas(ctx, t, own); err != nil {
		return TenantQuotas{}, fmt.Errorf("store the quotas of %s: %w", t.ID, err)
	}
	s.quotas.mu.Lock()
	defer s.quotas.mu.Unlock()
	delete(s.quotas.entries, t.ID)
	s.quotas.changes++
	return TenantQuotas{t, own, own.withDefaults(s.serverQuotas)}, nil
}
