package typeschema_test

import (
	"encoding/json"
	"fmt"
	"heddle/internal/typeschema"
	"reflect"
	"testing"
	"time"
)

type base struct {
	ID string `json:"id" minLength:"1" pattern:"^[a-z]+$"`
}

type tree struct {
	base
	At       time.Time         `json:"at"`
	Kinds    []string          `json:"kinds,omitempty" enum:"a,b" doc:"What it is."`
	Times    int               `json:"times,omitempty" minimum:"1" maximum:"9" default:"2"`
	Mode     string            `json:"mode,omitzero" default:"fast"`
	Share    float64           `json:"share"`
	On       *bool             `json:"on"`
	Off      *bool             `json:"off,omitempty"`
	Any      json.RawMessage   `json:"any"`
	Else     any               `json:"else"`
	Labels   map[string]string `json:"labels"`
	Children []tree            `json:"children" minItems:"1"`
	Parent   *tree             `json:"parent"`
	hidden   int
	Unnamed  int
	Left     int `json:"-"`
}

func generator() *typeschema.Generator {
	_ = tree{}.hidden
	return &typeschema.Generator{
		Refs: "#/$defs/",
		Type: func(t reflect.Type) typeschema.Object {
			if t == reflect.TypeFor[time.Time]() {
				return typeschema.Object{"type": "string", "format": "date-time"}
			}
			return nil
		},
	}
}

func text(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestAStructOfEveryKindOfField(t *testing.T) {
	g := generator()
	g.Nullable = true
	if got := text(t, g.Of(reflect.TypeFor[tree]())); got != `{"$ref":"#/$defs/tree"}` {
		t.Error(got)
	}
	const want = `{"additionalProperties":false,"properties":{"any":{},"at":{"format":"date-time","type":"string"},` +
		`"children":{"items":{"$ref":"#/$defs/tree"},"minItems":1,"type":"array"},"else":{},"id":{"minLength":1,"pattern":"^[a-z]+$","type":"string"},` +
		`"kinds":{"description":"What it is.","items":{"enum":["a","b"],"type":"string"},"type":"array"},"labels":{"additionalProperties":{"type":"string"},"type":"object"},` +
		`"mode":{"default":"fast","type":"string"},"off":{"type":"boolean"},"on":{"type":["boolean","null"]},"parent":{"anyOf":[{"$ref":"#/$defs/tree"},{"type":"null"}]},` +
		`"share":{"type":"number"},"times":{"default":2,"maximum":9,"minimum":1,"type":"integer"}},` +
		`"required":["id","at","share","on","any","else","labels","children","parent"],"type":"object"}`
	if got := text(t, g.Components["tree"]); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestHooks(t *testing.T) {
	g := generator()
	g.Name = func(reflect.Type) string { return "Node" }
	g.Field = func(f reflect.StructField, s typeschema.Object) typeschema.Object {
		if f.Name == "Any" {
			return typeschema.Object{"type": "object"}
		}
		return s
	}
	g.Struct = func(_ reflect.Type, s typeschema.Object) { delete(s, "additionalProperties") }
	g.Of(reflect.TypeFor[tree]())
	node, ok := g.Components["Node"].(typeschema.Object)
	if !ok || node["additionalProperties"] != nil {
		t.Fatalf("components %v", g.Components)
	}
	properties, _ := node["properties"].(typeschema.Object)
	if got := text(t, properties["any"]); got != `{"type":"object"}` {
		t.Error(got)
	}
	if got := text(t, properties["on"]); got != `{"type":"boolean"}` {
		t.Errorf("a pointer is nullable without being asked: %s", got)
	}
}

func TestAnEmbeddedStructMayRequireMore(t *testing.T) {
	type given struct {
		Kind string `json:"kind,omitempty"`
		Name string `json:"name,omitempty"`
	}
	type creation struct {
		given `required:"name"`
		ID    string `json:"id"`
	}
	got := new(typeschema.Generator).Object(reflect.TypeFor[creation]())
	if required := text(t, got["required"]); required != `["name","id"]` {
		t.Errorf("required %s", required)
	}
}

func ExampleGenerator() {
	type retry struct {
		Attempts int    `json:"attempts" minimum:"1" doc:"Attempts in all."`
		Backoff  string `json:"backoff,omitempty" enum:"fixed,linear" default:"fixed"`
	}
	raw, err := json.MarshalIndent(new(typeschema.Generator).Of(reflect.TypeFor[retry]()), "", "  ")
	fmt.Println(string(raw), err)
	// Output:
	// {
	//   "additionalProperties": false,
	//   "properties": {
	//     "attempts": {
	//       "description": "Attempts in all.",
	//       "minimum": 1,
	//       "type": "integer"
	//     },
	//     "backoff": {
	//       "default": "fixed",
	//       "enum": [
	//         "fixed",
	//         "linear"
	//       ],
	//       "type": "string"
	//     }
	//   },
	//   "required": [
	//     "attempts"
	//   ],
	//   "type": "object"
	// } <nil>
}
