package validation_test

import (
	"encoding/json"
	"fmt"
	"heddle/definitions/parser"
	"heddle/definitions/source"
	"heddle/definitions/validation"
	"heddle/fault"
	"strings"
	"testing"
)

// found writes diagnostics as "code pointer" lines.
func found(ds []fault.Issue) string {
	var lines []string
	for _, d := range ds {
		lines = append(lines, d.Code+" "+d.Pointer)
	}
	return strings.Join(lines, "\n")
}

func TestParseFillsOwnConfigsRecursively(t *testing.T) {
	doc, ds := parser.Parse([]byte(`{"name":"n","steps":[
		{"id":"l","type":"loop","config":{"items":"input.x","steps":[
			{"id":"c","type":"condition","config":{"expression":"true","then":["w"]}},
			{"id":"w","type":"wait","depends_on":["c"],"config":{"seconds":1.50}}]}}]}`), source.JSON)
	if len(ds) != 0 {
		t.Fatal(found(ds))
	}
	loop := doc.Definition.Steps[0].Loop
	if loop == nil || loop.Items != "input.x" || len(loop.Steps) != 2 {
		t.Fatalf("loop: %+v", loop)
	}
	if c := loop.Steps[0].Condition; c == nil || c.Then[0] != "w" {
		t.Errorf("condition: %+v", c)
	}
	if w := loop.Steps[1].Wait; w == nil || string(w.Seconds) != "1.50" {
		t.Errorf("wait: %+v", w)
	}
	if got := string(loop.Steps[1].Config); got != `{"seconds":1.50}` {
		t.Errorf("config: %s", got)
	}
}

func TestCanonicalKeepsWhatWasWritten(t *testing.T) {
	in := "{ \"b\": [1.0, 9007199254740993, 1e400, -0, 2E+3], \"a\" : \"\\u00e9<&>\\n\\u0001\\/\", \"\\u0061b\": {} }"
	want := `{"a":"é<&>\n\u0001/","ab":{},"b":[1.0,9007199254740993,1e400,-0,2E+3]}`
	got, err := source.Canonical([]byte(in))
	if err != nil || string(got) != want {
		t.Fatalf("got %s, %v\nwant %s", got, err, want)
	}
	again, err := source.Canonical(got)
	if err != nil || string(again) != want {
		t.Errorf("again: %s, %v", again, err)
	}
	if h := source.Hash(got); !strings.HasPrefix(h, "sha256:") || len(h) != 7+64 {
		t.Errorf("hash %s", h)
	}
}

func TestScanJSON(t *testing.T) {
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	for _, c := range []struct{ in, want string }{
		{`{"a":1,"b":{"a":2}}`, ""},
		{deep(64), ""},
		{deep(65), "limit_exceeded " + strings.Repeat("/0", 64)},
		{`{"a":1,"\u0061":2}`, "duplicate_key /a"},
		{`{"x":{"a":1,"a":{"b":1,"b":2}}}`, "duplicate_key /x/a\nduplicate_key /x/a/b"},
		{`{"a":"x\u0000y"}`, "limit_exceeded /a"},
		{`{"a\u0000":1}`, "limit_exceeded "},
		{`{"a":` + strings.Repeat("1", 1001) + `}`, "limit_exceeded /a"},
		{`[1e1000,1e-1000,1e1001,1e-1001,1e99999999999999999999]`, "limit_exceeded /2\nlimit_exceeded /3\nlimit_exceeded /4"},
		{"{\"a\":\"\xff\"}", "syntax /a"},
		{`{"a":"\ud800"}`, "syntax "},
		{`{"a":"\ud83d\ude00"}`, ""},
		{`{"a":"\ud83d\u0041"}`, "syntax "},
		{`{"a":"\ud83d123456"}`, "syntax "},
		{`{"a":"\ude00\ud83d"}`, "syntax "},
		{`{"a":1,}`, "syntax "},
		{`[1,]`, "syntax "},
		{`[1 2]`, "syntax "},
		{`{"a" 1}`, "syntax "},
		{`{a:1}`, "syntax "},
		{`01`, "syntax "},
		{`1.`, "syntax "},
		{`-`, "syntax "},
		{`nul`, "syntax "},
		{`{} {}`, "syntax "},
		{``, "syntax "},
		{"[\"a\tb\"]", "syntax "},
		{`["a`, "syntax "},
		{`"\x"`, "syntax "},
		{`"\u12g4"`, "syntax "},
		{`[` + deep(64) + `,1e9999,{"a":1,"a":2}]`, "limit_exceeded /0" + strings.Repeat("/0", 63) + "\nlimit_exceeded /1\nduplicate_key /2/a"},
		{`[` + strings.Repeat("[", 100) + `{"a":[],"b":{}},1` + strings.Repeat("]", 100) + `,1e9999]`, "limit_exceeded " + strings.Repeat("/0", 64) + "\nlimit_exceeded /1"},
	} {
		err := source.ScanJSON([]byte(c.in), source.RequestLimits())
		got := ""
		if err != nil {
			f, ok := err.(*fault.Error)
			if !ok || f.Kind != fault.Malformed {
				t.Fatalf("%.60q: %v", c.in, err)
			}
			got = found(f.Issues)
		}
		if got != c.want {
			t.Errorf("%.60q:\ngot  %q\nwant %q", c.in, got, c.want)
		}
	}
}

