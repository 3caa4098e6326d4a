package api_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// document is the served OpenAPI document, against which every answer of these
// tests is checked.
type document struct {
	mu       sync.Mutex // over compiled, and the compiler
	compiler *jsonschema.Compiler
	paths    map[string]map[string]operation
	compiled map[string]*jsonschema.Schema
}

type operation struct {
	OperationID string
	Responses   map[string]struct {
		Description string
		Content     map[string]json.RawMessage
	}
}

const docURL = "https://example.invalid/openapi.json"

// documents are those that were read, by their texts: every stack serves the same.
var documents sync.Map

func readDocument(t testing.TB, text string) *document {
	t.Helper()
	if d, ok := documents.Load(text); ok {
		return d.(*document)
	}
	root, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	d := &document{compiler: jsonschema.NewCompiler(), compiled: map[string]*jsonschema.Schema{}}
	d.compiler.AssertFormat()
	if err := d.compiler.AddResource(docURL, root); err != nil {
		t.Fatal(err)
	}
	var parsed struct {
		Paths map[string]map[string]operation
	}
	if err := json.Unmarshal([]byte(text), &parsed); err != nil {
		t.Fatal(err)
	}
	d.paths = parsed.Paths
	documents.Store(text, d)
	return d
}

// check fails the test when the document does not describe this answer.
func (d *document) check(t testing.TB, r request, got response) {
	t.Helper()
	if got.header.Get("X-Request-Id") == "" {
		t.Errorf("%s %s: no request id", r.method, r.path)
	}
	path, op, found := d.find(r)
	if !found || got.status == http.StatusMethodNotAllowed {
		d.validate(t, r, "#/components/schemas/ProblemBody", got.body)
		return
	}
	status := strconv.Itoa(got.status)
	answer, ok := op.Responses[status]
	if !ok {
		t.Errorf("%s %s: %s is not documented: %s", r.method, path, status, got.body)
		return
	}
	if got.status >= http.StatusBadRequest && r.method != http.MethodHead {
		var problem struct{ Code string }
		if err := json.Unmarshal([]byte(got.body), &problem); err != nil || !slices.Contains(strings.Split(answer.Description, ", "), problem.Code) {
			t.Errorf("%s %s: %s with the code %s is not documented, only %s", r.method, path, status, problem.Code, answer.Description)
		}
	}
	media, _, _ := strings.Cut(got.header.Get("Content-Type"), ";")
	if len(answer.Content) == 0 {
		if got.body != "" {
			t.Errorf("%s %s: %s has a body that is not documented", r.method, path, status)
		}
		return
	}
	if _, ok := answer.Content[media]; !ok {
		t.Errorf("%s %s: %s is sent as %q", r.method, path, status, media)
		return
	}
	if media == "application/x-ndjson" && r.method != http.MethodHead {
		for line := range strings.Lines(got.body) {
			d.validate(t, r, "#/paths/"+token(path)+"/"+strings.ToLower(r.method)+"/responses/"+status+"/content/"+token(media)+"/schema", line)
		}
		return
	}
	if got.status == http.StatusPartialContent {
		return // a part of a JSON text is none
	}
	if strings.HasSuffix(media, "json") && r.method != http.MethodHead {
		d.validate(t, r, "#/paths/"+token(path)+"/"+strings.ToLower(r.method)+"/responses/"+status+"/content/"+token(media)+"/schema", got.body)
	}
}

// find matches a request's path with a template; fixed parts win.
func (d *document) find(r request) (path string, op operation, found bool) {
	u, err := url.Parse(r.path)
	if err != nil {
		return "", operation{}, false
	}
	best := -1
	for template, methods := range d.paths {
		fixed, ok := matches(template, strings.TrimSuffix(u.EscapedPath(), "/"))
		method := strings.ToLower(r.method)
		if method == "head" {
			method = "get"
		}
		if o, has := methods[method]; ok && has && fixed > best {
			path, op, found, best = template, o, true, fixed
		}
	}
	return path, op, found
}

func matches(template, path string) (fixed int, ok bool) {
	want, have := strings.Split(template, "/"), strings.Split(path, "/")
	if template == "/" {
		want = []string{""}
	}
	if len(want) != len(have) {
		return 0, false
	}
	for i := range want {
		if strings.HasPrefix(want[i], "{") && have[i] != "" {
			continue
		}
		if word, err := url.PathUnescape(have[i]); err != nil || want[i] != word {
			return 0, false
		}
		fixed++
	}
	return fixed, true
}

func (d *document) validate(t testing.TB, r request, pointer, body string) {
	t.Helper()
	schema, err := d.schema(pointer)
	if err != nil {
		t.Errorf("%s: %v", pointer, err)
		return
	}
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(body))
	if err != nil {
		t.Errorf("%s %s: the answer is not JSON: %s", r.method, r.path, body)
		return
	}
	if err := schema.Validate(value); err != nil {
		t.Errorf("%s %s: not as documented: %v\n%s", r.method, r.path, err, body)
	}
}

// schema compiles a part of the document once; requests may come at once.
func (d *document) schema(pointer string) (*jsonschema.Schema, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if s := d.compiled[pointer]; s != nil {
		return s, nil
	}
	s, err := d.compiler.Compile(docURL + pointer)
	if err == nil {
		d.compiled[pointer] = s
	}
	return s, err
}

// token escapes a key for a JSON pointer in a URL's fragment.
func token(key string) string {
	return url.PathEscape(strings.NewReplacer("~", "~0", "/", "~1").Replace(key))
}
