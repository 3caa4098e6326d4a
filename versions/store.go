package versions

import (
	"context"
	"heddle/definitions/workflows"
	"time"
)

// Store is what a Service needs from persistence. workflowID is an id; version
// is a number ("3", "v3") or a label, and an unknown one fault.NotFound
// version_not_found. Every method is one transaction. Those that return a
// workflow answer an unknown one, and one of another tenant, with
// fault.NotFound workflow_not_found.
type Store interface {
	// Workflow finds a workflow by id or slug.
	Workflow(ctx context.Context, tenantID, ref string) (workflows.Workflow, error)
	// Versions lists at most limit versions with a number below before (0:
	// from the newest), newest first, without their definitions.
	Versions(ctx context.Context, tenantID, workflowID string, before, limit int) ([]Version, error)
	// Version reads one version, with its definition.
	Version(ctx context.Context, tenantID, workflowID, version string) (Version, error)
	// Labels returns the labels that the versions have now, by version. Those without
	// a label, or of a deleted workflow, are left out.
	Labels(ctx context.Context, tenantID string, refs []Ref) (map[Ref]string, error)
	// Change reads the workflow, calls decide with it and stores what decide
	// returns, the new version included. decide is pure and may be called again
	// after a conflict; its error is returned and nothing is stored. It is the one
	// method through which a version becomes active.
	Change(ctx context.Context, tenantID, ref string, decide func(workflows.Current) (workflows.Revision, error)) (workflows.Workflow, error)
	// SetLabel sets ("" clears) a version's label and raises the workflow's
	// revision, unless the label is that already. A taken label is
	// fault.Conflict label_taken. check sees the current row and may refuse.
	SetLabel(ctx context.Context, tenantID, workflowID string, number int, label string, check func(workflows.Workflow) error) (workflows.Workflow, Version, error)
	// RunsByVersion counts a workflow's open runs by version, the lowest first.
	// A version without open runs is left out.
	RunsByVersion(ctx context.Context, tenantID, workflowID string) ([]OpenRuns, error)
	// StartedByVersion counts a workflow's runs that were created since a time, to the hour, by version, from
	// counters that are kept.
	StartedByVersion(ctx context.Context, tenantID, workflowID string, since time.Time) (map[int]int, error)
	// OpenApprovals returns how many approvals of the workflows are open, from counters that
	// are kept.
	OpenApprovals(ctx context.Context, tenantID string, workflowIDs []string) (int, error)
	// RecentRuns returns by which triggers a workflow's runs were started, with the last start of
	// each, and the ids of its newest runs that could be resumed, at most limit. No list is nil. Its cost does not
	// depend on how many runs there are.
	RecentRuns(ctx context.Context, tenantID, workflowID string, limit int) ([]Caller, []string, error)
}
