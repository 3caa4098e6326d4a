package definitions

import "encoding/json"

// Format is the notation of a definition's source text.
type Format string

// The notations that Parse reads.
const (
	JSON Format = "json"
	YAML Format = "yaml"
)

// Document is a parsed definition together with its canonical form.
// Canonical has sorted keys and no white space, strings and numbers as
// written; Hash is "sha256:" and the hex SHA-256 over Canonical.
type Document struct {
	Definition *Definition
	Canonical  json.RawMessage
	Hash       string

	root *node
}
