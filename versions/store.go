package versions

import (
	"context"

	"heddle/definitions"
)

// Store is what history asks of persistence. workflow is an id; version is a
// number ("3", "v3") or a label; unknown ones are fault.NotFound
// version_not_found. Every method is one transaction.
type Store interface {
	// Workflow finds a workflow by id or slug.
	Workflow(ctx context.Context, tenantID, ref string) (definitions.Workflow, error)
	// Versions lists at most limit versions with a number below before (0:
	// from the newest), newest first, without their definitions.
	Versions(ctx context.Context, tenantID, workflowID string, before, limit int) ([]Version, error)
	// Version reads one, with its definition.
	Version(ctx context.Context, tenantID, workflowID, version string) (Version, error)
	// SetLabel sets ("" clears) a version's label and raises the workflow's
	// revision. A taken label is fault.Conflict label_taken. revision 0 accepts
	// any current revision; another that is not current is
	// fault.Precondition.
	SetLabel(ctx context.Context, tenantID, workflowID string, number int, label string, revision int64) (Version, error)
}
