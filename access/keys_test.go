package access_test

import (
	"heddle/access"
	"heddle/fault"
	"testing"
	"time"
)

// anyRevision accepts every revision of a key.
func anyRevision(int64) bool { return true }

// The former text of a rotated key is accepted for the grace that was stated, on every node,
// and a session that was begun with it ends then too.
func TestAFormerKeyIsValidForItsGrace(t *testing.T) {
	w := newWorld(t)
	admin := w.valid(w.Service, w.bootstrap(""))
	k, first, err := w.CreateKey(t.Context(), admin, "ci", access.RoleEditor, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	begun, err := w.SignIn(t.Context(), first, access.Browser{}, "req_1")
	if err != nil {
		t.Fatal(err)
	}
	node := w.another()
	w.valid(node, first)
	_, second, err := w.RotateKey(t.Context(), admin.TenantID, k.ID, 60)
	if err != nil {
		t.Fatal(err)
	}
	w.pass(59 * time.Second)
	w.valid(w.Service, first)
	w.valid(node, first)
	w.valid(node, second)
	if _, err := w.AuthenticateSession(t.Context(), begun.Token); err != nil {
		t.Error(err)
	}
	w.pass(time.Second)
	w.refused(w.Service, first)
	w.refused(node, first)
	w.valid(node, second)
	if _, err := w.AuthenticateSession(t.Context(), begun.Token); fault.CodeOf(err) != "unauthenticated" {
		t.Errorf("the session of the former key: %v", err)
	}
	_, third, err := w.RotateKey(t.Context(), admin.TenantID, k.ID, 0)
	if err != nil {
		t.Fatal(err)
	}
	w.refused(w.Service, second)
	w.valid(w.Service, third)
	for _, grace := range []int{-1, 86401} {
		if _, _, err := w.RotateKey(t.Context(), admin.TenantID, k.ID, grace); fault.CodeOf(err) != "invalid_grace" {
			t.Errorf("%d s: %v", grace, err)
		}
	}
}

// A configured key that was rotated is not made anew by the next start.
func TestARotatedBootstrapKeyStaysReplaced(t *testing.T) {
	w := newWorld(t)
	given := "correct horse battery staple"
	w.bootstrap(given)
	p := w.valid(w.Service, given)
	for range 2 {
		if _, _, err := w.RotateKey(t.Context(), p.TenantID, p.Actor.ID, 0); err != nil {
			t.Fatal(err)
		}
	}
	w.bootstrap(given)
	w.refused(w.Service, given)
}

// A change holds for the next request, and names what it refuses.
func TestAKeyIsChanged(t *testing.T) {
	w := newWorld(t)
	admin := w.valid(w.Service, w.bootstrap(""))
	k, text, err := w.CreateKey(t.Context(), admin, "ci", access.RoleEditor, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	if k.CreatedBy != admin.Actor {
		t.Errorf("made by %+v", k.CreatedBy)
	}
	w.valid(w.Service, text)
	ends := w.now().Add(time.Hour)
	changed, err := w.ChangeKey(t.Context(), admin.TenantID, k.ID, access.KeyPatch{Name: new(" CI "), Role: new(access.RoleViewer), ExpiresAt: &ends}, anyRevision)
	if err != nil || changed.Name != "CI" {
		t.Fatal(changed, err)
	}
	if p := w.valid(w.Service, text); p.Role != access.RoleViewer || p.Actor.Name != "CI" {
		t.Errorf("%+v", p)
	}
	for code, p := range map[string]access.KeyPatch{
		"invalid_name":       {Name: new(" ")},
		"invalid_role":       {Role: new(access.Role("owner"))},
		"invalid_expires_at": {ExpiresAt: new(w.now())},
	} {
		if _, err := w.ChangeKey(t.Context(), admin.TenantID, k.ID, p, anyRevision); fault.CodeOf(err) != code {
			t.Errorf("%s: %v", code, err)
		}
	}
	if _, err := w.ChangeKey(t.Context(), admin.TenantID, k.ID, access.KeyPatch{Name: new("x")}, func(r int64) bool { return r != 2 }); fault.CodeOf(err) != "precondition_failed" {
		t.Errorf("another revision: %v", err)
	}
	w.pass(time.Hour)
	w.refused(w.Service, text)
	if err := w.RevokeKey(t.Context(), admin.TenantID, k.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := w.ChangeKey(t.Context(), admin.TenantID, k.ID, access.KeyPatch{Name: new("x")}, anyRevision); fault.CodeOf(err) != "key_revoked" {
		t.Errorf("a revoked key: %v", err)
	}
}
