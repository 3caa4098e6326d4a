package templates_test

import (
	"encoding/json"
	"fmt"
	"heddle/definitions/parser"
	"heddle/definitions/source"
	"heddle/definitions/workflows"
	"heddle/fault"
	"heddle/templates"
	"strings"
	"testing"
)

func written(text string) *parser.ParsedDefinition {
	doc, found := parser.Parse([]byte(text), source.JSON)
	return &parser.ParsedDefinition{Document: doc, Found: found}
}

// pattern creates a template of the tenant's own whose step waits for n seconds.
func (s *stack) pattern(seconds int) templates.Template {
	s.t.Helper()
	tpl, err := s.templates.Create(s.t.Context(), templates.CreateRequest{
		TenantID: tenant, Name: "Nap", Source: templates.Source{Definition: written(napping("Nap", seconds))},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return tpl
}

func napping(name string, seconds int) string {
	return fmt.Sprintf(`{"name":%q,"steps":[{"id":"nap","type":"wait","config":{"seconds":%d}}]}`, name, seconds)
}

// renew stores the template's next version.
func (s *stack) renew(tpl templates.Template, seconds int) {
	s.t.Helper()
	if _, err := s.templates.Update(s.t.Context(), templates.UpdateRequest{
		TenantID: tenant, ID: tpl.ID, Source: templates.Source{Definition: written(napping("Nap", seconds))},
	}); err != nil {
		s.t.Fatal(err)
	}
}

func (s *stack) installOwn(tpl templates.Template) workflows.Workflow {
	s.t.Helper()
	w, err := s.templates.Install(s.t.Context(), templates.InstallRequest{TenantID: tenant, TemplateID: tpl.ID})
	if err != nil {
		s.t.Fatal(err)
	}
	return w
}

func (s *stack) edit(w workflows.Workflow, text string) {
	s.t.Helper()
	if _, err := s.definitions.Update(s.t.Context(), workflows.UpdateRequest{TenantID: tenant, Ref: w.ID, Definition: written(text), Publish: true}); err != nil {
		s.t.Fatal(err)
	}
}

func TestAnEditThatOvertakesAMergeIsMergedToo(t *testing.T) {
	s := newStack(t)
	tpl := s.pattern(1)
	w := s.installOwn(tpl)
	s.renew(tpl, 2)
	s.meanwhile = func() { s.edit(w, napping("Mine", 1)) }
	got, err := s.templates.MergeUpdate(t.Context(), templates.MergeRequest{TenantID: tenant, Ref: w.ID})
	if err != nil || got.Version != 3 || got.From != 1 || got.To != 2 {
		t.Fatalf("%+v %v", got, err)
	}
	stored, err := s.db.VersionDefinition(t.Context(), tenant, w.ID, "3")
	if err != nil || !strings.Contains(string(stored), `"name":"Mine"`) || !strings.Contains(string(stored), `"seconds":2`) {
		t.Errorf("%s %v", stored, err)
	}
	s.renew(tpl, 3)
	s.meanwhile = func() { s.edit(w, napping("Other", 2)) }
	_, err = s.templates.MergeUpdate(t.Context(), templates.MergeRequest{TenantID: tenant, Ref: w.ID, IfMatch: workflows.IfMatch{got.Workflow.Revision}})
	if fault.CodeOf(err) != "precondition_failed" {
		t.Errorf("with If-Match: %v", err)
	}
}

func TestABuiltinOfALaterProgramIsAnUpdate(t *testing.T) {
	s := newStack(t)
	b := s.builtin("Fetch and notify")
	w := s.install(b.Name, params{"source_url": "/a", "notify_url": "/b"})
	links, err := s.templates.Links(t.Context(), tenant, w.ID)
	if err != nil || links[w.ID].UpdateAvailable != 0 || links[w.ID].Version != b.Version {
		t.Fatalf("%+v %v", links, err)
	}
	// As an earlier version of the program left it.
	_, err = s.db.Change(t.Context(), tenant, w.ID, func(c workflows.Current) (workflows.Revision, error) {
		return workflows.Revision{Workflow: c.Workflow, Origin: &workflows.Origin{
			TemplateID: b.ID, Version: 0, Parameters: links[w.ID].Parameters, Definition: json.RawMessage(napping("Old", 1)),
		}}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	links, err = s.templates.Links(t.Context(), tenant, w.ID)
	if err != nil || links[w.ID].UpdateAvailable != b.Version {
		t.Errorf("%+v %v", links, err)
	}
}
