package secrets

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// tenantSecrets is one tenant's secrets, opened. It does not change, but for
// seen.
type tenantSecrets struct {
	revision int64
	values   map[string]string
	redactor *redactor // nil: the tenant has none
	seen     time.Time // when it was last compared with the store; under Service.mu
}

// maxTenants bounds the cache; the rest is read again.
const maxTenants = 4096

// Reveal returns the values of the named secrets and what takes them, and all of
// the tenant's others, out of JSON and text. A name that is not there is left
// out. It looks at the store each time, so that a change counts from the next
// attempt on, on every server.
func (s *Service) Reveal(ctx context.Context, tenantID string, names []string) (map[string]string, error) {
	t, err := s.tenant(ctx, tenantID, 0)
	if err != nil {
		return nil, err
	}
	values := make(map[string]string, len(names))
	for _, name := range names {
		if v, ok := t.values[name]; ok {
			values[name] = v
		}
	}
	return values, nil
}

// Redactor returns what replaces every secret of the tenant by *** in a JSON
// value; nil where the tenant has none. Where the store does not answer it is
// that of the secrets known last. What it returns also knows the values
// that the tenant had when it was made, whatever happens to them since.
func (s *Service) Redactor(ctx context.Context, tenantID string) (func(json.RawMessage) json.RawMessage, error) {
	r, err := s.redactor(ctx, tenantID)
	if err != nil || r == nil {
		return nil, err
	}
	return r.json, nil
}

// Unfinished returns what finds the place in a text at which one of the tenant's
// secrets may begin that goes on behind the text's end; nil where the tenant
// has none.
func (s *Service) Unfinished(ctx context.Context, tenantID string) (func(text []byte) int, error) {
	r, err := s.redactor(ctx, tenantID)
	if err != nil || r == nil {
		return nil, err
	}
	return r.unfinished, nil
}

// redactor returns the tenant's redactor; nil where it has no secrets. When the
// store cannot be read it is the one used last: an old list of secrets is better
// than the loss of a step's outcome. Only a tenant never read before is an error.
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

// Holds reports whether a JSON value holds one of the tenant's secrets, in any
// of the encodings that redaction knows.
func (s *Service) Holds(ctx context.Context, tenantID string, value json.RawMessage) (bool, error) {
	t, err := s.tenant(ctx, tenantID, s.cfg.Stale)
	if err != nil || t.redactor == nil {
		return false, err
	}
	return t.redactor.contains(value), nil
}

// forget makes the next use look at the store.
func (s *Service) forget(tenantID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.cache[tenantID]; t != nil {
		t.seen = time.Time{}
	}
}

// tenant returns the tenant's secrets as they were at most stale ago.
func (s *Service) tenant(ctx context.Context, tenantID string, stale time.Duration) (*tenantSecrets, error) {
	now := s.cfg.Now()
	s.mu.Lock()
	t := s.cache[tenantID]
	fresh := t != nil && stale > 0 && now.Sub(t.seen) < stale
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
	t.seen = now
	s.cache[tenantID] = t
	s.known.Store(tenantID, t.redactor)
	return t, nil
}

// read opens all of a tenant's secrets. Revision 0 has none and needs no key.
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
