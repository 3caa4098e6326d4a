package expressions_test

import (
	"encoding/json"
	"fmt"
	"heddle/expressions"
)

// inputOnly is a Scope in which only the run's input is visible.
type inputOnly json.RawMessage

func (s inputOnly) Value(name string) (json.RawMessage, bool) {
	return json.RawMessage(s), name == "input"
}

func (inputOnly) Step(string) (expressions.StepValue, bool) { return expressions.StepValue{}, false }
func (inputOnly) StepIDs() []string                         { return nil }
func (inputOnly) Signal(string) (json.RawMessage, bool)     { return nil, false }
func (inputOnly) SignalNames() []string                     { return nil }
func (inputOnly) Secret(string) (string, bool)              { return "", false }

// A program is compiled once and evaluated in any scope, also concurrently.
// Integers are exact, also where
// a float64 would round them.
func ExampleCompile() {
	program, err := expressions.Compile("{'total': sum(input.lines, .cents), 'first': input.lines[0].cents}")
	if err != nil {
		panic(err)
	}
	value, err := program.EvalJSON(inputOnly(`{"lines": [{"cents": 9007199254740993}, {"cents": 7}]}`))
	fmt.Println(string(value), err)

	_, err = expressions.Compile("input.lines.")
	fmt.Println(err)
	// Output:
	// {"first":9007199254740993,"total":9007199254741000} <nil>
	// expression_syntax: the expression ends where more is expected (column 12)
}
