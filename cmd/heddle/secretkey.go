package main

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"heddle/secrets"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// keySource finds the key that secrets are encrypted with: HEDDLE_SECRET_KEY, or else
// the content of a file, which is created when the first secret is stored. A server that
// never stores a secret therefore has no key to keep. Several nodes need the setting or
// the same file, because only the node that stores the first secret makes one.
type keySource struct {
	setting string // HEDDLE_SECRET_KEY; "": the file has it
	file    string // absolute path of heddle.key
	log     *slog.Logger
}

// keyFile returns the absolute path of heddle.key: beside the SQLite file, or in the
// working directory for PostgreSQL and for a database in memory.
func keyFile(databaseURL string) string {
	path, err := filepath.Abs(filepath.Join(filepath.Dir(sqlitePath(databaseURL)), "heddle.key"))
	if err != nil {
		return "heddle.key"
	}
	return path
}

// sqlitePath returns the file that a database URL names, relative or absolute as it is
// written; "" for PostgreSQL and for a database in memory.
func sqlitePath(databaseURL string) string {
	// In sqlite://heddle.db the file's name is parsed as the host.
	u, err := url.Parse(databaseURL)
	if err != nil || u.Scheme != "sqlite" || strings.Contains(databaseURL, ":memory:") {
		return ""
	}
	return u.Host + u.Path
}

// key returns the key. With create it makes a missing file; without, a missing file is
// secrets.ErrNoKey, because a new key could not decrypt what is stored.
func (k keySource) key(create bool) (string, error) {
	// The setting wins, so that a file left behind by an earlier start does no harm.
	if k.setting != "" {
		return k.setting, nil
	}
	text, err := os.ReadFile(k.file)
	switch {
	case err == nil:
		return k.checked(text)
	case !errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("read the key for secrets: %w", err)
	case !create:
		return "", fmt.Errorf("%w: set HEDDLE_SECRET_KEY, or put the file %s back in its place", secrets.ErrNoKey, k.file)
	}
	return k.make()
}

// checked returns the key in the file's text, without white space around it. It refuses
// a file that other users can read.
func (k keySource) checked(text []byte) (string, error) {
	key := strings.TrimSpace(string(text))
	if err := checkKey(key); err != nil {
		return "", fmt.Errorf("the key in %s is not 16-256 printable characters: %w", k.file, err)
	}
	// An open key file is refused rather than repaired: its content may be known by now.
	info, err := os.Stat(k.file)
	if err != nil {
		return "", fmt.Errorf("read the key for secrets: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("others can read %s: chmod 600 it", k.file)
	}
	return key, nil
}

// make writes a new key and syncs it to the disk before anything is encrypted with it.
// Of two servers that start at once, one fails: the file is created exclusively.
func (k keySource) make() (string, error) {
	// 256 bits, as the cipher takes.
	raw := make([]byte, 32)
	if _, err := rand.Read(raw); err != nil {
		return "", fmt.Errorf("draw a key for secrets: %w", err)
	}
	key := hex.EncodeToString(raw)
	// O_EXCL: a file that appeared meanwhile holds the key of another process.
	f, err := os.OpenFile(k.file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", fmt.Errorf("make the key for secrets: %w", err)
	}
	_, err = f.WriteString(key + "\n")
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return "", fmt.Errorf("write the key for secrets: %w", err)
	}
	k.log.Warn("made a key for secrets; keep a copy of it apart from the database", "file", k.file)
	return key, nil
}
