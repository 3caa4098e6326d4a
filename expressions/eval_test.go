package expressions

import (
	"encoding/json"
	"testing"
)

// world is a scope of fixed values.
type world struct {
	values  map[string]string
	steps   map[string]StepValue
	signals map[string]string
	secrets map[string]string
}

func (w world) Value(name string) (json.RawMessage, bool) {
	v, ok := w.values[name]
	return json.RawMessage(v), ok
}

func (w world) Step(id string) (StepValue, bool) {
	v, ok := w.steps[id]
	return v, ok
}

func (w world) StepIDs() []string {
	var ids []string
	for id := range w.steps {
		ids = append(ids, id)
	}
	return ids
}

func (w world) Signal(name string) (json.RawMessage, bool) {
	v, ok := w.signals[name]
	return json.RawMessage(v), ok
}

func (w world) SignalNames() []string {
	var names []string
	for n := range w.signals {
		names = append(names, n)
	}
	return names
}

func (w world) Secret(name string) (string, bool) {
	v, ok := w.secrets[name]
	return v, ok
}

func someWorld() world {
	return world{
		values: map[string]string{
			"input": `{"n": 5, "f": 2.5, "big": 9007199254740993, "huge": 1e400, "name": "Ann", "ok": true, "none": null,
				"list": [3,1,2], "deep": {"z": 1, "a": {"b": [10, {"c": "x"}]}}, "users": [{"id":1,"tag":"a"},{"id":2,"tag":"b"},{"id":3,"tag":"a"}],
				"long": 123456789012345678901234567890, "text": "a}}b"}`,
			"run": `{"id":"run_1","version":3}`,
		},
		steps: map[string]StepValue{
			"fetch":   {Status: "completed", Output: json.RawMessage(`{"items":[1,2,3],"body":{"k":"v"}}`)},
			"my-step": {Status: "failed", Output: json.RawMessage(`null`), Error: json.RawMessage(`{"code":"x","message":"m"}`)},
		},
		signals: map[string]string{"approve": `{"yes":true}`},
		secrets: map[string]string{"TOKEN": "s3cret\"q"},
	}
}

func TestEvalJSON(t *testing.T) {
	for _, c := range []struct{ source, want string }{
		{`input.n > 3`, `true`},
		{`{{ input.n > 3 }}`, `true`},
		{`input.big`, `9007199254740993`},
		{`input.huge`, `1e400`},
		{`[input.huge, input.big, input.long]`, `[1e400,9007199254740993,123456789012345678901234567890]`},
		{`input.big == 9007199254740992.0`, `false`},
		{`input.deep`, `{"z": 1, "a": {"b": [10, {"c": "x"}]}}`},
		{`input.deep.a.b[1].c`, `"x"`},
		{`input.deep.a.b[-1].c`, `"x"`},
		{`input?.none?.x`, `null`},
		{`input.nope`, `null`},
		{`input.nope?.x.y ?? "d"`, `"d"`},
		{`steps["my-step"].error.code`, `"x"`},
		{`steps.fetch.status == "completed"`, `true`},
		{`steps.fetch`, `{"error":null,"output":{"items":[1,2,3],"body":{"k":"v"}},"status":"completed"}`},
		{`len(steps)`, `2`},
		{`steps["fe" + "tch"].output.items[0]`, `1`},
		{`signals.approve.yes`, `true`},
		{`signals.other?.yes ?? false`, `false`},
		{`map(filter(input.users, .tag == "a"), .id)`, `[1,3]`},
		{`sum(input.list)`, `6`},
		{`sum(input.users, .id)`, `6`},
		{`groupBy(input.users, .tag)`, `{"a":[{"id":1,"tag":"a"},{"id":3,"tag":"a"}],"b":[{"id":2,"tag":"b"}]}`},
		{`sortBy(input.users, .id, "desc")[0].id`, `3`},
		{`let x = input.n; x * 2`, `10`},
		{`input.name + "!"`, `"Ann!"`},
		{`1..3`, `[1,2,3]`},
		{`input.n / 2`, `2.5`},
		{`10 % 3`, `1`},
		{`-input.n`, `-5`},
		{`not (input.n in input.list)`, `true`},
		{`"n" in input`, `true`},
		{`input.name matches "^A"`, `true`},
		{`input.list | sort() | map(# * 2)`, `[2,4,6]`},
		{`date("2026-01-02T00:00:00Z") - date("2026-01-01T00:00:00Z") == duration("24h")`, `true`},
		{`date("2026-01-02T00:00:00+02:00").UTC().Format("15:04")`, `"22:00"`},
		{`input.long > 5`, `true`},
		{`input.huge > input.long`, `true`},
		{`keys(input.deep)`, `["a","z"]`},
		{`if input.ok { "y" } else { "n" }`, `"y"`},
		{`input.ok ? {a: 1, "b": [input.f]} : nil`, `{"a":1,"b":[2.5]}`},
		{`fromJSON("[1e400]")[0]`, `1e400`},
		{`"<&>"`, `"<&>"`},
		{`all(input.users, any(input.list, # > 2))`, `true`},
		{`max([1, [2.5, 2]], 2)`, `2.5`},
		{`map(input.list, ({k: #, i: #index}))[2]`, `{"i":2,"k":2}`},
	} {
		p, err := Compile(c.source)
		if err != nil {
			t.Errorf("%s: %v", c.source, err)
			continue
		}
		for range 2 {
			got, err := p.EvalJSON(someWorld())
			if err != nil || string(got) != c.want {
				t.Errorf("%s: got %s, %v; want %s", c.source, got, err, c.want)
			}
		}
	}
}

func TestRender(t *testing.T) {
	config := `{"a": 1.0, "b":"{{ input.n }}", "c": "x {{input.n}} y {{ input.big }}{{ input.none }}", "d": ["{{ {a: {b: 'c}}'}} }}"],
 "{{k}}": "{{ \"{{\" }}", "s": "Bearer {{ secrets.TOKEN }}", "script": "{{ left }}", "o": "o={{ input.deep.a }}", "n": 12345678901234567890, "u": "\u007b\u007b input.ok }}"}`
	want := `{"a": 1.0, "b":5, "c": "x 5 y 9007199254740993", "d": [{"a":{"b":"c}}"}}],
 "{{k}}": "{{", "s": "Bearer s3cret\"q", "script": "{{ left }}", "o": "o={\"b\": [10, {\"c\": \"x\"}]}", "n": 12345678901234567890, "u": true}`
	tm, err := CompileTemplate(json.RawMessage(config), "script")
	if err != nil {
		t.Fatal(err)
	}
	got, err := tm.Render(someWorld())
	if err != nil || string(got) != want {
		t.Errorf("got  %s, %v\nwant %s", got, err, want)
	}
	if tm.constant() || len(tm.Secrets()) != 1 {
		t.Error("constant or without secrets", tm.Secrets())
	}
}
