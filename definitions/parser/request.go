package parser

import (
	"encoding/json"
	"errors"
	"heddle/definitions/advice"
	"heddle/definitions/source"
	"heddle/fault"
	"slices"
)

// Request is a body that carries a definition: in its member "definition", or as the
// text that its author wrote in "source".
type Request struct {
	Document *Document       // nil when the definition is not an object, or is absent
	Given    bool            // the body has a definition
	Rest     json.RawMessage // the body without the definition: an object in canonical form
	// Written is the definition's text where the body holds one: its source, the bare
	// definition in YAML, or what a YAML body has below definition. It is that of a
	// definition with mistakes, too.
	Written source.Written
	// Parts are the definitions of a JSON body that has several, by the members before and
	// after; nil where it has none.
	Parts map[string]Part
}

// Part is one of several definitions of a body.
type Part struct {
	ParsedDefinition
	Given bool
}

// partFields returns the members that hold a request's several definitions.
func partFields() []string { return []string{"before", "after"} }

// sourceField is the member in which a request carries a definition as a text.
const sourceField = "source"

// ParseRequest reads a request body strictly. Problems of the body around the
// definition are the error: fault.Malformed invalid_request with all of them, or
// fault.TooLarge body_too_large. Those of the definition are the diagnostics,
// with pointers that start at the definition.
//
// fields are the request's other members. Where source is one of them, the body may
// carry {"format", "text"} there instead of a definition.
//
// In YAML the body may also be the bare definition: it is one unless it has a
// member definition, or one of fields and no steps. Lines and columns count in what
// the author wrote: in the text of source; in YAML from the beginning of the body;
// in JSON from where the definition begins.
func ParseRequest(body []byte, f source.Format, fields ...string) (Request, []fault.Issue, error) {
	limits := source.DefinitionLimits()
	if len(body) > limits.Bytes {
		return Request{}, nil, fault.New(fault.TooLarge, "body_too_large", "The body is larger than %d bytes.", limits.Bytes)
	}
	if f == source.YAML {
		return yamlRequest(body, limits, fields)
	}
	// The envelope is read first and the definition only if the envelope is
	// sound; its text is then read with places of its own.
	limits.Opaque = []string{"definition"}
	// What stands beside the definition has the limits of any request, where that is data.
	if slices.Contains(fields, "input_data") {
		limits.StringBytes = source.RequestLimits().StringBytes
	}
	if slices.Contains(fields, sourceField) {
		limits.Opaque = append(limits.Opaque, sourceField)
	}
	for _, name := range partFields() {
		if slices.Contains(fields, name) {
			limits.Opaque = append(limits.Opaque, name)
		}
	}
	finds, spans := &source.Diagnostics{}, map[string][]byte{}
	// Without errors there is a root.
	root := source.ScanEnvelope(body, limits, finds, spans)
	if len(finds.List) > 0 {
		return Request{}, nil, source.Malformed(finds.Resolve(source.NewText(body)))
	}
	if root.Kind != source.Object {
		return Request{}, nil, fault.New(fault.Malformed, "invalid_request", "The body must be an object, not %s.", root.Kind)
	}
	req := Request{Rest: source.Render(nil, root)}
	if err := req.readParts(spans); err != nil {
		return Request{}, nil, err
	}
	raw, given := spans["definition"]
	if text, asText := spans[sourceField]; asText {
		return writtenRequest(req, text, given)
	}
	if !given {
		return req, nil, unwrapped(root, fields, finds, source.NewText(body))
	}
	req.Given = true
	var found []fault.Issue
	req.Document, found = Parse(raw, source.JSON)
	return req, found, nil
}

// readParts reads the members that hold a definition each, as requests of their own.
func (r *Request) readParts(spans map[string][]byte) error {
	for _, name := range partFields() {
		text, given := spans[name]
		if !given {
			continue
		}
		part, found, err := ParseRequest(text, source.JSON, sourceField)
		if f, ok := errors.AsType[*fault.Error](err); ok {
			return fault.New(f.Kind, f.Code, "%s: %s", name, f.Message)
		}
		if string(part.Rest) != "{}" {
			return fault.New(fault.Malformed, "invalid_request", "%s has unknown fields; known are: definition, source.", name)
		}
		if r.Parts == nil {
			r.Parts = map[string]Part{}
		}
		r.Parts[name] = Part{ParsedDefinition{Document: part.Document, Found: found, Written: part.Written}, part.Given}
	}
	return nil
}

