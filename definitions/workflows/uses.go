package workflows

import (
	"bytes"
	"encoding/json"
	"heddle/definitions"
	"heddle/definitions/parser"
	"heddle/definitions/source"
	"heddle/definitions/validation"
)

// Reference is a step of the active or the latest version of a workflow that names one of the
// tenant's secrets or agents.
type Reference struct {
	WorkflowID string
	Slug       string
	Name       string // of the workflow
	Version    int
	StepID     string
}

// MaxReferences is how many references to one object are listed at most.
const MaxReferences = 100

// Uses returns a function that returns what the steps of a definition in canonical form name;
// see validation.UsesIn. It is pure.
func Uses(catalog definitions.Catalog) func(definition json.RawMessage) []validation.Use {
	return func(definition json.RawMessage) []validation.Use {
		// Most definitions name neither, and are not parsed for it.
		if !bytes.Contains(definition, []byte("secrets")) && !bytes.Contains(definition, []byte("agent")) {
			return nil
		}
		doc, _ := parser.Parse(definition, source.JSON)
		if doc == nil {
			return nil
		}
		return validation.UsesIn(doc, catalog)
	}
}
