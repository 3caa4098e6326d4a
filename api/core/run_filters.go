package core

import (
	"heddle/definitions/workflows"
	"heddle/fault"
	"heddle/ids"
	"strings"
)

// FilteredWorkflow returns the id of a workflow to filter runs by. The runs of a deleted one are
// still found by its id, which is why an unknown id is not an error.
func FilteredWorkflow(c *Call, definitions *workflows.Service, ref string) (string, error) {
	if !ids.Valid(ref) {
		return "", NotFound("workflow", ref)
	}
	w, err := definitions.Get(c.Ctx(), c.TenantID(), ref)
	// Only an id of this form can be a deleted workflow's; an unknown slug is an error.
	if fault.KindOf(err) == fault.NotFound && err != nil && strings.HasPrefix(ref, "wf_") {
		return ref, nil
	}
	return w.ID, err
}
