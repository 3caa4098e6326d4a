package steps

import (
	"encoding/json"
	"heddle/definitions"
)

// loopType returns the type loop. The run machine performs it, and definitions
// decodes and checks its config (definitions.LoopConfig), which is why there is
// no schema of it here.
func loopType() *stepType {
	return &stepType{
		name:   "loop",
		traits: definitions.Traits{Docs: "loop"},
		output: constantSchema(json.RawMessage(`{"type":"object","additionalProperties":false,"required":["count","completed","failed"],"properties":{` +
			`"count":{"type":"integer"},"completed":{"type":"integer"},"failed":{"type":"integer"},"results":{"type":"array"}}}`)),
	}
}
