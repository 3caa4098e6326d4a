package definitions

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// Agents tells whether a tenant has an agent.
type Agents interface {
	HasAgent(ctx context.Context, tenantID, agentID string) (bool, error)
}

// maxAgentLooks bounds how many names of agents one validation looks up.
const maxAgentLooks = 100

// ValidateFor is Validate with what only the tenant's objects can tell: an
// agent_id that does not exist (yet) is the warning unknown_reference. It ends
// early with the context's error when that is canceled.
func (s *Service) ValidateFor(ctx context.Context, tenantID string, d Written) ([]Diagnostic, error) {
	found := s.validate(d, func() bool { return errors.Is(ctx.Err(), context.Canceled) })
	if err := ctx.Err(); errors.Is(err, context.Canceled) {
		return nil, err
	}
	if s.agents == nil || d.Document == nil {
		return found, nil
	}
	missing, known := &findings{}, map[string]bool{}
	for _, at := range agentNames(s.catalog, d.Document.root.member("steps"), nil) {
		name := at.text
		exists, asked := known[name]
		if !asked {
			if len(known) == maxAgentLooks {
				break
			}
			var err error
			if exists, err = s.agents.HasAgent(ctx, tenantID, name); err != nil {
				return nil, fmt.Errorf("look for agent %s: %w", name, err)
			}
			known[name] = exists
		}
		if !exists {
			missing.warn(UnknownReference, at, "There is no agent '%s' (yet); an admin sets it up with PUT /v1/agents/%s", name, name)
		}
	}
	return merge(found, missing.resolve(d.Document.src)), nil
}

// agentNames lists the constant ids of agents in a list of steps, their
// compensations and bodies: the field of their configs that the type names.
func agentNames(c Catalog, steps *node, list []*node) []*node {
	if steps == nil || steps.kind != array {
		return list
	}
	for _, step := range steps.kids {
		for _, performed := range []*node{step, step.member("compensate")} {
			if performed == nil {
				continue
			}
			field := traitsIn(c, textOf(performed.member("type"))).AgentField
			if field == "" {
				continue
			}
			if id := performed.member("config").member(field); textOf(id) != "" && !strings.Contains(id.text, "{{") {
				list = append(list, id)
			}
		}
		if textOf(step.member("type")) == "loop" {
			list = agentNames(c, step.member("config").member("steps"), list)
		}
	}
	return list
}

func textOf(n *node) string {
	if n == nil || n.kind != text {
		return ""
	}
	return n.text
}
