package access_test

import (
	"context"
	"errors"
	"heddle/access"
	"heddle/fault"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// follow signs in by a link and returns the code of the refusal, "" for none.
func (w *world) follow(links *access.Links, token string) (access.NewSession, string) {
	w.t.Helper()
	made, err := links.SignIn(w.t.Context(), token, access.Browser{Address: "192.0.2.1"}, "req_1")
	if err != nil {
		return made, fault.CodeOf(err)
	}
	return made, ""
}

// TestALinkSignsInOnce: as the tenant's first admin key, whose session it is from then on.
func TestALinkSignsInOnce(t *testing.T) {
	w := newWorld(t)
	key := w.bootstrap("")
	admin := w.valid(w.Service, key)
	if _, _, err := w.CreateKey(t.Context(), admin, "later", access.RoleAdmin, time.Time{}); err != nil {
		t.Fatal(err)
	}
	links := access.NewLinks(w.Service)
	link := links.New()
	if other := links.New(); len(link) != 43 || other == link {
		t.Fatalf("%q and %q", link, other)
	}
	made, code := w.follow(links, link)
	if code != "" || made.Holder != admin.Actor || !w.session(w.Service, made.Token) {
		t.Fatalf("%s %+v, of the key %+v", code, made.Session, admin.Actor)
	}
	if made.Token == link {
		t.Error("the link's token is the session's")
	}
	for _, bad := range []string{link, "", key, made.Token, link + "A"} {
		if _, code := w.follow(links, bad); code != "unauthenticated" {
			t.Errorf("%q is answered %q", bad, code)
		}
	}
	w.refused(w.Service, link)
}

// TestALinkIsUsedOnceByMany who follow it at the same time.
func TestALinkIsUsedOnceByMany(t *testing.T) {
	w := newWorld(t)
	w.bootstrap("")
	links := access.NewLinks(w.Service)
	link := links.New()
	var in atomic.Int32
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if _, err := links.SignIn(t.Context(), link, access.Browser{}, "req_1"); err == nil {
				in.Add(1)
			}
		})
	}
	all.Wait()
	if in.Load() != 1 {
		t.Errorf("%d of 20 are signed in", in.Load())
	}
}

// TestALinkEnds: after ten minutes, on other nodes from the beginning, and without a key to
// stand for.
func TestALinkEnds(t *testing.T) {
	w := newWorld(t)
	admin := w.valid(w.Service, w.bootstrap(""))
	links := access.NewLinks(w.Service)
	early, late := links.New(), links.New()
	if _, err := access.NewLinks(w.another()).SignIn(t.Context(), early, access.Browser{}, "req_1"); fault.CodeOf(err) != "unauthenticated" {
		t.Errorf("another node answers %v", err)
	}
	w.pass(access.LinkLife - time.Second)
	if _, code := w.follow(links, early); code != "" {
		t.Errorf("within its time: %s", code)
	}
	w.pass(time.Second)
	if _, code := w.follow(links, late); code != "unauthenticated" {
		t.Errorf("after ten minutes: %q", code)
	}

	expiring, _, err := w.CreateKey(t.Context(), admin, "for two days", access.RoleAdmin, w.now().Add(48*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if err := w.RevokeKey(t.Context(), admin.TenantID, admin.Actor.ID); err != nil {
		t.Fatal(err)
	}
	made, code := w.follow(links, links.New())
	if code != "" || made.Holder.ID != expiring.ID || !made.ExpiresAt.Equal(expiring.ExpiresAt) {
		t.Errorf("%s %+v, of a key that ends at %v", code, made.Session, expiring.ExpiresAt)
	}
	w.pass(48 * time.Hour)
	if _, code := w.follow(links, links.New()); code != "unauthenticated" {
		t.Errorf("without a valid key: %q", code)
	}
}

// outage is a store that does not find tenants while err is set.
type outage struct {
	access.Store
	err error
}

func (o *outage) TenantBySlug(ctx context.Context, slug string) (access.Tenant, error) {
	if o.err != nil {
		return access.Tenant{}, o.err
	}
	return o.Store.TenantBySlug(ctx, slug)
}

// TestALinkOutlivesAnOutage: who follows it while the store is unavailable may do so again.
func TestALinkOutlivesAnOutage(t *testing.T) {
	w := newWorld(t)
	w.bootstrap("")
	db := &outage{Store: w.db, err: errors.New("unavailable")}
	links := access.NewLinks(access.New(access.Config{Store: db, Now: w.now, NewID: func(p string) string { return p + "1" }}))
	link := links.New()
	if _, err := links.SignIn(t.Context(), link, access.Browser{}, "req_1"); !errors.Is(err, db.err) {
		t.Fatalf("%v", err)
	}
	db.err = nil
	if _, err := links.SignIn(t.Context(), link, access.Browser{}, "req_1"); err != nil {
		t.Errorf("after the outage: %v", err)
	}
}
