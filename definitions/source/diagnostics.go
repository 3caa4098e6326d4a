package source

import (
	"fmt"
	"heddle/fault"
	"maps"
	"slices"
	"sort"
	"strings"
)

// The severities of a diagnostic.
const (
	SeverityError   = "error"
	severityWarning = "warning"
)

// Diagnostic is a diagnostic whose place is still a node.
type Diagnostic struct {
	fault.Issue
	At       *Node
	tail     string // what follows at's pointer
	key      bool   // the member's name is meant, not its value
	Pos      *Position
	Unlisted bool // beyond what is listed: counted, and nothing else
}

// Diagnostics collects what one pass finds. What is found beyond MaxDiagnostics
// and MaxPerCode is counted at no cost that grows with its number.
type Diagnostics struct {
	List []*Diagnostic
	Tally
	left Diagnostic // stands for whatever is not listed
	// named are objects that have an unknown member of which is known what to
	// write, and the last such member's place: what they lack comes after it.
	named map[*Node]int32
}

// Tally counts problems by what is found and how bad it is.
type Tally struct {
	listed int
	counts map[counted]int
	more   map[counted]int // of counts, those that are not listed
	Last   bool            // the last one was not listed
}

type counted struct {
	code     Code
	severity string
}

// Copy is a tally that goes on from this one.
func (t *Tally) Copy() Tally {
	return Tally{listed: t.listed, counts: maps.Clone(t.counts), more: maps.Clone(t.more)}
}

// Total is how many problems were found, listed or not.
func (t *Tally) Total() int {
	n := t.listed
	for _, more := range t.more {
		n += more
	}
	return n
}

// take counts a problem and reports whether it is to be listed.
func (t *Tally) take(c counted) bool {
	if t.counts == nil {
		t.counts, t.more = map[counted]int{}, map[counted]int{}
	}
	limit := MaxPerCode
	if c.code == Cycle {
		limit = MaxDiagnostics
	}
	t.Last = t.listed >= MaxDiagnostics || t.counts[c] >= limit
	t.counts[c]++
	if t.Last {
		t.more[c]++
		return false
	}
	t.listed++
	return true
}

// Skip counts an error that is not to be listed; false: it is, and nothing is
// counted. Callers ask before they prepare a message.
func (f *Diagnostics) Skip(code Code) bool {
	c := counted{code, SeverityError}
	if f.counts[c] < MaxPerCode && f.listed < MaxDiagnostics {
		return false
	}
	return !f.take(c)
}

func (f *Diagnostics) Add(severity string, code Code, at *Node, format string, args ...any) *Diagnostic {
	if !f.take(counted{code, severity}) {
		f.left = Diagnostic{At: at, Unlisted: true}
		return &f.left
	}
	d := &Diagnostic{At: at, Issue: fault.Issue{
		Code: string(code), Severity: severity, Message: fmt.Sprintf(format, args...),
	}}
	if code != Cycle {
		d.Message = Cut(d.Message, MaxMessage)
	}
	f.List = append(f.List, d)
	return d
}

func (f *Diagnostics) Error(code Code, at *Node, format string, args ...any) *Diagnostic {
	return f.Add(SeverityError, code, at, format, args...)
}

func (f *Diagnostics) Warn(code Code, at *Node, format string, args ...any) *Diagnostic {
	return f.Add(severityWarning, code, at, format, args...)
}

// DidYouMean names what was probably meant, in the message too.
func (d *Diagnostic) DidYouMean(name string) *Diagnostic {
	if name != "" && !d.Unlisted {
		d.Suggestion = name
		d.Message += fmt.Sprintf(". Did you mean '%s'?", name)
	}
	return d
}

// maxSuggestion bounds a suggestion, in bytes: a longer one is left out.
const maxSuggestion = 1_000

