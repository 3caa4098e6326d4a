package openapi

import (
	"heddle/api/core"
	"heddle/fault"
	"heddle/internal/typeschema"
	"heddle/schedules"
	"heddle/versions"
	"reflect"
	"strings"
	"time"
)

// dict is a JSON object of the document under construction.
type dict = map[string]any

// describer is a type of a field that decodes itself and so says what it takes:
// the members of a JSON Schema, which the caller may add to.
type describer interface{ JSONSchema() map[string]any }

// schemas turns the Go types of requests and answers into JSON Schemas, one component per struct.
// It makes one document and is not safe for concurrent use.
type schemas struct {
	typeschema.Generator
	// examples are those that were recorded, by operation id.
	examples map[string]example // by operation
}

// newSchemas returns a generator without components, with the recorded examples.
func newSchemas() *schemas {
	s := &schemas{examples: readExamples()}
	s.Generator = typeschema.Generator{
		// A pointer may be null, as Go encodes it.
		Refs: "#/components/schemas/", Components: dict{}, Nullable: true,
		Name: componentName, Type: specialSchema, Field: s.field, Struct: openEnded,
	}
	return s
}

// componentNames are the names under which types of other packages were first published. They are
// part of the API, since generators of typed clients name their types after them; the Go types
// may be renamed. Never changed.
var componentNames = map[reflect.Type]string{
	// Each was published under the name on the right.
	reflect.TypeFor[fault.Issue]():             "Diagnostic",
	reflect.TypeFor[versions.ImportedLine]():   "Arrival",
	reflect.TypeFor[versions.BreakingChange](): "Breaking",
	reflect.TypeFor[schedules.CatchUpPatch]():  "CatchUpRequest",
}

// componentName returns the Go name in upper camel case, by which generators of typed clients
// name their types. Two types of the API must not have the same name.
func componentName(t reflect.Type) string {
	// A published name stays, whatever the type is called.
	if published := componentNames[t]; published != "" {
		return published
	}
	return strings.ToUpper(t.Name()[:1]) + t.Name()[1:]
}

// specialSchema returns the schema of a type whose JSON is not that of its Go kind: a time, a
// type that describes itself, a map; nil for all others.
func specialSchema(t reflect.Type) dict {
	switch t {
	case reflect.TypeFor[core.Timestamp](), reflect.TypeFor[time.Time]():
		return dict{"type": "string", "format": "date-time"}
	case reflect.TypeFor[core.AnyObject]():
		return dict{"type": "object"}
	}
	// The pointer's element is described when its own schema is made.
	if t.Kind() == reflect.Pointer {
		return nil
	}
	if own, ok := reflect.TypeAssert[describer](reflect.Zero(t)); ok {
		return own.JSONSchema()
	}
	// Keys are data; their values are described in words.
	if t.Kind() == reflect.Map {
		return dict{"type": "object"}
	}
	return nil
}

// openEnded lets an error's details hold more than its fields, which the envelope has beside
// them.
func openEnded(t reflect.Type, s dict) {
	if t == reflect.TypeFor[core.ProblemBody]() {
		// The schema says false for every struct.
		delete(s, "additionalProperties")
	}
}

// field returns the schema of a field with the tags that only this document has: kind (the JSON
// type, or patch for a JSON Patch) and words (the states of a dialect, of a field or the items of
// a list):
//
//	Input  json.RawMessage `json:"input" kind:"object"`   → {"type": "object"}
//	Status string          `json:"status" words:"runs"`   → {"type": "string", "enum": [queued, …]}
func (s *schemas) field(f reflect.StructField, schema dict) dict {
	switch kind := f.Tag.Get("kind"); kind {
	case "":
	case "patch":
		schema = dict{"type": "array", "items": s.Of(reflect.TypeFor[PatchOperation]())}
	default:
		schema["type"] = kind
	}
	if dialect := f.Tag.Get("words"); dialect != "" {
		of := schema
		// Of a list the items have the words.
		if items, ok := schema["items"].(dict); ok {
			of = items
		}
		of["enum"] = core.Vocabulary(core.DialectNamed(dialect))
	}
	return schema
}

// PatchOperation describes an element of a JSON Patch (RFC 6902) that this API answers.
type PatchOperation struct {
	Op    string `json:"op" enum:"add,remove,replace,move"`
	Path  string `json:"path" doc:"A JSON pointer (RFC 6901)."`
	From  string `json:"from,omitempty" doc:"A JSON pointer; only of move."`
	Value any    `json:"value,omitempty" doc:"Only of add and replace."`
}
