package storetest

import (
	"context"
	"fmt"
	"heddle/access"
	"heddle/audit"
	"heddle/fault"
	"heddle/store"
	"testing"
	"time"
)

// accessTests hold what tenants, keys, grants, quotas and the audit trail promise.
var accessTests = map[string]func(*testing.T, *store.DB){
	"tenant is created with its first key": testTenant,
	"key is found by its hash":             testKeyByHash,
	"keys are listed in pages":             testKeyPages,
	"key is revoked once":                  testKeyRevoke,
	"grants replace each other":            testGrants,
	"last admin key stays":                 testLastAdminKey,
	"two last admin keys, revoked at once": testLastAdminKeysAtOnce,
	"audit trail is filtered and paged":    testAudit,
	"quotas of tenants":                    testTenantQuotas,
	"stored bytes":                         testStoredBytes,
	"versions of deleted workflows":        testVersionsOfDeletedWorkflows,
}

// key makes an editor's key, created at(n) and valid for a second. Its hash follows
// from its id.
func key(tenant, id string, n int) access.Key {
	return access.Key{
		ID: id, TenantID: tenant, TenantSlug: "slug-" + tenant, TenantName: "Tenant", Name: "key " + id, Role: access.RoleEditor, Hash: "hash of " + id,
		Last4: "abcd", CreatedAt: at(n), ExpiresAt: at(n + 1000), CreatedBy: audit.Actor{Type: audit.Key, ID: "key_maker", Name: "maker"}, Revision: 1,
	}
}

// tenant stores a tenant with its first key, an editor's.
func tenant(t *testing.T, db *store.DB, id string) {
	t.Helper()
	must(t, db.CreateTenant(ctx, access.Tenant{ID: id, Slug: "slug-" + id, Name: "Tenant", CreatedAt: at(0)}, key(id, "key_first_"+id, 0)))
}

// testTenant: a tenant and its first key are stored together; a taken slug leaves
// neither.
func testTenant(t *testing.T, db *store.DB) {
	tenant(t, db, "t1")
	got, err := db.TenantBySlug(ctx, "slug-t1")
	must(t, err)
	same(t, "tenant", got, access.Tenant{ID: "t1", Slug: "slug-t1", Name: "Tenant", CreatedAt: at(0)})
	_, err = db.TenantBySlug(ctx, "absent")
	wantFault(t, err, fault.NotFound, "tenant_not_found")
	// Neither the tenant nor its key is stored where the slug is taken.
	err = db.CreateTenant(ctx, access.Tenant{ID: "t2", Slug: "slug-t1", CreatedAt: at(0)}, key("t2", "key_x", 0))
	wantFault(t, err, fault.Conflict, "slug_taken")
	_, err = db.KeyByHash(ctx, "hash of key_x")
	wantFault(t, err, fault.NotFound, "key_not_found")
}

// testKeyByHash: a key is found by its hash, with its tenant's slug; two keys never
// have one hash.
func testKeyByHash(t *testing.T, db *store.DB) {
	tenant(t, db, "t1")
	k := key("t1", "key_1", 1)
	must(t, db.CreateKey(ctx, k))
	got, err := db.KeyByHash(ctx, k.Hash)
	must(t, err)
	same(t, "key", got, k)
	must(t, db.MarkKeyUsed(ctx, "key_1", at(7)))
	k.LastUsedAt = at(7)
	got, err = db.KeyByHash(ctx, k.Hash)
	must(t, err)
	same(t, "used key", got, k)
	// Another id for the same key.
	again := key("t1", "key_2", 1)
	again.Hash = k.Hash
	wantFault(t, db.CreateKey(ctx, again), fault.Conflict, "key_taken")
}

// testKeyPages: pages hold the tenant's keys, newest first, and the cursor of one
// tenant's list is refused for another's.
func testKeyPages(t *testing.T, db *store.DB) {
	tenant(t, db, "t1")
	tenant(t, db, "t2")
	for i := range 4 {
		must(t, db.CreateKey(ctx, key("t1", fmt.Sprintf("key_%d", i), 1)))
	}
	var got []string
	cursor := ""
	for {
		keys, next, err := db.Keys(ctx, "t1", cursor, 2)
		must(t, err)
		for _, k := range keys {
			got = append(got, k.ID)
			same(t, "tenant's slug", k.TenantSlug, "slug-t1")
		}
		if next == "" {
			break
		}
		cursor = next
	}
	// Of the same millisecond the greatest id comes first.
	same(t, "keys", got, []string{"key_3", "key_2", "key_1", "key_0", "key_first_t1"})
	_, _, err := db.Keys(ctx, "t2", cursor, 2)
	wantFault(t, err, fault.Malformed, "invalid_request")
}

