package storetest

import (
	"context"
	"fmt"
	"heddle/access"
	"heddle/audit"
	"heddle/definitions/workflows"
	"heddle/executor"
	"heddle/executor/machine"
	"heddle/fault"
	"heddle/store"
	"testing"
	"time"
)

// auditTests hold that the trail has what was changed, and nothing that was not.
var auditTests = map[string]func(*testing.T, *store.DB){
	"audit line is stored with its change or not at all": testAuditWithChange,
	"audit lines are found by id and by slug":            testAuditObjects,
	"audit lines of earlier versions stay readable":      testAuditOld,
	"audit line rides with a group commit":               testAuditCommit,
}

// asker makes requests that leave a line with an action, one after another.
func asker() func(action string) context.Context {
	n := 0
	return func(action string) context.Context {
		n++
		return asked(action, n)
	}
}

// asked returns the context of the nth request, which leaves an entry with an action.
func asked(action string, n int) context.Context {
	return audit.WithTrail(ctx, audit.NewTrail(audit.Entry{TenantID: "t1", ActorType: audit.Key, ActorID: "key_1", Actor: "ci", Action: action, Reason: "because"},
		func() time.Time { return at(n) }, func(prefix string) string { return fmt.Sprintf("%s%06d", prefix, n) }))
}

// trail lists the entries about an object ("": about all), newest first, as "action
// object slug reason detail".
func trail(t *testing.T, db *store.DB, object string) []string {
	t.Helper()
	entries, _, err := db.Audit(ctx, access.AuditQuery{TenantID: "t1", Object: object, Limit: 100})
	must(t, err)
	list := []string{}
	for _, e := range entries {
		list = append(list, e.Action+" "+e.Object+" "+e.ObjectSlug+" "+e.Reason+" "+string(e.Detail))
	}
	return list
}

// testAuditWithChange: a change and its entry are stored together: a refused request
// leaves none, and neither does a change without a request.
func testAuditWithChange(t *testing.T, db *store.DB) {
	asked := asker()
	tenant(t, db, "t1")
	must(t, db.CreateWorkflow(asked("workflow.create"), revision("t1", "wf_1", "one", 1), nil))
	// Two requests that are refused, one that is not, and a change that no request made.
	refused := asked("workflow.create")
	wantFault(t, db.CreateWorkflow(refused, revision("t1", "wf_2", "one", 1), nil), fault.Conflict, "slug_taken")
	wantFault(t, db.RevokeKey(asked("key.revoke"), "t1", "key_x", at(5)), fault.NotFound, "key_not_found")
	must(t, db.RevokeKey(asked("key.revoke"), "t1", "key_first_t1", at(5)))
	create(t, db, revision("t1", "wf_3", "three", 1)) // of no request
	same(t, "lines", trail(t, db, ""), []string{
		"key.revoke key:key_first_t1 " + nameOf(t, db) + " because ",
		"workflow.create workflow:wf_1 one because " + `{"to":{"version":1,"hash":"sha256:one","status":"active"}}`,
	})
}

// nameOf returns the name of the tenant's newest key.
func nameOf(t *testing.T, db *store.DB) string {
	t.Helper()
	keys, _, err := db.Keys(ctx, "t1", "", 1)
	must(t, err)
	return keys[0].Name
}

// testAuditObjects: entries are found by id, and by the slug that an object has or was
// the last to have, also after it is gone or renamed. A slug is not a pattern.
func testAuditObjects(t *testing.T, db *store.DB) {
	asked := asker()
	gone := func(workflows.Workflow, bool) error { return nil }
	must(t, db.CreateWorkflow(asked("workflow.create"), revision("t1", "wf_1", "one", 1), nil))
	must(t, db.DeleteWorkflow(asked("workflow.delete"), "t1", "one", gone))
	same(t, "lines by the slug of what is gone", len(trail(t, db, "workflow:one")), 2)
	must(t, db.CreateWorkflow(asked("workflow.again"), revision("t1", "wf_2", "one", 1), nil))
	_, err := db.Change(asked("workflow.rename"), "t1", "wf_2", func(c workflows.Current) (workflows.Revision, error) {
		c.Workflow.Slug = "two"
		return workflows.Revision{Workflow: c.Workflow}, nil
	})
	must(t, err)
	same(t, "lines of the first", len(trail(t, db, "workflow:wf_1")), 2)
	same(t, "lines of the second", len(trail(t, db, "workflow:wf_2")), 2)
	same(t, "lines by its slug", len(trail(t, db, "workflow:two")), 2)
	// A slug stands for the object that had it last: the second, whose later entry has
	// another slug.
	same(t, "lines by a slug that it had", len(trail(t, db, "workflow:one")), 2)
	same(t, "lines by a pattern", len(trail(t, db, "workflow:%")), 0)
	same(t, "lines by another kind", len(trail(t, db, "key:one")), 0)
}

// testAuditOld: entries of earlier versions, which name an object by its slug, are
// found by it together with those that name it by id.
func testAuditOld(t *testing.T, db *store.DB) {
	asked := asker()
	old := audit.Entry{ID: "aud_0", TenantID: "t1", Actor: "ci", ActorID: "key_1", Action: "workflow.update", Object: "workflow:one", RequestID: "r", At: at(0)}
	must(t, db.AppendAudit(ctx, old))
	must(t, db.CreateWorkflow(asked("workflow.create"), revision("t1", "wf_1", "one", 1), nil))
	entries, _, err := db.Audit(ctx, access.AuditQuery{TenantID: "t1", Object: "workflow:one", Limit: 10})
	must(t, err)
	same(t, "lines", len(entries), 2)
	same(t, "the old one", entries[1], old)
}

// testAuditCommit: entries are written with the members of a group commit, also where
// two members become one write; a fenced member leaves none.
func testAuditCommit(t *testing.T, db *store.DB) {
	wf := create(t, db, revision("t1", "wf_1", "one", 1))
	line := func(id string) []audit.Entry {
		return []audit.Entry{{ID: id, TenantID: "t1", Actor: "ci", Action: "run.cancel", Object: "run:run_1", At: at(1)}}
	}
	first := newRun(wf, "run_1", 1)
	first.Audit = line("aud_1")
	next := grow(first, machine.Running, 2)
	next.Audit = line("aud_2")
	commit(t, db, first, next)
	// A commit that is fenced leaves no entry.
	late := next
	late.Audit = line("aud_3")
	wantIs(t, db.Commit(ctx, 0, []executor.Commit{late})[0], executor.ErrFenced)
	same(t, "lines", len(trail(t, db, "run:run_1")), 2)
}
