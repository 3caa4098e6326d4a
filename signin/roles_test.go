package signin_test

import (
	"heddle/access"
	"heddle/signin"
	"testing"
)

func TestTheFirstMappingThatAPersonHasCounts(t *testing.T) {
	for _, c := range []struct {
		claim, roles string
		claims       map[string]any
		role         access.Role
		ok           bool
	}{
		{"groups", "admins=admin,staff=viewer", map[string]any{"groups": []any{"staff", "admins"}}, access.RoleAdmin, true},
		{"groups", "staff=viewer , admins=admin", map[string]any{"groups": []any{"staff", "admins"}}, access.RoleViewer, true},
		{"groups", "staff=viewer", map[string]any{"groups": "staff"}, access.RoleViewer, true},
		{"groups", "staff=viewer", map[string]any{"groups": []any{"others", 7, nil}}, "", false},
		{"groups", "staff=viewer", map[string]any{"groups": map[string]any{"staff": true}}, "", false},
		{"groups", "staff=viewer", map[string]any{}, "", false},
		{"groups", "*=none,staff=viewer", map[string]any{"groups": "staff"}, access.RoleViewer, true},
		{"groups", "*=none,staff=viewer", map[string]any{}, access.RoleNone, true},
		{"groups", "*=viewer", map[string]any{"groups": "*"}, access.RoleViewer, true},
		{"groups", "cn=admins=admin", map[string]any{"groups": "cn=admins"}, access.RoleAdmin, true},
		{"realm_access.roles", "ops=operator", map[string]any{"realm_access": map[string]any{"roles": []any{"ops"}}}, access.RoleOperator, true},
		{"https://x.example/roles", "ops=operator", map[string]any{"https://x.example/roles": "ops"}, access.RoleOperator, true},
		{"a.b", "ops=operator", map[string]any{"a": "ops"}, "", false},
	} {
		r, err := signin.ParseRoles(c.claim, c.roles)
		if err != nil {
			t.Fatalf("%s: %v", c.roles, err)
		}
		if role, ok := r.Of(c.claims); role != c.role || ok != c.ok {
			t.Errorf("%s of %v: %q %v, want %q %v", c.roles, c.claims, role, ok, c.role, c.ok)
		}
	}
	for _, bad := range []string{"", "staff", "staff=owner", "=admin", "staff=", "staff=viewer,"} {
		if _, err := signin.ParseRoles("groups", bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}
