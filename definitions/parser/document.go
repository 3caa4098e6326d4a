package parser

import (
	"encoding/json"
	"heddle/definitions"
	"heddle/definitions/source"
	"heddle/fault"
)

// Explain notes the fields of an object whose absence was explained.
func (d *Document) Explain(at *source.Node, fields []string) {
	for _, name := range fields {
		if name == "" {
			continue
		}
		if d.explained == nil {
			d.explained = map[*source.Node]map[string]bool{}
		}
		if d.explained[at] == nil {
			d.explained[at] = map[string]bool{}
		}
		d.explained[at][name] = true
	}
}

// Explains reports whether the absence of a field was explained already.
func (d *Document) Explains(at *source.Node, field string) bool {
	return at != nil && (at.Partial || d.explained[at][field])
}

// Document is a parsed definition together with its canonical form.
// Canonical has sorted keys and no white space, strings and numbers as
// written; Hash is "sha256:" and the hex SHA-256 over Canonical. Both are
// empty when the text could not be read completely (a repeated key, a value
// beyond a limit).
type Document struct {
	Definition *definitions.Definition
	Canonical  json.RawMessage
	Hash       string

	Root *source.Node
	Text *source.Text
	text []byte // the canonical form of what could be read

	explained map[*source.Node]map[string]bool // fields whose absence a finding explains, by their object
	Tally     source.Tally                     // by Parse
	Partial   bool                             // a list of steps is too long and was not read
}

// Raw gives a node's canonical text without copying it.
func (d *Document) Raw(n *source.Node) json.RawMessage {
	return json.RawMessage(d.text[n.From:n.To:n.To])
}

// ParsedDefinition is a definition as ParseRequest or Parse read it: the document, nil
// when it is no object, and what was found while reading.
type ParsedDefinition struct {
	Document *Document
	Found    []fault.Issue
}