// writtenRequest completes a request whose body has the member source. both reports that it
// has a definition as well, which is refused: one of them would not be what is stored.
func writtenRequest(req Request, raw []byte, both bool) (Request, []fault.Issue, error) {
	if both {
		return Request{}, nil, errTwoDefinitions()
	}
	var err error
	if req.Written, err = ReadWritten(raw); err != nil {
		return Request{}, nil, err
	}
	var found []fault.Issue
	req.Given = true
	req.Document, found = Parse([]byte(req.Written.Text), req.Written.Format)
	return req, found, nil
}

// errTwoDefinitions refuses a body with a definition in two places.
func errTwoDefinitions() error {
	return fault.New(fault.Malformed, "invalid_request", "The body has both definition and source; send one of them.")
}

// unwrapped returns the error of a JSON body that is itself a definition, or
// another product's file, where an object that holds a definition is
// expected; else nil. A body with one of the request's fields lacks a
// definition, which is for the caller to say.
func unwrapped(root *source.Node, fields []string, finds *source.Diagnostics, src *source.Text) error {
	if root.Member("steps") == nil && !advice.RecognizeFormat(finds, root) || hasAny(root, fields) {
		return nil
	}
	if len(finds.List) == 0 {
		finds.Error(source.MissingField, root, "The body is the definition itself; put it into the member definition: {\"definition\": {…}}")
	}
	return source.Malformed(finds.Resolve(src))
}

// hasAny reports whether an object has one of the members.
func hasAny(n *source.Node, names []string) bool {
	for _, name := range names {
		if n.Member(name) != nil {
			return true
		}
	}
	return false
}

// isBare reports whether a YAML body without a member definition is one itself. A
// body with a member whose name is close to "definition" is a request with a
// typing mistake.
func isBare(root *source.Node, fields []string) bool {
	switch {
	case root.Kind != source.Object:
		return root.Kind == source.Array || root.Kind == source.String
	case root.Member("steps") != nil:
		return true
	case len(root.Keys) == 0 || hasAny(root, fields):
		return false
	}
	// The first members are enough to see one that was meant as "definition".
	for _, key := range root.Keys[:min(len(root.Keys), 10)] {
		if source.Nearest(key, []string{"definition"}) != "" {
			return false
		}
	}
	return true
}

// yamlRequest is ParseRequest for YAML. The body is one document, so it is read
// once, and the definition is then cut out of the tree; diagnostics are divided
// by the tree that they belong to.
func yamlRequest(body []byte, limits source.Limits, fields []string) (Request, []fault.Issue, error) {
	limits.Depth++ // the definition begins one level down
	finds, src := &source.Diagnostics{}, source.NewText(body)
	root := source.ScanYAML(body, limits, finds)
	// Nothing can be told apart in a text that cannot be read.
	if root == nil {
		advice.RecognizeProgram(finds, body)
		return Request{}, nil, source.Malformed(finds.Resolve(src))
	}
	def := root.Member("definition")
	if def == nil && isBare(root, fields) {
		doc, found := decode(root, src, finds)
		return Request{Document: doc, Given: true, Rest: json.RawMessage("{}"), Written: source.Written{Format: source.YAML, Text: string(body)}}, found, nil
	}
	if text := root.Member(sourceField); text != nil && slices.Contains(fields, sourceField) {
		return yamlWrittenRequest(root, text, def != nil, finds, src)
	}
	if def == nil {
		if len(finds.List) > 0 {
			return Request{}, nil, source.Malformed(finds.Resolve(src))
		}
		return Request{Rest: source.Render(nil, root)}, nil, nil
	}
	// Where the text of the definition is in the body is known only while it is a part.
	cut := cutWritten(body, root, def)
	// From here on the definition is a tree of its own: pointers start at it,
	// and Rest is what is left.
	root.Remove(def)
	inside, outside := &source.Diagnostics{}, &source.Diagnostics{}
	for _, d := range finds.List {
		if d.At.Top() == def {
			inside.List = append(inside.List, d)
		} else {
			outside.List = append(outside.List, d)
		}
	}
	if len(outside.List) > 0 {
		return Request{}, nil, source.Malformed(outside.Resolve(src))
	}
	doc, found := decode(def, src, inside)
	req := Request{Document: doc, Given: true, Rest: source.Render(nil, root)}
	if doc != nil && doc.Hash != "" {
		req.Written = boundTo(doc.Hash, cut)
	}
	return req, found, nil
}
