package expressions

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

func TestRunErrors(t *testing.T) {
	for _, c := range []struct {
		source, code string
		column       int
		words        string
	}{
		{`input.none.x`, CodeFailed, 12, `input.none is null, so input.none.x cannot be read; use ?. where it may be missing`},
		{`1 + input.nope.x`, CodeFailed, 16, `input.nope is null`},
		{`input.name.x`, CodeFailed, 12, `input.name is a string`},
		{`input.list[7]`, CodeFailed, 11, `list without that element`},
		{`input["list"]["x"]`, CodeFailed, 14, `so input.list.x cannot be read`},
		{`steps["my-step"].output.body`, CodeFailed, 25, `steps["my-step"].output is null`},
		{`steps.unseen.output`, CodeUnknown, 1, `the step unseen is not visible here`},
		{`steps[input.name].output`, CodeUnknown, 6, `the step Ann is not visible here`},
		{`item.x`, CodeUnknown, 1, `item is not visible here`},
		{`{{ input.none.x }}`, CodeFailed, 15, `input.none is null`},
		{`input.name > 3`, CodeType, 12, `> cannot compare a string with a whole number`},
		{`input.name + 3`, CodeType, 12, `string(x)`},
		{`input.n ? 1 : 2`, CodeType, 0, `expected a boolean, got number`},
		{`not input.name`, CodeType, 1, `expected a boolean, got string`},
		{`input.name && true`, CodeType, 0, `expected a boolean, got string`},
		{`1 / 0`, CodeFailed, 3, `division by zero`},
		{`5 % 0`, CodeFailed, 3, `division by zero`},
		{`9223372036854775807 + 1`, CodeFailed, 21, `beyond 64 bits`},
		{`9223372036854775807 * 2`, CodeFailed, 21, `beyond 64 bits`},
		{`10.0 ** 400`, CodeFailed, 6, `not a finite number`},
		{`input.huge + 1`, CodeLarge, 12, `too large to calculate`},
		{`map(input.users, .id.x)`, CodeFailed, 22, `cannot read "x" of number`},
		{`map(input.users, .nope.x)`, CodeFailed, 24, `cannot read "x" of null`},
		{`filter(input.n, true)`, CodeType, 1, `filter: expected a list, got a whole number`},
		{`filter(input.users, .id)`, CodeType, 0, `expected a boolean, got number`},
		{`len(input.n)`, CodeType, 1, `len: expected a string, list or object`},
		{`"a" in "abc"`, CodeType, 5, `contains looks inside a string`},
		{`fromJSON("{")`, CodeFailed, 1, `not JSON`},
		{`fromBase64("/w==")`, CodeFailed, 1, `not UTF-8`},
		{`groupBy(input.users, input.list)`, CodeFailed, 0, `cannot be the key of a group`},
		{`{(input.n): 1}`, CodeType, 0, `expected a string, got number`},
		{`date("yesterday")`, CodeFailed, 1, `is not a time like`},
	} {
		p, err := Compile(c.source)
		if err != nil {
			t.Errorf("%s: %v", c.source, err)
			continue
		}
		_, err = p.EvalJSON(someWorld())
		var e *Error
		if !errors.As(err, &e) || e.Code != c.code || !strings.Contains(e.Message, c.words) {
			t.Errorf("%s: got %v, want %s %q", c.source, err, c.code, c.words)
			continue
		}
		if c.column != 0 && e.Column != c.column {
			t.Errorf("%s: got column %d, want %d (%s)", c.source, e.Column, c.column, e.Message)
		}
	}
}

func TestEvalBoolWantsABoolean(t *testing.T) {
	for source, code := range map[string]string{`input.n`: CodeType, `input.name`: CodeType, `nil`: CodeType, `input.ok`: "", `false`: ""} {
		p, err := Compile(source)
		if err != nil {
			t.Fatal(err)
		}
		_, err = p.EvalBool(someWorld())
		var e *Error
		if errors.As(err, &e); (err == nil) != (code == "") || (e != nil && e.Code != code) {
			t.Errorf("%s: %v", source, err)
		}
	}
}

func TestTemplateErrors(t *testing.T) {
	for _, c := range []struct {
		config, code, pointer string
		column                int
	}{
		{`{"a":{"b~/c":["x","é {{ 1 + }}"]}}`, CodeSyntax, "/a/b~0~1c/1", 9},
		{`{"a":"{{ input.n"}`, CodeSyntax, "/a", 1},
		{`{"a":"{{ }}"}`, CodeSyntax, "/a", 3},
		{`{"a":"ok {{ input.none.x }}"}`, CodeFailed, "/a", 18},
		{`{"a":"{{ secrets.NONE }}"}`, CodeUnknown, "/a", 4},
		{`{"a":"{{ input.n > 'x' }}"}`, CodeType, "/a", 12},
		{`{"a":"x{{ input }} {{ 1/0 }}"}`, CodeFailed, "/a", 18},
		{`{`, CodeSyntax, "", 0},
	} {
		tm, err := CompileTemplate(json.RawMessage(c.config))
		if err == nil {
			_, err = tm.Render(someWorld())
		}
		var e *Error
		if !errors.As(err, &e) || e.Code != c.code || e.Pointer != c.pointer || e.Column != c.column {
			t.Errorf("%s: got %v; want %s at %s column %d", c.config, err, c.code, c.pointer, c.column)
		}
	}
}

func TestCheckTemplate(t *testing.T) {
	env := someEnv()
	env.Secrets = true
	found := CheckTemplate(json.RawMessage(`{"url":"{{ imput.n }}/{{ steps.later.output }}","ok":"{{ secrets.A }}","script":"{{ x","n":[1,"{{ 1 +"]}`), env, "script")
	var got []string
	for _, p := range found {
		got = append(got, p.Pointer+" "+p.Code)
	}
	want := "/url unknown_reference, /url not_an_ancestor, /n/1 expression_syntax"
	if strings.Join(got, ", ") != want {
		t.Errorf("got %v\nwant %s", got, want)
	}
	if len(found) == 3 && (found[0].Column != 4 || found[1].Column != 24) {
		t.Errorf("columns %d and %d", found[0].Column, found[1].Column)
	}
}
