package templates_test

import (
	"heddle/definitions"
	"heddle/steps"
	"heddle/templates"
	"regexp"
	"testing"
)

// catalog has the real step types.
func catalog(t *testing.T) definitions.Catalog {
	t.Helper()
	r := steps.Default(steps.Deps{})
	t.Cleanup(r.Close)
	return r
}

func builtins(t *testing.T) []templates.Template {
	t.Helper()
	list, err := templates.Builtins()
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestBuiltinsAreSound(t *testing.T) {
	list := builtins(t)
	if len(list) < 10 {
		t.Errorf("%d built-in templates", len(list))
	}
	idForm := regexp.MustCompile(`^tpl_[0-9a-f]{24}$`)
	seen := map[string]bool{}
	for _, b := range list {
		t.Run(b.Name, func(t *testing.T) {
			if !idForm.MatchString(b.ID) || seen[b.ID] || seen[b.Name] {
				t.Errorf("id %q, name %q", b.ID, b.Name)
			}
			seen[b.ID], seen[b.Name] = true, true
			if b.Description == "" || b.Category == "" || b.Version < 1 || !b.Builtin || b.TenantID != "" {
				t.Errorf("%+v", b)
			}
			for _, issue := range templates.Validate(b, catalog(t)) {
				t.Errorf("%s at %s: %s", issue.Severity, issue.Pointer, issue.Message)
			}
		})
	}
}
