package access_test

import (
	"heddle/access"
	"heddle/fault"
	"sync"
	"testing"
	"time"
)

// signIn begins a session with a key.
func (w *world) signIn(key string) access.NewSession {
	w.t.Helper()
	s, err := w.SignIn(w.t.Context(), key, access.Browser{Agent: "test", Address: "192.0.2.1"}, "req_1")
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// session reports whether a node takes the token; any refusal but 401 ends the test.
func (w *world) session(s *access.Service, token string) bool {
	w.t.Helper()
	p, err := s.AuthenticateSession(w.t.Context(), token)
	if err != nil && fault.CodeOf(err) != "unauthenticated" {
		w.t.Fatal(err)
	}
	if err == nil && p.SessionID == "" {
		w.t.Fatalf("%+v names no session", p)
	}
	return err == nil
}

// TestASessionIsItsKey: it may do what its key may, is named as the key, and its token is
// neither stored nor of use as a key.
func TestASessionIsItsKey(t *testing.T) {
	w := newWorld(t)
	key := w.bootstrap("")
	made := w.signIn(key)
	as, of := w.valid(w.Service, key), access.Principal{}
	for _, node := range []*access.Service{w.Service, w.another()} {
		p, err := node.AuthenticateSession(t.Context(), made.Token)
		if err != nil {
			t.Fatal(err)
		}
		of = p
		if of.Actor != as.Actor || of.TenantID != as.TenantID || of.Role != as.Role || of.SessionID != made.ID {
			t.Errorf("%+v, of the key %+v", of, as)
		}
	}
	if len(made.Token) != 43 || made.Hash == made.Token {
		t.Errorf("token %q, stored as %q", made.Token, made.Hash)
	}
	w.refused(w.Service, made.Token)
	for _, bad := range []string{"", key, made.Hash, made.Token + "A", made.Token[:42], made.Token[:42] + "="} {
		if w.session(w.Service, bad) {
			t.Errorf("%q is taken for a session", bad)
		}
	}
	list, next, err := w.Sessions(t.Context(), as.TenantID, "", 10)
	if err != nil || next != "" || len(list) != 1 || list[0].Holder != as.Actor || list[0].Address != "192.0.2.1" {
		t.Errorf("%+v %q %v", list, next, err)
	}
}

// TestASessionEnds: after twelve hours without a request, after seven days in any case, with its key,
// and when it is ended; on this node at once and on others within the time of the cache.
func TestASessionEnds(t *testing.T) {
	t.Run("idle", func(t *testing.T) {
		w := newWorld(t)
		made := w.signIn(w.bootstrap(""))
		w.pass(access.SessionIdle - time.Second)
		if !w.session(w.Service, made.Token) {
			t.Fatal("ended before its time")
		}
		w.pass(access.SessionIdle - time.Second)
		if !w.session(w.Service, made.Token) {
			t.Fatal("a request did not keep it")
		}
		w.pass(access.SessionIdle)
		if w.session(w.Service, made.Token) {
			t.Fatal("lasts although nothing was asked")
		}
		if list, _, err := w.Sessions(t.Context(), made.TenantID, "", 10); err != nil || len(list) != 0 {
			t.Errorf("an ended one is listed: %+v %v", list, err)
		}
	})
	t.Run("at most a week", func(t *testing.T) {
		w := newWorld(t)
		made := w.signIn(w.bootstrap(""))
		for range 167 {
			w.pass(time.Hour)
			if !w.session(w.Service, made.Token) {
				t.Fatal("ended before its time")
			}
		}
		w.pass(time.Hour)
		if w.session(w.Service, made.Token) {
			t.Fatal("lasts for more than a week")
		}
	})
	t.Run("its key is revoked", func(t *testing.T) {
		w := newWorld(t)
		admin := w.valid(w.Service, w.bootstrap(""))
		k, key, err := w.CreateKey(t.Context(), admin, "ci", access.RoleViewer, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		made, other := w.signIn(key), w.another()
		if !w.session(w.Service, made.Token) || !w.session(other, made.Token) {
			t.Fatal("not taken")
		}
		if err := w.RevokeKey(t.Context(), admin.TenantID, k.ID); err != nil {
			t.Fatal(err)
		}
		if w.session(w.Service, made.Token) {
			t.Error("outlives its key on this node")
		}
		w.pass(2 * time.Second)
		if w.session(other, made.Token) {
			t.Error("outlives its key on another node")
		}
	})
	t.Run("its key expires", func(t *testing.T) {
		w := newWorld(t)
		admin := w.valid(w.Service, w.bootstrap(""))
		_, key, err := w.CreateKey(t.Context(), admin, "short", access.RoleViewer, w.now().Add(time.Second))
		if err != nil {
			t.Fatal(err)
		}
		made := w.signIn(key)
		w.pass(999 * time.Millisecond)
		if !w.session(w.Service, made.Token) {
			t.Error("ended before its key")
		}
		w.pass(time.Millisecond)
		if w.session(w.Service, made.Token) || w.session(w.another(), made.Token) {
			t.Error("outlives its key")
		}
	})
	t.Run("it is ended", func(t *testing.T) {
		w := newWorld(t)
		key := w.bootstrap("")
		made, stays, other := w.signIn(key), w.signIn(key), w.another()
		if !w.session(w.Service, made.Token) || !w.session(other, made.Token) {
			t.Fatal("not taken")
		}
		if err := w.EndSession(t.Context(), "ten_other", made.ID); fault.CodeOf(err) != "session_not_found" {
			t.Errorf("another tenant: %v", err)
		}
		if err := w.EndSession(t.Context(), made.TenantID, made.ID); err != nil {
			t.Fatal(err)
		}
		if w.session(w.Service, made.Token) || !w.session(w.Service, stays.Token) {
			t.Error("not that session ended, or not it alone")
		}
		w.pass(2 * time.Second)
		if w.session(other, made.Token) {
			t.Error("lives on another node")
		}
	})
}

// person signs somebody in whom a provider calls subject.
func (w *world) person(subject string, role access.Role, signIn string) (access.NewSession, error) {
	return w.SignInUser(w.t.Context(), access.DefaultTenant, access.Identity{
		Issuer: "https://id.example", Subject: subject, Email: subject + "@example.com", Name: "Ada " + subject, Role: role,
	}, signIn, access.Browser{}, "req_1")
}

// TestAUserIsOnePerSubject: whoever signs in first becomes a user; the next sign-in is the same user
// with the role of then, also in sessions that are there. A sign-in is completed once.
func TestAUserIsOnePerSubject(t *testing.T) {
	w := newWorld(t)
	w.bootstrap("")
	first, err := w.person("ada", access.RoleViewer, "one")
	if err != nil {
		t.Fatal(err)
	}
	p, err := w.AuthenticateSession(t.Context(), first.Token)
	if err != nil || p.Actor.Type != "user" || p.Actor.Name != "Ada ada" || p.Role != access.RoleViewer || p.TenantSlug != "default" {
		t.Fatalf("%+v %v", p, err)
	}
	if _, err := w.person("ada", access.RoleViewer, "one"); fault.CodeOf(err) != "sign_in_used" {
		t.Errorf("a sign-in is completed twice: %v", err)
	}
	if _, err := w.person("ada", access.RoleOperator, "two"); err != nil {
		t.Fatal(err)
	}
	again, err := w.AuthenticateSession(t.Context(), first.Token)
	if err != nil || again.Actor.ID != p.Actor.ID || again.Role != access.RoleOperator {
		t.Errorf("%+v %v", again, err)
	}
	if _, err := w.person("bob", access.RoleViewer, "three"); err != nil {
		t.Fatal(err)
	}
	users, _, err := w.Users(t.Context(), p.TenantID, "", 10)
	if err != nil || len(users) != 2 {
		t.Errorf("%+v %v", users, err)
	}
}

// TestADisabledUserIsOut: sessions end at once here and soon elsewhere, a new sign-in is refused, and
// only until the user is enabled.
func TestADisabledUserIsOut(t *testing.T) {
	w := newWorld(t)
	w.bootstrap("")
	made, err := w.person("ada", access.RoleAdmin, "one")
	if err != nil {
		t.Fatal(err)
	}
	other := w.another()
	if !w.session(w.Service, made.Token) || !w.session(other, made.Token) {
		t.Fatal("not taken")
	}
	if _, err := w.ChangeUser(t.Context(), "ten_other", made.Holder.ID, access.UserPatch{Disabled: new(true)}); fault.CodeOf(err) != "user_not_found" {
		t.Errorf("another tenant: %v", err)
	}
	if _, err := w.ChangeUser(t.Context(), made.TenantID, made.Holder.ID, access.UserPatch{Disabled: new(true)}); err != nil {
		t.Fatal(err)
	}
	if w.session(w.Service, made.Token) {
		t.Error("in on this node")
	}
	w.pass(2 * time.Second)
	if w.session(other, made.Token) {
		t.Error("in on another node")
	}
	if _, err := w.person("ada", access.RoleAdmin, "two"); fault.CodeOf(err) != "user_disabled" {
		t.Errorf("signs in again: %v", err)
	}
	if _, err := w.ChangeUser(t.Context(), made.TenantID, made.Holder.ID, access.UserPatch{Disabled: new(false)}); err != nil {
		t.Fatal(err)
	}
	if w.session(w.Service, made.Token) {
		t.Error("the old session is there again")
	}
	if _, err := w.person("ada", access.RoleAdmin, "three"); err != nil {
		t.Error(err)
	}
}

// TestAPersonsFirstSignInsAtOnceAreOneUser: whichever of several is first, all succeed as one user.
func TestAPersonsFirstSignInsAtOnceAreOneUser(t *testing.T) {
	w := newWorld(t)
	w.bootstrap("")
	var wg sync.WaitGroup
	made, failed := make([]access.NewSession, 4), make([]error, 4)
	for i := range made {
		wg.Go(func() { made[i], failed[i] = w.person("ada", access.RoleViewer, string(rune('a'+i))) })
	}
	wg.Wait()
	for i := range made {
		if failed[i] != nil || made[i].Holder.ID != made[0].Holder.ID {
			t.Errorf("%d: %s, not %s: %v", i, made[i].Holder.ID, made[0].Holder.ID, failed[i])
		}
	}
}
