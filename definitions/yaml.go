package definitions

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v3"

	regexp "heddle/internal/lazyregexp"
)

// yamlReader turns YAML into nodes. Only what JSON can say is taken: no
// aliases, tags, merge keys or keys that are not text. Plain scalars follow
// the core schema of YAML 1.2, and what reads differently elsewhere (0x1F,
// 1_000, 007, .5) is refused instead of guessed.
type yamlReader struct {
	seq    int32
	limits Limits
	finds  *findings
	full   bool
	text   *yamlText
}

// scanYAML reads one YAML document. Nil when the syntax is broken. What is JSON
// is read as JSON.
func scanYAML(src []byte, limits Limits, finds *findings) *node {
	if start := bytes.TrimLeft(bytes.TrimPrefix(src, []byte("\xef\xbb\xbf")), " \t\r\n"); len(start) > 0 && (start[0] == '{' || start[0] == '[') {
		asJSON := &findings{}
		if root := scanJSON(src, limits, asJSON); root != nil {
			finds.list = append(finds.list, asJSON.list...)
			return root
		}
	}
	if separators(src) > 2*limits.Values {
		finds.error(LimitExceeded, &node{}, "The YAML text may hold more than %d values; split the workflow, or send it as JSON", limits.Values)
		return nil
	}
	text := newYAMLText(src)
	doc, err := decodeYAML(text.src)
	if err != nil && strings.Contains(err.Error(), "escape") && text.readEscapes() {
		doc, err = decodeYAML(text.src)
	}
	if err != nil {
		brokenYAML(src, err, finds)
		return nil
	}
	if doc == nil {
		finds.error(Syntax, &node{}, "The YAML text is empty; write a definition")
		return nil
	}
	r := &yamlReader{limits: limits, finds: finds, text: text}
	return r.value(doc, nil, "", position{}, 1)
}

// separators is at least the number of values that a YAML text can hold: the
// library builds them all before anything can be counted.
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

var errSeveralDocuments = errors.New("yaml: the text holds several documents; keep one")

// decodeYAML parses one document, nil for an empty text. The library's panics
// become errors.
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

var yamlLine = regexp.MustCompile(`line (\d+)`)

func (r *yamlReader) value(y *yaml.Node, parent *node, key string, keyPos position, depth int) *node {
	n := &node{seq: r.seq, pos: r.text.place(y), keyPos: keyPos}
	r.seq++
	if parent != nil {
		parent.add(key, n)
	}
	if r.full {
		return n
	}
	if int(r.seq) > r.limits.Values {
		r.full = true
		r.finds.error(LimitExceeded, n, "There are more than %d values; split the workflow or shorten its configs", r.limits.Values)
		return n
	}
	if y.Kind == yaml.AliasNode {
		r.finds.error(Syntax, n, "Alias *%s is not supported; write the value out, or quote the whole value if it is text", clip(y.Value))
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
			r.finds.error(LimitExceeded, n, "Lists and objects are nested more than %d deep; flatten this value", r.limits.Depth)
			return n
		}
		r.nested(y, n, depth)
	}
	return n
}

func (r *yamlReader) nested(y *yaml.Node, n *node, depth int) {
	if y.Kind == yaml.SequenceNode {
		n.kind = array
		for _, item := range y.Content {
			r.value(item, n, "", position{}, depth+1)
		}
		return
	}
	if whole, is := r.text.template(y); is {
		r.finds.error(Syntax, n, "A value that begins with {{ must stand in quotes; quote the whole value: %s", clip(whole)).hint(whole)
		return
	}
	n.kind = object
	var seen keySet
	for i := 0; i+1 < len(y.Content); i += 2 {
		r.member(y.Content[i], y.Content[i+1], n, &seen, depth)
	}
}

