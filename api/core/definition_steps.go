package core

import (
	"encoding/json"
	"slices"
)

// DefinedStep is a step as a definition has it, read without validating it: the definition was
// validated when it was stored. Name is "" where it has none, Config as it was written, with its
// templates.
type DefinedStep struct {
	ID     string
	Name   string
	Type   string
	Config json.RawMessage
}

// CollectSteps reads the steps of a definition or of a loop's config into the map, by id, bodies
// of loops included. Ids are unique in a definition. What cannot be read is left out.
func CollectSteps(text json.RawMessage, into map[string]DefinedStep) {
	var list struct {
		Steps     []DefinedStep
		OnFailure []DefinedStep `json:"on_failure"`
		Finally   []DefinedStep
	}
	if json.Unmarshal(text, &list) != nil {
		return // a config may have another use for the name steps
	}
	for _, s := range slices.Concat(list.Steps, list.OnFailure, list.Finally) {
		into[s.ID] = s
		if s.Type == "loop" {
			CollectSteps(s.Config, into)
		}
	}
}
