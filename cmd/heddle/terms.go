package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// termFile implements executor.Terms. It keeps which terms of this server ended in order
// although the database could not be told, so that the next start does not count a crash
// for them. It is written only then. Beside a SQLite file, which fills the same disk,
// its space is reserved beforehand, so that it can be written when the disk is full; a
// file system that never writes in place refuses that all the same.
type termFile struct {
	path     string // "": there is no file, nothing is kept
	reserved bool   // keep the file at termRoom bytes
}

// termRoom is the size of a reserved file in bytes, and the most that is read. The file
// holds one epoch per line in decimal, then spaces.
const termRoom = 4096

// mostTerms is how many terms are kept: the latest. Their epochs fit into termRoom.
const mostTerms = 100

// termNotes returns the file of a database: beside the SQLite file, or for PostgreSQL
// beside the key for secrets, under a name derived from the URL without its user and
// password. A database in memory has none: its path is "".
func termNotes(databaseURL string) termFile {
	if path := sqlitePath(databaseURL); path != "" {
		return termFile{path: path + ".terms", reserved: true}
	}
	u, err := url.Parse(databaseURL)
	if err != nil || u.Scheme == "sqlite" {
		return termFile{}
	}
	// A changed password is still the same database.
	u.User = nil
	sum := sha256.Sum256([]byte(u.String()))
	return termFile{path: filepath.Join(filepath.Dir(keyFile(databaseURL)), "heddle-"+hex.EncodeToString(sum[:4])+".terms")}
}

// Load returns the epochs in the file and reserves its space for later. A missing file
// is empty; a line that is not a number is skipped. An error may come with the epochs:
// they were read, but no space could be reserved.
func (f termFile) Load() ([]int64, error) {
	if f.path == "" {
		return nil, nil
	}
	text, err := os.ReadFile(f.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var epochs []int64
	// The spaces at the end of a reserved file are not fields.
	for line := range strings.FieldsSeq(string(text[:min(len(text), termRoom)])) {
		if n, err := strconv.ParseInt(line, 10, 64); err == nil && n > 0 {
			epochs = append(epochs, n)
		}
	}
	// At the start, while there is room.
	if f.reserved && len(text) < termRoom {
		return epochs, f.write(epochs)
	}
	return epochs, nil
}

// Save replaces the epochs in the file. Without epochs a file that is not reserved
// is removed.
func (f termFile) Save(epochs []int64) error {
	if f.path == "" {
		return nil
	}
	if len(epochs) == 0 && !f.reserved {
		err := os.Remove(f.path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	return f.write(epochs)
}

// write writes the latest epochs and fills the file with spaces up to termRoom, in place
// and synced, so that it needs no new blocks.
func (f termFile) write(epochs []int64) error {
	text := make([]byte, 0, termRoom)
	for _, n := range epochs[max(0, len(epochs)-mostTerms):] {
		text = append(strconv.AppendInt(text, n, 10), '\n')
	}
	text = append(text, bytes.Repeat([]byte{' '}, termRoom-len(text))...)
	file, err := os.OpenFile(f.path, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	// In place, so that a full disk has the blocks; Load skips what a crash tore.
	_, err = file.WriteAt(text, 0)
	return errors.Join(err, file.Sync(), file.Close())
}
