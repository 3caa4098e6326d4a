package secrets_test

import (
	"bytes"
	"errors"
	"heddle/secrets"
	"heddle/store"
	"heddle/store/storetest"
	"strings"
	"testing"
	"time"
)

func keyOf(text string) func(bool) (string, error) {
	return func(bool) (string, error) { return text, nil }
}

func serviceOn(db *store.DB, key func(bool) (string, error)) *secrets.Service {
	return secrets.New(secrets.Config{Store: db, Key: key, Now: time.Now})
}

func openDB(t *testing.T) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), storetest.SQLite(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestValuesAreSealedAndTenantsApart(t *testing.T) {
	db := openDB(t)
	s := serviceOn(db, keyOf("key number one, long"))
	must(t, s.Put(t.Context(), "t1", "TOKEN", "the value of one"))
	must(t, s.Put(t.Context(), "t2", "TOKEN", "the value of two"))
	boxes, _, err := db.SealedSecrets(t.Context(), "t1")
	must(t, err)
	if bytes.Contains(boxes[0].Box, []byte("value")) {
		t.Errorf("stored in plain: %q", boxes[0].Box)
	}
	for tenant, want := range map[string]string{"t1": "the value of one", "t2": "the value of two", "t3": ""} {
		got, err := s.Reveal(t.Context(), tenant, []string{"TOKEN", "OTHER"})
		must(t, err)
		if got["TOKEN"] != want || got["OTHER"] != "" {
			t.Errorf("%s: %q", tenant, got)
		}
	}
	// A box that was moved to another row does not open.
	boxes[0].TenantID = "t4"
	must(t, db.PutSecret(t.Context(), boxes[0]))
	if _, err := s.Reveal(t.Context(), "t4", []string{"TOKEN"}); err == nil {
		t.Error("a box of another tenant opened")
	}
}

func TestTheKeyMustFit(t *testing.T) {
	db := openDB(t)
	none := func(create bool) (string, error) {
		if create {
			return "made at the first use", nil
		}
		return "", secrets.ErrNoKey
	}
	must(t, serviceOn(db, none).Check(t.Context())) // no secrets yet: no key needed
	must(t, serviceOn(db, none).Put(t.Context(), "t1", "TOKEN", "the value"))
	must(t, serviceOn(db, keyOf("made at the first use")).Check(t.Context()))
	if err := serviceOn(db, none).Check(t.Context()); !errors.Is(err, secrets.ErrNoKey) {
		t.Errorf("without the key: %v", err)
	}
	wrong := serviceOn(db, keyOf("another key than that"))
	if err := wrong.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "HEDDLE_SECRET_KEY") {
		t.Errorf("with another key: %v", err)
	}
	if err := wrong.Put(t.Context(), "t1", "OTHER", "the value"); err == nil {
		t.Error("a secret was written with another key")
	}
}

func TestChangesAreSeen(t *testing.T) {
	db := openDB(t)
	now := time.Now()
	here := secrets.New(secrets.Config{Store: db, Key: keyOf("key number one, long"), Now: func() time.Time { return now }})
	there := serviceOn(db, keyOf("key number one, long"))
	holds := func(text string) bool {
		t.Helper()
		found, err := here.Holds(t.Context(), "t1", []byte(`"`+text+`"`))
		must(t, err)
		return found
	}
	if r, err := here.Redactor(t.Context(), "t1"); err != nil || r != nil {
		t.Fatalf("a tenant without secrets has a redactor: %v", err)
	}
	must(t, here.Put(t.Context(), "t1", "A", "first value"))
	if !holds("first value") {
		t.Error("one's own change is not seen at once")
	}
	must(t, there.Put(t.Context(), "t1", "A", "second value"))
	if got, _ := here.Reveal(t.Context(), "t1", []string{"A"}); got["A"] != "second value" {
		t.Errorf("an attempt saw %q", got["A"])
	}
	must(t, there.Put(t.Context(), "t1", "B", "third value"))
	now = now.Add(time.Second)
	if !holds("third value") || holds("first value") {
		t.Error("another server's change is not seen after a second")
	}
	must(t, db.Close())
	now = now.Add(time.Hour)
	if r, err := here.Redactor(t.Context(), "t1"); err != nil || r == nil || string(r([]byte(`"third value"`))) != `"***"` {
		t.Errorf("without the store: %v", err)
	}
}

// A use is stored by SaveUses, once an hour and secret; a name that does not exist is not used.
func TestUsesAreNotedOnceAnHour(t *testing.T) {
	db := openDB(t)
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	s := secrets.New(secrets.Config{Store: db, Key: keyOf("key number one, long"), Now: func() time.Time { return now }})
	must(t, s.Put(t.Context(), "t1", "TOKEN", "the value of one"))
	uses := func() time.Time {
		t.Helper()
		_, err := s.Reveal(t.Context(), "t1", []string{"TOKEN", "ABSENT"})
		must(t, err)
		must(t, s.SaveUses(t.Context()))
		list, _, err := s.List(t.Context(), "t1", "", 10)
		must(t, err)
		return list[0].LastUsedAt
	}
	first := now
	if got := uses(); !got.Equal(first) {
		t.Errorf("first use: %v", got)
	}
	now = now.Add(59 * time.Minute)
	if got := uses(); !got.Equal(first) {
		t.Errorf("a use within the hour: %v", got)
	}
	now = now.Add(time.Minute)
	if got := uses(); !got.Equal(now) {
		t.Errorf("a use after an hour: %v", got)
	}
}
