package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"heddle/client"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// notForPrograms are the operations that the Go client has no method for, and why.
var notForPrograms = map[string]string{
	"front": "a page for people", "docs": "a page for people",
	"createSession": "a browser's cookie", "deleteSession": "a browser's cookie",
	"getSignInMethods": "a browser's sign-in", "beginSignIn": "a browser's sign-in", "completeSignIn": "a browser's sign-in",
}

// otherAnswer are methods whose answer is not the one that the examples of their operation show,
// as that of a dry run is not.
var otherAnswer = []string{
	"Workflows.PreviewUpdate", "Versions.PreviewPublish", "Versions.PreviewRollback", "Templates.PreviewInstall", "Runs.View",
	"Schedules.PreviewBackfill", "Jobs.PreviewRuns", "Jobs.ChangeSchedules", "Jobs.PreviewWorkflows", "Drafts.AllOfWorkflow",
	"Drafts.EachOfWorkflow", "Runs.PreviewResume", "Runs.Resume",
}

// shorthands take or return a part of what their operation does, in a form of their own; another
// method does the whole.
var shorthands = []string{"Workflows.Add", "Runs.StartWith", "Versions.Source"}

// clientCall is what a method of the client sent to a server that answers anything.
type clientCall struct {
	operation string
	query     []string
	body      string
	key       bool // it had an Idempotency-Key
}

// clientServer answers every operation with its recorded example, and records what was sent.
type clientServer struct {
	paths    map[string]map[string]documentOperation
	examples map[string]struct {
		Request json.RawMessage            `json:"request"`
		Answers map[string]json.RawMessage `json:"answers"`
	}
	last clientCall
	// empty: answers are empty objects.
	empty bool
}

// documentOperation is what the document says of an operation.
type documentOperation struct {
	ID         string `json:"operationId"`
	Parameters []struct {
		Name, In string
	}
}

// The Go client has a method for each operation of the document, which sends what the example of
// the operation shows and reads all of what it answers. An operation that is new needs a method in
// client, and a new field of a body one in its type there.
func TestTheClientHasEveryOperation(t *testing.T) {
	s := newStack(t)
	var document struct {
		Paths map[string]map[string]documentOperation
	}
	if err := json.Unmarshal([]byte(s.get("/openapi.json").want(t, http.StatusOK).body), &document); err != nil {
		t.Fatal(err)
	}
	srv := newClientServer(t, document.Paths)
	server := httptest.NewServer(srv)
	t.Cleanup(server.Close)
	c := client.New(server.URL, "a key")
	has := map[string]bool{}
	for name, service := range servicesOf(c) {
		for i := range service.NumMethod() {
			method := name + "." + service.Type().Method(i).Name
			op := srv.try(t, method, service.Method(i), document.Paths)
			has[op] = true
		}
	}
	for _, item := range document.Paths {
		for _, op := range item {
			if why, none := notForPrograms[op.ID]; none == has[op.ID] {
				t.Errorf("operation %s: the client has a method: %t; it has none on purpose: %q", op.ID, has[op.ID], why)
			}
		}
	}
}

// servicesOf returns the services of a client by the names of its fields.
func servicesOf(c *client.Client) map[string]reflect.Value {
	all := map[string]reflect.Value{}
	for i := range reflect.TypeFor[client.Client]().NumField() {
		if f := reflect.TypeFor[client.Client]().Field(i); f.IsExported() {
			all[f.Name] = reflect.ValueOf(c).Elem().Field(i)
		}
	}
	return all
}

func newClientServer(t *testing.T, paths map[string]map[string]documentOperation) *clientServer {
	t.Helper()
	s := &clientServer{paths: paths}
	text, err := os.ReadFile(examplesFile)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &s.examples); err != nil {
		t.Fatal(err)
	}
	return s
}

// ServeHTTP answers the operation whose path fits best: of two, the one with a fixed segment where
// the other has a parameter.
func (s *clientServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	best, operation := "", ""
	for path, item := range s.paths {
		form, fits := formOf(path, r.URL.Path)
		if op, there := item[strings.ToLower(r.Method)]; there && fits && form > best {
			best, operation = form, op.ID
		}
	}
	if operation == "" {
		http.NotFound(w, r)
		return
	}
	s.answer(w, r, operation)
}

// formOf reports whether a path fits a template, and returns which of its segments are fixed: as
// texts, forms with fixed segments further on the left come last.
func formOf(template, path string) (form string, fits bool) {
	want, got := strings.Split(template, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return "", false
	}
	for i := range want {
		switch {
		case want[i] == got[i]:
			form += "1"
		case strings.HasPrefix(want[i], "{"):
			form += "0"
		default:
			return "", false
		}
	}
	return form, true
}

