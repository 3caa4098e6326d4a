package executor

import (
	"context"
	"encoding/json"
	"heddle/definitions/workflows"
	"heddle/fault"
)

// runnable applies the rules of the workflow's status: an active one runs, a draft runs by
// hand only (manual, api). nil: it may start. The error is fault.Conflict
// workflow_not_runnable.
func runnable(t Target, trigger string) error {
	byHand := trigger == "manual" || trigger == "api"
	switch {
	case t.Status == workflows.Active, t.Status == workflows.Draft && byHand:
		return nil
	case t.Status == workflows.Draft:
		return fault.New(fault.Conflict, "workflow_not_runnable",
			"Workflow %s is a draft and runs by hand only; set its status to active first.", t.Slug)
	default:
		return fault.New(fault.Conflict, "workflow_not_runnable",
			"Workflow %s is %s; set its status to active to run it.", t.Slug, t.Status)
	}
}

// filledInput returns a run's input with the defaults of the input schema, unchecked. A nil
// input is the empty object. The error is fault.Unacceptable invalid_input, for one that
// cannot be completed.
func filledInput(c *compiled, input json.RawMessage) (json.RawMessage, error) {
	checker := c.plan.InputChecker()
	if checker == nil {
		if len(input) == 0 {
			input = json.RawMessage("{}")
		}
		return input, nil
	}
	input, err := checker.Fill(input)
	if err != nil {
		return nil, fault.New(fault.Unacceptable, "invalid_input", "The input cannot be completed: %s.", err)
	}
	return input, nil
}

// admitInput returns a run's input with the defaults of the input schema, or
// fault.Unacceptable invalid_input with the issues. A nil input is the empty object.
func admitInput(c *compiled, input json.RawMessage) (json.RawMessage, error) {
	input, err := filledInput(c, input)
	checker := c.plan.InputChecker()
	if err != nil || checker == nil {
		return input, err
	}
	issues := checker.Check(input)
	if len(issues) == 0 {
		return input, nil
	}
	first := issues[0]
	at := first.Pointer
	if at == "" {
		at = "the input"
	}
	refused := fault.New(fault.Unacceptable, "invalid_input",
		"The input does not fit the workflow's input schema: %s: %s.", at, first.Message)
	refused.Issues = issues
	return nil, refused
}

// refuseSecrets returns fault.Unacceptable secret_in_input where a value that a caller
// hands to a run holds a secret of the tenant: the journal would show it. secrets may be
// nil. Other errors: those of Secrets.Holds.
func refuseSecrets(ctx context.Context, secrets Secrets, tenantID string, value json.RawMessage) error {
	if secrets == nil || len(value) == 0 {
		return nil
	}
	holds, err := secrets.Holds(ctx, tenantID, value)
	if err != nil || !holds {
		return err
	}
	return fault.New(fault.Unacceptable, "secret_in_input",
		"The input holds the value of a secret; leave it out, and let the workflow name it as secrets.NAME in a config.")
}
