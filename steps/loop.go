package steps

import (
	"encoding/json"
	"heddle/definitions"
)

// loopConfig is the schema of loop's config. definitions decodes and checks it
// (definitions.LoopConfig), the run machine performs it.
type loopConfig struct {
	Items            string       `json:"items,omitempty" doc:"An expression that gives a list, or a count of iterations."`
	While            string       `json:"while,omitempty" doc:"A true or false expression, evaluated before each iteration."`
	As               string       `json:"as,omitempty" default:"item" pattern:"^[A-Za-z_][A-Za-z0-9_]{0,63}$" doc:"The name of the current item in the body's expressions."`
	Concurrency      int          `json:"concurrency,omitempty" default:"1" minimum:"1" doc:"How many iterations may be open at once."`
	MaxIterations    int          `json:"max_iterations,omitempty" default:"100000" minimum:"1" maximum:"1000000" doc:"More than these fail the step."`
	Steps            []nestedStep `json:"steps" minItems:"1" doc:"The body: steps as at the top level."`
	Collect          string       `json:"collect,omitempty" doc:"An expression per iteration; its values are results."`
	TolerateFailures tolerance    `json:"tolerate_failures,omitempty" doc:"How many iterations may fail: a count, or a share such as \"5%\"."`
}

// nestedStep is checked by definitions like any other step.
type nestedStep struct{}

func (nestedStep) jsonSchema() map[string]any { return map[string]any{"type": "object"} }

// tolerance is a count or a percentage.
type tolerance struct{}

func (tolerance) jsonSchema() map[string]any {
	return map[string]any{"anyOf": []map[string]any{
		{"type": "integer", "minimum": 0},
		{"type": "string"},
	}}
}

func loopType() *stepType {
	return &stepType{
		name:   "loop",
		config: schemaOf[loopConfig](),
		traits: definitions.Traits{Docs: "loop"},
		output: always(json.RawMessage(`{"type":"object","additionalProperties":false,"required":["count","completed","failed"],"properties":{` +
			`"count":{"type":"integer"},"completed":{"type":"integer"},"failed":{"type":"integer"},"results":{"type":"array"}}}`)),
	}
}
