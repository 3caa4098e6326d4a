package storetest

import (
	"encoding/json"
	"heddle/definitions/validation"
	"heddle/definitions/workflows"
	"heddle/store"
	"strings"
	"testing"
	"time"
)

// usesTests hold which steps are known to name secrets and agents.
var usesTests = map[string]func(*testing.T, *store.DB){
	"uses are those of active and latest versions": testUses,
	"uses of earlier workflows are filled in":      testFillUses,
	"last use of a secret is kept":                 testLastUse,
}

// wordsIn takes a definition {"name": "TOKEN agent:writer"} for one whose step "one" names the
// secret TOKEN and the agent writer.
func wordsIn(definition json.RawMessage) (uses []validation.Use) {
	var d struct{ Name string }
	_ = json.Unmarshal(definition, &d)
	for word := range strings.FieldsSeq(d.Name) {
		kind := validation.UsesSecret
		if agent, ok := strings.CutPrefix(word, "agent:"); ok {
			kind, word = validation.UsesAgent, agent
		}
		uses = append(uses, validation.Use{Kind: kind, Name: word, StepID: "one"})
	}
	return uses
}

// naming makes a workflow whose first version names these words.
func naming(tenant, id, slug, words string) workflows.Revision {
	rev := revision(tenant, id, slug, 1)
	rev.Version.Definition = json.RawMessage(`{"name":"` + words + `"}`)
	return rev
}

// saves stores a version of a workflow that names these words, and publishes one (0: none).
func saves(t *testing.T, db *store.DB, ref string, number int, words string, active int) {
	t.Helper()
	_, err := db.Change(ctx, "t1", ref, func(c workflows.Current) (workflows.Revision, error) {
		if active > 0 {
			c.Workflow.ActiveVersion = active
		}
		rev := workflows.Revision{Workflow: c.Workflow}
		if number > 0 {
			rev.Workflow.LatestVersion = number
			rev.Version = &workflows.NewVersion{Number: number, Definition: json.RawMessage(`{"name":"` + words + `"}`), Hash: words, CreatedAt: at(number)}
		}
		return rev, nil
	})
	must(t, err)
}

// usersOf returns the steps that name a secret, as "slug version".
func usersOf(t *testing.T, db *store.DB, name string) string {
	t.Helper()
	entries, _, err := db.SecretEntries(ctx, "t1", "", 10)
	must(t, err)
	var list []string
	for _, e := range entries {
		for _, u := range e.UsedBy {
			if e.Name == name {
				list = append(list, u.Slug+" "+string(rune('0'+u.Version)))
			}
		}
	}
	return strings.Join(list, ", ")
}

// testUses: a save, a publication and a rollback change which versions count; a workflow that
// is deleted names nothing, and neither does another tenant's.
func testUses(t *testing.T, db *store.DB) {
	db.KeepUses(wordsIn)
	for _, name := range []string{"TOKEN", "OTHER"} {
		must(t, db.PutSecret(ctx, sealed("t1", name, "x", 1)))
	}
	create(t, db, naming("t1", "wf_1", "flow", "TOKEN agent:writer"))
	create(t, db, naming("t2", "wf_2", "foreign", "TOKEN agent:writer"))
	same(t, "at first", usersOf(t, db, "TOKEN"), "flow 1")
	saves(t, db, "wf_1", 2, "OTHER", 0)
	same(t, "active version", usersOf(t, db, "TOKEN"), "flow 1")
	same(t, "latest version", usersOf(t, db, "OTHER"), "flow 2")
	saves(t, db, "wf_1", 3, "TOKEN OTHER", 2)
	same(t, "after a publication", usersOf(t, db, "TOKEN"), "flow 3")
	same(t, "after a publication", usersOf(t, db, "OTHER"), "flow 2, flow 3")
	saves(t, db, "wf_1", 0, "", 1)
	same(t, "after a rollback", usersOf(t, db, "TOKEN"), "flow 1, flow 3")
	same(t, "after a rollback", usersOf(t, db, "OTHER"), "flow 3")
	writer, err := db.AgentUses(ctx, "t1", "writer")
	must(t, err)
	same(t, "of the agent", writer, []workflows.Reference{{WorkflowID: "wf_1", Slug: "flow", Name: "Name of flow", Version: 1, StepID: "one"}})
	must(t, db.DeleteWorkflow(ctx, "t1", "flow", func(workflows.Workflow, bool) error { return nil }))
	same(t, "after its end", usersOf(t, db, "TOKEN"), "")
}

// testFillUses: what waits is filled in, once, and what is saved meanwhile is there once.
func testFillUses(t *testing.T, db *store.DB) {
	must(t, db.PutSecret(ctx, sealed("t1", "TOKEN", "x", 1)))
	for _, id := range []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"} {
		create(t, db, naming("t1", "wf_"+id, "flow-"+id, "TOKEN"))
	}
	must(t, db.AwaitUses(ctx))
	same(t, "before", usersOf(t, db, "TOKEN"), "")
	db.KeepUses(wordsIn)
	saves(t, db, "wf_b", 2, "TOKEN", 0)
	must(t, db.FillUses(ctx))
	must(t, db.FillUses(ctx))
	same(t, "after", usersOf(t, db, "TOKEN"),
		"flow-a 1, flow-b 1, flow-b 2, flow-c 1, flow-d 1, flow-e 1, flow-f 1, flow-g 1, flow-h 1, flow-i 1, flow-j 1, flow-k 1, flow-l 1")
}

// testLastUse: the latest use stays, through a new value too.
func testLastUse(t *testing.T, db *store.DB) {
	must(t, db.PutSecret(ctx, sealed("t1", "TOKEN", "x", 1)))
	must(t, db.PutSecret(ctx, sealed("t2", "TOKEN", "x", 1)))
	must(t, db.MarkSecretsUsed(ctx, "t1", []string{"TOKEN", "absent"}, at(7)))
	must(t, db.MarkSecretsUsed(ctx, "t1", []string{"TOKEN"}, at(6)))
	must(t, db.PutSecret(ctx, sealed("t1", "TOKEN", "y", 8)))
	for tenant, want := range map[string]time.Time{"t1": at(7), "t2": {}} {
		entries, _, err := db.SecretEntries(ctx, tenant, "", 10)
		must(t, err)
		same(t, "last use of "+tenant, entries[0].LastUsedAt, want)
	}
}
