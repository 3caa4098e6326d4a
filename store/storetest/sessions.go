package storetest

import (
	"heddle/access"
	"heddle/audit"
	"heddle/fault"
	"heddle/store"
	"testing"
	"time"
)

var sessionTests = map[string]func(*testing.T, *store.DB){
	"session is found with its key":       testSessionOfKey,
	"session is found with its user":      testSessionOfUser,
	"sessions are listed in pages":        testSessionPages,
	"sessions end with their holder":      testSessionsEnd,
	"sessions leave lines in the trail":   testSessionTrail,
	"users are listed in pages":           testUserPages,
	"grants of users are beside of keys'": testUserGrants,
}

// session makes a session of a key, created at(n). Its hash follows from its id.
func session(tenant, id, keyID string, n int) access.Session {
	return access.Session{
		ID: id, TenantID: tenant, Hash: "hash of " + id, Holder: audit.Actor{Type: audit.Key, ID: keyID, Name: "key " + keyID},
		CreatedAt: at(n), SeenAt: at(n), ExpiresAt: at(n).Add(access.SessionLife), Browser: access.Browser{Agent: "Firefox", Address: "192.0.2.7"},
	}
}

// person makes a user, created at(n), whose name follows from its id, and a session of it.
func person(tenant, id string, n int) (access.User, access.Session) {
	u := access.User{
		ID: id, TenantID: tenant, TenantSlug: "slug-" + tenant, TenantName: "Tenant", Issuer: "https://id.example", Subject: "subject of " + id,
		Email: id + "@example.com", Name: "name of " + id, Role: access.RoleEditor, CreatedAt: at(n), LastSeenAt: at(n),
	}
	s := session(tenant, "ses_"+id, "", n)
	s.Holder, s.SignIn = audit.Actor{Type: audit.User, ID: id, Name: u.Name}, "sign-in of "+id
	return u, s
}

// testSessionOfKey: a session comes with its key and that one's grants; a use of it is noted
// of both.
func testSessionOfKey(t *testing.T, db *store.DB) {
	tenant(t, db, "t1")
	create(t, db, revision("t1", "wf_1", "one", 1))
	g := access.Grant{KeyID: "key_first_t1", WorkflowID: "wf_1", Actions: []access.Action{access.View}}
	must(t, db.PutGrant(ctx, "t1", g))
	s := session("t1", "ses_1", "key_first_t1", 1)
	must(t, db.CreateSession(ctx, s))
	got, err := db.SessionByHash(ctx, s.Hash)
	must(t, err)
	k := key("t1", "key_first_t1", 0)
	k.Grants = []access.Grant{g}
	same(t, "credential", got, access.Credential{Session: s, Key: &k})
	must(t, db.MarkSessionSeen(ctx, s, at(9)))
	s.SeenAt, k.LastUsedAt = at(9), at(9)
	got, err = db.SessionByHash(ctx, s.Hash)
	must(t, err)
	same(t, "used credential", got, access.Credential{Session: s, Key: &k})
	_, err = db.SessionByHash(ctx, "hash of another")
	wantFault(t, err, fault.NotFound, "session_not_found")
}

// testSessionOfUser: the first sign-in stores the user and the session together, the next
// one the new role; a sign-in counts once, a subject is one user.
func testSessionOfUser(t *testing.T, db *store.DB) {
	tenant(t, db, "t1")
	u, s := person("t1", "user_1", 1)
	_, err := db.UserBySubject(ctx, "t1", u.Issuer, u.Subject)
	wantFault(t, err, fault.NotFound, "user_not_found")
	must(t, db.SignInUser(ctx, u, s))
	got, err := db.SessionByHash(ctx, s.Hash)
	must(t, err)
	same(t, "credential", got, access.Credential{Session: s, User: &u})
	again := s
	again.ID, again.Hash = "ses_again", "hash of again"
	wantFault(t, db.SignInUser(ctx, u, again), fault.Conflict, "sign_in_used")
	again.SignIn = "another"
	u.Role, u.LastSeenAt = access.RoleAdmin, at(5)
	must(t, db.SignInUser(ctx, u, again))
	found, err := db.UserBySubject(ctx, "t1", u.Issuer, u.Subject)
	must(t, err)
	same(t, "user", found, u)
	must(t, db.MarkSessionSeen(ctx, s, at(9)))
	found, err = db.UserBySubject(ctx, "t1", u.Issuer, u.Subject)
	must(t, err)
	same(t, "seen", found.LastSeenAt, at(9))
	twin, other := person("t1", "user_2", 2)
	twin.Subject = u.Subject
	wantFault(t, db.SignInUser(ctx, twin, other), fault.Conflict, "user_changing")
	_, err = db.SessionByHash(ctx, other.Hash)
	wantFault(t, err, fault.NotFound, "session_not_found")
}

