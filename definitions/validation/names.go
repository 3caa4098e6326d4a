package validation

import (
	"heddle/definitions"
	"heddle/definitions/parser"
	"heddle/definitions/source"
	"heddle/expressions"
	"maps"
	"slices"
)

// Names are the tenant's objects that a definition names with constants, each once and in
// the order of their names.
type Names struct {
	Secrets []string
	Agents  []string
}

// NamesIn returns the secrets and agents that the steps of a sound document name, those of
// compensations and loop bodies included. An agent's id that holds a template is known only in a run.
func NamesIn(doc *parser.Document, catalog definitions.Catalog) Names {
	secrets, agents := map[string]bool{}, map[string]bool{}
	for _, list := range []string{"steps", "on_failure", "finally"} {
		steps := doc.Root.Member(list)
		for _, at := range agentNames(catalog, steps, nil) {
			agents[at.Text] = true
		}
		secretNames(doc, catalog, steps, secrets)
	}
	return Names{Secrets: slices.Sorted(maps.Keys(secrets)), Agents: slices.Sorted(maps.Keys(agents))}
}

// secretNames adds the secrets that a list of steps names to into. A config that does not compile, of which a
// sound document has none, names nothing.
func secretNames(doc *parser.Document, catalog definitions.Catalog, steps *source.Node, into map[string]bool) {
	if steps == nil || steps.Kind != source.Array {
		return
	}
	for _, step := range steps.Kids {
		for _, performed := range []*source.Node{step, step.Member("compensate")} {
			config := performed.Member("config")
			if config == nil || source.TextOf(performed.Member("type")) == "loop" {
				continue
			}
			traits := definitions.TraitsIn(catalog, source.TextOf(performed.Member("type")))
			template, err := expressions.CompileTemplate(doc.Raw(config), traits.LiteralFields...)
			if err != nil {
				continue
			}
			for _, name := range template.Secrets() {
				into[name] = true
			}
		}
		if source.TextOf(step.Member("type")) == "loop" {
			secretNames(doc, catalog, step.Member("config").Member("steps"), into)
		}
	}
}
