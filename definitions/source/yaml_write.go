package source

import (
	"slices"
	"strings"
	"unicode"

	regexp "heddle/internal/lazyregexp"
)

// WriteYAML appends a tree without errors to dst as one YAML document that ends with
// a line break, and returns the extended slice. Read again by ScanYAML, it is the
// same tree but for the order of members, so it has the same hash: numbers are
// written as they are, texts of several lines as literal blocks, and every text
// that a reader of YAML 1.1 or 1.2 might take for something else in quotes.
//
// first returns the names of the members that are written before the others of an
// object, in their order; the others follow in the order of their names.
func WriteYAML(dst []byte, n *Node, first func(*Node) []string) []byte {
	w := &yamlWriter{buf: dst, first: first}
	switch {
	case n.Kind == Object && len(n.Kids) > 0:
		w.mapping(n, 0, 1)
	case n.Kind == Array && len(n.Kids) > 0:
		w.sequence(n, 0, 1)
	default:
		w.flow(n)
	}
	return append(w.buf, '\n')
}

// yamlWriter writes one document. Each entry of a block begins with its line break,
// but for the document's first and for what stands on the line of a dash.
type yamlWriter struct {
	buf   []byte
	first func(*Node) []string
}

const (
	// maxBlockDepth is the depth beyond which lists and objects are written within one
	// line: the indentation of blocks would make the text grow with its square.
	maxBlockDepth = 16
	// maxYAMLKey is the length beyond which YAML wants a question mark before a key.
	maxYAMLKey = 120
	// maxFlowItems and maxFlowLine bound a list that is written on one line.
	maxFlowItems, maxFlowLine = 12, 80
)

// newline begins a line.
func (w *yamlWriter) newline(indent int) {
	w.buf = append(w.buf, '\n')
	w.spaces(indent)
}

// spaces appends n of them.
func (w *yamlWriter) spaces(n int) {
	for range n {
		w.buf = append(w.buf, ' ')
	}
}

// mapping writes the members of an object that has some, each on a line of its own but
// for the first, which stands where the writer is.
func (w *yamlWriter) mapping(n *Node, indent, depth int) {
	for i, at := range w.order(n) {
		if i > 0 {
			w.newline(indent)
		}
		w.key(n.Keys[at])
		if len(n.Keys[at]) > maxYAMLKey {
			w.newline(indent)
			w.buf = append(w.buf, ':')
		}
		w.after(n.Kids[at], indent+2, depth)
	}
}

// key writes a member's name up to the colon, which a long one has on its next line.
func (w *yamlWriter) key(key string) {
	if len(key) > maxYAMLKey {
		w.buf = append(w.buf, "? "...)
		w.quoted(key)
		return
	}
	if isPlain(key) {
		w.buf = append(w.buf, key...)
	} else {
		w.quoted(key)
	}
	w.buf = append(w.buf, ':')
}

// after writes a value behind a colon: blocks on the lines below, at indent.
func (w *yamlWriter) after(n *Node, indent, depth int) {
	switch {
	case len(n.Kids) == 0 || depth >= maxBlockDepth || isShortList(n):
		w.buf = append(w.buf, ' ')
		w.inline(n, indent)
	case n.Kind == Object:
		w.newline(indent)
		w.mapping(n, indent, depth+1)
	default:
		w.newline(indent)
		w.sequence(n, indent, depth+1)
	}
}

// sequence writes the items of a list that has some, the first where the writer is.
func (w *yamlWriter) sequence(n *Node, indent, depth int) {
	for i, kid := range n.Kids {
		if i > 0 {
			w.newline(indent)
		}
		w.buf = append(w.buf, '-')
		if kid.Kind == Object && len(kid.Kids) > 0 && depth < maxBlockDepth {
			w.buf = append(w.buf, ' ')
			w.mapping(kid, indent+2, depth+1)
			continue
		}
		w.after(kid, indent+2, depth)
	}
}

// inline writes a value on the writer's line; the lines of a literal block follow it,
// at indent.
func (w *yamlWriter) inline(n *Node, indent int) {
	switch {
	case n.Kind != String:
		w.flow(n)
	case isBlock(n.Text):
		w.literal(n.Text, indent)
	case isPlain(n.Text):
		w.buf = append(w.buf, n.Text...)
	default:
		w.quoted(n.Text)
	}
}

// literal writes a text of several lines as a block. How its end is written says how
// many line breaks it ends with.
func (w *yamlWriter) literal(text string, indent int) {
	switch {
	case strings.HasSuffix(text, "\n\n"):
		w.buf = append(w.buf, "|+"...)
	case strings.HasSuffix(text, "\n"):
		w.buf = append(w.buf, '|')
	default:
		w.buf = append(w.buf, "|-"...)
	}
	for line := range strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n") {
		w.buf = append(w.buf, '\n')
		if line != "" {
			w.spaces(indent)
			w.buf = append(w.buf, line...)
		}
	}
}

