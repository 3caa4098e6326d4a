// Package authoring serves definitions: workflows and their versions, templates,
// and export and import. It decodes a request, calls one service and encodes the
// answer; whether a definition is valid is for the services to say.
//
// Writes share a few habits. What is created is created at most once per Idempotency-Key, its
// answer being stored with it. What is changed takes If-Match and returns the new ETag, the
// workflow's revision or the template's version. What is stored is reserved in the tenant's
// quota before, by the size of the request, and counted when it is stored, by its own. With
// dry_run the same checks are made, and what the write would mean is answered instead. Of runs and
// schedules it knows no more than lists show of them.
package authoring

import (
	"heddle/api/core"
	"heddle/definitions/workflows"
	"heddle/drafts"
	"heddle/executor"
	"heddle/schedules"
	"heddle/templates"
	"heddle/versions"
	"slices"
	"time"
)

// Services are the use cases that the routes call. None may be nil when a request is served; to
// describe the routes they are not needed.
type Services struct {
	// Definitions finds and changes workflows; Versions, Templates, Transfer and Drafts serve what their
	// names say, each with its own checks and transactions.
	Definitions *workflows.Service
	Versions    *versions.Service
	Templates   *templates.Service
	Transfer    *versions.Transfer
	Drafts      *drafts.Service
	// Runs and Schedules say how the workflows of a list go.
	Runs      *executor.Service
	Schedules *schedules.Service
	// Lines bounds the memory of imports' long lines; see LineMemory.
	Lines *core.MemoryBudget
	// Now returns the time under which answers of imports are stored.
	Now func() time.Time
}

// handlers serves the routes. It may be used concurrently: it does not change.
type handlers struct {
	Services
}

// Routes returns the table of the package, in the order of the documents: workflows, versions
// with export and import, drafts, templates.
func Routes(s Services) []core.Route {
	h := &handlers{s}
	return slices.Concat(h.workflowRoutes(), h.versionRoutes(), (&draftHandlers{s}).routes(), h.templateRoutes(), (&catalogue{s}).routes())
}
