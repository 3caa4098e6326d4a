package storetest

import (
	"fmt"
	"heddle/access"
	"heddle/fault"
	"heddle/store"
	"testing"
	"time"
)

// keyTests hold what changes of keys and of users' roles promise.
var keyTests = map[string]func(*testing.T, *store.DB){
	"key is changed":                       testKeyChange,
	"key is rotated":                       testKeyRotation,
	"last admin key stays one":             testLastAdminKeyChange,
	"two last admin keys, changed at once": testLastAdminKeyChangesAtOnce,
	"role of a user is an administrator's": testUserRole,
	"grants are listed in pages":           testGrantPages,
	"key of another tenant is unknown":     testForeignKey,
}

// become returns a change of a key to a role and an expiry.
func become(role access.Role, expires time.Time) func(access.Key) (access.Key, error) {
	return func(k access.Key) (access.Key, error) {
		k.Role, k.ExpiresAt = role, expires
		return k, nil
	}
}

// testKeyChange: what is changed is stored with the next revision and a line of the trail,
// and an error of the change leaves the key as it was.
func testKeyChange(t *testing.T, db *store.DB) {
	tenant(t, db, "t1")
	want := key("t1", "key_first_t1", 0)
	want.Name, want.Role, want.ExpiresAt, want.Revision = "renamed", access.RoleViewer, time.Time{}, 2
	got, err := db.ChangeKey(asked("key.update", 1), "t1", "key_first_t1", at(5), func(k access.Key) (access.Key, error) {
		k.Name, k.Role, k.ExpiresAt = want.Name, want.Role, want.ExpiresAt
		return k, nil
	})
	must(t, err)
	same(t, "returned", got, want)
	refused := fault.New(fault.Precondition, "precondition_failed", "No.")
	_, err = db.ChangeKey(asked("key.update", 2), "t1", "key_first_t1", at(6), func(k access.Key) (access.Key, error) {
		k.Name = "another"
		return k, refused
	})
	wantFault(t, err, fault.Precondition, "precondition_failed")
	got, err = db.Key(ctx, "t1", "key_first_t1")
	must(t, err)
	same(t, "stored", got, want)
	same(t, "lines", trail(t, db, ""), []string{
		"key.update key:key_first_t1 renamed because " +
			`{"from":{"name":"key key_first_t1","role":"editor","expires_at":"` + at(1000).Format(time.RFC3339Nano) + `"},"to":{"name":"renamed","role":"viewer"}}`,
	})
}

// testKeyRotation: the key is found by its new text, and by each former one with its end,
// which a later rotation brings forward; its sessions end with them.
func testKeyRotation(t *testing.T, db *store.DB) {
	tenant(t, db, "t1")
	s := session("t1", "ses_1", "key_first_t1", 1)
	must(t, db.CreateSession(ctx, s))
	rotate := func(hash string, n, until int) {
		t.Helper()
		got, err := db.RotateKey(asked("key.rotate", n), "t1", "key_first_t1", access.Rotation{Hash: hash, Last4: "wxyz", At: at(n), Until: at(until)})
		must(t, err)
		found, err := db.KeyByHash(ctx, hash)
		must(t, err)
		same(t, "key", found, got)
		same(t, "rotated at", got.RotatedAt, at(n))
	}
	ends := func(hash string, n int) {
		t.Helper()
		k, err := db.KeyByHash(ctx, hash)
		must(t, err)
		same(t, "end of "+hash, k.SecretEndsAt, at(n))
	}
	rotate("second", 5, 90)
	ends("hash of key_first_t1", 90)
	rotate("third", 6, 70)
	ends("hash of key_first_t1", 70)
	ends("second", 70)
	c, err := db.SessionByHash(ctx, s.Hash)
	must(t, err)
	same(t, "end of the session", c.Session.ExpiresAt, at(70))
	rotate("fourth", 7, 200)
	ends("second", 70)
	ends("third", 200)
	same(t, "first line", trail(t, db, "key:key_first_t1")[2],
		`key.rotate key:key_first_t1 key key_first_t1 because {"former_ends_at":"`+at(90).Format(time.RFC3339Nano)+`"}`)
	must(t, db.RevokeKey(ctx, "t1", "key_first_t1", at(8)))
	_, err = db.RotateKey(ctx, "t1", "key_first_t1", access.Rotation{Hash: "fifth", At: at(9), Until: at(9)})
	wantFault(t, err, fault.Conflict, "key_revoked")
}

// testLastAdminKeyChange: an admin key keeps its role and its expiry while the tenant has
// no other one that stands for it. One that stays an admin key for long enough does so
// itself.
func testLastAdminKeyChange(t *testing.T, db *store.DB) {
	day := int(access.MinAdminKeyLifetime / time.Millisecond)
	admins(t, db, "t1", 0)
	change := func(tenantID, keyID string, role access.Role, expires time.Time) error {
		_, err := db.ChangeKey(ctx, tenantID, keyID, at(5), become(role, expires))
		return err
	}
	wantFault(t, change("t1", "key_t1_0", access.RoleEditor, time.Time{}), fault.Conflict, "last_admin_key")
	wantFault(t, change("t1", "key_t1_0", access.RoleAdmin, at(day)), fault.Conflict, "last_admin_key")
	must(t, change("t1", "key_t1_0", access.RoleAdmin, at(5+day)))
	must(t, change("t1", "key_first_t1", access.RoleViewer, time.Time{}))
	got, err := db.Key(ctx, "t1", "key_t1_0")
	must(t, err)
	same(t, "role", got.Role, access.RoleAdmin)
	same(t, "revision", got.Revision, int64(2))
	admins(t, db, "t2", 0, 2*day)
	must(t, change("t2", "key_t2_0", access.RoleNone, time.Time{}))
	wantFault(t, change("t2", "key_t2_1", access.RoleNone, time.Time{}), fault.Conflict, "last_admin_key")
}

