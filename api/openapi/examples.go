package openapi

import (
	_ "embed"
	"encoding/json"
)

// examplesText is what a test recorded: one good request to every operation and
// what it was answered. See TestExamplesAreRecorded.
//
//go:embed examples.json
var examplesText []byte

// example is what an operation may be sent, and what it answers then, by the status in decimal.
type example struct {
	// Request is the body that was sent; empty where there was none.
	Request json.RawMessage `json:"request"`
	// Answers are the bodies that came back, by the status in decimal.
	Answers map[string]json.RawMessage `json:"answers"`
}

// readExamples returns the recorded examples by operation id; an operation that is not recorded
// has none. It panics where the embedded file is broken.
func readExamples() map[string]example {
	var all map[string]example
	if err := json.Unmarshal(examplesText, &all); err != nil {
		panic("examples.json is not JSON: " + err.Error()) // only a broken build can be at fault
	}
	return all
}

// content returns the content of a body: its schema and, where there is one, an example.
func (s *schemas) content(schema dict, example json.RawMessage) dict {
	if len(example) == 0 {
		return dict{"schema": schema}
	}
	return dict{"schema": schema, "example": example}
}
