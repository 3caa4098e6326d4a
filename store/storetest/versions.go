package storetest

import (
	"context"
	"encoding/json"
	"fmt"
	"heddle/audit"
	"heddle/definitions/source"
	"heddle/definitions/workflows"
	"heddle/executor"
	"heddle/fault"
	"heddle/store"
	"heddle/versions"
	"testing"
	"time"
)

// versionTests hold how versions are listed, found and labelled.
var versionTests = map[string]func(*testing.T, *store.DB){
	"versions are listed newest first":          testVersionList,
	"version is found by number and label":      testVersionRead,
	"version text is kept and replaced":         testVersionText,
	"version says when it was published":        testVersionPublished,
	"version label is set, unique and cleared":  testVersionLabel,
	"version labels are read for many at once":  testVersionLabels,
	"version label wants the current revision":  testVersionPrecondition,
	"target resolves number, label and nothing": testTarget,
}

// history makes a workflow with three versions, of which 2 is active and 3 has
// the label "beta".
func history(t *testing.T, db *store.DB) {
	t.Helper()
	create(t, db, revision("t1", "wf_1", "one", 1))
	for n := 2; n <= 3; n++ {
		_, err := db.Change(ctx, "t1", "wf_1", func(c workflows.Current) (workflows.Revision, error) {
			c.Workflow.LatestVersion, c.Workflow.ActiveVersion = n, 2
			v := &workflows.NewVersion{Number: n, Definition: json.RawMessage(`{}`), Hash: "h", CreatedAt: at(n)}
			if n == 3 {
				v.Label = "beta"
			}
			return workflows.Revision{Workflow: c.Workflow, Version: v}, nil
		})
		must(t, err)
	}
}

// testVersionPublished: a version says when it last became the active one and who made it
// so; a change of something else says nothing of that, and history is kept.
func testVersionPublished(t *testing.T, db *store.DB) {
	history(t, db)
	ann := audit.Actor{Type: audit.Key, ID: "key_1", Name: "ann"}
	change := func(by context.Context, n int, when time.Time) {
		t.Helper()
		_, err := db.Change(by, "t1", "wf_1", func(c workflows.Current) (workflows.Revision, error) {
			c.Workflow.ActiveVersion, c.Workflow.UpdatedAt = n, when
			c.Workflow.TriggerType = when.String() // something else changes every time
			return workflows.Revision{Workflow: c.Workflow}, nil
		})
		must(t, err)
	}
	said := func() (list []string) {
		all, err := db.Versions(ctx, "t1", "wf_1", 0, 10)
		must(t, err)
		for _, v := range all {
			text := fmt.Sprintf("%d %s", v.Number, v.PublishedBy.Name)
			if !v.PublishedAt.IsZero() {
				text += " " + v.PublishedAt.Format(time.TimeOnly)
			}
			list = append(list, text)
		}
		return list
	}
	first, second := time.UnixMilli(1_700_000_001_000).UTC(), time.UnixMilli(1_700_000_002_000).UTC()
	before := said()
	same(t, "at first", before[0], "3 ")
	change(audit.WithActor(ctx, ann, ""), 3, first)
	same(t, "published", said(), []string{"3 ann 22:13:21", before[1], before[2]})
	change(ctx, 3, second)
	same(t, "changed otherwise", said()[0], "3 ann 22:13:21")
	change(ctx, 1, second)
	same(t, "an older one", said(), []string{"3 ann 22:13:21", before[1], "1  22:13:22"})
}

// testVersionList: versions are listed newest first, below a number, without their
// definitions.
func testVersionList(t *testing.T, db *store.DB) {
	history(t, db)
	numbers := func(before, limit int) []int {
		list, err := db.Versions(ctx, "t1", "wf_1", before, limit)
		must(t, err)
		var got []int
		for _, v := range list {
			if v.Definition != nil {
				t.Fatal("the list holds definitions")
			}
			got = append(got, v.Number)
		}
		return got
	}
	same(t, "first page", numbers(0, 2), []int{3, 2})
	same(t, "second page", numbers(2, 2), []int{1})
	list, err := db.Versions(ctx, "t2", "wf_1", 0, 10)
	must(t, err)
	same(t, "another tenant's", len(list), 0)
}