// flow writes a value within one line, as JSON would.
func (w *yamlWriter) flow(n *Node) {
	switch n.Kind {
	case String:
		if flowWord.MatchString(n.Text) && isPlain(n.Text) {
			w.buf = append(w.buf, n.Text...)
			return
		}
		w.quoted(n.Text)
	case Object:
		w.buf = append(w.buf, '{')
		for i, at := range w.order(n) {
			if i > 0 {
				w.buf = append(w.buf, ", "...)
			}
			if len(n.Keys[at]) > maxYAMLKey {
				w.buf = append(w.buf, "? "...)
			}
			w.quoted(n.Keys[at])
			w.buf = append(w.buf, ": "...)
			w.flow(n.Kids[at])
		}
		w.buf = append(w.buf, '}')
	case Array:
		w.buf = append(w.buf, '[')
		for i, kid := range n.Kids {
			if i > 0 {
				w.buf = append(w.buf, ", "...)
			}
			w.flow(kid)
		}
		w.buf = append(w.buf, ']')
	case Number, Boolean:
		w.buf = append(w.buf, n.Text...)
	default:
		w.buf = append(w.buf, "null"...)
	}
}

// quoted writes a text in double quotes. Beside what JSON escapes, characters are
// escaped that YAML does not let stand, or that YAML 1.1 takes for line breaks.
func (w *yamlWriter) quoted(text string) {
	const hex = "0123456789abcdef"
	w.buf = append(w.buf, '"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			w.buf = append(w.buf, '\\', byte(r))
		case r == '\n':
			w.buf = append(w.buf, `\n`...)
		case r == '\t':
			w.buf = append(w.buf, `\t`...)
		case isWritable(r):
			w.buf = append(w.buf, string(r)...)
		default:
			w.buf = append(w.buf, '\\', 'u', hex[r>>12&15], hex[r>>8&15], hex[r>>4&15], hex[r&15])
		}
	}
	w.buf = append(w.buf, '"')
}

// order returns the indexes of an object's members as they are written.
func (w *yamlWriter) order(n *Node) []int32 {
	rank := map[string]int{}
	names := w.first(n)
	for i, name := range names {
		rank[name] = i - len(names) // below 0, which is the rank of the others
	}
	order := n.sorted(make([]int32, 0, len(n.Keys)))
	slices.SortStableFunc(order, func(a, b int32) int { return rank[n.Keys[a]] - rank[n.Keys[b]] })
	return order
}

// isWritable reports whether a character of the basic plane, or of another, may stand
// in a YAML text as it is and is not a line break of any version.
func isWritable(r rune) bool {
	switch {
	case r < 0x20 || r >= 0x7f && r < 0xa0:
		return false
	case r == 0x2028 || r == 0x2029 || r == 0xfeff || r == 0xfffe || r == 0xffff:
		return false
	}
	return true
}

// isBlock reports whether a text is written as a literal block: it has several lines,
// of which the first and the last hold more than white space, and no character that
// would need an escape.
func isBlock(text string) bool {
	if !strings.Contains(strings.TrimRight(text, "\n"), "\n") && !strings.HasSuffix(text, "\n") || strings.ContainsAny(text[:1], " \t\n") {
		return false
	}
	trimmed := strings.TrimRight(text, "\n")
	last := trimmed[strings.LastIndexByte(trimmed, '\n')+1:]
	if strings.TrimSpace(last) == "" {
		return false
	}
	for _, r := range text {
		if r != '\n' && r != '\t' && !isWritable(r) {
			return false
		}
	}
	return true
}

var (
	// plainForm are texts without anything that YAML gives a meaning: they begin with
	// a letter, so that none is a number or a date.
	plainForm = regexp.MustCompile(`^[\pL/][\pL0-9_./:()'+@=, -]*$`)
	// flowWord are texts that need no quotes within a list on one line.
	flowWord = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]*$`)
)

// isPlain reports whether a text is written without quotes.
func isPlain(text string) bool {
	if !plainForm.MatchString(text) || strings.Contains(text, ": ") || strings.HasSuffix(text, ":") || strings.HasSuffix(text, " ") {
		return false
	}
	for _, r := range text {
		if r >= 0x80 && !unicode.IsPrint(r) {
			return false
		}
	}
	switch strings.ToLower(text) {
	case "null", "true", "false", "yes", "no", "on", "off", "y", "n", "inf", "nan":
		return false
	}
	return true
}

// isShortList reports whether a list is written on one line: few scalars, of which no
// text needs more room than a name.
func isShortList(n *Node) bool {
	if n.Kind != Array || len(n.Kids) > maxFlowItems {
		return false
	}
	size := 0
	for _, kid := range n.Kids {
		if kid.Kind == Array || kid.Kind == Object || kid.Kind == String && !flowWord.MatchString(kid.Text) {
			return false
		}
		size += len(kid.Text) + 2
	}
	return size <= maxFlowLine
}
