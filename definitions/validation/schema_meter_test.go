package validation_test

import (
	"encoding/json"
	"fmt"
	"heddle/definitions/parser"
	"heddle/definitions/schemas"
	"heddle/definitions/source"
	"heddle/definitions/validation"
	"strings"
	"sync"
	"testing"
)

// chained is a chain of n schemas, each of which leads to the next one twice.
func chained(n int, link string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `{"$ref":"#/$defs/d0","$defs":{`)
	for i := range n {
		fmt.Fprintf(&b, `"d%d":%s,`, i, strings.ReplaceAll(link, "NEXT", fmt.Sprintf("#/$defs/d%d", i+1)))
	}
	fmt.Fprintf(&b, `"d%d":{"type":"string"}}}`, n)
	return b.String()
}

func manyValues(n int, item string) string { return "[" + list(n, item) + "]" }

// TestSchemasHaveABudget tries schemas that little text makes costly, and values
// that do. Each ends: refused when it is compiled, with limit_exceeded when a
// value is checked, or with the verdict.
func TestSchemasHaveABudget(t *testing.T) {
	const refused, costly, fits, broken = "refused", "limit_exceeded", "fits", "broken"
	deep := strings.Repeat("[", 60) + strings.Repeat("]", 60)
	for name, c := range map[string]struct{ schema, value, want string }{
		"allOf doubles":             {chained(28, `{"allOf":[{"$ref":"NEXT"},{"$ref":"NEXT"}]}`), `"x"`, refused},
		"anyOf doubles":             {chained(28, `{"anyOf":[{"$ref":"NEXT"},{"$ref":"NEXT"}]}`), `1`, refused},
		"oneOf doubles":             {chained(28, `{"oneOf":[{"$ref":"NEXT"},{"$ref":"NEXT"}]}`), `1`, refused},
		"if doubles":                {chained(28, `{"if":{"$ref":"NEXT"},"then":{"$ref":"NEXT"},"else":{"$ref":"NEXT"}}`), `1`, refused},
		"not doubles":               {chained(28, `{"not":{"$ref":"NEXT"},"if":{"$ref":"NEXT"}}`), `1`, refused},
		"dependentSchemas double":   {chained(28, `{"dependentSchemas":{"a":{"$ref":"NEXT"},"b":{"$ref":"NEXT"}}}`), `{"a":1,"b":1}`, refused},
		"a short doubling":          {chained(8, `{"allOf":[{"$ref":"NEXT"},{"$ref":"NEXT"}]}`), `"x"`, fits},
		"items double":              {chained(28, `{"items":{"$ref":"NEXT"},"contains":{"$ref":"NEXT"}}`), strings.Repeat("[", 28) + `"x"` + strings.Repeat("]", 28), costly},
		"members double":            {chained(28, `{"properties":{"a":{"$ref":"NEXT"}},"patternProperties":{"a":{"$ref":"NEXT"}}}`), strings.Repeat(`{"a":`, 28) + `"x"` + strings.Repeat("}", 28), costly},
		"itself, deep":              {`{"allOf":[{"items":{"$ref":"#"}},{"items":{"$ref":"#"}}]}`, deep, costly},
		"itself, unevaluated":       {`{"items":{"$ref":"#"},"unevaluatedItems":{"$ref":"#"},"contains":{"$ref":"#"}}`, deep, costly},
		"dynamic references":        {`{"$dynamicAnchor":"n","items":{"$dynamicRef":"#n"},"contains":{"$dynamicRef":"#n"}}`, deep, costly},
		"dynamic, defined apart":    {`{"$id":"http://a/","$ref":"b","$defs":{"x":{"$dynamicAnchor":"n","items":{"$dynamicRef":"b#n"},"contains":{"$dynamicRef":"b#n"}},"b":{"$id":"b","$dynamicRef":"#n","$defs":{"y":{"$dynamicAnchor":"n"}}}}}`, deep, costly},
		"recursive references":      {`{"$schema":"https://json-schema.org/draft/2019-09/schema","$recursiveAnchor":true,"items":{"$recursiveRef":"#"},"contains":{"$recursiveRef":"#"}}`, deep, costly},
		"alternatives in items":     {`{"items":{"anyOf":[` + list(1000, `{"type":"string"}`) + `]}}`, manyValues(20_000, "1"), costly},
		"an enum in items":          {`{"items":{"enum":[` + each(20_000, `"value%d"`) + `]}}`, manyValues(50_000, `"value x"`), costly},
		"an enum in members":        {`{"additionalProperties":{"enum":[` + each(20_000, `"value%d"`) + `]}}`, `{` + each(50_000, `"k%d":"value x"`) + `}`, costly},
		"an enum in alternatives":   {`{"items":{"allOf":[` + list(500, `{"enum":[`+each(50, `"value%d"`)+`]}`) + `]}}`, manyValues(20_000, `"value x"`), costly},
		"an enum by pattern":        {`{"patternProperties":{"":{"enum":[` + each(20_000, `"value%d"`) + `]}}}`, `{` + each(50_000, `"k%d":"value x"`) + `}`, costly},
		"an enum of names":          {`{"propertyNames":{"enum":[` + each(20_000, `"value%d"`) + `]}}`, `{` + each(50_000, `"k%d":1`) + `}`, costly},
		"an enum of others":         {`{"unevaluatedProperties":{"enum":[` + each(20_000, `"value%d"`) + `]}}`, `{` + each(50_000, `"k%d":"value x"`) + `}`, costly},
		"an enum of first items":    {`{"items":{"prefixItems":[{"enum":[` + each(20_000, `"value%d"`) + `]}]}}`, manyValues(50_000, `["value x"]`), costly},
		"an enum, in draft 7":       {`{"$schema":"http://json-schema.org/draft-07/schema#","items":{"items":[true],"additionalItems":{"enum":[` + each(20_000, `"value%d"`) + `]}}}`, manyValues(50_000, `[1,"value x"]`), costly},
		"numbers in an enum":        {`{"items":{"enum":[1,2,3,4,5,6,7,8,9,10]}}`, manyValues(200_000, "10"), costly},
		"words in an enum":          {`{"items":{"enum":["a","b","c","d","e","f","g","h","i","j"]}}`, manyValues(100_000, `"j"`), fits},
		"many patterns and members": {`{"patternProperties":{` + each(2000, `"^k%d$":true`) + `}}`, `{` + each(20_000, `"k%d":1`) + `}`, costly},
		"pattern on a long text":    {`{"pattern":"` + strings.Repeat("(a|b)*", 200) + `c$"}`, `"` + strings.Repeat("ab", 400_000) + `"`, costly},
		"heavy numbers":             {`{"items":{"allOf":[` + list(200, `{"multipleOf":3}`) + `]}}`, manyValues(20_000, "1e900"), costly},
		"500 patterns":              {`{"allOf":[` + each(500, `{"pattern":"(a{1,900})%d"}`) + `]}`, `"a"`, refused},
		"patterns within patterns":  {`{"pattern":"((a{1,30}){1,30}){1,900}"}`, `"a"`, refused},
		"pattern names":             {`{"patternProperties":{` + each(500, `"(a{1,900})%d":true`) + `}}`, `{"a":1}`, refused},
		"the same pattern":          {`{"allOf":[` + list(500, `{"pattern":"^(a{1,900})$"}`) + `]}`, `"a"`, fits},
		"a value as a pattern":      {`{"format":"regex"}`, `"((a{1,30}){1,30}){1,900}"`, broken},
		"values as patterns":        {`{"items":{"format":"regex"}}`, manyValues(20_000, `"(a{1,900})(b{1,900})(c{1,900})"`), costly},
		"many subschemas":           {`{"properties":{` + each(20_000, `"p%d":{}`) + `}}`, `{}`, refused},
		"many wrong subschemas":     {`{"properties":{` + each(50_000, `"p%d":1`) + `}}`, `{}`, refused},
		"many objects, unique":      {`{"uniqueItems":true}`, "[" + each(100_000, `{"a":%d}`) + "]", fits},
		"a long list":               {`{"items":{"type":"integer"}}`, manyValues(250_000, "12"), fits},
		"a list of objects":         {`{"items":{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"integer"}},"required":["a"]}}`, manyValues(40_000, `{"a":"x","b":3}`), fits},
		"a long text":               {`{"pattern":"^[a-z]+$","minLength":3,"format":"email"}`, `"` + strings.Repeat("x", 500_000) + `"`, broken},
		"an anchored pattern":       {`{"pattern":"^[a-z]{1,255}$"}`, `"` + strings.Repeat("x", 500_000) + `"`, broken},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := verdict(t, c.schema, c.value); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

// verdict tries a schema on a value, and says in which of four ways it ended.
func verdict(t *testing.T, schema, value string) string {
	t.Helper()
	if !json.Valid([]byte(schema)) || !json.Valid([]byte(value)) {
		t.Fatalf("not JSON: %.100s or %.100s", schema, value)
	}
	checker, err := schemas.NewChecker(json.RawMessage(schema))
	if err != nil {
		if len(err.Error()) > 1<<20 {
			t.Errorf("an error of %d bytes", len(err.Error()))
		}
		return "refused"
	}
	issues := checker.Check(json.RawMessage(value))
	switch {
	case len(issues) == 0:
		return "fits"
	case len(issues) > schemas.MaxIssues+1:
		t.Errorf("%d issues", len(issues))
	}
	if issues[0].Code != "limit_exceeded" {
		return "broken"
	}
	return issues[0].Code
}

// A definition whose schemas are beyond their budget has that as a diagnostic, at
// the schema that went beyond it.
func TestASchemaBeyondItsBudgetIsADiagnostic(t *testing.T) {
	bomb := chained(28, `{"allOf":[{"$ref":"NEXT"},{"$ref":"NEXT"}]}`)
	for name, c := range map[string]struct{ text, want string }{
		"input":   {`{"name":"n","input":` + bomb + `,"steps":[{"id":"a","type":"free"}]}`, "schema_invalid /input"},
		"output":  {`{"name":"n","steps":[{"id":"a","type":"free","output_schema":` + bomb + `}]}`, "schema_invalid /steps/0/output_schema"},
		"signal":  {`{"name":"n","steps":[{"id":"a","type":"wait","config":{"signal":{"name":"s","schema":` + bomb + `}}}]}`, "schema_invalid /steps/0/config/signal/schema"},
		"in sum":  {`{"name":"n","steps":[` + each(40, `{"id":"a%d","type":"free","output_schema":{"title":"%[1]d","properties":{`+strings.ReplaceAll(each(1_000, `"p%d":{}`), "%", "%%")+`}}}`) + `]}`, "limit_exceeded /steps/29/output_schema"},
		"pattern": {`{"name":"n","input":{"pattern":"((a{1,30}){1,30}){1,900}"},"steps":[{"id":"a","type":"free"}]}`, "schema_invalid /input/pattern"},
	} {
		_, ds := validation.Check([]byte(c.text), source.JSON, testCatalog())
		if got := found(ds); got != c.want {
			t.Errorf("%s: %q, want %q: %+v", name, got, c.want, ds)
		}
	}
}

// All problems of a value are returned, in the order of its text, and the same ones
// by every call, however many callers there are at a time.
func TestProblemsOfAValueAreAllGivenInOrder(t *testing.T) {
	checker, err := schemas.NewChecker(json.RawMessage(`{"type":"object","additionalProperties":false,"required":["r","q"],"properties":{
		"r":{},"q":{},"z":{"type":"string"},"a":{"type":"integer","minimum":3,"multipleOf":2},"m":{"items":{"type":"string"}},"o":{"properties":{"x":{"type":"string"}},"minProperties":2}}}`))
	if err != nil {
		t.Fatal(err)
	}
	const want = " the fields 'r', 'q' are missing| the fields 'u2', 'u1' are not allowed|/z must be text, not a number|/o has 1 fields; at least 2 are needed|/o/x must be text, not null|/m/0 must be text, not a number|/m/2 must be text, not a number|/a must be at least 3|/a must be a multiple of 2|"
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 50 {
				var got strings.Builder
				for _, d := range checker.Check(json.RawMessage(`{"u2":1,"z":1,"o":{"x":null},"m":[1,"s",2],"a":1,"u1":1}`)) {
					got.WriteString(d.Pointer + " " + d.Message + "|")
				}
				if sorted(got.String()) != sorted(want) || !strings.HasSuffix(got.String(), "|/z must be text, not a number|"+strings.SplitN(want, "|/z must be text, not a number|", 2)[1]) {
					t.Errorf("got  %s\nwant %s", got.String(), want)
					return
				}
			}
		})
	}
	all.Wait()
}

