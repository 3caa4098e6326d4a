package secrets_test

import (
	"context"
	"heddle/secrets"
	"heddle/store"
	"testing"
	"time"
)

// slowSecrets reads a tenant's secrets, or their revision, and then lets
// something happen before it returns them.
type slowSecrets struct {
	*store.DB
	afterRevision, afterValues func()
}

func (s *slowSecrets) SecretsRevision(ctx context.Context, tenantID string) (int64, error) {
	n, err := s.DB.SecretsRevision(ctx, tenantID)
	once(&s.afterRevision)
	return n, err
}

func (s *slowSecrets) SealedSecrets(ctx context.Context, tenantID string) ([]secrets.Sealed, int64, error) {
	list, n, err := s.DB.SealedSecrets(ctx, tenantID)
	once(&s.afterValues)
	return list, n, err
}

// once calls a function, nil: none, and forgets it.
func once(f *func()) {
	if call := *f; call != nil {
		*f = nil
		call()
	}
}

// A read that a change overtakes does not hide the change.
func TestAReadThatAChangeOvertakesIsNotFresh(t *testing.T) {
	for name, delay := range map[string]func(s *slowSecrets, change func()){
		"the revision": func(s *slowSecrets, change func()) { s.afterRevision = change },
		"the values":   func(s *slowSecrets, change func()) { s.afterValues = change },
	} {
		db := &slowSecrets{DB: openDB(t)}
		now := time.Now()
		s := secrets.New(secrets.Config{Store: db, Key: keyOf("key number one, long"), Now: func() time.Time { return now }, Stale: time.Second})
		must(t, s.Put(t.Context(), "t1", "A", "first value"))
		_, err := s.Holds(t.Context(), "t1", []byte(`1`))
		must(t, err)
		must(t, s.Put(t.Context(), "t1", "A", "second value"))
		delay(db, func() {
			must(t, s.Put(t.Context(), "t1", "B", "third value"))
			_, err := s.Holds(t.Context(), "t1", []byte(`1`))
			must(t, err)
		})
		_, err = s.Holds(t.Context(), "t1", []byte(`1`))
		must(t, err)
		if found, err := s.Holds(t.Context(), "t1", []byte(`"third value"`)); err != nil || !found {
			t.Errorf("%s read before the change: the new secret is found: %v, %v", name, found, err)
		}
	}
}