// disabling is a change that disables a user, or enables it.
func disabling(disabled bool) access.UserPatch { return access.UserPatch{Disabled: &disabled} }

// testSessionPages: pages hold the tenant's open sessions, newest first.
func testSessionPages(t *testing.T, db *store.DB) {
	tenant(t, db, "t1")
	tenant(t, db, "t2")
	for _, id := range []string{"ses_0", "ses_1", "ses_2"} {
		must(t, db.CreateSession(ctx, session("t1", id, "key_first_t1", 1)))
	}
	must(t, db.CreateSession(ctx, session("t2", "ses_t2", "key_first_t2", 1)))
	idle, over := session("t1", "ses_idle", "key_first_t1", 1), session("t1", "ses_over", "key_first_t1", 1)
	idle.SeenAt, over.ExpiresAt = at(2).Add(-access.SessionIdle), at(2)
	must(t, db.CreateSession(ctx, idle))
	must(t, db.CreateSession(ctx, over))
	page, next, err := db.Sessions(ctx, "t1", at(2), "", 2)
	must(t, err)
	last, end, err := db.Sessions(ctx, "t1", at(2), next, 2)
	must(t, err)
	same(t, "sessions", append(page, last...), []access.Session{
		session("t1", "ses_2", "key_first_t1", 1), session("t1", "ses_1", "key_first_t1", 1), session("t1", "ses_0", "key_first_t1", 1),
	})
	same(t, "end", end, "")
	_, _, err = db.Sessions(ctx, "t2", at(2), next, 2)
	wantFault(t, err, fault.Malformed, "invalid_request")
	must(t, db.PurgeSessions(ctx, at(2).Add(time.Millisecond)))
	_, err = db.SessionByHash(ctx, over.Hash)
	wantFault(t, err, fault.NotFound, "session_not_found")
	_, err = db.SessionByHash(ctx, idle.Hash)
	must(t, err)
}

// testSessionsEnd: one by itself within its tenant, all of a key that is revoked and of a
// user that is disabled, and no others.
func testSessionsEnd(t *testing.T, db *store.DB) {
	tenant(t, db, "t1")
	must(t, db.CreateKey(ctx, key("t1", "key_1", 1)))
	mine, yours := session("t1", "ses_1", "key_1", 1), session("t1", "ses_2", "key_first_t1", 1)
	must(t, db.CreateSession(ctx, mine))
	must(t, db.CreateSession(ctx, yours))
	u, theirs := person("t1", "user_1", 1)
	must(t, db.SignInUser(ctx, u, theirs))
	gone := func(s access.Session) {
		t.Helper()
		_, err := db.SessionByHash(ctx, s.Hash)
		wantFault(t, err, fault.NotFound, "session_not_found")
	}
	must(t, db.RevokeKey(ctx, "t1", "key_1", at(3)))
	gone(mine)
	_, err := db.ChangeUser(ctx, "t2", u.ID, disabling(true), at(4))
	wantFault(t, err, fault.NotFound, "user_not_found")
	_, err = db.SessionByHash(ctx, theirs.Hash)
	must(t, err)
	disabled, err := db.ChangeUser(ctx, "t1", u.ID, disabling(true), at(4))
	must(t, err)
	same(t, "disabled", disabled.DisabledAt, at(4))
	gone(theirs)
	theirs.SignIn = "another"
	wantFault(t, db.SignInUser(ctx, u, theirs), fault.Denied, "user_disabled")
	_, err = db.ChangeUser(ctx, "t1", u.ID, disabling(false), at(4))
	must(t, err)
	must(t, db.SignInUser(ctx, u, theirs))
	wantFault(t, db.DeleteSession(ctx, "t2", yours.ID), fault.NotFound, "session_not_found")
	must(t, db.DeleteSession(ctx, "t1", yours.ID))
	gone(yours)
	wantFault(t, db.DeleteSession(ctx, "t1", yours.ID), fault.NotFound, "session_not_found")
}