func sorted(s string) string {
	parts := strings.Split(s, "|")
	for i := range parts {
		for j := range i {
			if parts[i] < parts[j] {
				parts[i], parts[j] = parts[j], parts[i]
			}
		}
	}
	return strings.Join(parts, "|")
}

// Of very many problems a hundred are listed, and the number of the others is stated.
func TestProblemsOfAValueAreBounded(t *testing.T) {
	checker, err := schemas.NewChecker(json.RawMessage(`{"items":{"type":"string","maxLength":3},"additionalProperties":false}`))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"numbers":    manyValues(100_000, "1"),
		"long texts": manyValues(200, `"`+strings.Repeat("x", 4_000)+`"`),
		"members":    "{" + each(50_000, `"k%d":1`) + "}",
		"long names": `{"` + strings.Repeat("k", 900_000) + `":1}`,
	} {
		issues := checker.Check(json.RawMessage(value))
		raw, _ := json.Marshal(issues)
		last := issues[len(issues)-1]
		if len(issues) > schemas.MaxIssues+1 || len(raw) > 512<<10 || len(issues) > 100 && !strings.Contains(last.Message, "more problems") {
			t.Errorf("%s: %d issues in %d bytes, the last is %.200v", name, len(issues), len(raw), last)
		}
	}
}

