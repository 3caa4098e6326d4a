package steps

import (
	"encoding/json"
	"heddle/definitions"
)

// conditionType returns the type condition. The run machine performs it, and
// definitions decodes and checks its config (definitions.ConditionConfig), which
// is why no schema of it is here.
func conditionType() *stepType {
	return &stepType{
		name:   "condition",
		traits: definitions.Traits{Docs: "condition"},
		output: constantSchema(json.RawMessage(`{"type":"object","additionalProperties":false,"required":["result","branch"],"properties":{` +
			`"result":{"type":"boolean"},"branch":{"type":"string"}}}`)),
	}
}
