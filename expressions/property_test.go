package expressions

import (
	"bytes"
	"encoding/json"
	"fmt"
	"heddle/internal/exactjson"
	"math/big"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

// anyJSON draws a JSON value, oddly spaced and with odd numbers and strings.
func anyJSON(t *rapid.T, depth int) string {
	pad := rapid.SampledFrom([]string{"", " ", "\n\t"})
	kinds := 5
	if depth == 0 {
		kinds = 3
	}
	switch rapid.IntRange(0, kinds).Draw(t, "kind") {
	case 0:
		return rapid.SampledFrom([]string{"null", "true", "false"}).Draw(t, "word")
	case 1:
		return rapid.SampledFrom([]string{"0", "-0", "1.0", "1e400", "9007199254740993", "-1.5E+3", "12345678901234567890", "0.1", "3"}).Draw(t, "number")
	case 2, 3:
		return rapid.SampledFrom([]string{`""`, `"a"`, `"é\u00e9\n"`, `"}]"`, `"\\\""`, `"{ {"`, `"\ud83d\ude00"`, `"x,y:z"`}).Draw(t, "string")
	case 4:
		parts := make([]string, rapid.IntRange(0, 3).Draw(t, "length"))
		for i := range parts {
			parts[i] = pad.Draw(t, "pad") + anyJSON(t, depth-1) + pad.Draw(t, "pad")
		}
		return "[" + strings.Join(parts, ",") + pad.Draw(t, "pad") + "]"
	}
	parts := make([]string, rapid.IntRange(0, 3).Draw(t, "length"))
	for i := range parts {
		key := rapid.SampledFrom([]string{"a", "b", "c-d", `\u0061`, "", "{{"}).Draw(t, "key")
		parts[i] = pad.Draw(t, "pad") + `"` + key + `"` + pad.Draw(t, "pad") + ":" + pad.Draw(t, "pad") + anyJSON(t, depth-1)
	}
	return "{" + strings.Join(parts, ",") + pad.Draw(t, "pad") + "}"
}

// A plain path finds the same bytes as encoding/json, exactly as stored.
func TestPlainPathKeepsBytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		doc := anyJSON(t, 4)
		source, want, ok := "input", json.RawMessage(doc), true
		for range rapid.IntRange(0, 4).Draw(t, "hops") {
			if !ok {
				break
			}
			if i := rapid.IntRange(-1, 2).Draw(t, "index"); i >= 0 {
				source += fmt.Sprintf("[%d]", i)
				var text string
				if json.Unmarshal(want, &text) == nil && i < len([]rune(text)) && string(bytes.TrimSpace(want)) != "null" {
					want = exactjson.Quote(string([]rune(text)[i]))
					continue
				}
				var list []json.RawMessage
				ok = json.Unmarshal(want, &list) == nil && list != nil && i < len(list)
				if ok {
					want = list[i]
				}
				continue
			}
			key := rapid.SampledFrom([]string{"a", "b", "c-d", "", "{{"}).Draw(t, "member")
			source += "[" + strconv.Quote(key) + "]"
			var object map[string]json.RawMessage
			ok = json.Unmarshal(want, &object) == nil && object != nil
			if want = object[key]; ok && want == nil {
				want = json.RawMessage("null")
			}
		}
		p, err := Compile(source)
		if err != nil {
			t.Fatal(err)
		}
		got, err := p.EvalJSON(world{values: map[string]string{"input": doc}})
		if (err == nil) != ok {
			t.Fatalf("%s over %s: %v, but the path exists: %v", source, doc, err, ok)
		}
		if ok && !bytes.Equal(got, bytes.TrimSpace(want)) {
			t.Fatalf("%s over %s: got %s, want %s", source, doc, got, want)
		}
	})
}

// A value that passes through an expression keeps its numbers and its shape.
func TestDecodeEncode(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		doc := anyJSON(t, 4)
		p, err := Compile("[input]")
		if err != nil {
			t.Fatal(err)
		}
		got, err := p.EvalJSON(world{values: map[string]string{"input": doc}})
		if err != nil {
			t.Fatal(err)
		}
		if !sameJSON(t, string(got), "["+doc+"]") {
			t.Fatalf("%s became %s", doc, got)
		}
	})
}

