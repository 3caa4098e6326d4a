package validation

import (
	"heddle/definitions"
	"heddle/definitions/parser"
	"heddle/definitions/source"
	"heddle/expressions"
	"slices"
	"strings"
)

// Names are the tenant's objects that a definition names with constants, each once and in
// the order of their names.
type Names struct {
	Secrets []string
	Agents  []string
}

// UseKind is what a step uses.
type UseKind string

// The kinds of uses.
const (
	UsesSecret UseKind = "secret"
	UsesAgent  UseKind = "agent"
)

// Use is one of the tenant's objects that a step names with a constant.
type Use struct {
	Kind   UseKind
	Name   string
	StepID string // that of the step, for its compensation too
}

// NamesIn returns the secrets and agents of UsesIn.
func NamesIn(doc *parser.Document, catalog definitions.Catalog) Names {
	var n Names
	for _, u := range UsesIn(doc, catalog) {
		if u.Kind == UsesSecret {
			n.Secrets = append(n.Secrets, u.Name)
		} else {
			n.Agents = append(n.Agents, u.Name)
		}
	}
	for _, list := range []*[]string{&n.Secrets, &n.Agents} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	return n
}

// UsesIn returns which secrets and agents the steps of a sound document name, each once a
// step, those of compensations and loop bodies included. An agent's id that holds a template
// is known only in a run.
func UsesIn(doc *parser.Document, catalog definitions.Catalog) []Use {
	r := useReader{doc: doc, catalog: catalog, seen: map[Use]bool{}}
	for _, list := range []string{"steps", "on_failure", "finally"} {
		r.steps(doc.Root.Member(list))
	}
	return r.uses
}

// useReader collects the uses of a document.
type useReader struct {
	doc     *parser.Document
	catalog definitions.Catalog
	uses    []Use
	seen    map[Use]bool
}

// add notes a use, once.
func (r *useReader) add(u Use) {
	if !r.seen[u] {
		r.seen[u] = true
		r.uses = append(r.uses, u)
	}
}

// steps reads a list of steps.
func (r *useReader) steps(list *source.Node) {
	if list == nil || list.Kind != source.Array {
		return
	}
	for _, step := range list.Kids {
		id := source.TextOf(step.Member("id"))
		r.performed(step, id)
		r.performed(step.Member("compensate"), id)
		if source.TextOf(step.Member("type")) == "loop" {
			r.steps(step.Member("config").Member("steps"))
		}
	}
}

// performed reads the config of a step or of its compensation. One that does not compile, of
// which a sound document has none, names no secret.
func (r *useReader) performed(at *source.Node, stepID string) {
	config := at.Member("config")
	if config == nil || source.TextOf(at.Member("type")) == "loop" {
		return
	}
	traits := definitions.TraitsIn(r.catalog, source.TextOf(at.Member("type")))
	if id := source.TextOf(config.Member(traits.AgentField)); traits.AgentField != "" && id != "" && !strings.Contains(id, "{{") {
		r.add(Use{UsesAgent, id, stepID})
	}
	template, err := expressions.CompileTemplate(r.doc.Raw(config), traits.LiteralFields...)
	if err != nil {
		return
	}
	for _, name := range template.Secrets() {
		r.add(Use{UsesSecret, name, stepID})
	}
}