// testLastAdminKeyChangesAtOnce: of changes and revocations that take the last admin keys
// at once, one is refused.
func testLastAdminKeyChangesAtOnce(t *testing.T, db *store.DB) {
	for round := range 10 {
		id := fmt.Sprintf("t%d", round)
		admins(t, db, id, 0, 0)
		start, ended := make(chan struct{}), make(chan error)
		go func() {
			<-start
			_, err := db.ChangeKey(ctx, id, "key_"+id+"_0", at(5), become(access.RoleEditor, time.Time{}))
			ended <- err
		}()
		go func() {
			<-start
			ended <- db.RevokeKey(ctx, id, "key_"+id+"_1", at(5))
		}()
		close(start)
		refused := 0
		for range 2 {
			if err := <-ended; err != nil {
				wantFault(t, err, fault.Conflict, "last_admin_key")
				refused++
			}
		}
		same(t, "refused", refused, 1)
	}
}

// testUserRole: the role that an administrator gives stays through sign-ins, until it is
// taken back.
func testUserRole(t *testing.T, db *store.DB) {
	tenant(t, db, "t1")
	u, s := person("t1", "user_1", 1)
	must(t, db.SignInUser(ctx, u, s))
	set := func(role access.Role) access.User {
		t.Helper()
		got, err := db.ChangeUser(asked("user.update", 1), "t1", "user_1", access.UserPatch{Role: &role}, at(3))
		must(t, err)
		return got
	}
	want := u
	want.Role, want.RoleSet = access.RoleOperator, true
	same(t, "set", set(access.RoleOperator), want)
	same(t, "line", trail(t, db, "user:user_1"), []string{`user.update user:user_1 name of user_1 because {"role":"operator"}`})
	s.ID, s.Hash, s.SignIn = "ses_2", "hash of ses_2", "another sign-in"
	u.Role = access.RoleViewer
	must(t, db.SignInUser(ctx, u, s))
	c, err := db.SessionByHash(ctx, s.Hash)
	must(t, err)
	same(t, "signed in", *c.User, want)
	_, err = db.ChangeUser(ctx, "t2", "user_1", access.UserPatch{Role: new(access.RoleAdmin)}, at(3))
	wantFault(t, err, fault.NotFound, "user_not_found")
	role := access.Role("")
	got, err := db.ChangeUser(ctx, "t1", "user_1", access.UserPatch{Role: &role}, at(4))
	must(t, err)
	same(t, "taken back", got, u)
}

// testGrantPages: pages hold the tenant's grants by holder and workflow, or those of one
// holder, and each list has its own cursors.
func testGrantPages(t *testing.T, db *store.DB) {
	tenant(t, db, "t1")
	must(t, db.CreateKey(ctx, key("t1", "key_2", 1)))
	var want []access.Grant
	for _, w := range []string{"wf_1", "wf_2", "wf_3"} {
		create(t, db, revision("t1", w, "slug-"+w, 1))
	}
	for _, id := range []string{"key_2", "key_first_t1"} {
		for _, w := range []string{"wf_1", "wf_2", "wf_3"} {
			g := access.Grant{KeyID: id, WorkflowID: w, Actions: []access.Action{access.View}}
			must(t, db.PutGrant(ctx, "t1", g))
			want = append(want, g)
		}
	}
	pages := func(holder string) (got []access.Grant) {
		for cursor := ""; ; {
			page, next, err := db.Grants(ctx, "t1", holder, cursor, 2)
			must(t, err)
			if got = append(got, page...); next == "" {
				return got
			}
			cursor = next
		}
	}
	same(t, "all", pages(""), want)
	same(t, "of one", pages("key_first_t1"), want[3:])
	_, next, err := db.Grants(ctx, "t1", "", "", 2)
	must(t, err)
	_, _, err = db.Grants(ctx, "t1", "key_2", next, 2)
	wantFault(t, err, fault.Malformed, "invalid_request")
}

// testForeignKey: a key of another tenant is unknown to each use of its id.
func testForeignKey(t *testing.T, db *store.DB) {
	tenant(t, db, "t1")
	tenant(t, db, "t2")
	_, err := db.Key(ctx, "t2", "key_first_t1")
	wantFault(t, err, fault.NotFound, "key_not_found")
	_, err = db.ChangeKey(ctx, "t2", "key_first_t1", at(1), become(access.RoleNone, time.Time{}))
	wantFault(t, err, fault.NotFound, "key_not_found")
	_, err = db.RotateKey(ctx, "t2", "key_first_t1", access.Rotation{Hash: "mine", At: at(1), Until: at(1)})
	wantFault(t, err, fault.NotFound, "key_not_found")
}
