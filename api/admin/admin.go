// Package admin serves what a tenant's administrators set up: tenants, keys,
// grants, quotas, secrets and agents; the sessions of browsers; and the audit trail.
//
// But for the caller's own session, all of it needs the role admin, and concerns the caller's own tenant, but for tenants and their
// quotas: those are for the admins of the tenant default, the operator's. A key's text is shown
// once, when the key is made, and a secret's value never. Changes of keys, grants and quotas
// hold at once at the node that made them, and within the time of the caches at the others.
package admin

import (
	"heddle/access"
	"heddle/agents"
	"heddle/api/core"
	"heddle/definitions/workflows"
	"heddle/executor"
	"heddle/secrets"
	"heddle/signin"
	"heddle/system"
	"slices"
)

// Services are the use cases that the routes call. None but SignIn may be nil when a request is
// served.
type Services struct {
	Access      *access.Service
	Links       *access.Links // nil: no link signs in
	Definitions *workflows.Service
	Secrets     *secrets.Service
	Agents      *agents.Service
	System      *system.Service
	Executor    *executor.Service
	// SignIn signs people in at a provider of identities; nil: there is none.
	SignIn *signin.Service
}

// handlers serves the routes. It may be used concurrently: it does not change.
type handlers struct {
	Services
}

// observers serves what only looks: the audit trail, and how the server is.
type observers struct {
	Services
}

// Routes returns the table of the package, in the order of the documents.
func Routes(s Services) []core.Route {
	h, o := &handlers{s}, &observers{s}
	return slices.Concat(h.secretRoutes(), (&agentHandlers{s}).routes(), (&agentTester{s}).routes(), h.sessionRoutes(), h.oidcRoutes(), h.userRoutes(), h.keyRoutes(), h.accessRoutes(), o.auditRoutes(), o.systemRoutes())
}
