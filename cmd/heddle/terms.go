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

// termFile keeps which terms of this server ended in order although the database
// could not be told. It is written only then. Beside a SQLite file, which fills
// the same disk, its room is taken beforehand, so that a full one can be written;
// a file system that never writes in place refuses that all the same.
type termFile struct {
	path     string
	reserved bool
}

// termRoom is the size of a reserved file, and how much is ever read.
const termRoom = 4096

// mostTerms is how many terms are kept, the latest.
const mostTerms = 100

// termNotes is the file of a database: beside the SQLite file, or in the folder
// of the key for secrets under a name that is the database's own. A database in
// memory has none: its path is "".
func termNotes(databaseURL string) termFile {
	if path := sqlitePath(databaseURL); path != "" {
		return termFile{path: path + ".terms", reserved: true}
	}
	u, err := url.Parse(databaseURL)
	if err != nil || u.Scheme == "sqlite" {
		return termFile{}
	}
	u.User = nil
	sum := sha256.Sum256([]byte(u.String()))
	return termFile{path: filepath.Join(filepath.Dir(keyFile(databaseURL)), "heddle-"+hex.EncodeToString(sum[:4])+".terms")}
}

// Load reads the epochs and takes the room for later.
func (f termFile) Load() ([]int64, error) {
	if f.path == "" {
		return nil, nil
	}
	text, err := os.ReadFile(f.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var epochs []int64
	for line := range strings.FieldsSeq(string(text[:min(len(text), termRoom)])) {
		if n, err := strconv.ParseInt(line, 10, 64); err == nil && n > 0 {
			epochs = append(epochs, n)
		}
	}
	if f.reserved && len(text) < termRoom {
		return epochs, f.write(epochs)
	}
	return epochs, nil
}

// Save writes the epochs in place of those before.
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
	_, err = file.WriteAt(text, 0)
	return errors.Join(err, file.Sync(), file.Close())
}
