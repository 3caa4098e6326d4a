package main

import (
	"context"
	"encoding/json"
	"heddle/definitions"
	"heddle/schedules"
	"heddle/versions"
)

// scheduleImpact tells versions which schedules follow the active version.
type scheduleImpact struct{ store schedules.Store }

// Impact lists the schedules that would run a definition with that input
// schema, and whether their stored input fits it.
func (i scheduleImpact) Impact(ctx context.Context, tenantID, workflowID string, input json.RawMessage) ([]versions.ScheduleImpact, error) {
	var checker *definitions.ValueChecker
	if len(input) > 0 {
		var err error
		if checker, err = definitions.NewValueChecker(input); err != nil {
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
			if s.Version == "" && s.Status != schedules.Ended {
				list = append(list, impactOf(s, checker))
			}
		}
		if q.Cursor = page.Next; page.Next == "" {
			return list, nil
		}
	}
}

func impactOf(s schedules.Schedule, checker *definitions.ValueChecker) versions.ScheduleImpact {
	if checker == nil {
		return versions.ScheduleImpact{ScheduleID: s.ID, InputFits: true}
	}
	input, err := checker.Fill(s.Input)
	if err != nil {
		return versions.ScheduleImpact{ScheduleID: s.ID, Problem: err.Error()}
	}
	if issues := checker.Check(input); len(issues) > 0 {
		return versions.ScheduleImpact{ScheduleID: s.ID, Problem: issues[0].Message}
	}
	return versions.ScheduleImpact{ScheduleID: s.ID, InputFits: true}
}
