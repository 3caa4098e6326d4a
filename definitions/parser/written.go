package parser

import (
	"heddle/definitions/source"
	"heddle/fault"
	"slices"
	"strings"
)

// ReadWritten reads {"format": "yaml", "text": "…"} strictly. What the text means is not
// looked at. The error is fault.Malformed invalid_request.
func ReadWritten(raw []byte) (source.Written, error) {
	limits := source.DefinitionLimits()
	limits.StringBytes = source.MaxBytes
	finds := &source.Diagnostics{}
	root := source.ScanNodes(raw, limits, finds)
	if len(finds.List) > 0 {
		return source.Written{}, source.Malformed(finds.Resolve(source.NewText(raw)))
	}
	return writtenOf(root)
}

// writtenOf returns the text that a node holds: an object of format and text, both of
// them required.
func writtenOf(n *source.Node) (source.Written, error) {
	if n.Kind != source.Object {
		return source.Written{}, malformedSource("source must be an object such as {\"format\": \"yaml\", \"text\": \"…\"}, not %s.", n.Kind)
	}
	for _, key := range n.Keys {
		if key != "format" && key != "text" {
			return source.Written{}, malformedSource("Unknown field %q; remove it. Known are: format, text.", "source."+source.Clip(key))
		}
	}
	format, text := n.Member("format"), n.Member("text")
	if format == nil || format.Kind != source.String || !slices.Contains([]string{string(source.JSON), string(source.YAML)}, format.Text) {
		return source.Written{}, malformedSource("source.format must be yaml or json.")
	}
	if text == nil || text.Kind != source.String {
		return source.Written{}, malformedSource("source.text must be a string: the definition as it was written.")
	}
	return source.Written{Format: source.Format(format.Text), Text: text.Text}, nil
}

// malformedSource returns the error for a member source of the wrong form.
func malformedSource(format string, args ...any) error {
	return fault.New(fault.Malformed, "invalid_request", format, args...)
}

// yamlWrittenRequest completes a YAML body that has the member source.
func yamlWrittenRequest(root, text *source.Node, both bool, finds *source.Diagnostics, src *source.Text) (Request, []fault.Issue, error) {
	if len(finds.List) > 0 {
		return Request{}, nil, source.Malformed(finds.Resolve(src))
	}
	if both {
		return Request{}, nil, errTwoDefinitions()
	}
	written, err := writtenOf(text)
	if err != nil {
		return Request{}, nil, err
	}
	root.Remove(text)
	req := Request{Given: true, Rest: source.Render(nil, root), Written: written}
	var found []fault.Issue
	req.Document, found = Parse([]byte(written.Text), written.Format)
	return req, found, nil
}

// cutWritten returns the lines of a YAML body below its member definition, without their
// indentation: what the author wrote of it, comments included. It is a guess that boundTo
// checks. "" where the definition does not stand on lines of its own.
func cutWritten(body []byte, root, def *source.Node) string {
	from, to, indent := source.BlockLines(root, def)
	if from == 0 {
		return ""
	}
	var b strings.Builder
	n := 0
	for line := range strings.Lines(string(body)) {
		n++
		if n < from || to > 0 && n >= to {
			continue
		}
		text := strings.TrimLeft(line, " ")
		// A comment may stand further to the left, and an empty line has no indentation.
		b.WriteString(line[min(len(line)-len(text), indent):])
	}
	return b.String()
}

// boundTo returns text as the YAML that a definition was written in, or none where its
// canonical form has another hash.
func boundTo(hash, text string) source.Written {
	if text == "" {
		return source.Written{}
	}
	w := source.Written{Format: source.YAML, Text: text}
	if HashOf(w) != hash {
		return source.Written{}
	}
	return w
}

// HashOf returns the hash of the canonical form of what a text means, "" for a text that
// cannot be read completely or is too long.
func HashOf(w source.Written) string {
	if len(w.Text) > source.MaxBytes {
		return ""
	}
	scan := source.ScanYAML
	if w.Format == source.JSON {
		scan = source.ScanNodes
	}
	finds := &source.Diagnostics{}
	root := scan([]byte(w.Text), source.DefinitionLimits(), finds)
	if root == nil || len(finds.List) > 0 {
		return ""
	}
	return source.Hash(source.Render(nil, root))
}
