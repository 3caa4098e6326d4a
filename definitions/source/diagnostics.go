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
	// A definition with an error is refused; warnings never refuse one.
	SeverityError   = "error"
	severityWarning = "warning"
)

// Diagnostic is an issue whose place is still a node: pointer, line and column
// are filled in by Resolve. It is owned by its Diagnostics; what Error and Warn
// return may be amended until Resolve is called.
type Diagnostic struct {
	fault.Issue
	At       *Node     // what the diagnostic is about; never nil
	tail     string    // appended to At's pointer: the last token of what is not in the tree
	key      bool      // the member's name is meant, not its value
	Pos      *Position // in place of At's position; nil: none
	Unlisted bool      // beyond the limits: counted, and nothing else; amending it has no effect
}

// Diagnostics collects what one pass finds. What is found beyond MaxDiagnostics
// and MaxPerCode is counted at no cost that grows with its number: no message is
// made for it and no node is kept. The zero value is ready. Not safe for
// concurrent use.
type Diagnostics struct {
	List []*Diagnostic // in the order in which they were found, until Resolve sorts it
	Tally
	left Diagnostic // returned for whatever is not listed, so that callers need no check
	// named maps objects with an unknown member whose replacement is known to the
	// place of the last such member. What those objects lack is listed after it,
	// because the replacement explains what is missing.
	named map[*Node]int32
}

// Tally counts problems by code and severity. It is what one pass hands on to the
// next, so that the limits hold for both together. The zero value is empty.
type Tally struct {
	listed int             // in all; at most MaxDiagnostics
	counts map[counted]int // nil until the first problem
	more   map[counted]int // of counts, those that are not listed
	Last   bool            // the last one was not listed, so suggestions for it are wasted work
}

// counted is what problems are counted by.
type counted struct {
	code     Code
	severity string
}

// Copy returns a tally that continues from this one; the two share no map.
func (t *Tally) Copy() Tally {
	return Tally{listed: t.listed, counts: maps.Clone(t.counts), more: maps.Clone(t.more)}
}

// Total returns the number of problems found, listed or not.
func (t *Tally) Total() int {
	n := t.listed
	for _, more := range t.more {
		n += more
	}
	return n
}

// take counts a problem and reports whether it is to be listed, which it
// remembers in Last.
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

// Skip reports whether an error of the code is beyond the limits, and counts it
// if so. Callers use it before they prepare an expensive message: on false
// nothing is counted and Error must follow.
func (f *Diagnostics) Skip(code Code) bool {
	c := counted{code, SeverityError}
	// Reading a nil map is allowed, so the zero value needs no preparation.
	if f.counts[c] < MaxPerCode && f.listed < MaxDiagnostics {
		return false
	}
	return !f.take(c)
}

// Add records a problem and returns it for amendment. Messages are sentences
// without a full stop, cut at MaxMessage bytes but for those of cycles, which
// name every step. Beyond the limits the problem is counted, format is not
// evaluated, and a shared placeholder with Unlisted set is returned, valid until
// the next call.
func (f *Diagnostics) Add(severity string, code Code, at *Node, format string, args ...any) *Diagnostic {
	if !f.take(counted{code, severity}) {
		f.left = Diagnostic{At: at, Unlisted: true}
		return &f.left
	}
	d := &Diagnostic{At: at, Issue: fault.Issue{
		Code: string(code), Severity: severity, Message: fmt.Sprintf(format, args...),
	}}
	// A cycle of 10,000 steps is long, but Resolve bounds what all messages
	// take together.
	if code != Cycle {
		d.Message = Cut(d.Message, MaxMessage)
	}
	f.List = append(f.List, d)
	return d
}

// Error is Add with the severity error.
func (f *Diagnostics) Error(code Code, at *Node, format string, args ...any) *Diagnostic {
	return f.Add(SeverityError, code, at, format, args...)
}

