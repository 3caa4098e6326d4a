package source

import (
	"bytes"
	"errors"
	"fmt"
	"heddle/internal/exactjson"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"

	regexp "heddle/internal/lazyregexp"
)

// yamlReader turns the YAML library's tree into nodes. Only what JSON can say is
// accepted: no aliases, tags, merge keys or keys that are not text. Plain scalars
// follow the core schema of YAML 1.2, and what other readers take for a number
// (0x1F, 1_000, 007, .5) is refused, not guessed.
type yamlReader struct {
	seq    int32 // of the next node; the number of values so far
	limits Limits
	finds  *Diagnostics
	full   bool      // too many values: reported once, and every further node is Bad
	text   *yamlText // where a place in the library's text is in the original
}

// ScanYAML reads one YAML document. It returns nil when the syntax is broken, the
// text is empty or may hold too many values; otherwise the tree, in which refused
// values are Bad. Problems are added to finds. A text that is JSON as well is
// read by the JSON scanner, so that it means the same in both notations.
func ScanYAML(src []byte, limits Limits, finds *Diagnostics) *Node {
	if start := bytes.TrimLeft(bytes.TrimPrefix(src, []byte("\xef\xbb\xbf")), " \t\r\n"); len(start) > 0 && (start[0] == '{' || start[0] == '[') {
		asJSON := &Diagnostics{}
		// Where it is not JSON after all (a flow mapping), what the JSON
		// scanner found is dropped.
		if root := ScanNodes(src, limits, asJSON); root != nil {
			finds.List = append(finds.List, asJSON.List...)
			return root
		}
	}
	// Checked before the library runs: its tree has no limit of its own and takes
	// far more memory than the text.
	if separators(src) > 2*limits.Values {
		finds.Error(LimitExceeded, &Node{}, "The YAML text may hold more than %d values; split the workflow, or send it as JSON", limits.Values)
		return nil
	}
	text := newYAMLText(src)
	doc, err := decodeYAML(text.src)
	// Escapes of JSON that the library lacks are rare, so the text is only
	// rewritten after the library has complained.
	if err != nil && strings.Contains(err.Error(), "escape") && text.readEscapes() {
		doc, err = decodeYAML(text.src)
	}
	if err != nil {
		brokenYAML(src, err, finds)
		return nil
	}
	if doc == nil {
		finds.Error(Syntax, &Node{}, "The YAML text is empty; write a definition")
		return nil
	}
	r := &yamlReader{limits: limits, finds: finds, text: text}
	return r.value(doc, nil, "", Position{}, 1)
}

// separators returns at least the number of values that a YAML text can hold, by
// the marks that stand between them.
func separators(src []byte) int {
	count := 0
	for _, c := range src {
		switch c {
		case ',', ':', '\n', '[', '{', '-', '?':
			count++
		}
	}
	return count
}

// errSeveralDocuments is the error of a text with a second document.
var errSeveralDocuments = errors.New("yaml: the text holds several documents; keep one")

// decodeYAML parses one document and returns its root, nil for an empty text. The
// library panics on some broken texts; its panics become errors. A second
// document is errSeveralDocuments.
func decodeYAML(src []byte) (n *yaml.Node, err error) {
	defer func() {
		if p := recover(); p != nil {
			n, err = nil, fmt.Errorf("yaml: %v", p)
		}
	}()
	dec := yaml.NewDecoder(bytes.NewReader(src))
	var doc yaml.Node
	if err := dec.Decode(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, nil
		}
		return nil, err
	}
	var more yaml.Node
	if err := dec.Decode(&more); err == nil {
		return nil, errSeveralDocuments
	} else if !errors.Is(err, io.EOF) {
		return nil, err
	}
	if doc.Kind != yaml.DocumentNode || len(doc.Content) == 0 {
		return nil, nil
	}
	return doc.Content[0], nil
}

// yamlLine finds the line in an error of the library.
var yamlLine = regexp.MustCompile(`line (\d+)`)

// value makes a node of one value and adds it to parent, as scanner.value does.
// An alias is refused before anything is expanded, so a small text cannot stand
// for a large tree.
func (r *yamlReader) value(y *yaml.Node, parent *Node, key string, keyPos Position, depth int) *Node {
	n := &Node{Seq: r.seq, Pos: r.text.place(y), keyPos: keyPos}
	r.seq++
	if parent != nil {
		parent.add(key, n)
	}
	// The rest of the tree gets Bad nodes, so that no later check misses a
	// member.
	if r.full {
		return n
	}
	if int(r.seq) > r.limits.Values {
		r.full = true
		r.finds.Error(LimitExceeded, n, "There are more than %d values; split the workflow or shorten its configs", r.limits.Values)
		return n
	}
	if y.Kind == yaml.AliasNode {
		r.finds.Error(Syntax, n, "Alias *%s is not supported; write the value out, or quote the whole value if it is text", Clip(y.Value))
		return n
	}
	if y.Style&yaml.TaggedStyle != 0 {
		r.tagged(y, n)
		return n
	}
	switch y.Kind {
	case yaml.ScalarNode:
		r.scalar(y, n)
	case yaml.MappingNode, yaml.SequenceNode:
		if depth > r.limits.Depth {
			r.finds.Error(LimitExceeded, n, "Lists and objects are nested more than %d deep; flatten this value", r.limits.Depth)
			return n
		}
		r.nested(y, n, depth)
	}
	return n
}

