package workflows

import "encoding/json"

// StepName is a step by what people know of it.
type StepName struct {
	ID   string
	Name string // "": it has none
}

// namedStep is what StepNames reads of a step.
type namedStep struct {
	ID, Type, Name string
	Config         json.RawMessage
}

// StepNames returns the steps of a definition in canonical form, those of handlers and of loops'
// bodies too; none of a text that is not one. It is pure.
func StepNames(definition json.RawMessage) []StepName {
	var d struct {
		Steps     []namedStep
		OnFailure []namedStep `json:"on_failure"`
		Finally   []namedStep
	}
	if json.Unmarshal(definition, &d) != nil {
		return nil
	}
	var names []StepName
	for _, list := range [][]namedStep{d.Steps, d.OnFailure, d.Finally} {
		names = appendNames(names, list, 0)
	}
	return names
}

// maxNestedLoops bounds how deep bodies are followed: a definition has fewer.
const maxNestedLoops = 64

// appendNames appends steps and, behind each loop, those of its body.
func appendNames(names []StepName, list []namedStep, depth int) []StepName {
	for _, s := range list {
		names = append(names, StepName{s.ID, s.Name})
		var loop struct{ Steps []namedStep }
		if s.Type == "loop" && depth < maxNestedLoops && json.Unmarshal(s.Config, &loop) == nil {
			names = appendNames(names, loop.Steps, depth+1)
		}
	}
	return names
}
