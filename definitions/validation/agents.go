package validation

import (
	"fmt"
	"heddle/definitions"
	"heddle/definitions/parser"
	"heddle/definitions/source"
	"heddle/fault"
	"strings"
)

// agentNames appends to list the nodes of the constant agent ids in a list of
// steps, their compensations and bodies: the field of their configs that the
// type names. Ids that hold a template are known only in a run.
func agentNames(c definitions.Catalog, steps *source.Node, list []*source.Node) []*source.Node {
	if steps == nil || steps.Kind != source.Array {
		return list
	}
	for _, step := range steps.Kids {
		for _, performed := range []*source.Node{step, step.Member("compensate")} {
			if performed == nil {
				continue
			}
			field := definitions.TraitsIn(c, source.TextOf(performed.Member("type"))).AgentField
			if field == "" {
				continue
			}
			if id := performed.Member("config").Member(field); source.TextOf(id) != "" && !strings.Contains(id.Text, "{{") {
				list = append(list, id)
			}
		}
		if source.TextOf(step.Member("type")) == "loop" {
			list = agentNames(c, step.Member("config").Member("steps"), list)
		}
	}
	return list
}

// maxAgentLookups bounds the agents that one validation looks up, each of
// which may read a row.
const maxAgentLookups = 100

// MissingAgents returns a warning for every constant agent id of the
// document's main steps that exists does not know: an agent may be set up
// after the workflow. Each id is looked up once, and at most maxAgentLookups
// of them. An error of exists ends the search and is returned.
func MissingAgents(doc *parser.Document, catalog definitions.Catalog, exists func(id string) (bool, error)) ([]fault.Issue, error) {
	missing, known := &source.Diagnostics{}, map[string]bool{}
	var names []*source.Node
	for _, list := range []string{"steps", "on_failure", "finally"} {
		names = agentNames(catalog, doc.Root.Member(list), names)
	}
	for _, at := range names {
		id := at.Text
		found, asked := known[id]
		if !asked {
			if len(known) == maxAgentLookups {
				break
			}
			var err error
			if found, err = exists(id); err != nil {
				return nil, fmt.Errorf("look for agent %s: %w", id, err)
			}
			known[id] = found
		}
		if !found {
			missing.Warn(source.UnknownReference, at, "There is no agent '%s' (yet); an admin sets it up with PUT /v1/agents/%s", id, id)
		}
	}
	return missing.Resolve(doc.Text), nil
}