// answer sends the example of the operation, as a stream where the client asks for one, and keeps
// what was sent.
func (s *clientServer) answer(w http.ResponseWriter, r *http.Request, operation string) {
	body, _ := io.ReadAll(r.Body)
	s.last = clientCall{operation: operation, body: string(body), key: r.Header.Get("Idempotency-Key") != ""}
	for name := range r.URL.Query() {
		s.last.query = append(s.last.query, name)
	}
	text := json.RawMessage("{}")
	if !s.empty {
		text = s.example(operation)
	}
	if r.Header.Get("Accept") == "text/event-stream" {
		var line bytes.Buffer
		if json.Compact(&line, text) != nil {
			line.WriteString("{}")
		}
		fmt.Fprintf(w, "id: 1\nevent: run_completed\ndata: %s\n\nid: 2\nevent: end\ndata: {}\n\n", line.Bytes())
		return
	}
	if len(text) == 0 {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	_, _ = w.Write(text)
}

// example returns the one success that the examples show; empty: none with a body.
func (s *clientServer) example(operation string) json.RawMessage {
	for _, status := range []string{"200", "201", "202"} {
		if text := s.examples[operation].Answers[status]; len(text) > 0 {
			return text
		}
	}
	return nil
}

// try calls a method twice, first to learn its operation, then with the example's body, and holds
// what was sent and what it returned against the document and the example.
func (s *clientServer) try(t *testing.T, name string, method reflect.Value, paths map[string]map[string]documentOperation) string {
	t.Helper()
	s.empty, s.last = true, clientCall{}
	callWith(method, nil)
	op := s.last.operation
	if op == "" {
		t.Errorf("%s sent nothing that an operation takes", name)
		return ""
	}
	if s.empty = false; slices.Contains(shorthands, name) {
		return op
	}
	args, result := callWith(method, s.examples[op].Request)
	if frame, ok := result.(client.Frame); ok {
		result, _ = frame.Decode() // what it lacks then is said below
	}
	if want := s.examples[op].Request; len(want) > 0 && !strings.HasPrefix(name, "Jobs.Preview") && op != "importWorkflows" && s.last.body != "" {
		if diff := lacks("", jsonOf(t, string(want)), jsonOf(t, s.last.body)); diff != "" {
			t.Errorf("%s does not send what the example of %s has: %s\n%s", name, op, diff, s.last.body)
		}
	}
	if want := s.example(op); len(want) > 0 && want[0] == '{' && result != nil && !slices.Contains(otherAnswer, name) {
		if diff := lacksAll(t, jsonOf(t, string(want)), result); diff != "" {
			t.Errorf("%s does not return what the example of %s has: %s", name, op, diff)
		}
	}
	for _, item := range paths {
		for _, documented := range item {
			if documented.ID == op {
				s.holds(t, name, documented, args)
			}
		}
	}
	return op
}

// holds holds the method's parameters against those of the operation.
func (s *clientServer) holds(t *testing.T, name string, op documentOperation, args []reflect.Value) {
	t.Helper()
	known := slices.Clone(s.last.query)
	takesQuery := false
	for _, a := range args {
		if a.Kind() == reflect.Struct {
			if names := queryNames(a.Type()); len(names) > 0 {
				takesQuery = true
				known = append(known, names...)
			}
		}
	}
	for _, p := range op.Parameters {
		if p.Name == "Idempotency-Key" && !s.last.key && !strings.Contains(name, "Preview") && op.ID != "importWorkflows" {
			t.Errorf("%s sends no Idempotency-Key, which %s takes", name, op.ID)
		}
		// reason and dry_run are options and methods of their own; the others are in a query type.
		if p.In != "query" || !takesQuery || slices.Contains([]string{"reason", "dry_run", "format", "view"}, p.Name) {
			continue
		}
		if !slices.Contains(known, strings.TrimSuffix(p.Name, "KEY")) && p.Name != "status" {
			t.Errorf("%s cannot send the parameter %s of %s", name, p.Name, op.ID)
		}
	}
	for _, param := range known {
		documented := func(p struct{ Name, In string }) bool { return strings.TrimSuffix(p.Name, "KEY") == param }
		if !slices.ContainsFunc(op.Parameters, documented) {
			t.Errorf("%s has the parameter %s, which %s does not take", name, param, op.ID)
		}
	}
}

// queryNames returns the names of the query parameters that a struct holds.
func queryNames(of reflect.Type) []string {
	var names []string
	for f := range of.Fields() {
		if name := f.Tag.Get("query"); name != "" {
			names = append(names, name)
		} else if f.Anonymous && f.Type.Kind() == reflect.Struct {
			names = append(names, queryNames(f.Type)...)
		}
	}
	return names
}

// callWith calls a method with arguments made of the body: structs are decoded from it, texts are
// its reason, or a name. It returns them and the first result, nil where that is an error, with an
// iterator read to its end.
func callWith(method reflect.Value, body json.RawMessage) (args []reflect.Value, result any) {
	in := method.Type()
	var said struct{ Reason, Value string }
	_ = json.Unmarshal(body, &said)
	for i := range in.NumIn() {
		if in.IsVariadic() && i == in.NumIn()-1 {
			break
		}
		v := reflect.New(in.In(i)).Elem()
		switch in.In(i).Kind() {
		case reflect.String:
			v.SetString("a")
			if i == in.NumIn()-2 && said.Reason+said.Value != "" {
				v.SetString(said.Reason + said.Value)
			}
		case reflect.Struct:
			_ = json.Unmarshal(body, v.Addr().Interface())
		case reflect.Slice:
			var whole map[string]json.RawMessage
			_ = json.Unmarshal(body, &whole)
			_ = json.Unmarshal(whole["instances"], v.Addr().Interface())
		case reflect.Func:
			v = reflect.MakeFunc(in.In(i), func([]reflect.Value) []reflect.Value { return []reflect.Value{reflect.Zero(reflect.TypeFor[error]())} })
		case reflect.Interface:
			if in.In(i) == reflect.TypeFor[context.Context]() {
				v = reflect.ValueOf(context.Background())
			} else {
				v = reflect.ValueOf(strings.NewReader("{}"))
			}
		}
		args = append(args, v)
	}
	out := method.Call(args)[0]
	if out.Kind() == reflect.Func { // an iterator
		for item, err := range out.Seq2() {
			if err.IsNil() {
				result = item.Interface()
			}
			return args, result
		}
		return args, nil
	}
	if closer, ok := reflect.TypeAssert[io.Closer](out); ok {
		_ = closer.Close()
		return args, nil
	}
	if out.Type() == reflect.TypeFor[error]() || out.Kind() == reflect.Pointer && out.IsNil() {
		return args, nil
	}
	return args, out.Interface()
}

// lacksAll returns what of an example the result of a method does not have: of the whole, or of
// one member of it, or of an item of one member.
func lacksAll(t *testing.T, want any, result any) string {
	t.Helper()
	text, err := json.Marshal(result)
	if err != nil {
		t.Fatal(err)
	}
	got := jsonOf(t, string(text))
	if page, ok := got.(map[string]any); ok && page["Items"] != nil {
		got = page["Items"]
	}
	first := lacks("", want, got)
	if first == "" {
		return ""
	}
	for name, part := range want.(map[string]any) {
		if lacks(name, part, got) == "" {
			return ""
		}
		list, isList := part.([]any)
		if isList && len(list) > 0 && lacks(name, list[0], got) == "" {
			return ""
		}
		switch part.(type) {
		case map[string]any:
			first = lacks(name, part, got)
		case []any:
			if _, whole := got.([]any); whole {
				first = lacks(name, part, got)
			} else if isList && len(list) > 0 {
				first = lacks(name+"/0", list[0], got)
			}
		}
	}
	return first
}

// lacks returns where a value lacks what another has, or has it otherwise; "": nowhere. It may
// have more.
func lacks(at string, want, got any) string {
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			return at + " is not an object"
		}
		for name, value := range w {
			if _, there := g[name]; !there && value != nil && value != "" {
				return at + "/" + name + " is missing"
			} else if diff := lacks(at+"/"+name, value, g[name]); diff != "" {
				return diff
			}
		}
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			return at + " is not such a list"
		}
		for i := range w {
			if diff := lacks(fmt.Sprintf("%s/%d", at, i), w[i], g[i]); diff != "" {
				return diff
			}
		}
	case nil:
		if got != nil {
			return at + " is not null"
		}
	default:
		if plain(want) != plain(got) {
			return fmt.Sprintf("%s is %v and not %v", at, got, want)
		}
	}
	return ""
}

// plain returns a text, number or boolean as it is compared: a time has several forms of the same
// instant, and a version may be a number or a text.
func plain(v any) string {
	text := fmt.Sprint(v)
	if at, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return at.UTC().String()
	}
	return text
}

func jsonOf(t *testing.T, text string) any {
	t.Helper()
	if text == "" {
		return nil
	}
	var v any
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	if err := dec.Decode(&v); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return v
}
