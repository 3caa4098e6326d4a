package access_test

import (
	"context"
	"heddle/access"
	"testing"
)

// slowQuotas reads a tenant's quotas and then lets something happen before it
// returns them.
type slowQuotas struct {
	access.Store
	meanwhile func()
}

func (s *slowQuotas) TenantQuotas(ctx context.Context, tenantID string) (access.Quotas, error) {
	q, err := s.Store.TenantQuotas(ctx, tenantID)
	if f := s.meanwhile; f != nil {
		s.meanwhile = nil
		f()
	}
	return q, err
}

// Quotas that were read before a change are not kept after it.
func TestQuotasReadBeforeAChangeAreNotKept(t *testing.T) {
	w := newWorld(t)
	tenant := w.valid(w.Service, w.bootstrap("")).TenantID
	slow := &slowQuotas{Store: w.db}
	s := access.New(access.Config{Store: slow, Now: w.now, Quotas: access.Quotas{OpenRuns: 5}})
	slow.meanwhile = func() {
		own := access.Quotas{OpenRuns: 9, Streams: access.Unset, Schedules: access.Unset, StoredBytes: access.Unset}
		if _, err := s.SetQuotas(t.Context(), tenant, own); err != nil {
			t.Error(err)
		}
	}
	if q, err := s.Quotas(t.Context(), tenant); err != nil || q.OpenRuns != 5 {
		t.Errorf("%+v, %v", q, err)
	}
	if q, err := s.Quotas(t.Context(), tenant); err != nil || q.OpenRuns != 9 {
		t.Errorf("after the change: %+v, %v", q, err)
	}
}