// testSessionTrail: beginning and end of a session are lines of the transaction that stores
// them.
func testSessionTrail(t *testing.T, db *store.DB) {
	tenant(t, db, "t1")
	n := 0
	ids := func(prefix string) string { n++; return prefix + string(rune('a'+n)) }
	traced := func(action string) *audit.Trail {
		return audit.NewTrail(audit.Entry{TenantID: "t1", ActorType: audit.Key, ActorID: "key_first_t1", Actor: "a key", Action: action}, func() time.Time { return at(n) }, ids)
	}
	s := session("t1", "ses_1", "key_first_t1", 1)
	must(t, db.CreateSession(audit.WithTrail(ctx, traced("session.create")), s))
	must(t, db.DeleteSession(audit.WithTrail(ctx, traced("session.delete")), "t1", s.ID))
	lines, _, err := db.Audit(ctx, access.AuditQuery{TenantID: "t1", Object: "session:ses_1", Limit: 10})
	must(t, err)
	if len(lines) != 2 || lines[0].Action != "session.delete" || lines[1].Action != "session.create" ||
		string(lines[1].Detail) != `{"holder":"key_first_t1","address":"192.0.2.7"}` {
		t.Errorf("%+v", lines)
	}
}

// testUserPages: pages hold the tenant's users, newest first, disabled ones too.
func testUserPages(t *testing.T, db *store.DB) {
	tenant(t, db, "t1")
	var want []access.User
	for i, id := range []string{"user_0", "user_1", "user_2"} {
		u, s := person("t1", id, i)
		must(t, db.SignInUser(ctx, u, s))
		want = append([]access.User{u}, want...)
	}
	off, err := db.ChangeUser(ctx, "t1", "user_1", disabling(true), at(8))
	must(t, err)
	want[1].DisabledAt = at(8)
	same(t, "disabled", off, want[1])
	page, next, err := db.Users(ctx, "t1", "", 2)
	must(t, err)
	last, end, err := db.Users(ctx, "t1", next, 2)
	must(t, err)
	same(t, "users", append(page, last...), want)
	same(t, "end", end, "")
	none, _, err := db.Users(ctx, "t2", "", 2)
	must(t, err)
	same(t, "another tenant's", len(none), 0)
}

// testUserGrants: a user's grants come with its session, and stand in the tenant's list
// beside those of keys.
func testUserGrants(t *testing.T, db *store.DB) {
	tenant(t, db, "t1")
	create(t, db, revision("t1", "wf_1", "one", 1))
	u, s := person("t1", "user_1", 1)
	must(t, db.SignInUser(ctx, u, s))
	keys := access.Grant{KeyID: "key_first_t1", WorkflowID: "wf_1", Actions: []access.Action{access.View}}
	users := access.Grant{UserID: "user_1", WorkflowID: "wf_1", Actions: []access.Action{access.Execute}}
	must(t, db.PutGrant(ctx, "t1", keys))
	must(t, db.PutGrant(ctx, "t1", users))
	all, _, err := db.Grants(ctx, "t1", "", "", 10)
	must(t, err)
	same(t, "all grants", all, []access.Grant{keys, users})
	c, err := db.SessionByHash(ctx, s.Hash)
	must(t, err)
	same(t, "grants of the session", c.User.Grants, []access.Grant{users})
	wantFault(t, db.PutGrant(ctx, "t2", users), fault.NotFound, "user_not_found")
	must(t, db.DeleteGrant(ctx, "t1", "user_1", "wf_1"))
	wantFault(t, db.DeleteGrant(ctx, "t1", "user_1", "wf_1"), fault.NotFound, "grant_not_found")
}
