package source

import (
	"crypto/sha256"
	"encoding/hex"
)

// Written is the text of a definition as its author wrote it, with comments, in the
// author's order. It is kept beside the canonical form, and stands for the same value:
// whoever stores both has made the one of the other. The zero value is none.
type Written struct {
	Format Format // "": none
	Text   string
}

// Given reports whether there is a text, be it empty.
func (w Written) Given() bool { return w.Format != "" }

// Hash returns a fingerprint of the format and the text, "" for none. It tells two
// texts apart that have the same canonical form.
func (w Written) Hash() string {
	if !w.Given() {
		return ""
	}
	sum := sha256.Sum256([]byte(string(w.Format) + "\n" + w.Text))
	return hex.EncodeToString(sum[:])
}

// InvalidReason says why a text cannot be stored, whatever it means; "" where it can
// be. Its length is at most MaxBytes.
func (w Written) InvalidReason() string { return invalidTextReason(w.Text, MaxBytes) }

// BlockLines returns the lines of a YAML text on which a member of the root stands as a
// block below its key: the first and the one behind the last, from 1 (to 0: up to the end), and the
// spaces before its first key. from is 0 where the member begins on its key's line, or the text is
// JSON.
func BlockLines(root, member *Node) (from, to, indent int) {
	i := int(member.index)
	if member.Pos.line <= member.keyPos.line || member.keyPos.line == 0 {
		return 0, 0, 0
	}
	if i+1 < len(root.Kids) {
		to = int(root.Kids[i+1].keyPos.line)
	}
	return int(member.keyPos.line) + 1, to, int(member.Pos.column) - 1
}
