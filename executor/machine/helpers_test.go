package machine_test

import (
	"fmt"
	"heddle/definitions"
	"heddle/definitions/parser"
	"heddle/definitions/source"
	"heddle/definitions/validation"
	"heddle/executor/machine"
)

// tester is what *testing.T, *testing.B and *rapid.T share here.
type tester interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

func compilePlan(t tester, source string) *machine.Plan {
	t.Helper()
	plan, err := compileSource(source)
	if err != nil {
		t.Fatalf("%v\n%s", err, source)
	}
	return plan
}

func compileSource(text string) (*machine.Plan, error) {
	doc, diagnostics := parser.Parse([]byte(text), source.YAML)
	if doc == nil || !validation.Valid(diagnostics) {
		return nil, fmt.Errorf("definition: %v", diagnostics)
	}
	return machine.Compile(doc.Definition, traits)
}

// traits are those of the types that the scenarios use, as steps declares them.
func traits(stepType string) definitions.Traits {
	switch stepType {
	case "script":
		return definitions.Traits{LiteralFields: []string{"script"}}
	case "webhook":
		return definitions.Traits{DefaultRetry: &definitions.Retry{MaxAttempts: 5}}
	}
	return definitions.Traits{}
}

// parents lists the depends_on of a step, wherever it is.
func parents(plan *machine.Plan, id string) []string {
	var find func(steps []definitions.Step) []string
	find = func(steps []definitions.Step) []string {
		for i := range steps {
			if steps[i].ID == id {
				return append([]string{}, steps[i].DependsOn...)
			}
			if l := steps[i].Loop; l != nil {
				if found := find(l.Steps); found != nil {
					return found
				}
			}
		}
		return nil
	}
	d := plan.Definition()
	return append(append(find(d.Steps), find(d.OnFailure)...), find(d.Finally)...)
}
