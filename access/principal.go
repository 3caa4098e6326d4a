package access

import (
	"heddle/audit"
	"heddle/fault"
	"slices"
	"time"
)

// Principal is the authenticated caller of a request: a key of a tenant or a user,
// with everything that Can needs. It is a snapshot that may be cacheTTL old.
type Principal struct {
	// Actor is the key or the user, as journals and the audit trail name it.
	Actor      audit.Actor
	SessionID  string // "": the request carried a key
	Email      string // of a user, where the provider vouches for it
	TenantID   string
	TenantSlug string
	TenantName string
	Role       Role
	Grants     []Grant
	expires    time.Time // when it ends by itself; zero: never
}

// allActions returns every action, in the order of their declaration.
func allActions() []Action { return []Action{View, Edit, Execute, Answer, Operate, Admin} }

// roleActions returns what a role allows on every workflow of its tenant; nil
// for RoleNone and for unknown roles.
func roleActions(r Role) []Action {
	switch r {
	case RoleViewer:
		return []Action{View}
	case RoleEditor:
		return []Action{View, Edit, Execute, Answer}
	case RoleOperator:
		return []Action{View, Execute, Answer, Operate}
	case RoleAdmin:
		return []Action{View, Edit, Execute, Answer, Operate, Admin}
	case RoleNone:
	}
	return nil
}

// known reports whether r is one of the roles.
func (r Role) known() bool { return r == RoleNone || roleActions(r) != nil }

// grantable reports whether a may be granted on a single workflow: all but admin.
func (a Action) grantable() bool {
	return a == View || a == Edit || a == Execute || a == Answer || a == Operate
}

// Permitted returns what p may do on the workflow with that id, in the order in which the
// actions are declared; with an empty id, what it may do on the tenant as a whole. Admin is
// no action on a workflow, and is in the list of the tenant alone. It is never nil, and the
// server decides each request anew: the list is for what a client offers to people.
func Permitted(p Principal, workflowID string) []Action {
	granted := grantOn(p, workflowID)
	can := []Action{}
	for _, a := range allActions() {
		if a == Admin && workflowID != "" {
			continue
		}
		if CanEverywhere(p, a) || granted.allows(a) {
			can = append(can, a)
		}
	}
	return can
}

// grantOn returns what p is granted on one workflow; the zero Grant, which allows nothing,
// where that is nothing, and for the tenant as a whole.
func grantOn(p Principal, workflowID string) Grant {
	if workflowID == "" {
		return Grant{}
	}
	i := slices.IndexFunc(p.Grants, func(g Grant) bool { return g.WorkflowID == workflowID })
	if i < 0 {
		return Grant{}
	}
	return p.Grants[i]
}

// CanEverywhere reports whether p may do a on every workflow of its tenant,
// because of its role.
func CanEverywhere(p Principal, a Action) bool {
	return slices.Contains(roleActions(p.Role), a)
}

// Can reports whether p may do a on the workflow with that id, because of its
// role or of a grant. An empty id stands for the tenant as a whole, which only a
// role can allow. The caller has checked that the workflow is the tenant's.
func Can(p Principal, a Action, workflowID string) bool {
	return CanEverywhere(p, a) || grantOn(p, workflowID).allows(a)
}

// allows reports whether the grant has the action, or one that implies it.
func (g Grant) allows(a Action) bool {
	return slices.Contains(g.Actions, a) || a == Answer && slices.Contains(g.Actions, Execute)
}

// ViewableWorkflows returns the ids of the workflows that p may view: nil for all
// of them, an empty list for none. Lists are filtered by it, so that a page never
// shows what the key may not see.
func ViewableWorkflows(p Principal) []string { return WorkflowsFor(p, View) }

// WorkflowsFor returns the ids of the workflows on which p may do one of the
// actions: nil for all of them, an empty list for none.
func WorkflowsFor(p Principal, actions ...Action) []string {
	if slices.ContainsFunc(actions, func(a Action) bool { return CanEverywhere(p, a) }) {
		return nil
	}
	ids := []string{}
	for _, g := range p.Grants {
		if slices.ContainsFunc(actions, g.allows) {
			ids = append(ids, g.WorkflowID)
		}
	}
	return ids
}

// Denied returns the error for a principal that lacks an action: fault.Denied
// acl_denied. object is what it was denied on, such as "workflow:<slug>",
// "workflow:*" or "secret:<NAME>".
func Denied(a Action, object string) *fault.Error {
	return fault.New(fault.Denied, "acl_denied", "Principal lacks %s on %s.", a, object)
}