// sameJSON compares with exact numbers.
func sameJSON(t *rapid.T, a, b string) bool {
	return reflect.DeepEqual(exact(t, a), exact(t, b))
}

func exact(t *rapid.T, s string) any {
	d := json.NewDecoder(strings.NewReader(s))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatal(err, s)
	}
	var walk func(v any) any
	walk = func(v any) any {
		switch v := v.(type) {
		case json.Number:
			r, ok := new(big.Rat).SetString(string(v))
			if !ok {
				t.Fatal(v)
			}
			return r.String()
		case []any:
			for i := range v {
				v[i] = walk(v[i])
			}
		case map[string]any:
			for k := range v {
				v[k] = walk(v[k])
			}
		}
		return v
	}
	return walk(v)
}

// A config without templates is returned as it is.
func TestConstantTemplateKeepsBytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		doc := strings.ReplaceAll(anyJSON(t, 4), `: "{{"`, `: "{"`)
		tm, err := CompileTemplate(json.RawMessage(doc))
		if err != nil {
			t.Fatal(err)
		}
		got, err := tm.Render(world{})
		if err != nil || string(got) != doc || !tm.constant() {
			t.Fatalf("%s became %s, %v", doc, got, err)
		}
	})
}

// A path as the only template in a string is replaced by the stored bytes,
// and nothing else of the config changes.
func TestWholeTemplateKeepsBytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		doc, value := anyJSON(t, 3), anyJSON(t, 3)
		config := `{"before":` + doc + `, "x" : "{{ input }}" ,"after":[` + doc + `]}`
		tm, err := CompileTemplate(json.RawMessage(config))
		if err != nil {
			t.Fatal(err)
		}
		got, err := tm.Render(world{values: map[string]string{"input": value}})
		want := `{"before":` + doc + `, "x" : ` + value + ` ,"after":[` + doc + `]}`
		if err != nil || string(got) != want {
			t.Fatalf("got %s, %v; want %s", got, err, want)
		}
	})
}

// Numbers of all three kinds are ordered as they are written.
func TestNumbersCompareExactly(t *testing.T) {
	numbers := []string{
		"0", "-0", "1", "1.0", "0.1", "9007199254740992", "9007199254740993", "9007199254740992.0", "9223372036854775807",
		"9223372036854775808", "-9223372036854775808", "-9223372036854775809", "1e400", "-1e400", "1e-400", "123456789012345678901234567890",
		"0.10000000000000000001", "2.5", "3", "1e18", "1000000000000000000", "9223372036854775807.5",
	}
	for _, op := range []string{"<", "<=", "==", "!=", ">", ">="} {
		p, err := Compile("input.a " + op + " input.b")
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range numbers {
			for _, b := range numbers {
				x, _ := new(big.Rat).SetString(a)
				y, _ := new(big.Rat).SetString(b)
				c := x.Cmp(y)
				want := map[string]bool{"<": c < 0, "<=": c <= 0, "==": c == 0, "!=": c != 0, ">": c > 0, ">=": c >= 0}[op]
				got, err := p.EvalBool(world{values: map[string]string{"input": `{"a":` + a + `,"b":` + b + `}`}})
				if err != nil || got != want {
					t.Errorf("%s %s %s: got %v, %v", a, op, b, got, err)
				}
			}
		}
	}
}

