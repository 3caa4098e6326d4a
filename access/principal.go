package access

import (
	"heddle/audit"
	"heddle/fault"
	"slices"
)

// Principal is who a request speaks for: a key of a tenant.
type Principal struct {
	KeyID      string
	KeyName    string
	TenantID   string
	TenantSlug string
	Role       Role
	Grants     []Grant
}

// Actor is the principal as journals and the audit trail name it.
func (p Principal) Actor() audit.Actor {
	return audit.Actor{Type: audit.Key, ID: p.KeyID, Name: p.KeyName}
}

// roleActions is what each role may do on every workflow of its tenant.
func roleActions(r Role) []Action {
	switch r {
	case RoleViewer:
		return []Action{View}
	case RoleEditor:
		return []Action{View, Edit, Execute}
	case RoleOperator:
		return []Action{View, Execute, Operate}
	case RoleAdmin:
		return []Action{View, Edit, Execute, Operate, Admin}
	}
	return nil
}

// Known tells whether r is one of the roles.
func (r Role) Known() bool { return r == RoleNone || roleActions(r) != nil }

// Grantable tells whether a may be given on a single workflow: all but admin.
func (a Action) Grantable() bool {
	return a == View || a == Edit || a == Execute || a == Operate
}

// CanEverywhere tells whether p may do a on every workflow of its tenant.
func CanEverywhere(p Principal, a Action) bool {
	return slices.Contains(roleActions(p.Role), a)
}

// Can tells whether p may do a on the workflow with that id; "" asks about the
// tenant as a whole, which only a role gives.
func Can(p Principal, a Action, workflowID string) bool {
	if CanEverywhere(p, a) {
		return true
	}
	for _, g := range p.Grants {
		if g.WorkflowID == workflowID && workflowID != "" && slices.Contains(g.Actions, a) {
			return true
		}
	}
	return false
}

// ViewableWorkflows lists the workflows that p may view: nil for all of them, empty for
// none.
func ViewableWorkflows(p Principal) []string {
	if CanEverywhere(p, View) {
		return nil
	}
	ids := []string{}
	for _, g := range p.Grants {
		if slices.Contains(g.Actions, View) {
			ids = append(ids, g.WorkflowID)
		}
	}
	return ids
}

// Denied is the answer to a principal that lacks an action. object is
// "workflow:<slug>", "workflow:*", "secret:<NAME>".
func Denied(a Action, object string) *fault.Error {
	return fault.New(fault.Denied, "acl_denied", "Principal lacks %s on %s.", a, object)
}