// testKeyRevoke: the first time of a revocation stays; a key of another tenant is
// unknown.
func testKeyRevoke(t *testing.T, db *store.DB) {
	tenant(t, db, "t1")
	// The tenant's id is part of the address.
	wantFault(t, db.RevokeKey(ctx, "t2", "key_first_t1", at(5)), fault.NotFound, "key_not_found")
	must(t, db.RevokeKey(ctx, "t1", "key_first_t1", at(5)))
	must(t, db.RevokeKey(ctx, "t1", "key_first_t1", at(6)))
	got, err := db.KeyByHash(ctx, "hash of key_first_t1")
	must(t, err)
	same(t, "revoked at", got.RevokedAt, at(5))
}

// admins makes a tenant whose first key edits, with admin keys of these expiries.
func admins(t *testing.T, db *store.DB, id string, expiries ...int) {
	t.Helper()
	tenant(t, db, id)
	for i, expires := range expiries {
		k := key(id, fmt.Sprintf("key_%s_%d", id, i), 1)
		k.Role, k.ExpiresAt = access.RoleAdmin, time.Time{}
		if expires > 0 {
			k.ExpiresAt = at(expires)
		}
		must(t, db.CreateKey(ctx, k))
	}
}

// testLastAdminKey: an admin key stays while the tenant has no other one that lasts as
// long or for a day. Keys of other roles, revoked keys and expired ones do not count,
// and can always be revoked.
func testLastAdminKey(t *testing.T, db *store.DB) {
	day := int(access.MinAdminKeyLifetime / time.Millisecond)
	admins(t, db, "t1", 0, 4, 2*day)
	admins(t, db, "t2", 0)
	admins(t, db, "t3", 0, day)                             // the other one ends too soon
	admins(t, db, "t4", 100, 99, 200)                       // one that ends before this one does not stand for it
	admins(t, db, "t5", 3*day, 2*day, 0)                    // what expires later than in a day is as good as any
	must(t, db.RevokeKey(ctx, "t1", "key_first_t1", at(5))) // no admin
	must(t, db.RevokeKey(ctx, "t1", "key_t1_0", at(5)))
	must(t, db.RevokeKey(ctx, "t1", "key_t1_0", at(6)))
	wantFault(t, db.RevokeKey(ctx, "t1", "key_t1_2", at(5)), fault.Conflict, "last_admin_key")
	must(t, db.RevokeKey(ctx, "t1", "key_t1_1", at(5)))
	must(t, db.RevokeKey(ctx, "t1", "key_t1_2", at(2*day))) // it had expired
	wantFault(t, db.RevokeKey(ctx, "t3", "key_t3_0", at(5)), fault.Conflict, "last_admin_key")
	must(t, db.RevokeKey(ctx, "t3", "key_t3_1", at(5)))
	must(t, db.RevokeKey(ctx, "t4", "key_t4_0", at(5)))
	wantFault(t, db.RevokeKey(ctx, "t4", "key_t4_2", at(5)), fault.Conflict, "last_admin_key")
	must(t, db.RevokeKey(ctx, "t5", "key_t5_2", at(5)))
	wantFault(t, db.RevokeKey(ctx, "t2", "key_t2_0", at(5)), fault.Conflict, "last_admin_key")
	got, err := db.KeyByHash(ctx, "hash of key_t2_0")
	must(t, err)
	same(t, "revoked", got.RevokedAt.IsZero(), true)
}

// Of two revocations that take the last two keys, one is refused.
func testLastAdminKeysAtOnce(t *testing.T, db *store.DB) {
	for round := range 20 {
		// Three keys and three revocations at once: the last one must be refused, whichever
		// it is.
		id := fmt.Sprintf("t%d", round)
		admins(t, db, id, 0, 0, 0)
		start, ended := make(chan struct{}), make(chan error)
		for i := range 3 {
			go func() {
				<-start
				ended <- db.RevokeKey(ctx, id, fmt.Sprintf("key_%s_%d", id, i), at(5))
			}()
		}
		close(start)
		refused := 0
		for range 3 {
			if err := <-ended; err != nil {
				wantFault(t, err, fault.Conflict, "last_admin_key")
				refused++
			}
		}
		same(t, "refused", refused, 1)
	}
}

