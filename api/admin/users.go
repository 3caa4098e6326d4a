package admin

import (
	"encoding/json"
	"heddle/access"
	"heddle/api/core"
	"heddle/internal/elements"
	"net/http"
)

// userBody is a person whom the provider of identities signed in.
type userBody struct {
	ID string `json:"id"`
	// Issuer and Subject name the person at the provider.
	Issuer  string      `json:"issuer"`
	Subject string      `json:"subject"`
	Email   string      `json:"email" doc:"Empty where the provider does not vouch for it."`
	Name    string      `json:"name"`
	Role    access.Role `json:"role" enum:"viewer,editor,operator,admin,none" doc:"As of the last sign-in, by HEDDLE_OIDC_ROLES, unless role_set."`
	RoleSet bool        `json:"role_set" doc:"Whether an administrator gave the role, so that sign-ins do not change it."`
	// Disabled users have no sessions and cannot sign in.
	Disabled   bool            `json:"disabled"`
	CreatedAt  core.Timestamp  `json:"created_at" doc:"When the person signed in first."`
	LastSeenAt core.Timestamp  `json:"last_seen_at" doc:"To the minute."`
	DisabledAt *core.Timestamp `json:"disabled_at"`
}

// userList is a page of users, newest first.
type userList struct {
	Users      []userBody `json:"users"`
	NextCursor *string    `json:"next_cursor" doc:"Null on the last page."`
}

// updateUser changes a user: what the provider says of a person cannot be changed here.
type updateUser struct {
	core.Because
	Disabled *bool      `json:"disabled,omitempty"`
	Role     roleChange `json:"role,omitzero"`
}

// roleChange is the role of a change. Its zero value leaves the role as it is; in JSON that is
// the absent field, and null goes back to the role of sign-ins.
type roleChange struct{ role *access.Role }

// UnmarshalJSON takes a role or null.
func (r *roleChange) UnmarshalJSON(text []byte) error {
	r.role = new(access.Role)
	// The empty role is how the service is told to go back.
	if err := json.Unmarshal(text, r.role); err != nil || *r.role == "" && string(text) != "null" {
		return core.Malformed("role must be viewer, editor, operator, admin, none or null.")
	}
	return nil
}

// JSONSchema describes what UnmarshalJSON takes.
func (roleChange) JSONSchema() map[string]any {
	return map[string]any{
		"type": []string{"string", "null"}, "enum": []any{access.RoleViewer, access.RoleEditor, access.RoleOperator, access.RoleAdmin, access.RoleNone, nil},
		"description": "From now on, whatever sign-ins bring; null goes back to that.",
	}
}

// userOf returns a user as answers show it.
func userOf(u access.User) userBody {
	return userBody{
		ID: u.ID, Issuer: u.Issuer, Subject: u.Subject, Email: u.Email, Name: u.Name, Role: u.Role, RoleSet: u.RoleSet, Disabled: !u.DisabledAt.IsZero(),
		CreatedAt: core.Timestamp(u.CreatedAt), LastSeenAt: core.Timestamp(u.LastSeenAt), DisabledAt: core.TimestampOrNil(u.DisabledAt),
	}
}

// listUsers lists the tenant's users, newest first, disabled ones too.
func (h *handlers) listUsers(c *core.Call) error {
	_, p, err := c.PageQuery()
	if err != nil {
		return err
	}
	users, next, err := h.Access.Users(c.Ctx(), c.TenantID(), p.Cursor, p.Limit)
	if err != nil {
		return err
	}
	return c.Reply(http.StatusOK, userList{Users: elements.Map(users, userOf), NextCursor: core.TextOrNull(next)})
}

// updateUser disables a user, whose sessions end, or enables it again, or gives it a role.
func (h *handlers) updateUser(c *core.Call, req updateUser) error {
	p := access.UserPatch{Disabled: req.Disabled, Role: req.Role.role}
	if p == (access.UserPatch{}) {
		return core.Malformed("Nothing is to be changed; send disabled, such as {\"disabled\": true}, or role.")
	}
	u, err := h.Access.ChangeUser(c.Ctx(), c.TenantID(), c.Param("user_id"), p)
	if err != nil {
		return err
	}
	return c.Reply(http.StatusOK, userOf(u))
}

// userRoutes returns the routes of users.
func (h *handlers) userRoutes() []core.Route {
	return []core.Route{
		core.Route{
			Method: http.MethodGet, Path: "/v1/users", ID: "listUsers", Tag: "access", Summary: "List the people who have signed in at the provider of identities, newest first",
			Action: access.Admin, On: core.OnTenant, Query: core.CursorPaging(), Answers: core.OK(userList{}),
		}.Handle(core.NoBody(h.listUsers)),
		// A request states the whole of what can be changed, so that there is no ETag.
		core.Route{
			Method: http.MethodPatch, Path: "/v1/users/{user_id}", ID: "updateUser", Tag: "access", Summary: "Disable a user, whose sessions end, or enable it; set its role",
			Action: access.Admin, On: core.OnTenant, Body: core.BodyRequired, Answers: core.OK(userBody{}), Codes: []string{"user_not_found", "invalid_role"},
		}.Handle(core.WithBody(h.updateUser)),
	}
}
