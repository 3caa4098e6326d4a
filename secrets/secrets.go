// Package secrets keeps tenants' secrets: sealed at rest, never shown,
// handed to the configs that name them, and taken out of whatever comes back.
//
// It promises that a value leaves it in two ways only: through Reveal, for the
// performer of a step, and sealed, for the store. Redaction finds a value in
// plain text, JSON-escaped, percent-encoded, and in base64 and base64url at
// every alignment. It must not know SQL, HTTP or what a run is.
package secrets

import (
	"context"
	"heddle/fault"
	"log/slog"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	regexp "heddle/internal/lazyregexp"
)

// The size of a value, in bytes.
const (
	minValue = 8
	maxValue = 65_536
)

var nameForm = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,127}$`)

// Entry is what may be known of a secret.
type Entry struct {
	Name      string
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Sealed is a secret as it is kept.
type Sealed struct {
	Entry
	TenantID string
	Box      []byte
}

// Store keeps sealed secrets. Every method is one transaction.
type Store interface {
	// PutSecret adds a secret or replaces its value; CreatedAt of one that is
	// there stays. It raises the tenant's revision.
	PutSecret(ctx context.Context, s Sealed) error
	// DeleteSecret removes one and raises the tenant's revision; none there is
	// fault.NotFound secret_not_found.
	DeleteSecret(ctx context.Context, tenantID, name string) error
	// SecretEntries lists by name; the cursor is that of the page before.
	SecretEntries(ctx context.Context, tenantID, cursor string, limit int) ([]Entry, string, error)
	// SealedSecrets reads all of a tenant's, with the revision that they are of.
	SealedSecrets(ctx context.Context, tenantID string) ([]Sealed, int64, error)
	// SecretsRevision is 0 for a tenant that never had any.
	SecretsRevision(ctx context.Context, tenantID string) (int64, error)
	// SecretCheck reads the check value, nil where there is none.
	SecretCheck(ctx context.Context) ([]byte, error)
	// KeepSecretCheck stores the check value unless there is one, and returns the
	// one that is there then.
	KeepSecretCheck(ctx context.Context, box []byte) ([]byte, error)
}

// Config is what a Service is made of.
type Config struct {
	Store Store
	// Key returns the operator's key, at least 16 characters; with create it may
	// make one where there is none yet. No key is ErrNoKey.
	Key func(create bool) (string, error)
	Now func() time.Time
	Log *slog.Logger
	// Stale is how long a tenant's secrets are used without a look at the store;
	// 0 is one second. Changes made through this Service are seen at once.
	Stale time.Duration
}

// Service is what other packages use.
type Service struct {
	cfg Config

	mu    sync.Mutex                // guards vault and cache; never held over a call of the store
	vault *vault                    // nil until the key is needed
	cache map[string]*tenantSecrets // by tenant, at most maxTenants
	known sync.Map                  // tenants' redactors, for Scrub: it is called while mu may be held
}

// New makes a Service. Check must be called before it serves.
func New(cfg Config) *Service {
	if cfg.Stale == 0 {
		cfg.Stale = time.Second
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Service{cfg: cfg, cache: make(map[string]*tenantSecrets)}
}

// now returns the time as the store keeps it: UTC, whole milliseconds.
func (s *Service) now() time.Time { return s.cfg.Now().UTC().Truncate(time.Millisecond) }

// Put stores a secret or replaces its value. Errors: fault.Unacceptable
// invalid_secret_name, invalid_secret.
func (s *Service) Put(ctx context.Context, tenantID, name, value string) error {
	if err := checkName(name); err != nil {
		return err
	}
	if err := checkValue(value); err != nil {
		return err
	}
	v, err := s.openVault(ctx, true)
	if err != nil {
		return err
	}
	now := s.now()
	box, err := v.seal(tenantID, name, value)
	if err != nil {
		return err
	}
	defer s.forget(tenantID)
	return s.cfg.Store.PutSecret(ctx, Sealed{Entry: Entry{name, now, now}, TenantID: tenantID, Box: box})
}

// List returns a page of names and dates, by name.
func (s *Service) List(ctx context.Context, tenantID, cursor string, limit int) ([]Entry, string, error) {
	return s.cfg.Store.SecretEntries(ctx, tenantID, cursor, limit)
}

// Delete removes a secret. Runs that name it fail from then on.
func (s *Service) Delete(ctx context.Context, tenantID, name string) error {
	if !nameForm.MatchString(name) {
		return fault.New(fault.NotFound, "secret_not_found", "There is no such secret.")
	}
	defer s.forget(tenantID)
	return s.cfg.Store.DeleteSecret(ctx, tenantID, name)
}

// checkName returns fault.Unacceptable invalid_secret_name for a name that no
// template could refer to.
func checkName(name string) error {
	if nameForm.MatchString(name) {
		return nil
	}
	return fault.New(fault.Unacceptable, "invalid_secret_name",
		"A secret's name is 1 to 128 letters, digits and _, and does not start with a digit.")
}

// checkValue returns fault.Unacceptable invalid_secret for a value that redaction
// could not find again: too short, too long, or not text.
func checkValue(value string) error {
	switch {
	case len(value) < minValue || len(value) > maxValue:
		return fault.New(fault.Unacceptable, "invalid_secret",
			"A secret has %d to %d bytes, not %d: shorter ones could not be told from other text.", minValue, maxValue, len(value))
	case !utf8.ValidString(value) || strings.ContainsRune(value, 0):
		return fault.New(fault.Unacceptable, "invalid_secret", "A secret is UTF-8 text without NUL; encode other bytes, as base64 for instance.")
	}
	return nil
}