// Warn is Add with the severity warning.
func (f *Diagnostics) Warn(code Code, at *Node, format string, args ...any) *Diagnostic {
	return f.Add(severityWarning, code, at, format, args...)
}

// DidYouMean sets the suggestion and appends it to the message as a question. ""
// changes nothing.
func (d *Diagnostic) DidYouMean(name string) *Diagnostic {
	if name != "" && !d.Unlisted {
		d.Suggestion = name
		d.Message += fmt.Sprintf(". Did you mean '%s'?", name)
	}
	return d
}

// maxSuggestion bounds a suggestion, in bytes. A longer one is left out, not cut:
// half of a value to write would be wrong.
const maxSuggestion = 1_000

// WithSuggestion sets the suggestion and leaves the message as it is; "" removes
// it.
func (d *Diagnostic) WithSuggestion(name string) *Diagnostic {
	if len(name) > maxSuggestion {
		name = ""
	}
	d.Suggestion = name
	return d
}

// WithRelated adds the pointers of other places that take part in the problem.
func (d *Diagnostic) WithRelated(nodes ...*Node) *Diagnostic {
	if d.Unlisted {
		return d
	}
	for _, n := range nodes {
		d.Related = append(d.Related, n.Pointer())
	}
	return d
}

// AtKey moves line and column to the member's name; the pointer stays.
func (d *Diagnostic) AtKey() *Diagnostic {
	d.key = true
	return d
}

// NoteReplacement records that the diagnostic about an unknown member says what
// to write in its place (see named). A root is ignored.
func (f *Diagnostics) NoteReplacement(member *Node) {
	if member.Parent == nil {
		return
	}
	if f.named == nil {
		f.named = map[*Node]int32{}
	}
	f.named[member.Parent] = max(f.named[member.Parent], member.Seq)
}

// order returns the place of a diagnostic among the others, as a Seq: that of its
// node, except for what an object lacks, which follows the members that explain
// it.
func (f *Diagnostics) order(d *Diagnostic) int32 {
	if d.Code == string(MissingField) {
		return max(d.At.Seq, f.named[d.At])
	}
	return d.At.Seq
}

// Resolve sorts the list, errors before warnings and each in document order,
// fills in pointers, lines and columns, and returns the issues. Equal places keep
// the order in which they were found. Beyond maxDiagnostics bytes the rest is
// counted, and a last issue states the number of what is not listed. It is called
// once per Diagnostics; src is the text that the nodes were read from. The result
// is never nil.
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
		// size is never taken back, so what follows the first that does not fit
		// is dropped too: the list ends at a place, without gaps.
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

// size returns the bytes of text that a diagnostic adds to an answer. Field names
// are not counted.
func (d *Diagnostic) size() int {
	n := len(d.Message) + len(d.Pointer) + len(d.Suggestion)
	for _, r := range d.Related {
		n += len(r)
	}
	return n
}

// moreBegins is the beginning of the message about what is not listed, and what
// IsMore recognizes it by.
const moreBegins = "Problems that are not listed: at least "

// IsMore reports whether an issue is the count of unlisted problems that Resolve
// appends, and not a problem itself.
func IsMore(d fault.Issue) bool {
	return d.Code == string(LimitExceeded) && strings.HasPrefix(d.Message, moreBegins)
}

// withMore inserts the count of what was not listed into sorted issues: as an
// error behind the errors where there is an error among it, else as a warning at
// the end. It takes the line of the issue before it. Without unlisted problems ds
// is returned as it is.
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
	// An error must stand among the errors, or a list of warnings alone would
	// seem to be all.
	at := len(ds)
	if d.Severity == SeverityError {
		at = sort.Search(len(ds), func(i int) bool { return ds[i].Severity != SeverityError })
	}
	if at > 0 {
		d.Line, d.Column = ds[at-1].Line, ds[at-1].Column
	}
	return slices.Insert(ds, at, d)
}

// Capitalize returns s with its first letter in upper case; s begins with an
// ASCII letter or is "".
func Capitalize(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
