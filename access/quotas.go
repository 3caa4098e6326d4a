package access

import (
	"context"
	"fmt"
	"heddle/fault"
	"sync"
	"time"
)

// Quotas is what a tenant may have at one time; 0: as many as it likes.
type Quotas struct {
	OpenRuns    int   // runs that have not ended
	Streams     int   // open event streams, at each node
	Schedules   int   // schedules that have not ended
	StoredBytes int64 // contents of definitions, templates and runs
}

// Unset stands in a tenant's own quotas for what the server's settings say.
const Unset = -1

// The largest quotas.
const (
	MaxQuota       = 1_000_000_000
	MaxStoredBytes = 100_000_000_000_000
)

// withDefaults returns the own quotas, and where they are unset the server's.
func (q Quotas) withDefaults(server Quotas) Quotas {
	return Quotas{
		orDefault(q.OpenRuns, server.OpenRuns), orDefault(q.Streams, server.Streams),
		orDefault(q.Schedules, server.Schedules), orDefault(q.StoredBytes, server.StoredBytes),
	}
}

func orDefault[N int | int64](own, otherwise N) N {
	if own == Unset {
		return otherwise
	}
	return own
}

// TenantQuotas is a tenant with its own quotas (Unset where it has none) and
// those that hold.
type TenantQuotas struct {
	Tenant    Tenant
	Own       Quotas
	Effective Quotas
}

// quotaCache remembers tenants' quotas for as long as keys are remembered.
type quotaCache struct {
	mu      sync.Mutex
	entries map[string]cachedQuotas
}

type cachedQuotas struct {
	q      Quotas
	readAt time.Time
}

// Quotas returns the quotas that hold for a tenant; those of another node's
// change within two seconds.
func (s *Service) Quotas(ctx context.Context, tenantID string) (Quotas, error) {
	now := s.now()
	s.quotas.mu.Lock()
	e, known := s.quotas.entries[tenantID]
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
	if s.quotas.entries == nil || len(s.quotas.entries) >= cacheSize {
		s.quotas.entries = map[string]cachedQuotas{}
	}
	s.quotas.entries[tenantID] = cachedQuotas{q, now}
	return q, nil
}

// TenantQuotas finds a tenant by its id or slug, with its quotas; unknown:
// fault.NotFound tenant_not_found.
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

// SetQuotas gives a tenant quotas of its own. Errors: fault.NotFound
// tenant_not_found; fault.Unacceptable invalid_quota.
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
	return TenantQuotas{t, own, own.withDefaults(s.serverQuotas)}, nil
}