// All mistakes of a schema are reported, each at its place.
func TestProblemsOfASchemaAreAllReported(t *testing.T) {
	text := `{"name":"n","input":{"properties":{"b":{"type":"strin"},"a":{"type":7},"c":{"minimum":"x"}},"required":"a","items":3},"steps":[{"id":"a","type":"free"}]}`
	for range 20 {
		_, ds := validation.Check([]byte(text), source.JSON, testCatalog())
		const want = "schema_invalid /input/properties/b/type\nschema_invalid /input/properties/a/type\nschema_invalid /input/properties/c/minimum\nschema_invalid /input/required\nschema_invalid /input/items"
		if got := found(ds); got != want {
			t.Fatalf("got  %s\nwant %s", got, want)
		}
	}
}

// Patterns that are too large together are reported as that, not as invalid ones.
func TestPatternsThatAreTooLargeSayTheirSize(t *testing.T) {
	text := `{"name":"n","input":{"allOf":[` + each(100, `{"pattern":"(a{1,900})%d"}`) + `]},"steps":[{"id":"a","type":"free"}]}`
	_, ds := validation.Check([]byte(text), source.JSON, testCatalog())
	if len(ds) == 0 || ds[0].Code != "schema_invalid" || !strings.Contains(ds[0].Message, "instructions") {
		t.Errorf("%+v", ds[:min(len(ds), 3)])
	}
}

// Too many values in a definition are a diagnostic of it, not an error of the body.
func TestTooManyValuesInARequestAreADiagnostic(t *testing.T) {
	req, ds, err := parser.ParseRequest([]byte(`{"definition":{"name":"n","steps":[`+list(source.MaxValues+5, "1")+`]}}`), source.JSON)
	if err != nil || !req.Given || found(ds[:1]) != "limit_exceeded" && !strings.HasPrefix(found(ds), "limit_exceeded ") {
		t.Errorf("%v %v", ds, err)
	}
}