// testVersionText: a version has the text that its definition was written in, which a later
// save of the latest version may replace; lists have its format alone, and it counts as stored.
func testVersionText(t *testing.T, db *store.DB) {
	first := source.Written{Format: source.YAML, Text: "# one\nname: é\n"}
	rev := revision("t1", "wf_1", "one", 1)
	rev.Version.Written = first
	create(t, db, rev)
	create(t, db, revision("t1", "wf_2", "two", 2))
	before, err := db.CountStoredBytes(ctx, "t1")
	must(t, err)
	text := func(workflow string) source.Written {
		v, err := db.Version(ctx, "t1", workflow, "1")
		must(t, err)
		alone, err := db.VersionText(ctx, workflow, 1)
		must(t, err)
		same(t, "alone", alone, v.Written)
		return v.Written
	}
	same(t, "first", text("wf_1"), first)
	same(t, "none", text("wf_2"), source.Written{})
	second := source.Written{Format: source.JSON, Text: "{ }"}
	hash := "none was asked for"
	w, err := db.Change(ctx, "t1", "wf_1", func(c workflows.Current) (workflows.Revision, error) {
		hash = c.WrittenHash
		return workflows.Revision{Workflow: c.Workflow, Written: second}, nil
	})
	must(t, err)
	same(t, "hash", hash, first.Hash())
	same(t, "revision", w.Revision, int64(2))
	same(t, "second", text("wf_1"), second)
	list, err := db.Versions(ctx, "t1", "wf_1", 0, 10)
	must(t, err)
	same(t, "listed", list[0].Written, source.Written{Format: source.JSON})
	walked, err := db.VersionsAfter(ctx, "t1", "wf_1", 0, 10)
	must(t, err)
	same(t, "walked", walked[0].Written, second)
	after, err := db.CountStoredBytes(ctx, "t1")
	must(t, err)
	same(t, "bytes", after-before, int64(len(second.Text)-len(first.Text)))
	_, err = db.VersionText(ctx, "wf_1", 2)
	wantFault(t, err, fault.NotFound, "version_not_found")
}

// testVersionLabels: labels are found by workflow and number, also of more versions than
// one statement reads; not those of another tenant or of a deleted workflow.
func testVersionLabels(t *testing.T, db *store.DB) {
	history(t, db)
	gone := revision("t1", "wf_2", "two", 2)
	gone.Version.Label = "gone"
	create(t, db, gone)
	refs := []versions.Ref{{WorkflowID: "wf_2", Number: 1}}
	for n := range 1000 {
		refs = append(refs, versions.Ref{WorkflowID: "wf_1", Number: n})
	}
	refs = append(refs, versions.Ref{WorkflowID: "wf_3", Number: 1})
	labels := func(tenantID string, refs []versions.Ref) map[versions.Ref]string {
		got, err := db.Labels(ctx, tenantID, refs)
		must(t, err)
		return got
	}
	beta := versions.Ref{WorkflowID: "wf_1", Number: 3}
	same(t, "labels", labels("t1", refs), map[versions.Ref]string{refs[0]: "gone", beta: "beta"})
	same(t, "another tenant's", labels("t2", refs), map[versions.Ref]string{})
	same(t, "of nothing", labels("t1", nil), map[versions.Ref]string{})
	must(t, db.DeleteWorkflow(ctx, "t1", "wf_2", func(workflows.Workflow, bool) error { return nil }))
	same(t, "after a deletion", labels("t1", refs), map[versions.Ref]string{beta: "beta"})
}