// WithSuggestion gives the suggestion and leaves the message as it is.
func (d *Diagnostic) WithSuggestion(name string) *Diagnostic {
	if len(name) > maxSuggestion {
		name = ""
	}
	d.Suggestion = name
	return d
}

// WithRelated points at other places that have to do with it.
func (d *Diagnostic) WithRelated(nodes ...*Node) *Diagnostic {
	if d.Unlisted {
		return d
	}
	for _, n := range nodes {
		d.Related = append(d.Related, n.Pointer())
	}
	return d
}

// AtKey points the line and column at the member's name.
func (d *Diagnostic) AtKey() *Diagnostic {
	d.key = true
	return d
}

// NoteReplacement notes that a member of an object says what to write.
func (f *Diagnostics) NoteReplacement(member *Node) {
	if member.Parent == nil {
		return
	}
	if f.named == nil {
		f.named = map[*Node]int32{}
	}
	f.named[member.Parent] = max(f.named[member.Parent], member.Seq)
}

// order is the place of a finding among the others: that of its node, but for
// what an object lacks.
func (f *Diagnostics) order(d *Diagnostic) int32 {
	if d.Code == string(MissingField) {
		return max(d.At.Seq, f.named[d.At])
	}
	return d.At.Seq
}

// Resolve sorts, errors before warnings and each in document order, and fills
// in the places.
func (f *Diagnostics) Resolve(src *Text) []fault.Issue {
	sort.SliceStable(f.List, func(i, j int) bool {
		a, b := f.List[i], f.List[j]
		if a.Severity != b.Severity {
			return a.Severity == SeverityError
		}
		return f.order(a) < f.order(b)
	})
	out := make([]fault.Issue, 0, len(f.List)+1)
	size := 0
	for _, d := range f.List {
		d.Pointer = d.At.Pointer()
		if len(d.Pointer)+len(d.tail) <= MaxPointer {
			d.Pointer += d.tail
		}
		if size += d.size(); size > maxDiagnostics {
			f.more[counted{Code(d.Code), d.Severity}]++
			continue
		}
		pos := d.At.Pos
		if d.key {
			pos = d.At.keyPos
		}
		if d.Pos != nil {
			pos = *d.Pos
		}
		d.Line, d.Column = src.place(pos)
		out = append(out, d.Issue)
	}
	return f.withMore(out)
}

// size is what a diagnostic adds to an answer, in bytes.
func (d *Diagnostic) size() int {
	n := len(d.Message) + len(d.Pointer) + len(d.Suggestion)
	for _, r := range d.Related {
		n += len(r)
	}
	return n
}

// moreBegins is how the message about what is not listed begins.
const moreBegins = "Problems that are not listed: at least "

func IsMore(d fault.Issue) bool {
	return d.Code == string(LimitExceeded) && strings.HasPrefix(d.Message, moreBegins)
}

// withMore adds what was not listed: an error behind the errors where there is
// an error among it, else a warning behind everything.
func (f *Diagnostics) withMore(ds []fault.Issue) []fault.Issue {
	if len(f.more) == 0 {
		return ds
	}
	total, kinds := 0, make([]string, 0, len(f.more))
	d := fault.Issue{Code: string(LimitExceeded), Severity: severityWarning, Line: 1, Column: 1}
	for c, n := range f.more {
		total += n
		kinds = append(kinds, fmt.Sprintf("%d × %s", n, c.code))
		if c.severity == SeverityError {
			d.Severity = SeverityError
		}
	}
	sort.Strings(kinds)
	d.Message = fmt.Sprintf("%s%d (%s); correct these first", moreBegins, total, strings.Join(kinds, ", "))
	at := len(ds)
	if d.Severity == SeverityError {
		at = sort.Search(len(ds), func(i int) bool { return ds[i].Severity != SeverityError })
	}
	if at > 0 {
		d.Line, d.Column = ds[at-1].Line, ds[at-1].Column
	}
	return slices.Insert(ds, at, d)
}

func Capitalize(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
