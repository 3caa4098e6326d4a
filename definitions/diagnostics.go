package definitions

import (
	"bytes"
	"fmt"
	"sort"
	"unicode/utf8"
)

// The severities of a diagnostic.
const (
	severityError   = "error"
	severityWarning = "warning"
)

// finding is a diagnostic whose place is still a node.
type finding struct {
	Diagnostic
	at   *node
	tail string // what follows at's pointer
	key  bool   // the member's name is meant, not its value
	pos  *position
}

// findings collects what one pass finds.
type findings struct {
	list    []*finding
	dropped int // beyond MaxDiagnostics
}

func (f *findings) add(severity string, code Code, at *node, format string, args ...any) *finding {
	d := &finding{at: at, Diagnostic: Diagnostic{
		Code: string(code), Severity: severity, Message: fmt.Sprintf(format, args...),
	}}
	if len(f.list) >= MaxDiagnostics {
		f.dropped++
		return d
	}
	f.list = append(f.list, d)
	return d
}

func (f *findings) error(code Code, at *node, format string, args ...any) *finding {
	return f.add(severityError, code, at, format, args...)
}

func (f *findings) warn(code Code, at *node, format string, args ...any) *finding {
	return f.add(severityWarning, code, at, format, args...)
}

// suggest names what was probably meant, in the message too.
func (d *finding) suggest(name string) *finding {
	if name != "" {
		d.Suggestion = name
		d.Message += fmt.Sprintf(". Did you mean '%s'?", name)
	}
	return d
}

// hint gives the suggestion and leaves the message as it is.
func (d *finding) hint(name string) *finding {
	d.Suggestion = name
	return d
}

// relate points at other places that have to do with it.
func (d *finding) relate(nodes ...*node) *finding {
	for _, n := range nodes {
		d.Related = append(d.Related, n.pointer())
	}
	return d
}

// onKey points the line and column at the member's name.
func (d *finding) onKey() *finding {
	d.key = true
	return d
}

// resolve sorts, errors before warnings and each in document order, and fills
// in the places.
func (f *findings) resolve(src *source) []Diagnostic {
	sort.SliceStable(f.list, func(i, j int) bool {
		a, b := f.list[i], f.list[j]
		if a.Severity != b.Severity {
			return a.Severity == severityError
		}
		return a.at.seq < b.at.seq
	})
	if f.dropped > 0 {
		last := f.list[len(f.list)-1]
		f.list = append(f.list, &finding{at: last.at, Diagnostic: Diagnostic{
			Code: string(LimitExceeded), Severity: severityError,
			Message: fmt.Sprintf("There are %d more problems; correct these first", f.dropped),
		}})
	}
	out := make([]Diagnostic, 0, len(f.list))
	for _, d := range f.list {
		d.Pointer = d.at.pointer() + d.tail
		pos := d.at.pos
		if d.key {
			pos = d.at.keyPos
		}
		if d.pos != nil {
			pos = *d.pos
		}
		d.Line, d.Column = src.place(pos)
		out = append(out, d.Diagnostic)
	}
	return out
}

// source is the text that was parsed.
type source struct {
	text  []byte
	lines []int // offsets at which lines begin
}

func newSource(text []byte) *source {
	s := &source{text: text, lines: []int{0}}
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
func (s *source) place(p position) (line, column int) {
	if p.line > 0 {
		return int(p.line), int(p.column)
	}
	line = sort.SearchInts(s.lines, int(p.offset)+1)
	start := s.lines[line-1]
	return line, utf8.RuneCount(s.text[start:p.offset]) + 1
}

// Valid tells whether there is no error among the diagnostics; warnings do not
// count.
func Valid(ds []Diagnostic) bool {
	for _, d := range ds {
		if d.Severity == severityError {
			return false
		}
	}
	return true
}

// Messages gives the messages of the errors; never nil.
func Messages(ds []Diagnostic) []string {
	out := []string{}
	for _, d := range ds {
		if d.Severity == severityError {
			out = append(out, d.Message)
		}
	}
	return out
}
