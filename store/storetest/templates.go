package storetest

import (
	"encoding/json"
	"fmt"
	"heddle/definitions/workflows"
	"heddle/fault"
	"heddle/store"
	"heddle/templates"
	"sync"
	"testing"
)

// templateTests hold what templates promise, and the origin of workflows made of them.
var templateTests = map[string]func(*testing.T, *store.DB){
	"template is read back with its newest version":   testTemplateRead,
	"template creation is all or nothing":             testTemplateCreation,
	"template change makes the next version":          testTemplateChange,
	"template changes at once lose no version":        testTemplateRace,
	"template of another tenant is unknown":           testTemplateTenant,
	"template deletion leaves its workflows":          testTemplateDelete,
	"templates are filtered and paged":                testTemplatePages,
	"origin is stored with the workflow":              testOrigin,
	"origin moves with a change":                      testOriginChange,
	"version definition is found by number and label": testVersionDefinition,
}

// template makes a tenant's own template of version 1, created at(n).
func template(tenant, id string, n int) templates.Template {
	return templates.Template{
		ID: id, TenantID: tenant, Name: "Name " + id, Description: "About", Category: "custom", Version: 1,
		Parameters: json.RawMessage(`{"type":"object"}`), Definition: json.RawMessage(`{"n":9007199254740993}`),
		CreatedBy: "tester", CreatedAt: at(n), UpdatedAt: at(n),
	}
}

// createTemplate stores a template and returns it.
func createTemplate(t *testing.T, db *store.DB, tpl templates.Template) templates.Template {
	t.Helper()
	must(t, db.CreateTemplate(ctx, tpl, nil))
	return tpl
}

// testTemplateRead: a template comes back as it was stored, its definition byte for
// byte.
func testTemplateRead(t *testing.T, db *store.DB) {
	tpl := createTemplate(t, db, template("t1", "tpl_1", 1))
	got, err := db.Template(ctx, "t1", "tpl_1")
	must(t, err)
	same(t, "template", got, tpl)
	_, err = db.Template(ctx, "t1", "tpl_2")
	wantFault(t, err, fault.NotFound, "template_not_found")
}

// testTemplateCreation: a template and its kept answer are stored together; a key that
// is taken leaves neither.
func testTemplateCreation(t *testing.T, db *store.DB) {
	must(t, db.CreateTemplate(ctx, template("t1", "tpl_1", 1), answer("t1", "k", 1)))
	wantFault(t, db.CreateTemplate(ctx, template("t1", "tpl_2", 1), answer("t1", "k", 1)), fault.Conflict, "idempotency_key_taken")
	_, err := db.Template(ctx, "t1", "tpl_2")
	wantFault(t, err, fault.NotFound, "template_not_found")
	kept, err := db.Answer(ctx, "t1", "POST /x", "k")
	must(t, err)
	same(t, "kept answer", kept, answer("t1", "k", 1))
}

// testTemplateChange: a change is the next version, with everything that it says; one
// without a new number stores nothing, and a refusal is returned as it is.
func testTemplateChange(t *testing.T, db *store.DB) {
	tpl := createTemplate(t, db, template("t1", "tpl_1", 1))
	got, err := db.ChangeTemplate(ctx, "t1", "tpl_1", func(c templates.Template) (templates.Template, error) {
		same(t, "current", c, tpl)
		c.Version, c.Name, c.Definition, c.UpdatedAt, c.CreatedBy = 2, "New", json.RawMessage(`{"b":2}`), at(5), "other"
		return c, nil
	})
	must(t, err)
	tpl.Version, tpl.Name, tpl.Definition, tpl.UpdatedAt, tpl.CreatedBy = 2, "New", json.RawMessage(`{"b":2}`), at(5), "other"
	same(t, "answer", got, tpl)
	stored, err := db.Template(ctx, "t1", "tpl_1")
	must(t, err)
	same(t, "stored", stored, tpl)
	_, err = db.ChangeTemplate(ctx, "t1", "tpl_1", func(c templates.Template) (templates.Template, error) {
		// The number decides whether there is a new version.
		c.Name = "not stored: no new version"
		return c, nil
	})
	must(t, err)
	_, err = db.ChangeTemplate(ctx, "t1", "tpl_1", func(templates.Template) (templates.Template, error) {
		return templates.Template{}, fault.New(fault.Precondition, "precondition_failed", "no")
	})
	wantFault(t, err, fault.Precondition, "precondition_failed")
	stored, err = db.Template(ctx, "t1", "tpl_1")
	must(t, err)
	same(t, "stored", stored, tpl)
}

