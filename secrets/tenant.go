package secrets

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// tenantSecrets is one tenant's secrets, opened. All but seen does not change after
// read, so it is shared without a lock.
type tenantSecrets struct {
	revision int64             // of the store, when the values were read
	values   map[string]string // by name
	redactor *redactor         // nil: the tenant has none
	seen     time.Time         // when it was last compared with the store; under Service.mu
}

// maxTenants bounds the cache. When it is full it is emptied, and tenants are read anew
// as they are needed.
const maxTenants = 4096

// Reveal returns the values of the named secrets. A name that does not exist is left
// out. It asks the store for the tenant's revision each time, so that a change counts
// from the next attempt on, on every server. The caller must not let a value reach a log
// or an answer.
func (s *Service) Reveal(ctx context.Context, tenantID string, names []string) (map[string]string, error) {
	t, err := s.tenant(ctx, tenantID, 0)
	if err != nil {
		return nil, err
	}
	values := make(map[string]string, len(names))
	for _, name := range names {
		if v, ok := t.values[name]; ok {
			values[name] = v
			s.uses.note(secretName{tenantID, name}, s.now())
		}
	}
	return values, nil
}

// MissingSecrets returns those of the names that the tenant has no secret of, in their
// order. It reveals nothing.
func (s *Service) MissingSecrets(ctx context.Context, tenantID string, names []string) ([]string, error) {
	t, err := s.tenant(ctx, tenantID, 0)
	if err != nil {
		return nil, err
	}
	var missing []string
	for _, name := range names {
		if _, ok := t.values[name]; !ok {
			missing = append(missing, name)
		}
	}
	return missing, nil
}

// Redactor returns a function that replaces every secret of the tenant by *** in a JSON
// value; nil where the tenant has none. Where the store does not answer, it knows the
// secrets that were read last. The function keeps the values that the tenant had when it
// was made, whatever happens to them since, and may be called concurrently.
func (s *Service) Redactor(ctx context.Context, tenantID string) (func(json.RawMessage) json.RawMessage, error) {
	r, err := s.redactor(ctx, tenantID)
	if err != nil || r == nil {
		return nil, err
	}
	return r.json, nil
}

// Unfinished returns a function that finds the position in a text from which on it may
// be the beginning of one of the tenant's secrets that goes on behind the text's end;
// nil where the tenant has none. Callers that pass a text on in pieces keep what follows
// the position.
func (s *Service) Unfinished(ctx context.Context, tenantID string) (func(text []byte) int, error) {
	r, err := s.redactor(ctx, tenantID)
	if err != nil || r == nil {
		return nil, err
	}
	return r.unfinished, nil
}

// redactor returns the tenant's redactor; nil where it has no secrets. When the store
// cannot be read it is the one used last: an old list of secrets is better than the loss
// of a step's outcome. Only for a tenant never read before is that an error.
func (s *Service) redactor(ctx context.Context, tenantID string) (*redactor, error) {
	t, err := s.tenant(ctx, tenantID, s.cfg.Stale)
	if err != nil {
		// What was known last is better than to lose a step's outcome.
		s.mu.Lock()
		t = s.cache[tenantID]
		s.mu.Unlock()
	}
	if t == nil {
		return nil, err
	}
	return t.redactor, nil
}

// Holds reports whether a JSON value holds one of the tenant's secrets, in any of the
// encodings that redaction knows. A secret of which only a part is there does not count.
func (s *Service) Holds(ctx context.Context, tenantID string, value json.RawMessage) (bool, error) {
	t, err := s.tenant(ctx, tenantID, s.cfg.Stale)
	if err != nil || t.redactor == nil {
		return false, err
	}
	return t.redactor.contains(value), nil
}

// forget makes the next use of the tenant's secrets look at the store.
func (s *Service) forget(tenantID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changes++
	if t := s.cache[tenantID]; t != nil {
		t.seen = time.Time{}
	}
}

// tenant returns the tenant's secrets as they were at most stale ago; 0 always asks the
// store. It reads the revision, one row, and the secrets only where that has changed.
// Two calls may read the same at the same time; the newest revision stays in the cache.
// What a change of this process has overtaken meanwhile counts as not compared yet.
func (s *Service) tenant(ctx context.Context, tenantID string, stale time.Duration) (*tenantSecrets, error) {
	now := s.cfg.Now()
	s.mu.Lock()
	t := s.cache[tenantID]
	fresh := t != nil && stale > 0 && now.Sub(t.seen) < stale
	changes := s.changes
	s.mu.Unlock()
	if fresh {
		return t, nil
	}
	revision, err := s.cfg.Store.SecretsRevision(ctx, tenantID)
	if err != nil {
		return nil, err
	}
	if t == nil || t.revision != revision {
		if t, err = s.read(ctx, tenantID, revision); err != nil {
			return nil, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.cache) >= maxTenants {
		clear(s.cache)
		s.known.Clear()
	}
	if newer := s.cache[tenantID]; newer != nil && newer.revision > t.revision {
		return newer, nil
	}
	if s.changes == changes {
		t.seen = now
	}
	s.cache[tenantID] = t
	s.known.Store(tenantID, t.redactor)
	return t, nil
}

// read reads and opens all of a tenant's secrets. A tenant at revision 0 has none, and
// one without secrets needs no key.
func (s *Service) read(ctx context.Context, tenantID string, revision int64) (*tenantSecrets, error) {
	t := &tenantSecrets{revision: revision, values: map[string]string{}}
	if revision == 0 {
		return t, nil
	}
	list, revision, err := s.cfg.Store.SealedSecrets(ctx, tenantID)
	if err != nil {
		return nil, err
	}
	t.revision = revision
	if len(list) == 0 {
		return t, nil
	}
	v, err := s.openVault(ctx, false)
	if err != nil {
		return nil, err
	}
	all := make([]string, 0, len(list))
	for _, sealed := range list {
		value, err := v.open(tenantID, sealed.Name, sealed.Box)
		if err != nil {
			return nil, fmt.Errorf("open the secret %s: %w", sealed.Name, err)
		}
		t.values[sealed.Name] = value
		all = append(all, value)
	}
	t.redactor = newRedactor(all)
	return t, nil
}
