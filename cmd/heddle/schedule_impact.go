package main

import (
	"context"
	"encoding/json"
	"heddle/agents"
	"heddle/definitions/schemas"
	"heddle/schedules"
	"heddle/secrets"
	"heddle/versions"
)

// scheduleImpact implements versions.Schedules over the store: which schedules a new
// active version affects. It stands here because versions and schedules do not import
// each other. It is safe for concurrent use.
type scheduleImpact struct{ store schedules.Store }

// holdings implements versions.Holdings. It is safe for concurrent use.
type holdings struct {
	*secrets.Service
	agents *agents.Service
}

// HasAgent reports whether the tenant has an agent.
func (h holdings) HasAgent(ctx context.Context, tenantID, agentID string) (bool, error) {
	return h.agents.HasAgent(ctx, tenantID, agentID)
}

// Impact returns the schedules that would run a definition with this input schema: those
// that follow the active version and have not ended. It reports for each whether its
// stored input conforms. An empty schema accepts everything; one that does not compile
// is an error. It reads all schedules of the workflow, 200 at a time. The list is never
// nil.
func (i scheduleImpact) Impact(ctx context.Context, tenantID, workflowID string, input json.RawMessage) ([]versions.ScheduleImpact, error) {
	var checker *schemas.Checker
	if len(input) > 0 {
		var err error
		if checker, err = schemas.NewChecker(input); err != nil {
			return nil, err
		}
	}
	list := []versions.ScheduleImpact{}
	q := schedules.Query{TenantID: tenantID, WorkflowID: workflowID, Limit: 200}
	for {
		page, err := i.store.Schedules(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, s := range page.Schedules {
			// A schedule with a version of its own keeps running that one.
			if s.Version == "" && s.Status != schedules.Ended {
				list = append(list, impactOf(s, checker))
			}
		}
		if q.Cursor = page.Next; page.Next == "" {
			return list, nil
		}
	}
}

// impactOf checks one schedule's input, with defaults filled in, as a run would. A nil
// checker accepts every input. Problem is the first thing that is wrong.
func impactOf(s schedules.Schedule, checker *schemas.Checker) versions.ScheduleImpact {
	if checker == nil {
		return versions.ScheduleImpact{ScheduleID: s.ID, InputFits: true}
	}
	// A default may supply what the stored input lacks.
	input, err := checker.Fill(s.Input)
	if err != nil {
		return versions.ScheduleImpact{ScheduleID: s.ID, Problem: err.Error()}
	}
	if issues := checker.Check(input); len(issues) > 0 {
		return versions.ScheduleImpact{ScheduleID: s.ID, Problem: issues[0].Message}
	}
	return versions.ScheduleImpact{ScheduleID: s.ID, InputFits: true}
}
