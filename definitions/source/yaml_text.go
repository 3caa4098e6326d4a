package source

import (
	"bytes"
	"fmt"
	"sort"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// yamlText is a text as the library is shown it. The library reads YAML 1.1, and
// three things are rewritten for it: the %YAML 1.2 directive, escapes that JSON
// has and 1.1 lacks, and characters that are line breaks in 1.1 alone. Places and
// values are translated back, so that nothing of this is seen outside.
type yamlText struct {
	src      []byte            // what the library reads
	original []byte            // the caller's, never changed
	breaks   map[rune]string   // the stand-in of each line break of 1.1, and the break itself
	shifts   map[int32][]shift // by line: what rewritten escapes add to columns
	lines    *Text             // of the original; nil until needed
}

// shift moves what stands behind a column (from 1) of the library's text by a
// number of characters.
type shift struct{ column, by int32 }

// newYAMLText rewrites the directive and the line breaks of src, which is kept
// and not changed. Escapes are left to readEscapes. The directive becomes a
// comment of the same length, so no place moves.
func newYAMLText(src []byte) *yamlText {
	t := &yamlText{src: src, original: src}
	if at := directive(src); at >= 0 {
		t.src = bytes.Clone(src)
		t.src[at] = '#'
	}
	if bytes.Contains(src, []byte("\u0085")) || bytes.Contains(src, []byte("\u2028")) || bytes.Contains(src, []byte("\u2029")) {
		t.keepBreaks()
	}
	return t
}

// directive returns the offset of a %YAML 1.2 line before the document, -1 when
// there is none. Comments and other directives may stand before it.
func directive(src []byte) int {
	at := 0
	if bytes.HasPrefix(src, []byte("\xef\xbb\xbf")) {
		at = 3
	}
	for at < len(src) {
		rest := src[at:]
		end := bytes.IndexByte(rest, '\n')
		if end < 0 {
			end = len(rest)
		}
		line := bytes.TrimSpace(rest[:end])
		switch {
		case bytes.HasPrefix(rest, []byte("%YAML ")):
			if version := bytes.TrimSpace(line[len("%YAML"):]); bytes.HasPrefix(version, []byte("1.2")) {
				return at
			}
			return -1
		case len(line) > 0 && line[0] != '#' && line[0] != '%':
			return -1
		}
		at += end + 1
	}
	return -1
}

// keepBreaks replaces each line break that YAML 1.2 reads as any other character
// by a character that the text does not have, from the private use area. Each is
// one character for one, so columns stay.
func (t *yamlText) keepBreaks() {
	t.breaks = map[rune]string{}
	free := rune(0xE000) // the private use area
	var pairs []string
	for _, b := range []string{"\u0085", "\u2028", "\u2029"} {
		for bytes.ContainsRune(t.src, free) && free < 0xF8FF {
			free++
		}
		pairs = append(pairs, b, string(free))
		t.breaks[free] = b
		free++
	}
	t.src = []byte(strings.NewReplacer(pairs...).Replace(string(t.src)))
}

// readEscapes rewrites the escapes in double-quoted text that JSON has and the
// library lacks: \/ and pairs of surrogates. It reports whether there were any.
func (t *yamlText) readEscapes() bool {
	scan := scanYAMLFaults(t.src)
	var out []byte
	copied, tracked := 0, 0
	t.shifts = map[int32][]shift{}
	lines := NewText(t.src)
	for _, span := range scan.quoted {
		for i := span[0]; i < span[1]; i++ {
			if t.src[i] != '\\' {
				continue
			}
			put, length := jsonEscape(t.src[i:span[1]])
			if put == "" {
				// Another escape is passed over as a whole, so that the second
				// character of \\ is not taken for the beginning of one.
				i++
				continue
			}
			if tracked < maxShifts {
				tracked += t.shift(lines, i, int32(len(put)-length))
			}
			out = append(append(out, t.src[copied:i]...), put...)
			copied = i + length
			i = copied - 1
		}
	}
	if copied == 0 {
		return false
	}
	t.src = append(out, t.src[copied:]...)
	return true
}

// At most maxShifts escapes are taken into account for places, none of them further
// than maxShiftColumn bytes into its line. Behind others, columns are a little off,
// which costs less than a search that grows with the text.
const (
	maxShifts      = 200
	maxShiftColumn = 64 << 10
)

// shift records that the text grows by a number of characters at an offset, and
// returns 1, or 0 where the offset is too far in its line to be worth it.
func (t *yamlText) shift(lines *Text, offset int, by int32) int {
	line := sort.SearchInts(lines.lines, offset+1)
	if offset-lines.lines[line-1] > maxShiftColumn {
		return 0
	}
	_, column := lines.place(Position{offset: int32(offset)})
	var moved int32
	for _, s := range t.shifts[int32(line)] {
		moved += s.by
	}
	t.shifts[int32(line)] = append(t.shifts[int32(line)], shift{int32(column) + moved, by})
	return 1
}

// jsonEscape returns an escape of JSON in the library's words and its length in
// bytes; "" when s does not begin with one that needs rewriting.
func jsonEscape(s []byte) (put string, length int) {
	if len(s) > 1 && s[1] == '/' {
		return `\x2f`, 2
	}
	probe := &scanner{src: s}
	high, ok := probe.hex(0)
	low, both := probe.hex(6)
	if !ok || !both {
		return "", 0
	}
	whole := utf16.DecodeRune(high, low)
	if whole == utf8.RuneError {
		return "", 0
	}
	return fmt.Sprintf(`\U%08X`, whole), 12
}

// place returns where a node of the library stands in the original text.
func (t *yamlText) place(y *yaml.Node) Position {
	p := Position{line: int32(y.Line), column: int32(y.Column)}
	for _, s := range t.shifts[p.line] {
		if s.column < int32(y.Column) {
			p.column -= s.by
		}
	}
	return p
}

// value returns a decoded text with the line breaks that the library was not
// shown.
func (t *yamlText) value(v string) string {
	if len(t.breaks) == 0 {
		return v
	}
	var b strings.Builder
	for _, r := range v {
		if kept, ok := t.breaks[r]; ok {
			b.WriteString(kept)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// template reports whether a flow mapping is a {{ template }} without quotes, and
// returns it in quotes. It is recognized by a mapping that is the first key of
// another and begins one column behind it.
func (t *yamlText) template(y *yaml.Node) (whole string, is bool) {
	if y.Style&yaml.FlowStyle == 0 || len(y.Content) != 2 || y.Content[0].Kind != yaml.MappingNode ||
		y.Content[0].Line != y.Line || y.Content[0].Column != y.Column+1 {
		return "", false
	}
	p := t.place(y)
	if p.column > 2000 {
		return `"{{ … }}"`, true // a long line is not counted through again and again
	}
	if t.lines == nil {
		t.lines = NewText(t.original)
	}
	at := t.lines.offset(int(p.line), int(p.column))
	if at < 0 || !bytes.HasPrefix(t.original[at:], []byte("{{")) {
		return "", false
	}
	end := bytes.Index(t.original[at:], []byte("}}"))
	if end < 0 {
		return "", false
	}
	return quotedValue(string(t.original[at : at+end+2])), true
}
