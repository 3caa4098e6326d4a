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

// yamlText is a text as the library is given it. The library reads YAML 1.1:
// the directive of 1.2, the escapes of JSON, and characters that are line
// breaks in 1.1 alone are put in other words, and what is read is put back.
type yamlText struct {
	src      []byte // what the library reads
	original []byte
	breaks   map[rune]string   // what stands for the line breaks of 1.1, and they
	shifts   map[int32][]shift // by line: what escapes in other words add to columns
	lines    *Text             // the original, once it is asked for
}

// shift moves what stands behind a column of the library's text.
type shift struct{ column, by int32 }

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

// directive is the offset of a %YAML 1.2 line before the document; -1: none.
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

// keepBreaks puts a character that the text does not have in the place of each
// line break that YAML 1.2 reads as any other character.
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

// readEscapes writes the escapes that JSON has and the library lacks, in
// double-quoted text, in other words: \/ and the pairs of surrogates. False:
// there are none.
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

// So many escapes are counted when places are told, none of them further than
// maxShiftColumn into its line: behind others, columns are a little off.
const (
	maxShifts      = 200
	maxShiftColumn = 64 << 10
)

// shift notes that the text grows at an offset; 0: it is too far in its line.
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

// jsonEscape puts an escape of JSON into words of the library; "": it is none
// of those.
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

// place is where a node stands in the original text.
func (t *yamlText) place(y *yaml.Node) Position {
	p := Position{line: int32(y.Line), column: int32(y.Column)}
	for _, s := range t.shifts[p.line] {
		if s.column < int32(y.Column) {
			p.column -= s.by
		}
	}
	return p
}

// value puts the line breaks back that the library was not shown.
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

// template reports whether a flow mapping is a {{ template }} without quotes,
// and gives it in quotes.
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