// nested reads a list or mapping. {{ x }} without quotes is a mapping within a
// mapping in YAML; it is reported as the template that was meant.
func (r *yamlReader) nested(y *yaml.Node, n *Node, depth int) {
	if y.Kind == yaml.SequenceNode {
		n.Kind = Array
		for _, item := range y.Content {
			r.value(item, n, "", Position{}, depth+1)
		}
		return
	}
	if whole, is := r.text.template(y); is {
		r.finds.Error(Syntax, n, "A value that begins with {{ must stand in quotes; quote the whole value: %s", Clip(whole)).WithSuggestion(whole)
		return
	}
	n.Kind = Object
	var seen keySet
	for i := 0; i+1 < len(y.Content); i += 2 {
		r.member(y.Content[i], y.Content[i+1], n, &seen, depth)
	}
}

// member reads one member of a mapping. A key that is not text makes the object
// Partial, or leaves the value outside of the tree, so that no field is reported
// missing that may be the one refused here.
func (r *yamlReader) member(name, value *yaml.Node, n *Node, seen *keySet, depth int) {
	k := NewSynthetic(n, r.seq, r.text.place(name))
	switch {
	// What a merge would add is not known, hence Partial.
	case name.Kind == yaml.ScalarNode && name.Value == "<<" && name.Style == 0 || name.ShortTag() == "!!merge":
		n.Partial = true
		r.finds.Error(Syntax, k, "Merge key << is not supported; write the fields out")
		return
	case name.Kind != yaml.ScalarNode || name.Style&yaml.TaggedStyle != 0:
		n.Partial = true
		r.finds.Error(Syntax, k, "A field name must be plain text, not %s", yamlKind(name))
		return
	}
	r.scalar(name, k)
	if k.Kind != String {
		if k.Kind != Bad {
			r.finds.Error(Syntax, k, "Field name %s is %s; put it in quotes", Clip(name.Value), k.Kind)
		}
		r.value(value, NewSynthetic(n, r.seq, k.Pos), name.Value, k.Pos, depth+1)
		return
	}
	if seen.take(n.Keys, k.Text) {
		r.value(value, n, k.Text, k.Pos, depth+1)
		return
	}
	r.finds.Error(DuplicateKey, k, "Field %q is given twice in one object; remove one of them", k.Text).tail = "/" + exactjson.EscapeToken(k.Text)
	r.value(value, NewSynthetic(n, r.seq, k.Pos), k.Text, k.Pos, depth+1)
}

// scalar reads a scalar by its style and its text, not by the library's type: the
// library still reads the numbers and dates of YAML 1.1. Only a plain scalar can
// be other than text.
func (r *yamlReader) scalar(y *yaml.Node, n *Node) {
	n.Text = r.text.value(y.Value)
	quoted := y.Style & (yaml.SingleQuotedStyle | yaml.DoubleQuotedStyle | yaml.LiteralStyle | yaml.FoldedStyle)
	if quoted != 0 {
		n.Kind = String
		r.checkText(n)
		return
	}
	switch y.Value {
	case "", "~", "null", "Null", "NULL":
		n.Kind, n.Text = Null, "null"
	case "true", "True", "TRUE", "false", "False", "FALSE":
		n.Kind, n.Text = Boolean, strings.ToLower(y.Value)
	default:
		r.plain(n)
	}
}

// ambiguous matches plain scalars that are not numbers of JSON and that some YAML
// readers take for numbers: octal, hexadecimal, underscores, a bare point,
// infinity and NaN.
var ambiguous = regexp.MustCompile(`^([-+]?(0[0-9_]+|0[xXoObB][0-9A-Fa-f_]+|[0-9][0-9_]*(\.[0-9_]*)?([eE][-+]?[0-9]+)?|\.[0-9][0-9_]*([eE][-+]?[0-9]+)?)|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))$`)

// plain reads a scalar without quotes that is neither null nor a boolean.
func (r *yamlReader) plain(n *Node) {
	switch {
	case exactjson.IsNumber(n.Text):
		n.Kind = Number
		r.finds.refuseTooLarge(n)
	case ambiguous.MatchString(n.Text):
		r.finds.Error(Syntax, n, "%s is not a plain decimal number; write it as one, or in quotes if it is text", Clip(n.Text))
	default:
		n.Kind = String
		r.checkText(n)
	}
}

// checkText makes n Bad and reports it when its text must not be stored.
func (r *yamlReader) checkText(n *Node) {
	if reason := invalidTextReason(n.Text, r.limits.StringBytes); reason != "" {
		n.Kind = Bad
		r.finds.Error(LimitExceeded, n, "%s", reason)
	}
}

// tagged reports a tag: !!str and its like, or a value that only begins with !
// and was meant as text. The node stays Bad.
func (r *yamlReader) tagged(y *yaml.Node, n *Node) {
	if strings.HasPrefix(y.Tag, "!!") || strings.HasPrefix(y.Tag, "tag:") {
		r.finds.Error(Syntax, n, "Tag %s is not supported; write a plain value", Clip(y.Tag))
		return
	}
	whole := quotedValue(strings.TrimSpace(y.Tag + " " + y.Value))
	r.finds.Error(Syntax, n, "A value that begins with ! is a tag in YAML, and tags are not supported; quote the whole value: %s", Clip(whole)).WithSuggestion(whole)
}

// yamlKind names a key that is not a scalar, for messages.
func yamlKind(y *yaml.Node) string {
	switch y.Kind {
	case yaml.MappingNode:
		return "an object"
	case yaml.SequenceNode:
		return "a list"
	}
	return "an alias or a tagged value"
}
