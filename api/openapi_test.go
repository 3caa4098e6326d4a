package api

import (
	"encoding/json"
	"heddle/api/core"
	"heddle/api/openapi"
	"heddle/definitions/workflows"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func TestTheTableIsWhole(t *testing.T) {
	known := map[string]bool{}
	for _, c := range openapi.Codes() {
		if known[c.Code] || c.Description == "" {
			t.Errorf("code %s is there twice or says nothing", c.Code)
		}
		known[c.Code] = true
	}
	ids := map[string]bool{}
	for _, r := range routesAlone() {
		if r.ID == "" || ids[r.ID] || r.Summary == "" || r.Tag == "" || len(r.Answers) == 0 || r.Serve == nil {
			t.Errorf("%s %s is not described, or its id %q is another's", r.Method, r.Path, r.ID)
		}
		ids[r.ID] = true
		for _, code := range append(r.Codes, openapi.CommonCodes(&r)...) {
			if !known[code] {
				t.Errorf("%s names the unknown code %s", r.ID, code)
			}
		}
		if (r.Request != nil) != (r.Body != core.BodyNone) {
			t.Errorf("%s: body rule %d, request %v", r.ID, r.Body, r.Request)
		}
		if r.On == core.OnWorkflow && !strings.Contains(r.Path, "{id}") || r.On == core.OnRun && !strings.Contains(r.Path, "{run_id}") {
			t.Errorf("%s is authorised on an object that its path does not name", r.ID)
		}
		if r.Action == "" && !slices.Contains([]string{"front", "docs", "getOpenAPI", "getDefinitionSchema", "healthz", "readyz", "metrics", "createSession", "getSignInMethods", "beginSignIn", "completeSignIn"}, r.ID) {
			t.Errorf("%s needs no key", r.ID)
		}
		if r.Method == http.MethodGet && r.Action != "view" && r.Action != "" && r.Tag != "access" {
			t.Errorf("%s: a GET asks for %s", r.ID, r.Action)
		}
	}
}

// A struct whose names are kept in two places would drift.
func TestRequestFieldsHaveNames(t *testing.T) {
	for _, r := range routesAlone() {
		if r.Request == nil {
			continue
		}
		seen := map[string]bool{}
		_, names := core.FieldsOf(r.Request) // those of embedded structs too
		for _, name := range names {
			if name == "" || seen[name] {
				t.Errorf("%s: a field has no JSON name of its own, but %q", r.Request, name)
			}
			seen[name] = true
		}
	}
	fields, names := core.FieldsOf(reflect.TypeFor[struct {
		Input   string `json:"input_data"`
		Trigger string `json:"trigger,omitempty"`
		Version int    `json:"version,omitempty"`
	}]())
	if !slices.Equal(names, []string{"input_data", "trigger", "version"}) || fields["version"][0] != 2 {
		t.Errorf("%v %v", fields, names)
	}
}

func TestTheDocumentIsComplete(t *testing.T) {
	var doc struct {
		OpenAPI    string
		Paths      map[string]map[string]map[string]any
		Components struct{ Schemas map[string]map[string]any }
	}
	text := openapi.Describe(routesAlone(), "1.2.3")
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	if doc.OpenAPI != "3.1.0" {
		t.Errorf("openapi %q", doc.OpenAPI)
	}
	for _, r := range routesAlone() {
		op := doc.Paths[r.Path][strings.ToLower(r.Method)]
		if op["operationId"] != r.ID {
			t.Errorf("%s %s: %v", r.Method, r.Path, op["operationId"])
		}
	}
	for name, schema := range doc.Components.Schemas {
		if schema["type"] != "object" {
			t.Errorf("component %s: %v", name, schema)
		}
	}
	for part := range strings.SplitSeq(string(text), `"$ref": "#/components/schemas/`) {
		name, _, _ := strings.Cut(part, `"`)
		if _, ok := doc.Components.Schemas[name]; !ok && !strings.HasPrefix(part, "{") {
			t.Errorf("a reference to %s, which is not there", name)
		}
	}
}

// What the linters of .ci/openapi require of every document, without them.
func TestTheDocumentSaysWhatEachPartIs(t *testing.T) {
	var doc struct {
		Info struct {
			License struct{ Name, Identifier string }
			Contact struct{ Name string }
		}
		Tags  []struct{ Name, Description string }
		Paths map[string]map[string]struct {
			OperationID, Description string
			Tags                     []string
			Parameters               []struct{ Name, In, Description string }
			Responses                map[string]any
		}
	}
	text := openapi.Describe(routesAlone(), "1.2.3")
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	if doc.Info.License.Identifier == "" || doc.Info.License.Name == "" || doc.Info.Contact.Name == "" {
		t.Errorf("no licence or contact: %+v", doc.Info)
	}
	tags := map[string]bool{}
	for _, tag := range doc.Tags {
		tags[tag.Name] = tag.Description != ""
	}
	ids := map[string]bool{}
	for path, item := range doc.Paths {
		for method, op := range item {
			if op.Description == "" || ids[op.OperationID] || len(op.Tags) != 1 || !tags[op.Tags[0]] {
				t.Errorf("%s %s: id %q, tags %v, description %q", method, path, op.OperationID, op.Tags, op.Description)
			}
			ids[op.OperationID] = true
			for _, p := range op.Parameters {
				if p.Description == "" {
					t.Errorf("%s %s: %s %s says nothing", method, path, p.In, p.Name)
				}
			}
			if !slices.ContainsFunc(slices.Collect(maps.Keys(op.Responses)), func(status string) bool { return status[0] == '4' }) {
				t.Errorf("%s %s: no refusal", method, path)
			}
		}
	}
	var root any
	if err := json.Unmarshal(text, &root); err != nil {
		t.Fatal(err)
	}
	eachArray(root, "", func(pointer string, schema map[string]any) {
		if schema["items"] == nil {
			t.Errorf("%s: an array of what?", pointer)
		}
	})
	for name := range root.(map[string]any)["components"].(map[string]any)["schemas"].(map[string]any) {
		if !strings.Contains(string(text), `"#/components/schemas/`+name+`"`) {
			t.Errorf("the component %s is not used", name)
		}
	}
}

// eachArray visits the schemas of arrays below a value.
func eachArray(value any, pointer string, visit func(pointer string, schema map[string]any)) {
	switch v := value.(type) {
	case []any:
		for i, e := range v {
			eachArray(e, pointer+"/"+strconv.Itoa(i), visit)
		}
	case map[string]any:
		kinds, _ := v["type"].([]any)
		if v["type"] == "array" || slices.Contains(kinds, any("array")) {
			visit(pointer, v)
		}
		for name, e := range v {
			eachArray(e, pointer+"/"+name, visit)
		}
	}
}

// Paths such as /api/workflows/{id}/runs and /api/workflows/runs/{run_id} fit
// the same requests; they are distinct, since no slug is such a segment.
func TestNoSlugIsASegmentOfAPath(t *testing.T) {
	seen := 0
	for _, r := range routesAlone() {
		rest, below := strings.CutPrefix(r.Path, core.WorkflowsBase+"/")
		segment, _, _ := strings.Cut(rest, "/")
		if !below || strings.HasPrefix(segment, "{") {
			continue
		}
		seen++
		if workflows.CheckSlug(segment) == nil {
			t.Errorf("%s %s: a workflow may have the slug %s", r.Method, r.Path, segment)
		}
	}
	if seen == 0 {
		t.Error("no path was looked at")
	}
}

// The document is made once for all handlers, with the version of each.
func TestTheDocumentIsOfItsVersion(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"1.2.3", `a "quoted" <one>`} {
		var doc struct{ Info struct{ Version string } }
		text := documentOf(version)
		if err := json.Unmarshal(text, &doc); err != nil || doc.Info.Version != version {
			t.Errorf("%q reads %q: %v", version, doc.Info.Version, err)
		}
		if strings.Contains(string(text), openapi.VersionMark) {
			t.Errorf("%q: the mark is left", version)
		}
	}
}
