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
	v := &validator{
		finds: &source.Diagnostics{Tally: doc.Tally.Copy()}, doc: doc, catalog: catalog, graph: newGraph(doc), comparisons: maxComparisons,
		types: map[string]*knownType{}, schemaTexts: map[string][]schemas.Fault{}, cyclic: map[int32]bool{},
		budget: expressions.Budget{Expressions: definitions.MaxExpressions, Problems: maxProblems, Members: maxMembers, Patterns: maxPatterns, Stopped: stopped},
		typing: newTyping(doc.Definition.Input), items: map[int32]*expressions.Shape{},
	}
	// Places in an unread list would look like steps that do not exist.
	if !v.count() {
		return v.finds.Resolve(doc.Text)
	}
	// Each check uses the results of those before it; see the package
	// comment.
	v.ids()
	v.dependencies()
	v.fallbacks()
	v.ancestry = newAncestry(v.graph)
	v.cycles()
	v.unreachable()
	v.settings()
	v.configs()
	v.schemas()
	v.expressions()
	v.spent()
	return v.finds.Resolve(doc.Text)
}

// maxComparisons bounds the names compared for suggestions in one pass.
const maxComparisons = 500_000

// validator is one pass over one document, used by one goroutine.
type validator struct {
	finds       *source.Diagnostics // continues the tally of Parse
	doc         *parser.Document
	catalog     definitions.Catalog // nil: only the machine's types are known
	graph       *graph
	ancestry    *ancestry      // after dependencies and fallbacks
	cyclic      map[int32]bool // the steps of reported cycles, by place
	typing      *typing
	items       map[int32]*expressions.Shape // of the loops' items, by the loop's place
	comparisons int                          // of names, that are left
	allIDs      []string                     // sorted; nil until needed
	budget      expressions.Budget           // what checking expressions may still cost
	types       map[string]*knownType        // by name; nil for a type that is unknown
	schemaTexts map[string][]schemas.Fault   // what is wrong with each schema, by its canonical text
	subschemas  int                          // of all schemas so far
	step        *source.Node                 // the object whose type and config are being checked
	place       string                       // of its config, for the tables of words: "config:script"
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

// spent reports that the definition has more expressions than any may have;
// those beyond were not checked.
func (v *validator) spent() {
	if v.budget.Over() {
		v.finds.Error(source.LimitExceeded, v.doc.Root, "The definition has more than %d expressions; move parts of it into workflows of their own", definitions.MaxExpressions)
	}
}

// count reports whether the steps are known. Where they are not, decoding has
// reported that there are too many.
func (v *validator) count() bool {
	return !v.doc.Partial // said by decoding
}

// nearest returns the candidate that was probably meant, "" when none is
// close. Each candidate takes from the pass's comparisons; without any left,
// or where the diagnostic would not be listed, there are no suggestions.
func (v *validator) nearest(written string, candidates func() []string) string {
	if v.comparisons <= 0 || v.finds.Last {
		return ""
	}
	list := candidates()
	v.comparisons -= len(list)
	return source.Nearest(written, list)
}

// ids fills the graph's index of ids and reports steps that share one. Ids
// are unique in the whole definition, handlers and loop bodies included; the
// first one counts.
func (v *validator) ids() {
	for _, e := range v.graph.entries {
		id := e.step.ID
		// Decoding has reported that it is missing.
		if id == "" {
			continue
		}
		first, taken := v.graph.byID[id]
		if !taken {
			v.graph.byID[id] = e.place
			continue
		}
		v.finds.Error(source.DuplicateStepID, e.node.Pick("id"), "Step id '%s' is used twice; ids must be unique in the whole definition", source.Clip(id)).
			WithRelated(v.graph.entries[first].node.Pick("id"))
	}
}

// dependencies resolves depends_on into edges. Entries that decoding refused,
// and those that do not resolve, make no edge.
func (v *validator) dependencies() {
	for _, e := range v.graph.entries {
		at := e.node.Member("depends_on")
		seen := map[string]bool{}
		for i, id := range e.step.DependsOn {
			item := at.Item(i)
			// A refused item has its zero value in DependsOn, which must not
			// be looked up.
			if item == nil || item.Kind == source.Bad || id == "" && item.Kind != source.String {
				continue
			}
			if seen[id] {
				v.finds.Error(source.InvalidValue, item, "Step '%s' depends on '%s' twice; remove one of them", e.name(), source.Clip(id))
				continue
			}
			seen[id] = true
			v.dependency(e, id, item)
		}
	}
}

// dependency resolves one entry of depends_on, written at a node.
func (v *validator) dependency(e *entry, id string, at *source.Node) {
	if id == e.step.ID {
		v.finds.Error(source.SelfDependency, at, "Cycle detected: %s → %s", id, id)
		return
	}
	if to, ok := v.graph.find(id, e.list); ok {
		e.deps = append(e.deps, edge{to: to.place, at: at})
		return
	}
	if place, ok := v.graph.byID[id]; ok {
		v.finds.Error(source.UnknownDependency, at, "Step '%s' depends on '%s' which is in another list of steps; only steps of the same list can be named", e.name(), source.Clip(id)).
			WithRelated(v.graph.entries[place].node)
		return
	}
	v.finds.Error(source.UnknownDependency, at, "Step '%s' depends on '%s' which doesn't exist", e.name(), source.Clip(id)).
		WithSuggestion(v.nearest(id, func() []string { return v.graph.siblings(e.list) }))
}

// fallbacks resolves fallback_step, sets owners and rescues, and reports
// fallbacks that cannot serve: a fallback has one owner and no dependencies.
func (v *validator) fallbacks() {
	for _, e := range v.graph.entries {
		at := e.node.Member("fallback_step")
		if at == nil {
			if e.step.OnError == "fallback" {
				v.finds.Error(source.MissingField, e.node, "Step '%s' has on_error fallback; name the step to run instead in fallback_step", e.name())
			}
			continue
		}
		if at.Kind == source.Bad {
			continue
		}
		if e.step.OnError != "fallback" && e.node.Pick("on_error").Kind != source.Bad {
			v.finds.Error(source.FallbackInvalid, at, "Step '%s' names a fallback_step, which needs on_error: fallback", e.name())
		}
		v.fallback(e, at)
	}
}

// fallback resolves the fallback_step of one step. The edge is kept even
// where the fallback has dependencies, so that a cycle through them is found
// as well.
func (v *validator) fallback(e *entry, at *source.Node) {
	id := e.step.FallbackStep
	to, ok := v.graph.find(id, e.list)
	switch {
	case !ok:
		v.finds.Error(source.UnknownDependency, at, "Step '%s' falls back on '%s' which doesn't exist in the same list of steps", e.name(), source.Clip(id)).
			WithSuggestion(v.nearest(id, func() []string { return v.graph.siblings(e.list) }))
		return
	case to == e:
		v.finds.Error(source.SelfDependency, at, "Cycle detected: %s → %s", id, id)
		return
	case to.owner != none:
		v.finds.Error(source.FallbackInvalid, at, "Step '%s' is the fallback of '%s' already; a fallback step has one owner", source.Clip(id), v.graph.entries[to.owner].name()).
			WithRelated(v.graph.entries[to.owner].node.Pick("fallback_step"))
	case len(to.step.DependsOn) > 0:
		v.finds.Error(source.FallbackInvalid, at, "Fallback step '%s' has depends_on; a fallback step runs when its owner fails and depends on nothing", source.Clip(id)).
			WithRelated(to.node.Pick("depends_on"))
	}
	if to.owner == none {
		to.owner = e.place
	}
	e.rescue = edge{to: to.place, at: at}
}
