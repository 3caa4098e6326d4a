package parser

import (
	"encoding/json"
	"heddle/definitions"
	"heddle/definitions/source"
	"heddle/fault"
)

// Explain records fields of an object whose absence a diagnostic has
// explained, such as by a misspelt name, so that it is not reported again as
// missing. "" is ignored; the field NAME of a step's config is recorded as
// "config.NAME" of the step.
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

// Explains reports whether the absence of a field was explained already, or
// cannot be judged because members of the object were refused (Partial). False
// for a nil node.
func (d *Document) Explains(at *source.Node, field string) bool {
	return at != nil && (at.Partial || d.explained[at][field])
}

// Document is a parsed definition together with its canonical form.
//
// Canonical has sorted keys and no white space, strings and numbers as written;
// Hash is "sha256:" and the hexadecimal SHA-256 over Canonical. Both are empty
// when the text could not be read completely (a repeated key, a value beyond a
// limit). Errors of decoding, such as an unknown field, leave them set: whether
// the definition may be stored is for the diagnostics to say.
type Document struct {
	Definition *definitions.Definition // never nil; fields that do not fit have their zero value
	Canonical  json.RawMessage
	Hash       string

	Root *source.Node // the object; values that were reported are Bad
	Text *source.Text // what Root's places refer to
	text []byte       // the canonical form of what could be read; nodes' spans refer to it

	explained map[*source.Node]map[string]bool // fields whose absence a diagnostic explains, by their object
	Tally     source.Tally                     // of Parse's diagnostics; validation continues it
	Partial   bool                             // a list of steps is too long and was not read
}

// Raw returns a node's canonical text without copying it; the caller must not
// change it. Its capacity ends with it, so an append copies. A Bad node that
// could not be read is null.
func (d *Document) Raw(n *source.Node) json.RawMessage {
	return json.RawMessage(d.text[n.From:n.To:n.To])
}

// ParsedDefinition is a definition as Parse or ParseRequest read it.
type ParsedDefinition struct {
	Document *Document     // nil when the definition is not an object
	Found    []fault.Issue // what was found while reading, sorted; validation adds to it
	// Written is the text that Document was read from, where it is to be kept: it is
	// bound to Document by being what was parsed.
	Written source.Written
}
