package source

import (
	"bytes"
	"sort"
	"strings"
	"unicode/utf8"
)

// Text is the text that was parsed.
type Text struct {
	Bytes []byte
	lines []int   // offsets at which lines begin
	marks []int32 // characters before every block of markBytes; made when first needed
}

// markBytes is how much of a line is counted again for a column.
const markBytes = 4 << 10

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

// place turns a position into a line and a column, in characters from 1.
func (s *Text) place(p Position) (line, column int) {
	if p.line > 0 {
		return int(p.line), int(p.column)
	}
	line = sort.SearchInts(s.lines, int(p.offset)+1)
	return line, s.characters(int(p.offset)) - s.characters(s.lines[line-1]) + 1
}

// characters counts those before an offset, in time that does not depend on it.
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

// starts counts the bytes that begin a character; the text is UTF-8 wherever a
// column is asked for.
func starts(text []byte) (n int32) {
	for _, c := range text {
		if utf8.RuneStart(c) {
			n++
		}
	}
	return n
}

// Inside gives the place of a column of a text; nil where the source writes
// the text in another way (escapes, several lines).
func (s *Text) Inside(n *Node, column int) *Position {
	at := int(n.Pos.offset)
	if n.Pos.line > 0 {
		at = s.offset(int(n.Pos.line), int(n.Pos.column))
	}
	if at < 0 || at > len(s.Bytes) || strings.ContainsRune(n.Text, '\n') {
		return nil
	}
	rest := s.Bytes[at:]
	if len(rest) > 0 && (rest[0] == '"' || rest[0] == '\'') {
		rest = rest[1:]
		at++
	}
	if !bytes.HasPrefix(rest, []byte(n.Text)) {
		return nil
	}
	for i := range n.Text {
		if column--; column == 0 {
			return s.positionAt(at + i)
		}
	}
	return s.positionAt(at + len(n.Text))
}

// positionAt is the position of a byte.
func (s *Text) positionAt(offset int) *Position {
	line, column := s.place(Position{offset: int32(offset)})
	return &Position{line: int32(line), column: int32(column)}
}

// offset is the byte at a line and column, -1 when there is none.
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

// Position is a place in the source: a byte offset (JSON) or a line and a
// column counted from 1 (YAML).
type Position struct {
	offset       int32
	line, column int32
}
