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
// body may also be the bare definition; lines then count from its beginning,
// and in JSON from where the definition begins.
func ParseRequest(body []byte, f Format) (Request, []Diagnostic, error) {
	limits := DefinitionLimits()
	if len(body) > limits.Bytes {
		return Request{}, nil, fault.New(fault.TooLarge, "body_too_large", "The body is larger than %d bytes.", limits.Bytes)
	}
	if f == YAML {
		return yamlRequest(body, limits)
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
		return req, nil, nil
	}
	req.Given = true
	var found []Diagnostic
	req.Document, found = Parse(raw, JSON)
	return req, found, nil
}

func yamlRequest(body []byte, limits Limits) (Request, []Diagnostic, error) {
	limits.Depth++ // the definition begins one level down
	finds, src := &findings{}, newSource(body)
	root := scanYAML(body, limits, finds)
	if root == nil {
		return Request{}, nil, malformed(finds.resolve(src))
	}
	def := root.member("definition")
	if def == nil && root.member("steps") != nil {
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
