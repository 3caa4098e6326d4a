package secrets

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"heddle/fault"
)

// ErrNoKey means that the operator set up no key.
var ErrNoKey = errors.New("there is no key for secrets")

// errMismatch means that the key is not the one that the secrets are sealed with.
var errMismatch = errors.New("the key is another one than that which the secrets in this database are encrypted with: " +
	"set HEDDLE_SECRET_KEY to that key, or put the file heddle.key back in its place")

// vault seals and opens values with one key: AES-256-GCM with a random nonce for each
// value. Tenant and name are authenticated with it, so that a box moved to another row
// does not open. It is safe for concurrent use.
type vault struct{ aead cipher.AEAD }

// boxVersion is the first byte of every box, so that another cipher can follow.
const boxVersion = 1

// newVault derives the key for values from the operator's by HKDF-SHA-256 (RFC 5869).
// The operator's key has at least 16 characters.
func newVault(key string) (*vault, error) {
	if len(key) < 16 {
		return nil, errors.New("the key for secrets has fewer than 16 characters")
	}
	derived, err := hkdf.Key(sha256.New, []byte(key), nil, "heddle secrets v1", 32)
	if err != nil {
		return nil, fmt.Errorf("derive the key for secrets: %w", err)
	}
	block, err := aes.NewCipher(derived)
	if err != nil {
		return nil, fmt.Errorf("make the cipher for secrets: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("make the cipher for secrets: %w", err)
	}
	return &vault{aead}, nil
}

// additionalData returns what a box is bound to, its tenant and name. The tenant's
// length keeps apart pairs that would spell the same.
func additionalData(tenantID, name string) []byte {
	return fmt.Appendf(nil, "heddle/secret/%d:%s/%s", len(tenantID), tenantID, name)
}

// seal returns a box: version, nonce, then the value encrypted and authenticated. Two
// boxes of the same value differ.
func (v *vault) seal(tenantID, name, value string) ([]byte, error) {
	box := make([]byte, 1+v.aead.NonceSize(), 1+v.aead.NonceSize()+len(value)+v.aead.Overhead())
	box[0] = boxVersion
	if _, err := rand.Read(box[1:]); err != nil {
		return nil, fmt.Errorf("draw a nonce: %w", err)
	}
	return v.aead.Seal(box, box[1:], []byte(value), additionalData(tenantID, name)), nil //nolint:gosec // box[1:] is the nonce that was drawn above
}

// open returns the value of a box. errMismatch means that it was sealed with another key
// or belongs to another tenant or name; the two cannot be told apart.
func (v *vault) open(tenantID, name string, box []byte) (string, error) {
	n := 1 + v.aead.NonceSize()
	if len(box) < n || box[0] != boxVersion {
		return "", errors.New("a stored secret has an unknown form")
	}
	value, err := v.aead.Open(nil, box[1:n], box[n:], additionalData(tenantID, name))
	if err != nil {
		return "", errMismatch
	}
	return string(value), nil
}

// checkText is the check value before it is sealed, like a secret without tenant or
// name.
const checkText = "this key fits"

// verify returns errMismatch where the key is not the one that the check value was
// sealed with.
func (v *vault) verify(check []byte) error {
	text, err := v.open("", "", check)
	if err != nil {
		return err
	}
	if !bytes.Equal([]byte(text), []byte(checkText)) {
		return errMismatch
	}
	return nil
}

// Check returns an error where the key does not fit the database; a server for which it
// fails must not start. A database without secrets needs no key yet.
func (s *Service) Check(ctx context.Context) error {
	check, err := s.cfg.Store.SecretCheck(ctx)
	if err != nil || check == nil {
		return err
	}
	_, err = s.load(ctx, false)
	return err
}

// openVault returns the vault, loading the key at the first use; create allows a new
// key. Its errors are for callers of the API: fault.Unavailable secret_key_unavailable,
// or a fault of the store. The reason itself is logged only, for the operator.
func (s *Service) openVault(ctx context.Context, create bool) (*vault, error) {
	s.mu.Lock()
	v := s.vault
	s.mu.Unlock()
	if v != nil {
		return v, nil
	}
	v, err := s.load(ctx, create)
	var f *fault.Error
	if err == nil || errors.As(err, &f) {
		return v, err
	}
	s.cfg.Log.Error("secrets cannot be read or written", "error", err)
	return nil, fault.Wrap(err, fault.Unavailable, "secret_key_unavailable",
		"This server has no key that fits the stored secrets; its operator finds the reason in the log.")
}

// load reads the key, makes one where it may, and compares it with the check value,
// which is stored at the first use. A key is made only while no check value is stored: a
// new key could not open what is there.
func (s *Service) load(ctx context.Context, create bool) (*vault, error) {
	check, err := s.cfg.Store.SecretCheck(ctx)
	if err != nil {
		return nil, err
	}
	key, err := s.cfg.Key(create && check == nil)
	if err != nil {
		return nil, err
	}
	v, err := newVault(key)
	if err != nil {
		return nil, err
	}
	if check == nil {
		if check, err = v.seal("", "", checkText); err != nil {
			return nil, err
		}
		if check, err = s.cfg.Store.KeepSecretCheck(ctx, check); err != nil {
			return nil, err
		}
	}
	if err := v.verify(check); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.vault == nil {
		s.vault = v
	}
	return s.vault, nil
}
