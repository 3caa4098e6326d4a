package schemas_test

import (
	"encoding/json"
	"fmt"
	"heddle/definitions/schemas"
	"heddle/definitions/source"
	"heddle/definitions/validation"
	"strings"
	"testing"
)

func TestFill(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ schema, value, want string }{
		"absent":                 {`{"properties":{"a":{"default":1},"b":{"default":"x"}}}`, `{"b":"y"}`, `{"b":"y","a":1}`},
		"null is given":          {`{"properties":{"a":{"default":1}}}`, `{"a":null}`, `{"a":null}`},
		"text stays":             {`{"properties":{"a":{"default":1}}}`, `{ "z": 1.0, "y" : 1e2,"a":9007199254740993 }`, `{ "z": 1.0, "y" : 1e2,"a":9007199254740993 }`},
		"numbers stay":           {`{"properties":{"a":{"default":1}}}`, `{ "z": 1.0, "y" : 1e2}`, `{"z":1.0,"y":1e2,"a":1}`},
		"exact default":          {`{"properties":{"a":{"default":9007199254740993}}}`, `{}`, `{"a":9007199254740993}`},
		"null default":           {`{"properties":{"a":{"default":null}}}`, `{}`, `{"a":null}`},
		"nested":                 {`{"properties":{"o":{"properties":{"a":{"default":[1]}}}}}`, `{"o":{}}`, `{"o":{"a":[1]}}`},
		"absent object":          {`{"properties":{"o":{"properties":{"a":{"default":1}}}}}`, `{}`, `{}`},
		"default filled":         {`{"properties":{"o":{"default":{},"properties":{"a":{"default":1}}}}}`, `{}`, `{"o":{"a":1}}`},
		"through ref":            {`{"properties":{"o":{"$ref":"#/$defs/o"}},"$defs":{"o":{"default":{"b":2},"properties":{"a":{"$ref":"#/$defs/n"}}},"n":{"default":3}}}`, `{}`, `{"o":{"b":2,"a":3}}`},
		"ref and own":            {`{"properties":{"a":{"$ref":"#/$defs/n","default":1}},"$defs":{"n":{"default":3}}}`, `{}`, `{"a":1}`},
		"whole by ref":           {`{"$ref":"#/$defs/o","$defs":{"o":{"properties":{"a":{"default":1}}}}}`, `{}`, `{"a":1}`},
		"anchor":                 {`{"$ref":"#o","$defs":{"o":{"$anchor":"o","properties":{"a":{"default":1}}}}}`, `{}`, `{"a":1}`},
		"allOf":                  {`{"allOf":[{"properties":{"a":{"default":1}}},{"properties":{"a":{"default":2},"b":{"default":3}}}]}`, `{}`, `{"a":1,"b":3}`},
		"not anyOf":              {`{"anyOf":[{"properties":{"a":{"default":1}}}],"if":{"properties":{"b":{"default":1}}}}`, `{}`, `{}`},
		"in lists":               {`{"properties":{"l":{"items":{"properties":{"a":{"default":1}}}}}}`, `{"l":[{},{"a":2},3]}`, `{"l":[{"a":1},{"a":2},3]}`},
		"prefix items":           {`{"properties":{"l":{"prefixItems":[{},{"properties":{"a":{"default":1}}}]}}}`, `{"l":[{},{},{}]}`, `{"l":[{},{"a":1},{}]}`},
		"additional":             {`{"properties":{"k":{}},"additionalProperties":{"properties":{"a":{"default":1}}}}`, `{"k":{},"x":{}}`, `{"k":{},"x":{"a":1}}`},
		"patterns":               {`{"patternProperties":{"^x":{"properties":{"a":{"default":1}}}}}`, `{"k":{},"x":{}}`, `{"k":{},"x":{"a":1}}`},
		"own default":            {`{"default":{"b":1},"properties":{"a":{"default":1}}}`, ``, `{"b":1,"a":1}`},
		"nothing":                {`{"properties":{"a":{"default":1}}}`, ``, `{"a":1}`},
		"no defaults":            {`{"type":"object"}`, ``, `{}`},
		"true":                   {`true`, `{"a":[1]}`, `{"a":[1]}`},
		"other value":            {`{"properties":{"a":{"default":1}}}`, `[{}]`, `[{}]`},
		"names with odd letters": {`{"properties":{"a\"\u2028<":{"default":"<b>"}}}`, `{"é\n":1}`, "{\"é\\n\":1,\"a\\\"\u2028<\":\"<b>\"}"},
		"a doubling schema":      {doubling(12), `{"x":{}}`, `{"x":{"a":1}}`},
		"recursive":              {`{"properties":{"n":{"$ref":"#"},"a":{"default":1}}}`, `{"n":{"n":{}}}`, `{"n":{"n":{"a":1},"a":1},"a":1}`},
	} {
		checker, err := schemas.NewChecker(json.RawMessage(c.schema))
		if err != nil {
			t.Fatal(name, err)
		}
		got, err := checker.Fill(json.RawMessage(c.value))
		if err != nil || string(got) != c.want {
			t.Errorf("%s: %s %v; want %s", name, got, err, c.want)
		}
		if again, err := checker.Fill(got); err != nil || string(again) != string(got) {
			t.Errorf("%s: filled twice: %s %v", name, again, err)
		}
	}
}

// doubling is a small schema whose subschemas, written out, are 2^n.
func doubling(n int) string {
	var defs strings.Builder
	for i := range n {
		fmt.Fprintf(&defs, `"d%d":{"allOf":[{"$ref":"#/$defs/d%d"},{"$ref":"#/$defs/d%d"}]},`, i, i+1, i+1)
	}
	return fmt.Sprintf(`{"properties":{"x":{"$ref":"#/$defs/d0"}},"$defs":{%s"d%d":{"properties":{"a":{"default":1}}}}}`, defs.String(), n)
}

// TestFillIsBounded: defaults that never end, or that double, are an error and
// found by validation.
func TestFillIsBounded(t *testing.T) {
	t.Parallel()
	var wide strings.Builder
	for i := range 5 {
		if i > 0 {
			wide.WriteByte(',')
		}
		fmt.Fprintf(&wide, `"c%d":{"$ref":"#","default":{}}`, i)
	}
	for name, schema := range map[string]string{
		"one child":     `{"properties":{"child":{"$ref":"#","default":{}}}}`,
		"five children": `{"properties":{` + wide.String() + `}}`,
		"long texts":    `{"properties":{"child":{"$ref":"#","default":{"t":"` + strings.Repeat("x", 100_000) + `"}}}}`,
	} {
		checker, err := schemas.NewChecker(json.RawMessage(schema))
		if err != nil {
			t.Fatal(name, err)
		}
		if got, err := checker.Fill(nil); err == nil {
			t.Errorf("%s: %d bytes", name, len(got))
		}
		_, found := validation.Check([]byte(`{"name":"n","input":`+schema+`,"steps":[{"id":"a","type":"wait","config":{"seconds":1}}]}`), source.JSON, nil)
		if len(found) != 1 || found[0].Code != "schema_invalid" || found[0].Pointer != "/input" {
			t.Errorf("%s: %+v", name, found)
		}
	}
}