func TestScanJSONLeavesOpaqueMembersToTheirReader(t *testing.T) {
	limits := source.RequestLimits()
	limits.Opaque = []string{"definition"}
	ok := `{"definition":{"a":1,"a":"\u0000","n":1e9999,"d":` + strings.Repeat("[", 99) + strings.Repeat("]", 99) + `},"x":1}`
	if err := source.ScanJSON([]byte(ok), limits); err != nil {
		t.Error(err)
	}
	for _, broken := range []string{`{"definition":{"a":1,},"x":1}`, `{"definition":{},"definition":{}}`, `{"definition":{},"x":{"a":1,"a":1}}`} {
		if source.ScanJSON([]byte(broken), limits) == nil {
			t.Errorf("%s was let through", broken)
		}
	}
}

func TestPlacesInTheSource(t *testing.T) {
	_, ds := parser.Parse([]byte("{\"name\": \"é\", \"nam\": 1,\n  \"steps\": [{\"id\":\"a\", \"type\":\"x\", \"enabled\": \"yes\"}]}"), source.JSON)
	want := `[{"code":"unknown_field","severity":"error","message":"Unknown field 'nam' in the definition. Did you mean 'name'? It is there already: keep one of them","pointer":"/nam","line":1,"column":15,"suggestion":"name"},` +
		`{"code":"wrong_type","severity":"error","message":"'enabled' in step 'a' must be a boolean, not text","pointer":"/steps/0/enabled","line":2,"column":47,"suggestion":"true"}]`
	if got, _ := json.Marshal(ds); string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	_, ds = parser.Parse([]byte("name: n\nsteps:\n  - id: a\n    typ: x\n"), source.YAML)
	if len(ds) != 1 || ds[0].Line != 4 || ds[0].Column != 5 {
		t.Errorf("%+v", ds)
	}
}

func TestYAMLAndJSONGiveOneCanonicalForm(t *testing.T) {
	yaml := `
name: "Fetch é"
description: |
  two
  lines
steps:
  - {id: a, type: x, config: {n: 1.0, big: 9007199254740993, huge: 1e400, t: yes, d: 2024-01-01, z: null, e: , b: True, v: 1.2.3}}
`
	jsonText := `{"name":"Fetch é","description":"two\nlines\n","steps":[{"id":"a","type":"x","config":
		{"n":1.0,"big":9007199254740993,"huge":1e400,"t":"yes","d":"2024-01-01","z":null,"e":null,"b":true,"v":"1.2.3"}}]}`
	a, da := parser.Parse([]byte(yaml), source.YAML)
	b, db := parser.Parse([]byte(jsonText), source.JSON)
	if len(da)+len(db) > 0 {
		t.Fatal(found(da), found(db))
	}
	if string(a.Canonical) != string(b.Canonical) || a.Hash != b.Hash {
		t.Errorf("\n%s\n%s", a.Canonical, b.Canonical)
	}
}

func TestSeedTexts(t *testing.T) {
	for _, c := range []struct {
		steps string
		want  []string
	}{
		{`{"id":"notify","type":"x","depends_on":["fetch"]}`, []string{"Step 'notify' depends on 'fetch' which doesn't exist"}},
		{`{"id":"step_a","type":"x","depends_on":["step_b"]},{"id":"step_b","type":"x","depends_on":["step_a"]}`, []string{"Cycle detected: step_a → step_b → step_a"}},
		{`{"id":"a","type":"x","depends_on":["a"]}`, []string{"Cycle detected: a → a"}},
	} {
		doc, ds := parser.Parse([]byte(`{"name":"n","steps":[`+c.steps+`]}`), source.JSON)
		if len(ds) > 0 {
			t.Fatal(found(ds))
		}
		if got := validation.Messages(validation.Validate(doc, nil)); fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}
