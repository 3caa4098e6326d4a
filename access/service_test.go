package access_test

import (
	"context"
	"errors"
	"heddle/access"
	"heddle/fault"
	"heddle/ids"
	"heddle/store"
	"heddle/store/storetest"
	"strings"
	"sync"
	"testing"
	"time"
)

// world is an access service over a database in memory and a clock that tests
// move.
type world struct {
	*access.Service
	t  *testing.T
	db *counting

	mu sync.Mutex
	at time.Time
}

// counting counts what reaches the store.
type counting struct {
	access.Store
	looks, touches int
	down           error
}

func (c *counting) KeyByHash(ctx context.Context, hash string) (access.Key, error) {
	c.looks++
	if c.down != nil {
		return access.Key{}, c.down
	}
	return c.Store.KeyByHash(ctx, hash)
}

func (c *counting) MarkKeyUsed(ctx context.Context, keyID string, at time.Time) error {
	c.touches++
	return c.Store.MarkKeyUsed(ctx, keyID, at)
}

func newWorld(t *testing.T) *world {
	t.Helper()
	db, err := store.Open(t.Context(), storetest.SQLite(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	w := &world{t: t, db: &counting{Store: db}, at: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)}
	w.Service = w.another()
	return w
}

// another is a second node on the same database.
func (w *world) another() *access.Service {
	return access.New(access.Config{Store: w.db, Now: w.now, NewID: ids.New(time.Now).New})
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.at
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at = w.at.Add(d)
}

func (w *world) bootstrap(given string) string {
	w.t.Helper()
	made, err := w.Bootstrap(w.t.Context(), given)
	if err != nil {
		w.t.Fatal(err)
	}
	return made
}

func (w *world) valid(s *access.Service, key string) access.Principal {
	w.t.Helper()
	p, err := s.Authenticate(w.t.Context(), key)
	if err != nil {
		w.t.Fatalf("key …%s: %v", key[len(key)-4:], err)
	}
	return p
}

func (w *world) refused(s *access.Service, key string) {
	w.t.Helper()
	if _, err := s.Authenticate(w.t.Context(), key); fault.CodeOf(err) != "unauthenticated" {
		w.t.Fatalf("got %v", err)
	}
}

func TestTheFirstStartMakesAKeyOnce(t *testing.T) {
	w := newWorld(t)
	made := w.bootstrap("")
	p := w.valid(w.Service, made)
	if p.TenantSlug != "default" || p.Role != access.RoleAdmin {
		t.Errorf("%+v", p)
	}
	if again := w.bootstrap(""); again != "" {
		t.Error("the second start made another key")
	}
	w.valid(w.another(), made)
}

func TestAGivenKeyIsTakenAsItIs(t *testing.T) {
	w := newWorld(t)
	if made := w.bootstrap("correct horse battery"); made != "" {
		t.Errorf("made %q beside the given one", made)
	}
	w.valid(w.Service, "correct horse battery")
	w.refused(w.Service, "correct horse batterz")
	w.refused(w.another(), "correct horse battery") // a node that was not told of it
	w.bootstrap("correct horse battery")            // the next start
	w.bootstrap("another key of mine")
	w.valid(w.Service, "another key of mine")
	w.refused(w.Service, "correct horse battery")
	keys, _, err := w.Keys(t.Context(), w.valid(w.Service, "another key of mine").TenantID, "", 50)
	if err != nil || len(keys) != 2 {
		t.Errorf("%d keys, %v", len(keys), err)
	}
}

func TestWhatNoGivenKeyMayBe(t *testing.T) {
	w := newWorld(t)
	for _, bad := range []string{"short", strings.Repeat("k", 15), strings.Repeat("k", 257), "tab\tin the middle of", " leading space in it", "not UTF-8 \xff\xff\xff\xff\xff\xff"} {
		if _, err := w.Bootstrap(t.Context(), bad); fault.CodeOf(err) != "invalid_bootstrap_key" {
			t.Errorf("%q: %v", bad, err)
		}
	}
	for _, good := range []string{strings.Repeat("k", 16), strings.Repeat("ü", 256)} {
		w.bootstrap(good)
		w.valid(w.Service, good)
	}
}

func TestTwoFirstStartsAtOnce(t *testing.T) {
	w := newWorld(t)
	var wg sync.WaitGroup
	made := make([]string, 4)
	for i := range made {
		wg.Go(func() {
			var err error
			if made[i], err = w.another().Bootstrap(t.Context(), ""); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := strings.Join(made, ""); len(got) != len("iw_live_")+36 {
		t.Errorf("made %v", made)
	}
}

func TestRevocationActsAtOnceHereAndSoonElsewhere(t *testing.T) {
	w := newWorld(t)
	admin := w.valid(w.Service, w.bootstrap(""))
	k, key, err := w.CreateKey(t.Context(), admin, "ci", access.RoleViewer, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	other := w.another()
	w.valid(w.Service, key)
	w.valid(other, key)
	if err := w.RevokeKey(t.Context(), admin.TenantID, k.ID); err != nil {
		t.Fatal(err)
	}
	w.refused(w.Service, key)
	w.pass(2 * time.Second)
	w.refused(other, key)
}

func TestExpiryActsAtItsInstant(t *testing.T) {
	w := newWorld(t)
	admin := w.valid(w.Service, w.bootstrap(""))
	_, key, err := w.CreateKey(t.Context(), admin, "short", access.RoleViewer, w.now().Add(time.Second))
	if err != nil {
		t.Fatal(err)
	}
	w.valid(w.Service, key)
	w.pass(999 * time.Millisecond)
	w.valid(w.Service, key)
	w.pass(time.Millisecond)
	w.refused(w.Service, key)
	w.pass(time.Hour)
	w.refused(w.Service, key)
}

func TestKeysAreCached(t *testing.T) {
	w := newWorld(t)
	key := w.bootstrap("")
	w.db.looks, w.db.touches = 0, 0
	for range 1000 {
		w.valid(w.Service, key)
	}
	w.refused(w.Service, "nonsense")
	w.refused(w.Service, key[:len(key)-1]+"?")
	w.refused(w.Service, "")
	if w.db.looks != 1 || w.db.touches != 1 {
		t.Errorf("%d looks and %d touches", w.db.looks, w.db.touches)
	}
	w.pass(59 * time.Second)
	w.valid(w.Service, key)
	if w.db.looks != 2 || w.db.touches != 1 {
		t.Errorf("after 59 s: %d looks and %d touches", w.db.looks, w.db.touches)
	}
	w.pass(2 * time.Second)
	w.valid(w.Service, key)
	if w.db.touches != 2 {
		t.Errorf("after a minute: %d touches", w.db.touches)
	}
}

func TestAStoreThatIsAwayIsNoWrongKey(t *testing.T) {
	w := newWorld(t)
	key := w.bootstrap("")
	w.db.down = fault.New(fault.Unavailable, "store_unavailable", "away")
	if _, err := w.Authenticate(t.Context(), key); fault.KindOf(err) != fault.Unavailable || !errors.Is(err, w.db.down) {
		t.Errorf("%v", err)
	}
	w.db.down = nil
	w.valid(w.Service, key)
}

func BenchmarkAuthenticate(b *testing.B) {
	db, err := store.Open(b.Context(), storetest.SQLite(b))
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	s := access.New(access.Config{Store: db, Now: time.Now, NewID: ids.New(time.Now).New})
	key, err := s.Bootstrap(b.Context(), "")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := s.Authenticate(b.Context(), key); err != nil {
			b.Fatal(err)
		}
	}
}
