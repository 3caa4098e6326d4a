package definitions

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"
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
	left bool // beyond what is listed: counted, and nothing else
}

// findings collects what one pass finds. What is found beyond MaxDiagnostics
// and MaxPerCode is counted at no cost that grows with its number.
type findings struct {
	list []*finding
	tally
	left finding // stands for whatever is not listed
	// named are objects that have an unknown member of which is known what to
	// write, and the last such member's place: what they lack comes after it.
	named map[*node]int32
}

// tally counts problems by what is found and how bad it is.
type tally struct {
	listed int
	counts map[counted]int
	more   map[counted]int // of counts, those that are not listed
	last   bool            // the last one was not listed
}

type counted struct {
	code     Code
	severity string
}

// copy is a tally that goes on from this one.
func (t *tally) copy() tally {
	return tally{listed: t.listed, counts: maps.Clone(t.counts), more: maps.Clone(t.more)}
}

// total is how many problems were found, listed or not.
func (t *tally) total() int {
	n := t.listed
	for _, more := range t.more {
		n += more
	}
	return n
}

// take counts a problem and reports whether it is to be listed.
func (t *tally) take(c counted) bool {
	if t.counts == nil {
		t.counts, t.more = map[counted]int{}, map[counted]int{}
	}
	limit := MaxPerCode
	if c.code == Cycle {
		limit = MaxDiagnostics
	}
	t.last = t.listed >= MaxDiagnostics || t.counts[c] >= limit
	t.counts[c]++
	if t.last {
		t.more[c]++
		return false
	}
	t.listed++
	return true
}

// skip counts an error that is not to be listed; false: it is, and nothing is
// counted. Callers ask before they prepare a message.
func (f *findings) skip(code Code) bool {
	c := counted{code, severityError}
	if f.counts[c] < MaxPerCode && f.listed < MaxDiagnostics {
		return false
	}
	return !f.take(c)
}

func (f *findings) add(severity string, code Code, at *node, format string, args ...any) *finding {
	if !f.take(counted{code, severity}) {
		f.left = finding{at: at, left: true}
		return &f.left
	}
	d := &finding{at: at, Diagnostic: Diagnostic{
		Code: string(code), Severity: severity, Message: fmt.Sprintf(format, args...),
	}}
	if code != Cycle {
		d.Message = cut(d.Message, maxMessage)
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
	if name != "" && !d.left {
		d.Suggestion = name
		d.Message += fmt.Sprintf(". Did you mean '%s'?", name)
	}
	return d
}

// maxSuggestion bounds a suggestion, in bytes: a longer one is left out.
const maxSuggestion = 1_000

// hint gives the suggestion and leaves the message as it is.
func (d *finding) hint(name string) *finding {
	if len(name) > maxSuggestion {
		name = ""
	}
	d.Suggestion = name
	return d
}

// relate points at other places that have to do with it.
func (d *finding) relate(nodes ...*node) *finding {
	if d.left {
		return d
	}
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

// behind notes that a member of an object says what to write.
func (f *findings) behind(member *node) {
	if member.parent == nil {
		return
	}
	if f.named == nil {
		f.named = map[*node]int32{}
	}
	f.named[member.parent] = max(f.named[member.parent], member.seq)
}

// order is the place of a finding among the others: that of its node, but for
// what an object lacks.
func (f *findings) order(d *finding) int32 {
	if d.Code == string(MissingField) {
		return max(d.at.seq, f.named[d.at])
	}
	return d.at.seq
}

// resolve sorts, errors before warnings and each in document order, and fills
// in the places.
func (f *findings) resolve(src *source) []Diagnostic {
	sort.SliceStable(f.list, func(i, j int) bool {
		a, b := f.list[i], f.list[j]
		if a.Severity != b.Severity {
			return a.Severity == severityError
		}
		return f.order(a) < f.order(b)
	})
	out := make([]Diagnostic, 0, len(f.list)+1)
	size := 0
	for _, d := range f.list {
		d.Pointer = d.at.pointer()
		if len(d.Pointer)+len(d.tail) <= maxPointer {
			d.Pointer += d.tail
		}
		if size += d.size(); size > maxDiagnostics {
			f.more[counted{Code(d.Code), d.Severity}]++
			continue
		}
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
	return f.withMore(out)
}

// size is what a diagnostic adds to an answer, in bytes.
func (d *finding) size() int {
	n := len(d.Message) + len(d.Pointer) + len(d.Suggestion)
	for _, r := range d.Related {
		n += len(r)
	}
	return n
}

// moreBegins is how the message about what is not listed begins.
const moreBegins = "Problems that are not listed: at least "

func isMore(d Diagnostic) bool {
	return d.Code == string(LimitExceeded) && strings.HasPrefix(d.Message, moreBegins)
}

// withMore adds what was not listed: an error behind the errors where there is
// an error among it, else a warning behind everything.
func (f *findings) withMore(ds []Diagnostic) []Diagnostic {
	if len(f.more) == 0 {
		return ds
	}
	total, kinds := 0, make([]string, 0, len(f.more))
	d := Diagnostic{Code: string(LimitExceeded), Severity: severityWarning, Line: 1, Column: 1}
	for c, n := range f.more {
		total += n
		kinds = append(kinds, fmt.Sprintf("%d × %s", n, c.code))
		if c.severity == severityError {
			d.Severity = severityError
		}
	}
	sort.Strings(kinds)
	d.Message = fmt.Sprintf("%s%d (%s); correct these first", moreBegins, total, strings.Join(kinds, ", "))
	at := len(ds)
	if d.Severity == severityError {
		at = sort.Search(len(ds), func(i int) bool { return ds[i].Severity != severityError })
	}
	if at > 0 {
		d.Line, d.Column = ds[at-1].Line, ds[at-1].Column
	}
	return slices.Insert(ds, at, d)
}

// source is the text that was parsed.
type source struct {
	text  []byte
	lines []int   // offsets at which lines begin
	marks []int32 // characters before every block of markBytes; made when first needed
}

// markBytes is how much of a line is counted again for a column.
const markBytes = 4 << 10

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
	return line, s.characters(int(p.offset)) - s.characters(s.lines[line-1]) + 1
}

// characters counts those before an offset, in time that does not depend on it.
func (s *source) characters(offset int) int {
	if s.marks == nil {
		s.marks = make([]int32, 1, len(s.text)/markBytes+1)
		for at := markBytes; at <= len(s.text); at += markBytes {
			s.marks = append(s.marks, s.marks[len(s.marks)-1]+starts(s.text[at-markBytes:at]))
		}
	}
	block := offset / markBytes
	return int(s.marks[block] + starts(s.text[block*markBytes:offset]))
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
