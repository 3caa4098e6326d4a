package definitions

import (
	"encoding/json"
	"heddle/fault"
)

// Diagnostic is one finding of validation.
type Diagnostic = fault.Issue

// Catalog tells validation which step types there are. The steps package
// implements it; condition, loop and wait are known without it.
type Catalog interface {
	// Names lists the types, sorted.
	Names() []string
	// StepType finds one.
	StepType(name string) (StepType, bool)
}

// StepType is what validation needs to know of a type.
type StepType interface {
	// ConfigSchema is the JSON Schema (2020-12) of config, generated from the
	// Go struct that decodes it. Strings may hold templates: a value that is
	// wholly one template is accepted where the schema wants another type.
	ConfigSchema() json.RawMessage
	// OutputSchema is the JSON Schema of the output, or nil when unknown.
	OutputSchema(config json.RawMessage) json.RawMessage
	// CheckConfig finds what the schema cannot say. Pointers start at config.
	CheckConfig(config json.RawMessage) []Diagnostic
	// LiteralFields names the top-level string fields of config that hold no
	// templates (script.script).
	LiteralFields() []string
}
