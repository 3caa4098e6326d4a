package workflows

import (
	"context"
	"errors"
	"heddle/definitions/parser"
	"heddle/definitions/validation"
	"heddle/fault"
)

// Agents reports whether a tenant has an agent. The agents package implements
// it.
type Agents interface {
	HasAgent(ctx context.Context, tenantID, agentID string) (bool, error)
}

// ValidateFor is Validate with what only the tenant's objects can show: an
// agent_id that does not exist (yet) is the warning unknown_reference. It
// ends early with the context's error when that is canceled; a deadline does
// not stop the checks, which are bounded, but may fail the lookups of agents.
func (s *Service) ValidateFor(ctx context.Context, tenantID string, d parser.ParsedDefinition) ([]fault.Issue, error) {
	found := validation.Parsed(d, s.catalog, func() bool { return errors.Is(ctx.Err(), context.Canceled) })
	if err := ctx.Err(); errors.Is(err, context.Canceled) {
		return nil, err
	}
	if s.agents == nil || d.Document == nil {
		return found, nil
	}
	missing, err := validation.MissingAgents(d.Document, s.catalog, func(id string) (bool, error) { return s.agents.HasAgent(ctx, tenantID, id) })
	if err != nil {
		return nil, err
	}
	return validation.Merge(found, missing), nil
}
