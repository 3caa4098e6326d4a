package expressions

import (
	"encoding/json"
	"fmt"
	"reflect"
	"testing"
)

// formEnv returns an Env with steps of three types of output, one of them hidden.
func formEnv(forms *Forms, budget *Budget, shapes map[string]*Shape) Env {
	env := NewEnv().Shape("input", shapes["closed"]).Shape("run", shapes["run"]).Hidden("hidden")
	env.Forms, env.Budget = forms, budget
	return env.Lookup(func(id string) (Visibility, *Shape) {
		switch id[0] {
		case 'a':
			return StepVisible, shapes["closed"]
		case 'b':
			return StepVisible, shapes["open"]
		case 'c', 'n', 'r':
			return StepVisible, nil
		}
		return StepAbsent, nil
	}, func() []string { return []string{"a", "b", "c"} })
}

// formShapes are the types of formEnv.
func formShapes() map[string]*Shape {
	return map[string]*Shape{
		"closed": ParseShape(json.RawMessage(`{"type":"object","additionalProperties":false,"properties":{"n":{"type":"integer"},"s":{"enum":["x","y"]}}}`)),
		"run":    ParseShape(json.RawMessage(`{"type":"object","properties":{"error":{"type":"object","properties":{"code":{"type":"string"}}}}}`)),
		"open":   ParseShape(json.RawMessage(`{"type":"object","properties":{"n":{"type":"string"}}}`)),
	}
}

// What is found in an expression, and what that takes from the budget, does not depend on
// the expressions that were checked before.
func TestFormsChangeNothingThatIsFound(t *testing.T) {
	shapes := formShapes()
	ids := []string{"a", "a2", "b", "c", "run", "not", "nil", "hidden", "absent"}
	for _, source := range []string{
		"steps.%s.output.n", "steps.%s.output.s == 'x'", "steps.%s.output.s == 'z'", "steps.%s.status == 'completed'", "steps.%s.status == 'done'",
		"steps.%s.output != null", "steps.%s.output.missing", "steps?.%s", "steps[\"%s\"].output.n", "input.steps.%s", "steps.%s.error?.code",
		"steps.%s.output.n matches 'a{1,9}'", "steps.%s.Year()", "steps.%s()", "let x = steps.%s; x", "let steps = input; steps.%s", "steps.%s.output.n // c",
		"input.n > steps.%s.output.n", "'steps.%s.output'", "{steps: 1}.steps.%s", "run.error.code == steps.%s.output", "steps.%s-b.output",
		"map([1], steps.%s.output.n)", "filter([input], .steps.%s)", "1..steps.%s.output.n", "steps. %s.output", "input . steps.%s", "nope.%s",
		"steps.%s.output.\u00e4", "secrets.x ?? steps.%s.output", "steps.a.output.n == steps.%s.output.n", "steps.%s", "not steps.%s.output",
	} {
		for _, pair := range product(ids, ids) {
			for _, changed := range []func(first, second *Env, b *Budget){
				func(_, _ *Env, _ *Budget) {},
				func(_, second *Env, _ *Budget) { second.Completed = true },
				func(first, _ *Env, _ *Budget) { first.Secrets = true },
				func(first, _ *Env, _ *Budget) { first.Shape("input", nil).Shape("nope", nil) },
				func(_, _ *Env, b *Budget) { b.Members = 0 },
				func(_, _ *Env, b *Budget) { b.Members, b.Patterns = 20, 10 },
			} {
				var left [2]Budget
				var found [2][]Problem
				for i, forms := range []*Forms{{}, nil} {
					left[i] = Budget{Expressions: 2, Problems: 10, Members: 1_000, Patterns: 1_000}
					first, second := formEnv(forms, &left[i], shapes), formEnv(forms, &left[i], shapes)
					changed(&first, &second, &left[i])
					found[i] = Check(fmt.Sprintf(source, pair[0]), first, WantAny)
					found[i] = append(found[i], Check(fmt.Sprintf(source, pair[1]), second, WantAny)...)
				}
				if !reflect.DeepEqual(found[0], found[1]) || !reflect.DeepEqual(left[0], left[1]) {
					t.Errorf("%s with %v: %+v with %+v left, want %+v with %+v", source, pair, found[0], left[0], found[1], left[1])
				}
			}
		}
	}
}

// product returns all pairs.
func product(a, b []string) (pairs [][2]string) {
	for _, x := range a {
		for _, y := range b {
			pairs = append(pairs, [2]string{x, y})
		}
	}
	return pairs
}

// Expressions that differ only in their steps are checked once, and the second is not
// parsed.
func TestExpressionsThatDifferInTheirStepsAreCheckedOnce(t *testing.T) {
	shapes, forms := formShapes(), &Forms{}
	check := func(source string) { Check(source, formEnv(forms, nil, shapes), WantBool) }
	first := testing.AllocsPerRun(1, func() { forms = &Forms{}; check("steps.a.output.n > 1 and steps.a1.output.n > 1") })
	check("steps.a.output.n > 1 and steps.a1.output.n > 1")
	for _, source := range []string{"steps.a2.output.n > 1 and steps.a3.output.n > 1", "steps.a3.output.n > 1 and steps.a2.output.n > 1"} {
		if again := testing.AllocsPerRun(10, func() { check(source) }); again > first/5 {
			t.Errorf("%s: %.0f allocations, %.0f the first time", source, again, first)
		}
	}
	for _, other := range []string{"steps.b.output.n > 1 and steps.a1.output.n > 1", "steps.a.output.n > 1 and steps.a.output.n > 1", "steps.a.output.n > 2 and steps.a1.output.n > 1"} {
		if env := formEnv(forms, nil, shapes); forms.take(other, env, WantBool, true) && forms.known(env) {
			t.Errorf("%s is taken for the same", other)
		}
	}
}