// testTenantQuotas: a tenant is found by id and by slug; its own quotas are Unset
// until they are put, and are replaced as a whole; 0 is kept apart from Unset.
func testTenantQuotas(t *testing.T, db *store.DB) {
	tenant(t, db, "t1")
	for _, ref := range []string{"t1", "slug-t1"} {
		got, err := db.Tenant(ctx, ref)
		must(t, err)
		same(t, "tenant", got, access.Tenant{ID: "t1", Slug: "slug-t1", Name: "Tenant", CreatedAt: at(0)})
	}
	_, err := db.Tenant(ctx, "absent")
	wantFault(t, err, fault.NotFound, "tenant_not_found")
	for _, want := range []access.Quotas{
		{OpenRuns: access.Unset, Streams: access.Unset, Schedules: access.Unset, StoredBytes: access.Unset},
		{OpenRuns: 5, Streams: 0, Schedules: access.Unset, StoredBytes: access.Unset},
		{OpenRuns: 1, Streams: 2, Schedules: access.MaxQuota, StoredBytes: access.MaxStoredBytes},
	} {
		if want.OpenRuns > 0 {
			must(t, db.PutTenantQuotas(ctx, access.Tenant{ID: "t1", Slug: "slug-t1"}, want))
		}
		got, err := db.TenantQuotas(ctx, "t1")
		must(t, err)
		same(t, "quotas", got, want)
	}
	// A tenant without runs and schedules has none.
	for _, count := range []func(context.Context, string, int) (int, error){db.CountOpenRuns, db.CountSchedules} {
		n, err := count(ctx, "t1", 10)
		must(t, err)
		same(t, "count", n, 0)
	}
}

// testGrants: a grant replaces the one before it and comes with its key; key and
// workflow must both be the tenant's.
func testGrants(t *testing.T, db *store.DB) {
	tenant(t, db, "t1")
	create(t, db, revision("t1", "wf_1", "one", 1))
	create(t, db, revision("t2", "wf_2", "two", 1))
	g := access.Grant{KeyID: "key_first_t1", WorkflowID: "wf_1", Actions: []access.Action{access.View}}
	must(t, db.PutGrant(ctx, "t1", g))
	g.Actions = []access.Action{access.View, access.Execute}
	must(t, db.PutGrant(ctx, "t1", g))
	// Of one key, and of all of the tenant's.
	for _, id := range []string{"key_first_t1", ""} {
		got, _, err := db.Grants(ctx, "t1", id, "", 10)
		must(t, err)
		same(t, "grants", got, []access.Grant{g})
	}
	k, err := db.KeyByHash(ctx, "hash of key_first_t1")
	must(t, err)
	same(t, "grants of the key", k.Grants, []access.Grant{g})
	// Key and workflow of different tenants, either way round.
	foreign := g
	foreign.WorkflowID = "wf_2"
	wantFault(t, db.PutGrant(ctx, "t1", foreign), fault.NotFound, "workflow_not_found")
	wantFault(t, db.PutGrant(ctx, "t2", g), fault.NotFound, "key_not_found")
	wantFault(t, db.DeleteGrant(ctx, "t2", g.KeyID, g.WorkflowID), fault.NotFound, "grant_not_found")
	must(t, db.DeleteGrant(ctx, "t1", g.KeyID, g.WorkflowID))
	wantFault(t, db.DeleteGrant(ctx, "t1", g.KeyID, g.WorkflowID), fault.NotFound, "grant_not_found")
}

// testAudit: the trail is listed newest first, without a gap or a repeat among entries
// of one millisecond, and each filter is applied with the others.
func testAudit(t *testing.T, db *store.DB) {
	var want []audit.Entry
	for i := range 5 {
		// Two entries of each millisecond, by two actors in turn.
		e := audit.Entry{
			ID: fmt.Sprintf("aud_%d", i), TenantID: "t1", Actor: fmt.Sprint("a", i%2), ActorID: "key_1", Action: "workflow.create",
			Object: fmt.Sprint("workflow:w", i), RequestID: "req_1", At: at(i / 2),
		}
		must(t, db.AppendAudit(ctx, e))
		want = append([]audit.Entry{e}, want...)
	}
	var got []audit.Entry
	q := access.AuditQuery{TenantID: "t1", Limit: 2}
	for {
		entries, next, err := db.Audit(ctx, q)
		must(t, err)
		got = append(got, entries...)
		if next == "" {
			break
		}
		q.Cursor = next
	}
	same(t, "trail", got, want)
	for _, q := range []access.AuditQuery{
		{TenantID: "t1", Actor: "a1", Object: "workflow:w3"}, {TenantID: "t1", Object: "workflow:w3"}, {TenantID: "t1", Action: "workflow.create", Object: "workflow:w3"},
	} {
		q.Limit = 10
		entries, _, err := db.Audit(ctx, q)
		must(t, err)
		same(t, "filtered", entries, want[1:2])
	}
	entries, _, err := db.Audit(ctx, access.AuditQuery{TenantID: "t2", Limit: 10})
	must(t, err)
	same(t, "another tenant's", len(entries), 0)
}
