package validation_test

import (
	"heddle/definitions/parser"
	"heddle/definitions/source"
	"heddle/fault"
	"strings"
	"testing"
)

func TestParseRequest(t *testing.T) {
	deep := strings.Repeat("[", 62) + strings.Repeat("]", 62)
	for _, c := range []struct {
		name, in string
		format   source.Format
		refused  string // issues of the error
		found    string
		rest     string
	}{
		{"json", `{"slug":"x","definition":{"name":"n","steps":[{"id":"a","type":"t"}]},"a":1}`, source.JSON, "", "", `{"a":1,"slug":"x"}`},
		{
			"inside", `{"definition":{"name":"n","name":"m","steps":[{"id":"a","type":"t","x":1,"config":{"d":1e9999}}]}}`, source.JSON, "",
			"duplicate_key /name\nunknown_field /steps/0/x\nlimit_exceeded /steps/0/config/d", `{}`,
		},
		{"outside", `{"definition":{"name":1},"x":{"a":1,"a":2}}`, source.JSON, "duplicate_key /x/a", "", ""},
		{"none", `{"definitio":1}`, source.JSON, "", "", `{"definitio":1}`},
		{"no object", `{"definition":[]}`, source.JSON, "", "wrong_type ", `{}`},
		{"yaml", "slug: x\ndefinition:\n  name: n\n  steps: [{id: a, type: t}]\n", source.YAML, "", "", `{"slug":"x"}`},
		{"yaml bare", "name: n\nsteps: [{id: a, type: t}]\n", source.YAML, "", "", `{}`},
		{"yaml bare without steps", "name: n\n", source.YAML, "", "missing_field ", `{}`},
		{"yaml bare with tasks", "name: n\ntasks: [{id: a, type: t}]\n", source.YAML, "", "unknown_field /tasks", `{}`},
		{"yaml of a list", "- {id: a, type: t}\n", source.YAML, "", "wrong_type ", `{}`},
		{"yaml of Kestra", "id: a\nnamespace: b\ntasks: []\n", source.YAML, "", "foreign_format ", `{}`},
		{"yaml of the request", "slug: x\nname: n\n", source.YAML, "", "", `{"name":"n","slug":"x"}`},
		{"yaml misspelt", "definitio: {name: n}\n", source.YAML, "", "", `{"definitio":{"name":"n"}}`},
		{"yaml of nothing", "{}\n", source.YAML, "", "", `{}`},
		{"json bare", `{"name":"n","steps":[]}`, source.JSON, "missing_field ", "", ""},
		{"json of n8n", `{"nodes":[],"connections":{}}`, source.JSON, "foreign_format ", "", ""},
		{"a Jenkinsfile", "pipeline {\n agent any\n}\n", source.YAML, "", "foreign_format ", `{}`},
		{"yaml inside", "definition:\n  name: n\n  name: m\n  steps: [{id: a, type: t, x: *y}]\nother: &y 1\n", source.YAML, "syntax ", "", ""},
		{
			"yaml twice", "other: &y 1\ndefinition:\n  name: n\n  name: m\n  steps: [{id: a, type: t, config: {x: *y}}]\n", source.YAML, "",
			"duplicate_key /name\nsyntax /steps/0/config/x", `{"other":1}`,
		},
		{"yaml outside", "slug: x\nslug: y\ndefinition: {name: n}\n", source.YAML, "duplicate_key /slug", "", ""},
		{"depth", `{"definition":{"name":"n","output":{"a":` + deep + `},"steps":[{"id":"a","type":"t"}]}}`, source.JSON, "", "", `{}`},
		{"depth yaml", `{"definition":{"name":"n","output":{"a":` + deep + `},"steps":[{"id":"a","type":"t"}]}}`, source.YAML, "", "", `{}`},
	} {
		req, ds, err := parser.ParseRequest([]byte(c.in), c.format, "definition", "slug")
		refused := ""
		if err != nil {
			refused = found(err.(*fault.Error).Issues)
		}
		if err != nil {
			req.Rest = nil
		}
		if refused != c.refused || found(ds) != c.found || string(req.Rest) != c.rest {
			t.Errorf("%s: refused %q, found %q, rest %s", c.name, refused, found(ds), req.Rest)
		}
		asked := strings.Contains(c.in, "steps") || found(ds) != ""
		if err == nil && req.Given != asked && c.name != "no object" {
			t.Errorf("%s: given %v", c.name, req.Given)
		}
	}
}