// testTemplateRace: of changes at once none is lost: each sees the version before its
// own.
func testTemplateRace(t *testing.T, db *store.DB) {
	createTemplate(t, db, template("t1", "tpl_1", 1))
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			_, err := db.ChangeTemplate(ctx, "t1", "tpl_1", func(c templates.Template) (templates.Template, error) {
				c.Version++
				return c, nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	got, err := db.Template(ctx, "t1", "tpl_1")
	must(t, err)
	same(t, "version", got.Version, 7)
}

// testTemplateTenant: what is not the tenant's is not found; decide and check are not
// called then, and may be nil.
func testTemplateTenant(t *testing.T, db *store.DB) {
	createTemplate(t, db, template("t1", "tpl_1", 1))
	_, err := db.Template(ctx, "t2", "tpl_1")
	wantFault(t, err, fault.NotFound, "template_not_found")
	_, err = db.ChangeTemplate(ctx, "t2", "tpl_1", nil)
	wantFault(t, err, fault.NotFound, "template_not_found")
	wantFault(t, db.DeleteTemplate(ctx, "t2", "tpl_1", nil), fault.NotFound, "template_not_found")
	page, err := db.Templates(ctx, templates.Query{TenantID: "t2", Limit: 10, WantTotal: true})
	must(t, err)
	same(t, "page", page, templates.Page{})
}

// installed makes a workflow with an origin.
func installed(tenant, id, tpl string) workflows.Revision {
	rev := revision(tenant, id, id, 1)
	rev.Origin = &workflows.Origin{
		TemplateID: tpl, Version: 1, Name: "Mine", Parameters: json.RawMessage(`{"a":1e400}`), Definition: json.RawMessage(`{"d":1}`),
	}
	return rev
}

// testTemplateDelete: a deletion may be refused; afterwards workflows keep their
// origin, without a newest version, and the id is free.
func testTemplateDelete(t *testing.T, db *store.DB) {
	tpl := createTemplate(t, db, template("t1", "tpl_1", 1))
	rev := installed("t1", "wf_1", "tpl_1")
	create(t, db, rev)
	refusal := fault.New(fault.Precondition, "precondition_failed", "no")
	wantIs(t, db.DeleteTemplate(ctx, "t1", "tpl_1", func(templates.Template) error { return refusal }), refusal)
	must(t, db.DeleteTemplate(ctx, "t1", "tpl_1", func(got templates.Template) error {
		same(t, "template", got, tpl)
		return nil
	}))
	_, err := db.Template(ctx, "t1", "tpl_1")
	wantFault(t, err, fault.NotFound, "template_not_found")
	links, err := db.Links(ctx, "t1", []string{"wf_1"})
	must(t, err)
	same(t, "links", links, map[string]templates.Link{"wf_1": {TemplateID: "tpl_1", Version: 1, Parameters: rev.Origin.Parameters}})
	createTemplate(t, db, template("t1", "tpl_1", 2)) // nothing of the old one is in the way
}

// testTemplatePages: pages follow each other without a gap or a repeat, last changed
// first; a category is not a pattern; a cursor is of its own list.
func testTemplatePages(t *testing.T, db *store.DB) {
	for i := range 7 {
		tpl := template("t1", fmt.Sprintf("tpl_%d", i), i/2)
		// A category with the characters that LIKE knows.
		if i%3 == 0 {
			tpl.Category = "odd_%"
		}
		createTemplate(t, db, tpl)
	}
	// Another tenant's newer one must not show.
	createTemplate(t, db, template("t2", "tpl_x", 9))
	want := []string{"tpl_6", "tpl_5", "tpl_4", "tpl_3", "tpl_2", "tpl_1", "tpl_0"}
	same(t, "by cursor", templatePages(t, db, templates.Query{TenantID: "t1", Limit: 3}), want)
	same(t, "category", templatePages(t, db, templates.Query{TenantID: "t1", Limit: 2, Category: "odd_%"}), []string{"tpl_6", "tpl_3", "tpl_0"})
	page, err := db.Templates(ctx, templates.Query{TenantID: "t1", Limit: 2, Offset: 5, WantTotal: true})
	must(t, err)
	same(t, "total", page.Total, 7)
	same(t, "by offset", []string{page.Templates[0].ID, page.Templates[1].ID}, want[5:])
	if page.Next != "" || page.Templates[0].Definition != nil {
		t.Errorf("the last page: next %q, definition %s", page.Next, page.Templates[0].Definition)
	}
	first, err := db.Templates(ctx, templates.Query{TenantID: "t1", Limit: 2})
	must(t, err)
	// A cursor that is none, and that of the list without the filter.
	for _, cursor := range []string{"x", first.Next} {
		_, err = db.Templates(ctx, templates.Query{TenantID: "t1", Limit: 2, Category: "other", Cursor: cursor})
		wantFault(t, err, fault.Malformed, "invalid_request")
	}
}

// templatePages walks a list by its cursors and returns the ids.
func templatePages(t *testing.T, db *store.DB, q templates.Query) []string {
	t.Helper()
	var ids []string
	for {
		page, err := db.Templates(ctx, q)
		must(t, err)
		for _, tpl := range page.Templates {
			ids = append(ids, tpl.ID)
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			return ids
		}
	}
}

// testOrigin: an origin is stored with its workflow or not at all, and only its tenant
// sees it. A template that is not stored, as the built-in ones are not, has no newest
// version.
func testOrigin(t *testing.T, db *store.DB) {
	createTemplate(t, db, template("t1", "tpl_1", 1))
	rev := installed("t1", "wf_1", "tpl_1")
	create(t, db, rev)
	// One of a template that the store does not have, and one of none.
	create(t, db, installed("t1", "wf_2", "tpl_builtin"))
	create(t, db, revision("t1", "wf_3", "wf_3", 1))
	got, err := db.Origin(ctx, "t1", "wf_1")
	must(t, err)
	same(t, "origin", got, rev.Origin)
	for _, ref := range [][2]string{{"t1", "wf_3"}, {"t2", "wf_1"}} {
		none, err := db.Origin(ctx, ref[0], ref[1])
		must(t, err)
		if none != nil {
			t.Errorf("%v has an origin", ref)
		}
	}
	links, err := db.Links(ctx, "t1", []string{"wf_1", "wf_2", "wf_3"})
	must(t, err)
	same(t, "links", links, map[string]templates.Link{
		"wf_1": {TemplateID: "tpl_1", Version: 1, Parameters: rev.Origin.Parameters, Newest: 1},
		"wf_2": {TemplateID: "tpl_builtin", Version: 1, Parameters: rev.Origin.Parameters},
	})
	// A workflow that is refused leaves no origin.
	taken := installed("t1", "wf_9", "tpl_1")
	taken.Workflow.Slug = "wf_1"
	wantFault(t, db.CreateWorkflow(ctx, taken, nil), fault.Conflict, "slug_taken")
	none, err := db.Origin(ctx, "t1", "wf_9")
	must(t, err)
	if none != nil {
		t.Error("the refused creation left an origin")
	}
}

// testOriginChange: a change may bring a new origin, and another change leaves it.
func testOriginChange(t *testing.T, db *store.DB) {
	rev := installed("t1", "wf_1", "tpl_1")
	w := create(t, db, rev)
	next := &workflows.Origin{TemplateID: "tpl_1", Version: 2, Parameters: json.RawMessage(`{}`), Definition: json.RawMessage(`{"d":2}`)}
	got, err := db.Change(ctx, "t1", "wf_1", func(c workflows.Current) (workflows.Revision, error) {
		return workflows.Revision{Workflow: c.Workflow, Origin: next}, nil
	})
	must(t, err)
	same(t, "revision", got.Revision, w.Revision+1)
	stored, err := db.Origin(ctx, "t1", "wf_1")
	must(t, err)
	same(t, "origin", stored, next)
	_, err = db.Change(ctx, "t1", "wf_1", func(c workflows.Current) (workflows.Revision, error) {
		// A change of something else.
		c.Workflow.Status = workflows.Paused
		return workflows.Revision{Workflow: c.Workflow}, nil
	})
	must(t, err)
	stored, err = db.Origin(ctx, "t1", "wf_1")
	must(t, err)
	same(t, "origin after another change", stored, next)
}

// testVersionDefinition: a definition is found by number, with and without v, by label
// and, without a reference, as the active one.
func testVersionDefinition(t *testing.T, db *store.DB) {
	rev := revision("t1", "wf_1", "one", 1)
	create(t, db, rev)
	_, err := db.Change(ctx, "t1", "one", func(c workflows.Current) (workflows.Revision, error) {
		c.Workflow.LatestVersion = 2
		return workflows.Revision{Workflow: c.Workflow, Version: &workflows.NewVersion{
			Number: 2, Label: "rc", Definition: json.RawMessage(`{"v":2}`), CreatedAt: at(2),
		}}, nil
	})
	must(t, err)
	for version, want := range map[string]string{"": string(rev.Version.Definition), "1": string(rev.Version.Definition), "v2": `{"v":2}`, "rc": `{"v":2}`} {
		got, err := db.VersionDefinition(ctx, "t1", "one", version)
		must(t, err)
		same(t, "version "+version, string(got), want)
	}
	_, err = db.VersionDefinition(ctx, "t1", "one", "3")
	wantFault(t, err, fault.NotFound, "version_not_found")
	_, err = db.VersionDefinition(ctx, "t2", "one", "1")
	wantFault(t, err, fault.NotFound, "workflow_not_found")
}
