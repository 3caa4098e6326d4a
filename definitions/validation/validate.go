package validation

import (
	"heddle/definitions"
	"heddle/definitions/parser"
	"heddle/definitions/schemas"
	"heddle/definitions/source"
	"heddle/expressions"
	"heddle/fault"
)

// Validate finds everything that Parse cannot see: the graph, the configs,
// the schemas inside and the expressions. It reports all problems in one
// pass, errors before warnings, each in document order; none is a result of
// length 0. A nil catalog knows the three types that the machine performs
// itself, and no config of another type is checked.
//
// The document must come from Parse. It is only read, but for the notes on
// what its diagnostics explain. Problems that Parse reported are not
// repeated; Merge joins the two.
func Validate(doc *parser.Document, catalog definitions.Catalog) []fault.Issue {
	return validateUntil(doc, catalog, nil)
}

// validateUntil is Validate, which checks no further expression once stopped
// returns true; nil: it never does. What it has found by then is not
// complete. The checks before the expressions are not interrupted.
func validateUntil(doc *parser.Document, catalog definitions.Catalog, stopped func() bool) []fault.Issue {
	p := newPass(doc, catalog, stopped)
	// Places in an unread list would look like steps that do not exist, and
	// decoding has reported that there are too many.
	if !doc.Partial {
		p.checkAll()
	}
	return p.finds.Resolve(doc.Text)
}

// maxComparisons bounds the names compared for suggestions in one pass.
const maxComparisons = 500_000

// pass is what all checks of one document share. It is used by one goroutine.
type pass struct {
	finds       *source.Diagnostics // continues the tally of Parse
	doc         *parser.Document
	graph       *graph
	ancestry    *ancestry // nil before the edges are known
	types       *stepTypes
	comparisons int                // of names, that are left
	budget      expressions.Budget // what checking expressions and patterns may still cost
	forms       expressions.Forms  // of the expressions that were found sound
}

// newPass returns a pass that has found nothing beyond what doc's tally holds.
// Its graph has no ids and no edges yet.
func newPass(doc *parser.Document, catalog definitions.Catalog, stopped func() bool) *pass {
	return &pass{
		finds: &source.Diagnostics{Tally: doc.Tally.Copy()}, doc: doc, graph: newGraph(doc), comparisons: maxComparisons,
		types:  &stepTypes{catalog: catalog, known: map[string]*knownType{}},
		budget: expressions.Budget{Expressions: definitions.MaxExpressions, Problems: maxProblems, Members: maxMembers, Patterns: maxPatterns, Stopped: stopped},
	}
}

// checkAll makes all checks. Each uses the results of those before it; see the
// package comment. The order is that of diagnostics at one place.
func (p *pass) checkAll() {
	(&edgeValidator{p}).check()
	p.ancestry = newAncestry(p.graph)
	(&cycleValidator{pass: p, cyclic: map[int32]bool{}}).check()
	(&reachValidator{p}).check()
	(&settingsValidator{p}).check()
	inner := &schemaValidator{pass: p, faults: map[string][]schemas.Fault{}}
	(&configValidator{pass: p, inner: inner}).check()
	inner.check()
	typing := newTyping(p)
	(&expressionValidator{pass: p, typing: typing, visible: &visibility{pass: p, typing: typing}}).check()
}

// What checking the expressions of one definition may cost in all: problems
// found, of which more are not listed anyway, members of schemas looked at, and
// instructions of regular expressions.
const (
	// Each is far beyond what a definition needs.
	maxProblems = 2 * source.MaxDiagnostics
	maxMembers  = 4_000_000
	maxPatterns = 200_000
)

// nearest returns the candidate that was probably meant, "" when none is
// close. Each candidate takes from the pass's comparisons; without any left,
// or where the diagnostic would not be listed, there are no suggestions.
func (p *pass) nearest(written string, candidates func() []string) string {
	if p.comparisons <= 0 || p.finds.Last {
		return ""
	}
	list := candidates()
	p.comparisons -= len(list)
	return source.Nearest(written, list)
}
