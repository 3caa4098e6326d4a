package source

import (
	"bytes"
	"sort"
	"strings"
	"unicode/utf8"
)

// Text is a text that was parsed, with what it takes to turn offsets into lines
// and columns. A line ends at \n; \r counts as a character of its line. Not safe
// for concurrent use: marks are made when they are first needed.
type Text struct {
	Bytes []byte  // the caller's; not copied and never changed
	lines []int   // offsets at which lines begin; the first is 0
	marks []int32 // characters before every block of markBytes; nil until needed
}

// markBytes is the size of the blocks whose characters are counted once. A column
// then costs at most two counts within a block: a large definition may stand on
// one line, and have a thousand diagnostics.
const markBytes = 4 << 10

// NewText returns the Text of a source, which is kept. O(len(text)).
func NewText(text []byte) *Text {
	s := &Text{Bytes: text, lines: []int{0}}
	for at := 0; ; {
		next := bytes.IndexByte(text[at:], '\n')
		if next < 0 {
			return s
		}
		at += next + 1
		s.lines = append(s.lines, at)
	}
}

// place returns the line and column of a position, both from 1 and the column in
// characters (code points), as editors count. A position of YAML has them
// already.
func (s *Text) place(p Position) (line, column int) {
	if p.line > 0 {
		return int(p.line), int(p.column)
	}
	// The first line that begins behind the offset, counted from 0, is the
	// number of the line around it, counted from 1.
	line = sort.SearchInts(s.lines, int(p.offset)+1)
	return line, s.characters(int(p.offset)) - s.characters(s.lines[line-1]) + 1
}

// characters returns the number of characters before an offset, after the first
// call in time that does not depend on the offset.
func (s *Text) characters(offset int) int {
	if s.marks == nil {
		s.marks = make([]int32, 1, len(s.Bytes)/markBytes+1)
		for at := markBytes; at <= len(s.Bytes); at += markBytes {
			s.marks = append(s.marks, s.marks[len(s.marks)-1]+starts(s.Bytes[at-markBytes:at]))
		}
	}
	block := offset / markBytes
	return int(s.marks[block] + starts(s.Bytes[block*markBytes:offset]))
}

// starts returns the number of bytes that begin a character. The text is UTF-8
// wherever a column is needed.
func starts(text []byte) (n int32) {
	for _, c := range text {
		if utf8.RuneStart(c) {
			n++
		}
	}
	return n
}

// Inside returns the position of a column (from 1, in characters) of a node's
// text, so that a mistake in an expression is shown where it stands in the file.
// It returns nil where the source writes the text differently from what was
// decoded (escapes, several lines); a column beyond the text is its end.
func (s *Text) Inside(n *Node, column int) *Position {
	at := int(n.Pos.offset)
	if n.Pos.line > 0 {
		at = s.offset(int(n.Pos.line), int(n.Pos.column))
	}
	if at < 0 || at > len(s.Bytes) || strings.ContainsRune(n.Text, '\n') {
		return nil
	}
	rest := s.Bytes[at:]
	// The position is that of the opening quote; columns count from the text
	// behind it.
	if len(rest) > 0 && (rest[0] == '"' || rest[0] == '\'') {
		rest = rest[1:]
		at++
	}
	if !bytes.HasPrefix(rest, []byte(n.Text)) {
		return nil
	}
	// Each step of range is one character.
	for i := range n.Text {
		if column--; column == 0 {
			return s.positionAt(at + i)
		}
	}
	return s.positionAt(at + len(n.Text))
}

// positionAt returns the position of a byte as a line and a column.
func (s *Text) positionAt(offset int) *Position {
	line, column := s.place(Position{offset: int32(offset)})
	return &Position{line: int32(line), column: int32(column)}
}

// offset returns the byte at a line and column, -1 when there is no such line. A
// column beyond the line runs on into the next one.
func (s *Text) offset(line, column int) int {
	if line < 1 || line > len(s.lines) {
		return -1
	}
	at := s.lines[line-1]
	for ; column > 1 && at < len(s.Bytes); column-- {
		_, size := utf8.DecodeRune(s.Bytes[at:])
		at += size
	}
	return at
}

// Position is a place in the source: a byte offset from 0 (JSON), or a line and a
// column from 1 (YAML). line is 0 where the offset counts.
type Position struct {
	offset       int32
	line, column int32
}
