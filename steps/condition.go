package steps

import (
	"encoding/json"
	"heddle/definitions"
)

// conditionConfig is the schema of condition's config. definitions decodes and
// checks it (definitions.ConditionConfig), the run machine performs it.
type conditionConfig struct {
	Expression string          `json:"expression,omitempty" doc:"A true or false expression."`
	Then       []string        `json:"then,omitempty" doc:"Steps that run only when it is true; each must depend on this step."`
	Else       []string        `json:"else,omitempty" doc:"Steps that run only when it, or every case, is false."`
	Cases      []conditionCase `json:"cases,omitempty" minItems:"1" doc:"Several branches instead of expression; the first true one is taken."`
}

type conditionCase struct {
	When string   `json:"when" doc:"A true or false expression."`
	Then []string `json:"then" doc:"Steps of this branch."`
}

func conditionType() *stepType {
	return &stepType{
		name:   "condition",
		config: schemaOf[conditionConfig](),
		traits: definitions.Traits{Docs: "condition"},
		output: always(json.RawMessage(`{"type":"object","additionalProperties":false,"required":["result","branch"],"properties":{` +
			`"result":{"type":"boolean"},"branch":{"type":"string"}}}`)),
	}
}
