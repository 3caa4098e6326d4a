package definitions

import (
	"encoding/json"
	"heddle/fault"
)

// Request is a body that carries a definition in its member "definition".
type Request struct {
	Document *Document       // nil when the definition is no object
	Given    bool            // the body has a definition
	Rest     json.RawMessage // the body without it: an object, canonical
}

// ParseRequest reads a request body strictly. Problems of the body around the
// definition are the error, as ScanJSON gives it; those of the definition are
// the diagnostics, with pointers that start at the definition. In YAML the
// body may also be the bare definition: it is one unless it has a definition,
// or one of the request's other fields and no steps. Lines then count from its
// beginning, and in JSON from where the definition begins.
func ParseRequest(body []byte, f Format, fields ...string) (Request, []Diagnostic, error) {
	limits := DefinitionLimits()
	if len(body) > limits.Bytes {
		return Request{}, nil, fault.New(fault.TooLarge, "body_too_large", "The body is larger than %d bytes.", limits.Bytes)
	}
	if f == YAML {
		return yamlRequest(body, limits, fields)
	}
	limits.Opaque = []string{"definition"}
	finds, spans := &findings{}, map[string][]byte{}
	root := scanEnvelope(body, limits, finds, spans)
	if len(finds.list) > 0 {
		return Request{}, nil, malformed(finds.resolve(newSource(body)))
	}
	if root.kind != object {
		return Request{}, nil, fault.New(fault.Malformed, "invalid_request", "The body must be an object, not %s.", root.kind)
	}
	req := Request{Rest: render(nil, root)}
	raw, given := spans["definition"]
	if !given {
		return req, nil, unwrapped(root, fields, finds, newSource(body))
	}
	req.Given = true
	var found []Diagnostic
	req.Document, found = Parse(raw, JSON)
	return req, found, nil
}

// unwrapped is the error of a JSON body that is a definition, or another
// product's file, in the place of an object that holds one; else nil.
func unwrapped(root *node, fields []string, finds *findings, src *source) error {
	if root.member("steps") == nil && !finds.foreign(root) || hasAny(root, fields) {
		return nil
	}
	if len(finds.list) == 0 {
		finds.error(MissingField, root, "The body is the definition itself; put it into the member definition: {\"definition\": {…}}")
	}
	return malformed(finds.resolve(src))
}

// hasAny reports whether an object has one of the members.
func hasAny(n *node, names []string) bool {
	for _, name := range names {
		if n.member(name) != nil {
			return true
		}
	}
	return false
}

// isBare reports whether a YAML body without a definition is one itself.
func isBare(root *node, fields []string) bool {
	switch {
	case root.kind != object:
		return root.kind == array || root.kind == text
	case root.member("steps") != nil:
		return true
	case len(root.keys) == 0 || hasAny(root, fields):
		return false
	}
	for _, key := range root.keys[:min(len(root.keys), 10)] {
		if nearest(key, []string{"definition"}) != "" {
			return false
		}
	}
	return true
}

func yamlRequest(body []byte, limits Limits, fields []string) (Request, []Diagnostic, error) {
	limits.Depth++ // the definition begins one level down
	finds, src := &findings{}, newSource(body)
	root := scanYAML(body, limits, finds)
	if root == nil {
		finds.program(body)
		return Request{}, nil, malformed(finds.resolve(src))
	}
	def := root.member("definition")
	if def == nil && isBare(root, fields) {
		doc, found := decode(root, src, finds)
		return Request{Document: doc, Given: true, Rest: json.RawMessage("{}")}, found, nil
	}
	if def == nil {
		if len(finds.list) > 0 {
			return Request{}, nil, malformed(finds.resolve(src))
		}
		return Request{Rest: render(nil, root)}, nil, nil
	}
	root.remove(def)
	inside, outside := &findings{}, &findings{}
	for _, d := range finds.list {
		if d.at.top() == def {
			inside.list = append(inside.list, d)
		} else {
			outside.list = append(outside.list, d)
		}
	}
	if len(outside.list) > 0 {
		return Request{}, nil, malformed(outside.resolve(src))
	}
	doc, found := decode(def, src, inside)
	return Request{Document: doc, Given: true, Rest: render(nil, root)}, found, nil
}

// remove takes a member out of its object and makes it a root.
func (n *node) remove(child *node) {
	i := int(child.index)
	n.keys, n.byKey = append(n.keys[:i:i], n.keys[i+1:]...), nil
	n.kids = append(n.kids[:i:i], n.kids[i+1:]...)
	for ; i < len(n.kids); i++ {
		n.kids[i].index = int32(i)
	}
	child.parent, child.index = nil, 0
}

// malformed is the error of a body that cannot be taken.
func malformed(issues []Diagnostic) *fault.Error {
	first := issues[0]
	where := ""
	if first.Pointer != "" {
		where = " at " + first.Pointer
	}
	err := fault.New(fault.Malformed, "invalid_request", "%s%s (line %d, column %d).", first.Message, where, first.Line, first.Column)
	err.Issues = issues
	return err
}
