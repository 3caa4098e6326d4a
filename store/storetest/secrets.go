package storetest

import (
	"fmt"
	"heddle/fault"
	"heddle/secrets"
	"heddle/store"
	"testing"
)

// secretTests hold what sealed secrets promise.
var secretTests = map[string]func(*testing.T, *store.DB){
	"secrets are kept, replaced and removed": testSecrets,
	"secrets are listed by name in pages":    testSecretPages,
	"the first check value stays":            testSecretCheck,
}

// sealed makes a secret whose box is any bytes.
func sealed(tenant, name, box string, n int) secrets.Sealed {
	return secrets.Sealed{Entry: secrets.Entry{Name: name, CreatedAt: at(n), UpdatedAt: at(n)}, TenantID: tenant, Box: []byte(box)}
}

// testSecrets: each change raises the tenant's revision by one, a refused one does not;
// a replaced secret keeps its creation; another tenant's secrets are not touched.
func testSecrets(t *testing.T, db *store.DB) {
	revision := func(want int64) {
		t.Helper()
		got, err := db.SecretsRevision(ctx, "t1")
		must(t, err)
		same(t, "revision", got, want)
	}
	revision(0)
	must(t, db.PutSecret(ctx, sealed("t1", "B", "one\x00\xff", 1)))
	must(t, db.PutSecret(ctx, sealed("t1", "A", "two", 2)))
	must(t, db.PutSecret(ctx, sealed("t2", "A", "other", 2)))
	must(t, db.PutSecret(ctx, sealed("t1", "B", "three", 3)))
	revision(3)
	list, at3, err := db.SealedSecrets(ctx, "t1")
	must(t, err)
	// Replaced at 3, it is still as old as the first one.
	b := sealed("t1", "B", "three", 1)
	b.UpdatedAt = at(3)
	same(t, "secrets", list, []secrets.Sealed{sealed("t1", "A", "two", 2), b})
	same(t, "revision of the list", at3, int64(3))
	must(t, db.DeleteSecret(ctx, "t1", "A"))
	revision(4)
	wantFault(t, db.DeleteSecret(ctx, "t1", "A"), fault.NotFound, "secret_not_found")
	revision(4)
	list, _, err = db.SealedSecrets(ctx, "t2")
	must(t, err)
	same(t, "the other tenant's", list, []secrets.Sealed{sealed("t2", "A", "other", 2)})
}

// testSecretPages: pages list the tenant's names in order, without a gap or a repeat.
func testSecretPages(t *testing.T, db *store.DB) {
	for i := range 5 {
		must(t, db.PutSecret(ctx, sealed("t1", fmt.Sprintf("S%d", 4-i), "x", i)))
	}
	must(t, db.PutSecret(ctx, sealed("t2", "S9", "x", 0)))
	var names []string
	cursor := ""
	for range 3 {
		page, next, err := db.SecretEntries(ctx, "t1", cursor, 2)
		must(t, err)
		for _, e := range page {
			names = append(names, e.Name)
		}
		cursor = next
	}
	same(t, "names", names, []string{"S0", "S1", "S2", "S3", "S4"})
	same(t, "last cursor", cursor, "")
	_, _, err := db.SecretEntries(ctx, "t1", "junk", 2)
	wantFault(t, err, fault.Malformed, "invalid_request")
}

// testSecretCheck: the first value stays and is what every later call returns, so that
// nodes that start at once agree on the key.
func testSecretCheck(t *testing.T, db *store.DB) {
	none, err := db.SecretCheck(ctx)
	must(t, err)
	same(t, "length of no check", len(none), 0)
	kept, err := db.KeepSecretCheck(ctx, []byte("first"))
	must(t, err)
	same(t, "kept", kept, []byte("first"))
	kept, err = db.KeepSecretCheck(ctx, []byte("second"))
	must(t, err)
	same(t, "kept", kept, []byte("first"))
	got, err := db.SecretCheck(ctx)
	must(t, err)
	same(t, "check", got, []byte("first"))
}
