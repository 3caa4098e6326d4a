package expressions

import (
	"encoding/json"
	"errors"
	"testing"
)

// FuzzCompileEval: whatever the text and the value, nothing crashes or hangs, every
// error is an *Error and every result is JSON.
func FuzzCompileEval(f *testing.F) {
	for _, source := range []string{
		`input.n > 3`, `steps["my-step"].error?.code ?? "none"`, `map(input.users, {.id})`, `let x = 1; x + 2`,
		`{{ input.name }}`, `"a" + 'b' + ` + "`c`", `input.list | sort("desc") | take(2)`, `1..3`, `date("2026-01-01T00:00:00Z").Year()`,
		`input.list[1:][0]`, `if input.ok {1} else {2}`, `groupBy(input.users, .tag)["a"][0]?.id`, `// comment`, `input.deep.a.b[-1]`,
	} {
		f.Add(source, `{"n":5,"list":[3,1,2],"users":[{"id":1,"tag":"a"}],"name":"Ann"}`)
	}
	f.Fuzz(func(t *testing.T, source, input string) {
		if !json.Valid([]byte(input)) {
			return
		}
		Check(source, someEnv(), WantBool)
		p, err := Compile(source)
		if err != nil {
			ours(t, source, err)
			return
		}
		w := someWorld()
		w.values["input"] = input
		cheaply(t, source, func() {
			raw, err := p.EvalJSON(w)
			if err != nil {
				ours(t, source, err)
			} else if !json.Valid(raw) {
				t.Fatalf("%q gives %q", source, raw)
			}
			if _, err := p.Eval(w); err != nil {
				ours(t, source, err)
			}
		})
	})
}

func ours(t *testing.T, source string, err error) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) || e.Code == "" || e.Message == "" || e.Column < 0 {
		t.Fatalf("%q: %#v", source, err)
	}
}

// FuzzTemplate: every config renders to JSON or fails with an *Error, and one
// without templates is returned as it is.
func FuzzTemplate(f *testing.F) {
	for _, config := range []string{
		`{"a":"{{ input.n }}"}`, `["x {{ 1 }} y {{ {a: {b: 1}} }}"]`, `"{{ \"}}\" }}"`, `{"{{ k }}":1.0}`,
		`{"s":"\u007b{ input }}"}`, ` [ 1e400 , "{{ input.huge }}" ]`, `"{{"`, `"}} {{ 1 }"`, `{"a":{"script":"{{ x"}}`,
	} {
		f.Add(config)
	}
	f.Fuzz(func(t *testing.T, config string) {
		CheckTemplate(json.RawMessage(config), someEnv())
		tm, err := CompileTemplate(json.RawMessage(config), "script")
		if err != nil {
			ours(t, config, err)
			return
		}
		raw, err := tm.Render(someWorld())
		switch {
		case err != nil:
			ours(t, config, err)
		case !json.Valid(raw):
			t.Fatalf("%q gives %q", config, raw)
		case tm.constant() && config != "" && string(raw) != config && json.Valid([]byte(config)):
			t.Fatalf("%q became %q", config, raw)
		}
	})
}
