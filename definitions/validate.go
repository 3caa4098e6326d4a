package definitions

import "heddle/expressions"

// Validate finds everything that Parse cannot see: the graph, the configs,
// the schemas inside and the expressions. It reports all problems in one pass,
// errors before warnings, each in document order. A catalog of nil knows the
// three types that the machine performs itself. The document must come from
// Parse; it is only read.
func Validate(doc *Document, catalog Catalog) []Diagnostic {
	return validateUntil(doc, catalog, nil)
}

// validateUntil is Validate, which checks no further expression once stopped
// returns true; nil: it never does. What it has found by then is not complete.
func validateUntil(doc *Document, catalog Catalog, stopped func() bool) []Diagnostic {
	v := &validator{
		finds: &findings{tally: doc.found.copy()}, doc: doc, catalog: catalog, graph: newGraph(doc), comparisons: maxComparisons,
		types: map[string]*knownType{}, schemaTexts: map[string][]schemaFault{}, cyclic: map[int32]bool{},
		budget: expressions.Budget{Expressions: MaxExpressions, Problems: maxProblems, Members: maxMembers, Patterns: maxPatterns, Stopped: stopped},
		typing: newTyping(doc.Definition.Input), items: map[int32]*expressions.Shape{},
	}
	if !v.count() {
		return v.finds.resolve(doc.src)
	}
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
	return v.finds.resolve(doc.src)
}

// maxComparisons bounds the names compared for suggestions in one pass.
const maxComparisons = 500_000

// validator is one pass over one document.
type validator struct {
	finds       *findings
	doc         *Document
	catalog     Catalog
	graph       *graph
	ancestry    *ancestry
	cyclic      map[int32]bool // the steps of reported cycles
	typing      *typing
	items       map[int32]*expressions.Shape // by loop
	comparisons int
	allIDs      []string // sorted; nil: not asked for yet
	budget      expressions.Budget
	types       map[string]*knownType
	schemaTexts map[string][]schemaFault // what is wrong with each, by text
	subschemas  int                      // of all schemas so far
	step        *node                    // the object with the type and config that is being checked
	place       string                   // of its config, for the tables of words
}

// What checking the expressions of one definition may cost in all: problems
// found, of which more are not listed anyway, members of schemas looked at, and
// instructions of regular expressions.
const (
	maxProblems = 2 * MaxDiagnostics
	maxMembers  = 4_000_000
	maxPatterns = 200_000
)

// spent refuses more expressions than any definition may have.
func (v *validator) spent() {
	if v.budget.Over() {
		v.finds.error(LimitExceeded, v.doc.root, "The definition has more than %d expressions; move parts of it into workflows of their own", MaxExpressions)
	}
}

// count refuses more steps than any definition may have.
func (v *validator) count() bool {
	return !v.doc.partial // said by decoding
}

// nearest is the suggestion for a name, while there is budget for it.
func (v *validator) nearest(written string, candidates func() []string) string {
	if v.comparisons <= 0 || v.finds.last {
		return ""
	}
	list := candidates()
	v.comparisons -= len(list)
	return nearest(written, list)
}

// ids finds steps that share an id, in the whole definition.
func (v *validator) ids() {
	for _, e := range v.graph.entries {
		id := e.step.ID
		if id == "" {
			continue
		}
		first, taken := v.graph.byID[id]
		if !taken {
			v.graph.byID[id] = e.place
			continue
		}
		v.finds.error(DuplicateStepID, e.node.pick("id"), "Step id '%s' is used twice; ids must be unique in the whole definition", clip(id)).
			relate(v.graph.entries[first].node.pick("id"))
	}
}

// dependencies resolves depends_on into edges.
func (v *validator) dependencies() {
	for _, e := range v.graph.entries {
		at := e.node.member("depends_on")
		seen := map[string]bool{}
		for i, id := range e.step.DependsOn {
			item := at.at(i)
			if item == nil || item.kind == bad || id == "" && item.kind != text {
				continue
			}
			if seen[id] {
				v.finds.error(InvalidValue, item, "Step '%s' depends on '%s' twice; remove one of them", e.name(), clip(id))
				continue
			}
			seen[id] = true
			v.dependency(e, id, item)
		}
	}
}

func (v *validator) dependency(e *entry, id string, at *node) {
	if id == e.step.ID {
		v.finds.error(SelfDependency, at, "Cycle detected: %s → %s", id, id)
		return
	}
	if to, ok := v.graph.find(id, e.list); ok {
		e.deps = append(e.deps, edge{to: to.place, at: at})
		return
	}
	if place, ok := v.graph.byID[id]; ok {
		v.finds.error(UnknownDependency, at, "Step '%s' depends on '%s' which is in another list of steps; only steps of the same list can be named", e.name(), clip(id)).
			relate(v.graph.entries[place].node)
		return
	}
	v.finds.error(UnknownDependency, at, "Step '%s' depends on '%s' which doesn't exist", e.name(), clip(id)).
		hint(v.nearest(id, func() []string { return v.graph.siblings(e.list) }))
}

// fallbacks resolves fallback_step.
func (v *validator) fallbacks() {
	for _, e := range v.graph.entries {
		at := e.node.member("fallback_step")
		if at == nil {
			if e.step.OnError == "fallback" {
				v.finds.error(MissingField, e.node, "Step '%s' has on_error fallback; name the step to run instead in fallback_step", e.name())
			}
			continue
		}
		if at.kind == bad {
			continue
		}
		if e.step.OnError != "fallback" && e.node.pick("on_error").kind != bad {
			v.finds.error(FallbackInvalid, at, "Step '%s' names a fallback_step, which needs on_error: fallback", e.name())
		}
		v.fallback(e, at)
	}
}

func (v *validator) fallback(e *entry, at *node) {
	id := e.step.FallbackStep
	to, ok := v.graph.find(id, e.list)
	switch {
	case !ok:
		v.finds.error(UnknownDependency, at, "Step '%s' falls back on '%s' which doesn't exist in the same list of steps", e.name(), clip(id)).
			hint(v.nearest(id, func() []string { return v.graph.siblings(e.list) }))
		return
	case to == e:
		v.finds.error(SelfDependency, at, "Cycle detected: %s → %s", id, id)
		return
	case to.owner != none:
		v.finds.error(FallbackInvalid, at, "Step '%s' is the fallback of '%s' already; a fallback step has one owner", clip(id), v.graph.entries[to.owner].name()).
			relate(v.graph.entries[to.owner].node.pick("fallback_step"))
	case len(to.step.DependsOn) > 0:
		v.finds.error(FallbackInvalid, at, "Fallback step '%s' has depends_on; a fallback step runs when its owner fails and depends on nothing", clip(id)).
			relate(to.node.pick("depends_on"))
	}
	if to.owner == none {
		to.owner = e.place
	}
	e.rescue = edge{to: to.place, at: at}
}
