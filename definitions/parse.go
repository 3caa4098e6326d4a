package definitions

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
)

// Format is the notation of a definition's source text.
type Format string

// The notations that Parse reads.
const (
	JSON Format = "json"
	YAML Format = "yaml"
)

// Document is a parsed definition together with its canonical form.
// Canonical has sorted keys and no white space, strings and numbers as
// written; Hash is "sha256:" and the hex SHA-256 over Canonical. Both are
// empty when the text could not be read completely (a repeated key, a value
// beyond a limit).
type Document struct {
	Definition *Definition
	Canonical  json.RawMessage
	Hash       string

	root *node
	src  *source
	text []byte // the canonical form of what could be read

	explained map[*node]map[string]bool // fields whose absence a finding explains, by their object
	found     tally                     // by Parse
	partial   bool                      // a list of steps is too long and was not read
}

// raw gives a node's canonical text without copying it.
func (d *Document) raw(n *node) json.RawMessage {
	return json.RawMessage(d.text[n.from:n.to:n.to])
}

// Parse reads a definition strictly. The diagnostics name everything that the
// format does not allow: broken syntax, repeated and unknown fields, missing
// fields, wrong types, values out of range. The document is nil only when the
// text is no object at all; otherwise it holds what could be read, so that
// Validate can look for more.
func Parse(src []byte, f Format) (*Document, []Diagnostic) {
	finds := &findings{}
	source := newSource(src)
	if len(src) > MaxBytes {
		finds.error(LimitExceeded, &node{}, "The definition has %d bytes; %d are allowed", len(src), MaxBytes)
		return nil, finds.resolve(source)
	}
	var root *node
	if f == YAML {
		root = scanYAML(src, DefinitionLimits(), finds)
	} else {
		root = scanJSON(src, DefinitionLimits(), finds)
	}
	if root == nil {
		finds.program(src)
		return nil, finds.resolve(source)
	}
	return decode(root, source, finds)
}

// decode builds the document of a tree that was read from source.
func decode(root *node, source *source, finds *findings) (*Document, []Diagnostic) {
	if finds.foreign(root) {
		return nil, finds.resolve(source)
	}
	if root.kind != object {
		if root.kind != bad && !(root.kind == text && finds.program(source.text)) {
			finds.error(WrongType, root, "A definition must be an object, not %s. %s", root.kind, heddleKeys)
		}
		return nil, finds.resolve(source)
	}
	doc := &Document{Definition: &Definition{}, root: root, src: source}
	doc.text = render(make([]byte, 0, len(source.text)), root)
	if len(finds.list) == 0 {
		doc.Canonical, doc.Hash = doc.text, Hash(doc.text)
	}
	d := &decoder{finds: finds, doc: doc, shapes: shapes{}, around: map[*node]*node{}}
	d.object(root, reflect.ValueOf(doc.Definition).Elem(), "the definition")
	found := finds.resolve(source)
	doc.found = finds.tally
	return doc, found
}

// Check is Parse and Validate: every problem of a text, errors first, each in
// document order.
func Check(src []byte, f Format, catalog Catalog) (*Document, []Diagnostic) {
	doc, found := Parse(src, f)
	if doc == nil {
		return nil, found
	}
	return doc, merge(found, Validate(doc, catalog))
}

// merge joins what Parse and then Validate found: errors first, by place, and
// what an object lacks behind what it has instead. Of what is not listed,
// Validate counts both.
func merge(a, b []Diagnostic) []Diagnostic {
	a = slices.DeleteFunc(slices.Clone(a), isMore)
	out := make([]Diagnostic, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		if before(b[0], a[0]) && !explains(a[0], b[0]) {
			out, b = append(out, b[0]), b[1:]
		} else {
			out, a = append(out, a[0]), a[1:]
		}
	}
	return append(append(out, a...), b...)
}

// explains reports whether a is about an unknown member, with what to write, of
// the object in which b says that something is missing.
func explains(a, b Diagnostic) bool {
	name, member := strings.CutPrefix(a.Pointer, b.Pointer+"/")
	return member && !strings.Contains(name, "/") && a.Suggestion != "" && a.Code == string(UnknownField) && b.Code == string(MissingField)
}

func before(a, b Diagnostic) bool {
	if a.Severity != b.Severity {
		return a.Severity == severityError
	}
	if a.Line != b.Line {
		return a.Line < b.Line
	}
	return a.Column < b.Column
}
