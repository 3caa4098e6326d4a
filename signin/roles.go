package signin

import (
	"fmt"
	"heddle/access"
	"slices"
	"strings"
)

// Roles says which role the values of a claim stand for.
type Roles struct {
	// Claim is the claim that is read: a name, or names with dots between them for one
	// within an object. Its value is a text or a list of texts.
	Claim    string
	mappings []mapping // in the order of preference
	fallback access.Role
}

// mapping is a value of the claim and its role.
type mapping struct {
	value string
	role  access.Role
}

// ParseRoles reads value=role pairs with commas between them, such as
// "heddle-admins=admin,staff=viewer,*=none". The first value that a person has counts; *
// is for all others, and without it they do not get in.
func ParseRoles(claim, text string) (Roles, error) {
	r := Roles{Claim: claim}
	for pair := range strings.SplitSeq(text, ",") {
		pair = strings.TrimSpace(pair)
		i := strings.LastIndexByte(pair, '=')
		if i < 1 {
			return Roles{}, fmt.Errorf("it is not value=role pairs with commas between them")
		}
		value, role := pair[:i], access.Role(pair[i+1:])
		if !slices.Contains([]access.Role{access.RoleViewer, access.RoleEditor, access.RoleOperator, access.RoleAdmin, access.RoleNone}, role) {
			return Roles{}, fmt.Errorf("a role is none of viewer, editor, operator, admin, none")
		}
		if value == "*" {
			r.fallback = role
			continue
		}
		r.mappings = append(r.mappings, mapping{value, role})
	}
	return r, nil
}

// Of returns the role of a person with these claims; false: none, and the person does not
// get in. The role none lets in with grants alone.
func (r Roles) Of(claims map[string]any) (access.Role, bool) {
	has := texts(claimOf(claims, r.Claim))
	for _, m := range r.mappings {
		if slices.Contains(has, m.value) {
			return m.role, true
		}
	}
	return r.fallback, r.fallback != ""
}

// claimOf returns a claim by its whole name, or by its path through objects; nil where
// there is none.
func claimOf(claims map[string]any, name string) any {
	if v, ok := claims[name]; ok {
		return v
	}
	first, rest, nested := strings.Cut(name, ".")
	object, ok := claims[first].(map[string]any)
	if !nested || !ok {
		return nil
	}
	return claimOf(object, rest)
}

// texts returns the texts of a claim: itself, or those of its list.
func texts(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		var list []string
		for _, item := range v {
			if s, ok := item.(string); ok {
				list = append(list, s)
			}
		}
		return list
	}
	return nil
}
