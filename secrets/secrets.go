// Package secrets keeps tenants' secrets: sealed at rest, never shown, inserted into the
// configs that name them, and removed from whatever comes back.
//
// It promises that a value leaves it in two ways only: through Reveal, for the performer
// of a step, and sealed, for the store. Redaction finds a value in plain text,
// JSON-escaped, percent-encoded, and in base64 and base64url at every alignment. It must
// not know SQL, HTTP or what a run is.
//
// A value passes through three objects. The vault seals it into a box, which is all that
// the store sees; tenantSecrets holds a tenant's opened values for a short time; the
// redactor made of them searches texts in one pass, whatever their number.
package secrets

import (
	"context"
	"heddle/definitions/workflows"
	"heddle/fault"
	"log/slog"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	regexp "heddle/internal/lazyregexp"
)

// The size of a value, in bytes. Shorter ones would be found in unrelated text.
const (
	minValue = 8
	maxValue = 65_536
)

// nameForm is a name that {{ secrets.NAME }} can refer to.
var nameForm = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,127}$`)

// Entry is what may be shown of a secret. Times are in UTC, in whole milliseconds.
type Entry struct {
	Name      string
	CreatedAt time.Time
	UpdatedAt time.Time // when the value was last put
	// LastUsedAt is when a step was last given the value, to the hour; zero: never. What
	// was used in the minute before a crash may be missing.
	LastUsedAt time.Time
	// UsedBy are steps of active and latest versions that name it, at most
	// workflows.MaxReferences. Only lists have them.
	UsedBy []workflows.Reference
}

// Sealed is a secret as the store keeps it.
type Sealed struct {
	Entry
	TenantID string
	Box      []byte // the value encrypted (vault.seal)
}

// Store keeps sealed secrets. Every method is one transaction and may be called
// concurrently. A tenant's revision rises with each change of its secrets, so that one
// number says whether what was read is still true.
type Store interface {
	// PutSecret adds a secret or replaces its value; CreatedAt of an existing one stays.
	// It raises the tenant's revision.
	PutSecret(ctx context.Context, s Sealed) error
	// DeleteSecret removes a secret and raises the tenant's revision. A secret that does
	// not exist is fault.NotFound secret_not_found.
	DeleteSecret(ctx context.Context, tenantID, name string) error
	// SecretEntries returns at most limit entries by name and the cursor of the next page,
	// "" at the end. cursor is that of the page before, "" for the first.
	SecretEntries(ctx context.Context, tenantID, cursor string, limit int) ([]Entry, string, error)
	// MarkSecretsUsed notes that secrets were used at that time. Names that do not exist
	// are no error.
	MarkSecretsUsed(ctx context.Context, tenantID string, names []string, at time.Time) error
	// SealedSecrets returns all of a tenant's secrets and the revision that they belong
	// to, read in one transaction.
	SealedSecrets(ctx context.Context, tenantID string) ([]Sealed, int64, error)
	// SecretsRevision returns the tenant's revision; 0 for one that never had a secret.
	SecretsRevision(ctx context.Context, tenantID string) (int64, error)
	// SecretCheck returns the check value, by which a wrong key is noticed; nil: none is
	// stored.
	SecretCheck(ctx context.Context) ([]byte, error)
	// KeepSecretCheck stores the check value unless there is one, and returns the one that
	// is stored then: of two servers that begin at once, one loses.
	KeepSecretCheck(ctx context.Context, box []byte) ([]byte, error)
}

// Config is what a Service is made of. Store, Key and Now are required.
type Config struct {
	Store Store
	// Key returns the operator's key, at least 16 characters. With create it may make one
	// where there is none yet; otherwise a missing key is ErrNoKey. It is called until it
	// succeeds once.
	Key func(create bool) (string, error)
	Now func() time.Time
	Log *slog.Logger
	// Stale is how long a tenant's secrets are used without a look at the store; 0 is one
	// second. Reveal always looks.
	Stale time.Duration
}

// Service stores, reveals and redacts secrets. It is safe for concurrent use.
type Service struct {
	cfg Config

	mu    sync.Mutex                // guards vault and cache; never held over a call of the store
	vault *vault                    // nil until the key is needed
	cache map[string]*tenantSecrets // by tenant, at most maxTenants
	// changes counts the changes that this process has made: what was read before
	// one is not fresh after it. mu guards it.
	changes int
	known   sync.Map // tenants' redactors, for Scrub: it is called while mu may be held
	uses    useNotes
}

// New returns a Service with the defaults of cfg filled in. It reads nothing. Check must
// succeed before the process serves.
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

// Put stores a secret or replaces its value; the first one of a database may make the
// operator's key. Errors: fault.Unacceptable invalid_secret_name and invalid_secret,
// fault.Unavailable secret_key_unavailable.
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
	return s.cfg.Store.PutSecret(ctx, Sealed{Entry: Entry{Name: name, CreatedAt: now, UpdatedAt: now}, TenantID: tenantID, Box: box})
}

// List returns at most limit entries, by name, and the cursor of the next page; "" at
// the end.
func (s *Service) List(ctx context.Context, tenantID, cursor string, limit int) ([]Entry, string, error) {
	return s.cfg.Store.SecretEntries(ctx, tenantID, cursor, limit)
}

// Delete removes a secret; attempts that name it fail from then on. One that does not
// exist is fault.NotFound secret_not_found. Its value is no longer redacted once the
// store was read anew.
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

// checkValue returns fault.Unacceptable invalid_secret for a value that redaction could
// not find again: too short, too long, not UTF-8, or with NUL.
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
