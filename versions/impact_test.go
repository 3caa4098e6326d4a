package versions_test

import (
	"encoding/json"
	"fmt"
	"heddle/versions"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Each case: the old schema, the new one, and "pointer message" of each finding.
func TestBreakingInputs(t *testing.T) {
	for name, c := range map[string]struct {
		before, after string
		want          []string
	}{
		"nothing changed":              {`{"type":"object"}`, `{"type":"object"}`, nil},
		"a schema where there is none": {``, `{"type":"object","properties":{"a":{"type":"string"}}}`, []string{"/type The input must now be object; it could be anything."}},
		"no schema any more":           {`{"type":"object","required":["a"]}`, ``, nil},
		"nothing is accepted":          {`true`, `false`, []string{" The input is no longer accepted."}},
		"all was refused":              {`false`, `{"type":"object"}`, nil},

		"newly required":  {`{"required":["a"]}`, `{"required":["a","b c","d"]}`, []string{`/required/1 ["b c"] is now required.`, "/required/2 d is now required."}},
		"with a default":  {`{"properties":{"a":{}}}`, `{"properties":{"a":{"default":1}},"required":["a"]}`, nil},
		"default gone":    {`{"properties":{"a":{"default":1}},"required":["a"]}`, `{"properties":{"a":{}},"required":["a"]}`, []string{`/required/0 a has no default any more and is required.`}},
		"less required":   {`{"required":["a","b"]}`, `{"required":["b"]}`, nil},
		"required inside": {`{"properties":{"a":{"properties":{"b/c":{}}}}}`, `{"properties":{"a":{"properties":{"b/c":{"required":["d"]}}}}}`, []string{`/properties/a/properties/b~1c/required/0 a["b/c"].d is now required.`}},

		"type narrowed":            {`{"type":["string","null"]}`, `{"type":"string"}`, []string{"/type The input must now be string and can no longer be null."}},
		"type changed":             {`{"properties":{"n":{"type":"string"}}}`, `{"properties":{"n":{"type":["integer","null"]}}}`, []string{"/properties/n/type n must now be integer or null and can no longer be string."}},
		"number to integer":        {`{"type":"number"}`, `{"type":"integer"}`, []string{"/type The input must now be integer and can no longer be number."}},
		"integer to number":        {`{"type":"integer"}`, `{"type":["number","string"]}`, nil},
		"type said by the choices": {`{"enum":[1,2.0]}`, `{"type":"integer","enum":[1,2,3]}`, nil},

		"choice removed":          {`{"enum":["a","b","c"]}`, `{"enum":["c","d"]}`, []string{`/enum The input can no longer be "a" or "b".`}},
		"choice added":            {`{"enum":["a"]}`, `{"enum":["b","a"]}`, nil},
		"choices introduced":      {`{"type":"string"}`, `{"type":"string","enum":["a","b"]}`, []string{`/enum The input must now be "a" or "b".`}},
		"constant to choices":     {`{"const":1}`, `{"enum":[1.0,2]}`, nil},
		"choices to constant":     {`{"enum":[1,9007199254740993]}`, `{"const":1}`, []string{"/const The input can no longer be 9007199254740993."}},
		"choices beyond a double": {`{"enum":[9007199254740993]}`, `{"enum":[9007199254740992]}`, []string{"/enum The input can no longer be 9007199254740993."}},

		"bounds tightened": {
			`{"minimum":1,"maximum":10,"minLength":1,"maxItems":5}`, `{"minimum":1.5,"maximum":9,"minLength":2,"maxItems":4}`,
			[]string{"/minimum The input must now be at least 1.5.", "/maximum The input must now be at most 9.", "/minLength The input must now have at least 2 characters.", "/maxItems The input must now have at most 4 items."},
		},
		"bounds loosened":            {`{"minimum":1,"maximum":10,"maxLength":5}`, `{"minimum":-1,"maximum":1e2}`, nil},
		"bound excluded":             {`{"minimum":1}`, `{"exclusiveMinimum":1.0}`, []string{"/exclusiveMinimum The input must now be more than 1.0."}},
		"bound included":             {`{"exclusiveMaximum":1}`, `{"maximum":1}`, []string{}},
		"bounds beyond a double":     {`{"maximum":9007199254740993}`, `{"maximum":9007199254740992}`, []string{"/maximum The input must now be at most 9007199254740992."}},
		"absurd bounds":              {`{"maximum":1e9999999}`, `{"maximum":1e9999998}`, []string{"/maximum The input must now be at most 1e9999998."}},
		"negative bounds":            {`{"minimum":-10}`, `{"minimum":-9}`, []string{"/minimum The input must now be at least -9."}},
		"a length of at least 0":     {`{}`, `{"minLength":0,"minItems":0,"minProperties":0}`, nil},
		"bounds introduced":          {`{}`, `{"minItems":1,"maxProperties":3}`, []string{"/minItems The input must now have at least 1 items.", "/maxProperties The input must now have at most 3 fields."}},
		"a multiple of more":         {`{"multipleOf":0.5}`, `{"multipleOf":1}`, []string{"/multipleOf The input must now be a multiple of 1."}},
		"a multiple of less":         {`{"multipleOf":0.3}`, `{"multipleOf":0.1}`, nil},
		"a multiple of nothing sane": {`{"multipleOf":1e999999}`, `{"multipleOf":0}`, []string{"/multipleOf The input must now be a multiple of 0."}},
		"forms": {
			`{"pattern":"a","format":"date"}`, `{"pattern":"b","format":"email","uniqueItems":true}`,
			[]string{`/pattern The input must now match "b".`, "/format The input must now have the format email.", "/uniqueItems The input must no longer hold an item twice."},
		},
		"fewer forms": {`{"pattern":"a","format":"date","uniqueItems":true}`, `{}`, nil},

		"closed":               {`{"properties":{"a":{}}}`, `{"properties":{"a":{}},"additionalProperties":false}`, []string{"/additionalProperties The input can no longer have fields that the schema does not list."}},
		"opened":               {`{"additionalProperties":false}`, `{"additionalProperties":true}`, nil},
		"field gone, closed":   {`{"properties":{"a":{},"b":{}},"additionalProperties":false}`, `{"properties":{"a":{}},"additionalProperties":false}`, []string{"/additionalProperties b is no longer accepted."}},
		"field gone, open":     {`{"properties":{"a":{},"b":{}}}`, `{"properties":{"a":{}}}`, nil},
		"field gone, patterns": {`{"properties":{"x_1":{}},"additionalProperties":false}`, `{"patternProperties":{"^x_":{}},"additionalProperties":false}`, []string{"/patternProperties The input may no longer fit: patternProperties is new or has changed."}},
		"field added":          {`{"properties":{"a":{}}}`, `{"properties":{"a":{},"b":{"type":"string"}}}`, nil},
		"field forbidden":      {`{}`, `{"properties":{"b":false}}`, []string{"/properties/b b is no longer accepted."}},
		"other fields typed":   {`{"properties":{"a":{"type":"string"}}}`, `{"additionalProperties":{"type":"integer"}}`, []string{"/additionalProperties/type a must now be integer and can no longer be string.", "/additionalProperties/type Each other field of the input must now be integer; it could be anything."}},
		"from typed to listed": {`{"additionalProperties":{"type":"string"}}`, `{"properties":{"a":{"type":"integer"}},"additionalProperties":{"type":"string"}}`, []string{"/properties/a/type a must now be integer and can no longer be string."}},

		"items":             {`{"properties":{"l":{"items":{"type":"number"}}}}`, `{"properties":{"l":{"items":{"type":"number","minimum":0}}}}`, []string{"/properties/l/items/minimum Each item of l must now be at least 0."}},
		"items by place":    {`{"prefixItems":[{},{"type":"string"}]}`, `{"prefixItems":[{"type":"null"}],"items":{"type":"boolean"}}`, []string{"/prefixItems/0/type The input[0] must now be null; it could be anything.", "/items/type The input[1] must now be boolean and can no longer be string.", "/items/type Each item of the input must now be boolean; it could be anything."}},
		"alternatives gone": {`{"anyOf":[{"type":"string"},{"type":"null"}]}`, `{"anyOf":[{"type":"null"},{"type":"array"}]}`, []string{"/anyOf The input may no longer fit: alternative 1 of anyOf is gone or has changed."}},
		"alternatives new":  {`{}`, `{"anyOf":[{"required":["a"]},{"required":["b"]}],"oneOf":[{}]}`, []string{"/anyOf The input must now fit one of 2 alternatives.", "/oneOf The input must now fit exactly one of 1 alternatives."}},
		"alternatives more": {`{"anyOf":[{}],"oneOf":[{"const":1}]}`, `{"anyOf":[{},{"const":1}],"oneOf":[{"const":1},{"type":"integer"}]}`, []string{"/oneOf The input may no longer fit: it must still fit exactly one alternative, and there are more."}},
		"undecided":         {`{"not":{"const":1},"allOf":[{"minimum":1},{"maximum":2}]}`, `{"not":{"const":2},"allOf":[{"maximum":2}],"if":{}}`, []string{"/if The input may no longer fit: if is new or has changed.", "/not The input may no longer fit: not is new or has changed."}},

		"references":        {`{"$ref":"#/$defs/a","$defs":{"a":{"type":"string"}}}`, `{"$ref":"#/$defs/a","$defs":{"a":{"type":"null"}}}`, []string{"/$defs/a/type The input must now be null and can no longer be string."}},
		"inline to shared":  {`{"properties":{"x":{"type":"string"}}}`, `{"properties":{"x":{"$ref":"#/$defs/y","title":"X"}},"$defs":{"y":{"type":"string","maxLength":3}}}`, []string{"/$defs/y/maxLength x must now have at most 3 characters."}},
		"beside reference":  {`{"$ref":"#/$defs/y","minLength":1,"$defs":{"y":{"type":"string"}}}`, `{"$ref":"#/$defs/y","minLength":1,"$defs":{"y":{"type":"null"}}}`, []string{"/$defs/y/type The input must now be null and can no longer be string."}},
		"lost references":   {`{"$ref":"other.json"}`, `{"$ref":"#/nowhere","minLength":0}`, []string{"/$ref The input may no longer fit: $ref is new or has changed."}},
		"endless reference": {`{"$ref":"#"}`, `{"$ref":"#","type":"null"}`, []string{"/type The input must now be null; it could be anything."}},
		"trees": {
			`{"properties":{"kids":{"items":{"$ref":"#"}}}}`, `{"properties":{"kids":{"items":{"$ref":"#"}}},"required":["kids"]}`,
			[]string{"/required/0 kids is now required.", "/required/0 Each item of kids.kids is now required."},
		},
		"no schema at all": {`{}`, `[1]`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			found, err := versions.BreakingInputs(json.RawMessage(c.before), json.RawMessage(c.after))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, b := range found {
				got = append(got, b.Pointer+" "+b.Message)
			}
			if diff := cmp.Diff(strings.Join(c.want, "\n"), strings.Join(got, "\n")); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestBreakingInputsRefusesWhatIsNoJSON(t *testing.T) {
	for _, c := range [][2]string{{`{`, `{}`}, {`{}`, `{`}} {
		if _, err := versions.BreakingInputs(json.RawMessage(c[0]), json.RawMessage(c[1])); err == nil {
			t.Errorf("%v: no error", c)
		}
	}
}

// Lists are compared in proportion to their lengths, and patterns within a budget: none of
// these takes more than a moment, where one of them took minutes.
func TestBreakingInputsOfLongLists(t *testing.T) {
	t.Parallel()
	list := func(n int, one func(i int) string) string {
		all := make([]string, n)
		for i := range all {
			all[i] = one(i)
		}
		return strings.Join(all, ",")
	}
	const n = 5_000
	values := list(n, func(i int) string { return fmt.Sprintf("%d.0", i) })
	again := list(n, func(i int) string { return fmt.Sprint(n - i) })
	names := list(n, func(i int) string { return fmt.Sprintf(`"p%d":{}`, i) })
	patterns := list(n, func(i int) string { return fmt.Sprintf(`"^(x|y){1,20}%d$":{}`, i) })
	alternatives := list(n, func(i int) string { return fmt.Sprintf(`{"const":%d}`, i) })
	shared := list(5_000, func(i int) string { return fmt.Sprintf(`"p%d":{"$ref":"#/$defs/x"}`, i) })
	required := list(n, func(i int) string { return fmt.Sprintf(`"p%d"`, i) })
	for _, c := range []struct {
		name, before, after string
		says                string // "" where the budget may end the comparison first
	}{
		{"enum", `{"enum":[` + values + `]}`, `{"enum":[` + again + `]}`, "can no longer be 0.0."},
		{"anyOf", `{"anyOf":[` + alternatives + `]}`, `{"anyOf":[` + alternatives + `]}`, ""},
		{"allOf", `{"allOf":[` + alternatives + `]}`, `{"allOf":[` + alternatives + `,true]}`, "allOf"},
		{"patterns", `{"properties":{` + names + `}}`, `{"additionalProperties":false,"patternProperties":{` + patterns + `}}`, ""},
		{"required", `{"properties":{` + shared + `},"$defs":{"x":{}}}`, `{"properties":{` + shared + `},"$defs":{"x":{"required":[` + required + `]}}}`, "is now required."},
		{"shared enum", `{"properties":{` + shared + `},"$defs":{"x":{"enum":[` + values + `]}}}`, `{"properties":{` + shared + `},"$defs":{"x":{"enum":[` + again + `]}}}`, "can no longer be 0.0."},
	} {
		found, err := versions.BreakingInputs(json.RawMessage(c.before), json.RawMessage(c.after))
		if err != nil {
			t.Fatal(c.name, err)
		}
		if !slices.ContainsFunc(found, func(b versions.BreakingChange) bool { return strings.Contains(b.Message, c.says) }) && c.says != "" {
			t.Errorf("%s: %d findings, none says %q", c.name, len(found), c.says)
		}
	}
}

// Numbers in lists are equal by value, however they are written and nested.
func TestListedNumbersAreEqualByValue(t *testing.T) {
	t.Parallel()
	for before, after := range map[string]string{
		`[1, 2.50, [1e1], {"a": -0}]`: `[{"a": 0.0}, [10], 25e-1, 1.0]`,
		`["1", [1, "list"], [[1]]]`:   `[[[1.0]], [1.0, "list"], "1"]`,
	} {
		found, err := versions.BreakingInputs(json.RawMessage(`{"enum":`+before+`}`), json.RawMessage(`{"enum":`+after+`}`))
		if err != nil || len(found) > 0 {
			t.Errorf("%s, %s: %v %v", before, after, found, err)
		}
	}
	for _, after := range []string{`["1"]`, `[[1]]`, `[[[1]]]`, `[["1"]]`, `[1.1]`} {
		found, err := versions.BreakingInputs(json.RawMessage(`{"enum":[1]}`), json.RawMessage(`{"enum":`+after+`}`))
		if err != nil || len(found) != 1 {
			t.Errorf("1 in %s: %v %v", after, found, err)
		}
	}
}

// A short schema can stand for 2^60 schemas.
func TestBreakingInputsEnds(t *testing.T) {
	var defs strings.Builder
	for n := range 60 {
		fmt.Fprintf(&defs, `"d%d":{"properties":{"a":{"$ref":"#/$defs/d%d"},"b":{"$ref":"#/$defs/d%d"}}},`, n, n+1, n+1)
	}
	schema := func(last string) json.RawMessage {
		return json.RawMessage(`{"$ref":"#/$defs/d0","$defs":{` + defs.String() + `"d60":{"type":"` + last + `"}}}`)
	}
	if _, err := versions.BreakingInputs(schema("string"), schema("null")); err != nil {
		t.Fatal(err)
	}
}
