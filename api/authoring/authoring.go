// Package authoring serves definitions: workflows and their versions, templates,
// and export and import. It decodes a request, calls one service and encodes the
// answer; what is sound is for the services to say.
package authoring

import (
	"heddle/api/core"
	"heddle/definitions/workflows"
	"heddle/templates"
	"heddle/versions"
	"time"
)

// Services are the use cases that the routes call.
type Services struct {
	Definitions *workflows.Service
	Versions    *versions.Service
	Templates   *templates.Service
	Transfer    *versions.Transfer
	// Lines bounds the memory of imports' long lines; see LineMemory.
	Lines *core.MemoryBudget
	Now   func() time.Time
}

// handlers serves the routes. It may be used concurrently.
type handlers struct {
	Services
}

// Routes returns the table of the package.
func Routes(s Services) []core.Route {
	h := &handlers{s}
	return append(append(h.workflowRoutes(), h.versionRoutes()...), h.templateRoutes()...)
}
