package expressions_test

import (
	"encoding/json"
	"heddle/expressions"
	"testing"
)

// onlyInput is a scope that shows an input and nothing else.
type onlyInput struct{ json.RawMessage }

func (s onlyInput) Value(name string) (json.RawMessage, bool) {
	return s.RawMessage, name == "input"
}

func (onlyInput) Step(string) (expressions.StepValue, bool) { return expressions.StepValue{}, false }
func (onlyInput) StepIDs() []string                         { return nil }
func (onlyInput) Signal(string) (json.RawMessage, bool)     { return nil, false }
func (onlyInput) SignalNames() []string                     { return nil }
func (onlyInput) Secret(string) (string, bool)              { return "", false }

func TestNullIsNil(t *testing.T) {
	scope := onlyInput{json.RawMessage(`{"a":null,"null":1,"list":[null,2]}`)}
	for source, want := range map[string]bool{
		"input.a == null":                      true,
		"input.list == null":                   false,
		"(input.b ?? null) == nil":             true,
		"input.null == 1":                      true,
		`{"null": 2}.null == 2`:                true,
		"filter(input.list, # != null) == [2]": true,
		"let null = 3; null == 3":              false,
	} {
		p, err := expressions.Compile(source)
		if err != nil {
			if source == "let null = 3; null == 3" {
				continue // refused is as good as no such name
			}
			t.Errorf("%s: %v", source, err)
			continue
		}
		if got, err := p.EvalBool(scope); err != nil || got != want {
			t.Errorf("%s is %v, %v", source, got, err)
		}
	}
	env := expressions.NewEnv()
	env.Value("input", json.RawMessage(`{"type":"object","properties":{"a":{"type":"string"}},"additionalProperties":false}`))
	if ps := expressions.Check("input.a == null", env, expressions.WantBool); len(ps) > 0 {
		t.Errorf("Check finds %v", ps)
	}
}