// testVersionRead: a version is found by number, with and without v, by label and as
// the active one, with its definition and author. Numbers that no int holds are
// unknown like any other.
func testVersionRead(t *testing.T, db *store.DB) {
	rev := revision("t1", "wf_1", "one", 1)
	rev.Version.Label, rev.Version.Author = "v1.0", audit.Actor{Type: audit.Key, ID: "key_1", Name: "tester"}
	create(t, db, rev)
	want := versions.Version{
		WorkflowID: "wf_1", Number: 1, Label: "v1.0", Definition: rev.Version.Definition, DefinitionHash: "sha256:one",
		ChangeSummary: "first", CreatedBy: "tester", Author: rev.Version.Author, CreatedAt: at(1), PublishedAt: rev.Workflow.UpdatedAt,
	}
	for _, ref := range []string{"", "1", "v1", "v1.0"} {
		got, err := db.Version(ctx, "t1", "wf_1", ref)
		must(t, err)
		same(t, "version "+ref, got, want)
	}
	// Unknown numbers, texts that look like numbers, and an unknown label.
	for _, ref := range []string{"2", "v0", "-1", "nope", "99999999999999999999"} {
		_, err := db.Version(ctx, "t1", "wf_1", ref)
		wantFault(t, err, fault.NotFound, "version_not_found")
	}
	_, err := db.Version(ctx, "t2", "wf_1", "1")
	wantFault(t, err, fault.NotFound, "version_not_found")
}

// anyRevision allows a change of any revision.
func anyRevision(workflows.Workflow) error { return nil }

// testVersionLabel: a label is set, moved by clearing it first, and unique; each change
// raises the workflow's revision, and the label that it has already does not.
func testVersionLabel(t *testing.T, db *store.DB) {
	history(t, db)
	set, v, err := db.SetLabel(ctx, "t1", "wf_1", 1, "old", anyRevision)
	must(t, err)
	same(t, "label", v.Label, "old")
	w, err := db.Workflow(ctx, "t1", "wf_1")
	must(t, err)
	same(t, "revision", w.Revision, int64(4))
	same(t, "workflow", set, w)
	set, _, err = db.SetLabel(ctx, "t1", "wf_1", 1, "old", anyRevision)
	must(t, err)
	same(t, "the same label again", set, w)
	_, _, err = db.SetLabel(ctx, "t1", "wf_1", 2, "beta", anyRevision)
	wantFault(t, err, fault.Conflict, "label_taken")
	// Cleared there, the label is free for another version.
	_, _, err = db.SetLabel(ctx, "t1", "wf_1", 3, "", anyRevision)
	must(t, err)
	_, _, err = db.SetLabel(ctx, "t1", "wf_1", 2, "beta", anyRevision)
	must(t, err)
	got, err := db.Version(ctx, "t1", "wf_1", "beta")
	must(t, err)
	same(t, "moved label", got.Number, 2)
	_, _, err = db.SetLabel(ctx, "t1", "wf_1", 9, "x", anyRevision)
	wantFault(t, err, fault.NotFound, "version_not_found")
	_, _, err = db.SetLabel(ctx, "t2", "wf_1", 1, "x", anyRevision)
	wantFault(t, err, fault.NotFound, "workflow_not_found")
}

// testVersionPrecondition: check sees the workflow's revision, and may refuse.
func testVersionPrecondition(t *testing.T, db *store.DB) {
	history(t, db)
	_, _, err := db.SetLabel(ctx, "t1", "wf_1", 1, "x", workflows.IfMatch{2}.Check)
	wantFault(t, err, fault.Precondition, "precondition_failed")
	_, _, err = db.SetLabel(ctx, "t1", "wf_1", 1, "x", workflows.IfMatch{3}.Check)
	must(t, err)
}

// testTarget: a start names its workflow by id or slug and its version by number,
// label or not at all; the label is told only where it was how the version was named.
func testTarget(t *testing.T, db *store.DB) {
	history(t, db)
	for ref, number := range map[string]int{"": 2, "1": 1, "v3": 3, "beta": 3} {
		for _, workflow := range []string{"wf_1", "one"} {
			got, err := db.Target(ctx, "t1", workflow, ref)
			must(t, err)
			want := executor.Target{WorkflowID: "wf_1", Slug: "one", Version: number, Hash: "h", Status: workflows.Active, Revision: 3}
			if number == 1 {
				want.Hash = "sha256:one"
			}
			if number == 3 {
				want.Label = "beta"
			}
			same(t, "target of "+ref, got, want)
		}
	}
	_, err := db.Target(ctx, "t1", "one", "9")
	wantFault(t, err, fault.NotFound, "version_not_found")
	_, err = db.Definition(ctx, "wf_1", 9)
	wantFault(t, err, fault.NotFound, "version_not_found")
}
