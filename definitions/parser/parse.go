package parser

import (
	"heddle/definitions"
	"heddle/definitions/advice"
	"heddle/definitions/source"
	"heddle/fault"
	"reflect"
)

// Parse reads a definition strictly. The diagnostics name everything that the
// format does not allow: broken syntax, repeated and unknown fields, missing
// fields, wrong types, values out of range, errors before warnings and each
// in document order. The document is nil only when the text cannot be read,
// is too large, is not an object or is another product's file; otherwise it
// holds what could be read, so that Validate can look for more. src is kept
// by the document and must not change.
func Parse(src []byte, f source.Format) (*Document, []fault.Issue) {
	finds := &source.Diagnostics{}
	text := source.NewText(src)
	if len(src) > source.MaxBytes {
		finds.Error(source.LimitExceeded, &source.Node{}, "The definition has %d bytes; %d are allowed", len(src), source.MaxBytes)
		return nil, finds.Resolve(text)
	}
	var root *source.Node
	if f == source.YAML {
		root = source.ScanYAML(src, source.DefinitionLimits(), finds)
	} else {
		root = source.ScanNodes(src, source.DefinitionLimits(), finds)
	}
	if root == nil {
		// The syntax error of a text that is Python or XML would be about its
		// first word; what it is helps more.
		advice.RecognizeProgram(finds, src)
		return nil, finds.Resolve(text)
	}
	return decode(root, text, finds)
}

// decode builds the document of a tree that was read from text, and resolves all
// of finds. root may be a part of a larger document: pointers start at it, lines
// do not.
func decode(root *source.Node, text *source.Text, finds *source.Diagnostics) (*Document, []fault.Issue) {
	if advice.RecognizeFormat(finds, root) {
		return nil, finds.Resolve(text)
	}
	if root.Kind != source.Object {
		if root.Kind != source.Bad && !(root.Kind == source.String && advice.RecognizeProgram(finds, text.Bytes)) {
			finds.Error(source.WrongType, root, "A definition must be an object, not %s. %s", root.Kind, advice.HeddleKeys)
		}
		return nil, finds.Resolve(text)
	}
	doc := &Document{Definition: &definitions.Definition{}, Root: root, Text: text}
	doc.text = source.Render(make([]byte, 0, len(text.Bytes)), root)
	// Before decoding: its diagnostics do not make the text unreadable.
	if len(finds.List) == 0 {
		doc.Canonical, doc.Hash = doc.text, source.Hash(doc.text)
	}
	d := &decoder{finds: finds, doc: doc, shapes: shapes{}}
	d.object(root, nil, reflect.ValueOf(doc.Definition).Elem(), &subject{kind: theDefinition})
	found := finds.Resolve(text)
	doc.Tally = finds.Tally
	return doc, found
}
