package versions

import (
	"context"
	"encoding/json"
	"heddle/definitions/parser"
	"heddle/definitions/source"
	"heddle/definitions/validation"
	"slices"
	"time"
)

// Caller is how runs of a workflow were started, and when the last one was.
type Caller struct {
	Trigger  string
	LastUsed time.Time
}

// MaxResumable is how many runs a preview lists that could go on with the new definition.
const MaxResumable = 20

// Impact is what a definition means beside runs, schedules and inputs. No list is nil.
type Impact struct {
	Callers        []Caller // by trigger, the last used first
	Resumable      []string // runs that failed, were cancelled or are paused: at most MaxResumable, newest first
	OpenApprovals  int      // of the workflow's runs, which keep the version that they are on
	SecretsMissing []string // that the definition names and the tenant does not have
	AgentsMissing  []string
}

// Holdings says what a tenant has of the names that definitions use.
type Holdings interface {
	// MissingSecrets returns those of the names that are no secret of the tenant, in their order.
	MissingSecrets(ctx context.Context, tenantID string, names []string) ([]string, error)
	// HasAgent reports whether the tenant has an agent.
	HasAgent(ctx context.Context, tenantID, agentID string) (bool, error)
}

// impact returns what a definition in canonical form would mean for a workflow.
func (s *Service) impact(ctx context.Context, tenantID, workflowID string, after json.RawMessage) (Impact, error) {
	i := Impact{Resumable: []string{}, SecretsMissing: []string{}, AgentsMissing: []string{}}
	var err error
	if i.Callers, i.Resumable, err = s.store.RecentRuns(ctx, tenantID, workflowID, MaxResumable); err != nil {
		return i, err
	}
	if i.OpenApprovals, err = s.store.OpenApprovals(ctx, tenantID, []string{workflowID}); err != nil {
		return i, err
	}
	slices.SortStableFunc(i.Callers, func(a, b Caller) int { return b.LastUsed.Compare(a.LastUsed) })
	doc, _ := parser.Parse(after, source.JSON)
	if s.holdings == nil || doc == nil {
		return i, nil
	}
	names := validation.NamesIn(doc, s.catalog)
	missing, err := s.holdings.MissingSecrets(ctx, tenantID, names.Secrets)
	if err != nil {
		return i, err
	}
	i.SecretsMissing = append(i.SecretsMissing, missing...)
	for _, id := range names.Agents[:min(len(names.Agents), maxAgents)] {
		has, err := s.holdings.HasAgent(ctx, tenantID, id)
		if err != nil {
			return i, err
		}
		if !has {
			i.AgentsMissing = append(i.AgentsMissing, id)
		}
	}
	return i, nil
}

// maxAgents bounds the agents that one preview looks up, each of which may read a row.
const maxAgents = 100
