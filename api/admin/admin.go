// Package admin serves what a tenant's administrators set up: tenants, keys,
// grants, quotas, secrets and agents; and the audit trail.
package admin

import (
	"heddle/access"
	"heddle/agents"
	"heddle/api/core"
	"heddle/definitions/workflows"
	"heddle/secrets"
	"slices"
)

// Services are the use cases that the routes call.
type Services struct {
	Access      *access.Service
	Definitions *workflows.Service
	Secrets     *secrets.Service
	Agents      *agents.Service
}

// handlers serves the routes. It may be used concurrently.
type handlers struct {
	Services
}

// Routes returns the table of the package.
func Routes(s Services) []core.Route {
	h := &handlers{s}
	return slices.Concat(h.secretRoutes(), h.agentRoutes(), h.accessRoutes())
}