func (r *yamlReader) member(name, value *yaml.Node, n *node, seen *keySet, depth int) {
	k := ghostOf(n, r.seq, r.text.place(name))
	switch {
	case name.Kind == yaml.ScalarNode && name.Value == "<<" && name.Style == 0 || name.ShortTag() == "!!merge":
		n.partial = true
		r.finds.error(Syntax, k, "Merge key << is not supported; write the fields out")
		return
	case name.Kind != yaml.ScalarNode || name.Style&yaml.TaggedStyle != 0:
		n.partial = true
		r.finds.error(Syntax, k, "A field name must be plain text, not %s", yamlKind(name))
		return
	}
	r.scalar(name, k)
	if k.kind != text {
		if k.kind != bad {
			r.finds.error(Syntax, k, "Field name %s is %s; put it in quotes", clip(name.Value), k.kind)
		}
		r.value(value, ghostOf(n, r.seq, k.pos), name.Value, k.pos, depth+1)
		return
	}
	if seen.take(k.text) {
		r.value(value, n, k.text, k.pos, depth+1)
		return
	}
	r.finds.error(DuplicateKey, k, "Field %q is given twice in one object; remove one of them", k.text).tail = "/" + escape(k.text)
	r.value(value, ghostOf(n, r.seq, k.pos), k.text, k.pos, depth+1)
}

// scalar reads a scalar by its style and its text, not by the library's
// guess: the library still reads YAML 1.1's numbers and dates.
func (r *yamlReader) scalar(y *yaml.Node, n *node) {
	n.text = r.text.value(y.Value)
	quoted := y.Style & (yaml.SingleQuotedStyle | yaml.DoubleQuotedStyle | yaml.LiteralStyle | yaml.FoldedStyle)
	if quoted != 0 {
		n.kind = text
		r.checkText(n)
		return
	}
	switch y.Value {
	case "", "~", "null", "Null", "NULL":
		n.kind, n.text = null, "null"
	case "true", "True", "TRUE", "false", "False", "FALSE":
		n.kind, n.text = boolean, strings.ToLower(y.Value)
	default:
		r.plain(n)
	}
}

// ambiguous are plain scalars that some YAML readers take for numbers.
var ambiguous = regexp.MustCompile(`^([-+]?(0[0-9_]+|0[xXoObB][0-9A-Fa-f_]+|[0-9][0-9_]*(\.[0-9_]*)?([eE][-+]?[0-9]+)?|\.[0-9][0-9_]*([eE][-+]?[0-9]+)?)|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))$`)

func (r *yamlReader) plain(n *node) {
	switch {
	case isNumber(n.text):
		n.kind = number
		if absurd(n.text) {
			n.kind = bad
			r.finds.error(LimitExceeded, n, "A number has more than %d digits or an exponent beyond ±%d; write it as text", maxDigits, maxExponent)
		}
	case ambiguous.MatchString(n.text):
		r.finds.error(Syntax, n, "%s is not a plain decimal number; write it as one, or in quotes if it is text", clip(n.text))
	default:
		n.kind = text
		r.checkText(n)
	}
}

func (r *yamlReader) checkText(n *node) {
	if reason := refuseText(n.text, r.limits.StringBytes); reason != "" {
		n.kind = bad
		r.finds.error(LimitExceeded, n, "%s", reason)
	}
}

// tagged reports a tag: !!str and its like, or a value that only begins with !.
func (r *yamlReader) tagged(y *yaml.Node, n *node) {
	if strings.HasPrefix(y.Tag, "!!") || strings.HasPrefix(y.Tag, "tag:") {
		r.finds.error(Syntax, n, "Tag %s is not supported; write a plain value", clip(y.Tag))
		return
	}
	whole := quotedValue(strings.TrimSpace(y.Tag + " " + y.Value))
	r.finds.error(Syntax, n, "A value that begins with ! is a tag in YAML, and tags are not supported; quote the whole value: %s", clip(whole)).hint(whole)
}

func yamlKind(y *yaml.Node) string {
	switch y.Kind {
	case yaml.MappingNode:
		return "an object"
	case yaml.SequenceNode:
		return "a list"
	}
	return "an alias or a tagged value"
}