// anyExpression draws an expression that is mostly valid.
func anyExpression(t *rapid.T, depth int) string {
	if depth == 0 {
		return rapid.SampledFrom([]string{
			"1", "2.5", "0", `"a"`, `""`, "true", "nil", "input.n", "input.list", "input.users", "input.nope?.x",
			"input.deep.a.b", "input.huge", "steps.fetch.output", "signals.approve", "run.id", "[]", "{}", "1..3", "steps", "input.name",
		}).Draw(t, "leaf")
	}
	form := rapid.SampledFrom([]string{
		"(%s + %s)", "(%s - %s)", "(%s == %s)", "(%s < %s)", "(%s in %s)", "(%s && %s)", "(%s ?? %s)", "[%s, %s]",
		"{a: %s, b: %s}", "(%s ? %s : 1)", "map(%s, [#, %s])", "filter(%s, # != %s)", "count(%s, # == %s)", "groupBy(%s, %s)", "sortBy(%s, %s)",
		"concat([%s], [%s])", "max(%s, %s)", "string(%s) + string(%s)", "flatten([%s, [%s]])", "uniq([%s, %s])", "let v = %s; [v, %s]", "get(%s, %s)",
		"(%s matches %s)", "toJSON([%s, %s])", "sort([%s, %s])", "join([%s, %s], \"-\")", "(%s)?.a?.b ?? %s", "type(%s) + type(%s)", "keys({a: %s, b: %s})",
		"sum([%s, %s])", "find([%s], # == %s)", "not (%s == %s)", "len([%s, %s])", "fromPairs([[\"k\", %s], [\"l\", %s]])", "(%s contains %s)",
	}).Draw(t, "form")
	return fmt.Sprintf(form, anyExpression(t, depth-1), anyExpression(t, depth-1))
}

// Evaluation never panics and is repeatable, and Eval returns the same as EvalJSON.
func TestEvaluationIsDeterministic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		source := anyExpression(t, rapid.IntRange(0, 3).Draw(t, "depth"))
		p, err := Compile(source)
		if err != nil {
			return
		}
		first, firstErr := p.EvalJSON(someWorld())
		second, secondErr := p.EvalJSON(someWorld())
		if string(first) != string(second) || fmt.Sprint(firstErr) != fmt.Sprint(secondErr) {
			t.Fatalf("%s: %s %v, then %s %v", source, first, firstErr, second, secondErr)
		}
		if among, err := Compile("[7, " + source + ", 9]"); err == nil && firstErr == nil && !strings.HasPrefix(source, "let") {
			got, err := among.EvalJSON(someWorld())
			if err != nil || !sameJSON(t, string(got), "[7,"+string(first)+",9]") {
				t.Fatalf("%s gives %s, but between others %s, %v", source, first, got, err)
			}
		}
		v, err := p.Eval(someWorld())
		if (err == nil) != (firstErr == nil) {
			t.Fatalf("%s: Eval says %v, EvalJSON %v", source, err, firstErr)
		}
		if err != nil {
			return
		}
		raw, eerr := encode(v)
		if eerr != nil || !sameJSON(t, string(raw), string(first)) {
			t.Fatalf("%s: Eval gives %s, EvalJSON %s", source, raw, first)
		}
	})
}

// An expression compiles if and only if Check reports no syntax error.
func TestCheckAgreesWithCompile(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		source := anyExpression(t, rapid.IntRange(0, 3).Draw(t, "depth"))
		_, err := Compile(source)
		for _, p := range Check(source, someEnv(), WantAny) {
			if p.Column < 1 || p.Message == "" || (p.Code == CodeSyntax && err == nil) {
				t.Fatalf("%s: %+v, but Compile says %v", source, p, err)
			}
		}
	})
}

func TestOneProgramForManyGoroutines(t *testing.T) {
	for _, source := range []string{`input.n + len(input.name)`, `map(filter(input.users, .id <= input.n), .id)`} {
		p, err := Compile(source)
		if err != nil {
			t.Fatal(err)
		}
		var group sync.WaitGroup
		for i := range 8 {
			group.Go(func() {
				w := world{values: map[string]string{"input": fmt.Sprintf(`{"n":%d,"name":"x","users":[{"id":%d}]}`, i, i)}}
				want := fmt.Sprint(i + 1)
				if strings.HasPrefix(source, "map") {
					want = fmt.Sprintf("[%d]", i)
				}
				for range 200 {
					if got, err := p.EvalJSON(w); err != nil || string(got) != want {
						t.Errorf("%s: got %s, %v; want %s", source, got, err, want)
						return
					}
				}
			})
		}
		group.Wait()
	}
}
