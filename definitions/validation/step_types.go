package validation

import (
	"encoding/json"
	"heddle/definitions"
	"heddle/definitions/schemas"
	"heddle/definitions/source"
)

// stepTypes looks up the types of one pass, each at most once.
type stepTypes struct {
	catalog definitions.Catalog   // nil: only the machine's types are known
	known   map[string]*knownType // by name; nil for a type that is unknown
}

// knownType is a step type with its config schema compiled. Compiling costs
// more than checking a config, and a definition may have thousands of steps
// of one type.
type knownType struct {
	name     string
	stepType definitions.StepType
	checker  *schemas.Checker // nil: the type has no schema, or one that cannot be used
	schema   *source.Node     // as checker; for the names that the schema lists
}

// names returns every type that a step may have: the machine's and then
// the catalog's.
func (t *stepTypes) names() []string {
	names := []string{"condition", "loop", "wait"}
	if t.catalog != nil {
		for _, name := range t.catalog.Names() {
			if !definitions.PerformedByMachine(name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// find looks a type up once per pass. nil: unknown, or no catalog.
func (t *stepTypes) find(name string) *knownType {
	if known, ok := t.known[name]; ok {
		return known
	}
	// An unknown name is looked up once as well.
	t.known[name] = nil
	if t.catalog == nil {
		return nil
	}
	found, ok := t.catalog.StepType(name)
	if !ok {
		return nil
	}
	known := &knownType{name: name, stepType: found}
	if schema := found.ConfigSchema(); len(schema) > 0 {
		known.schema = source.ScanNodes(schema, source.Limits{Bytes: len(schema), Depth: source.MaxDepth, StringBytes: len(schema), Values: source.MaxValues}, &source.Diagnostics{})
		known.checker, _ = schemas.NewChecker(schema)
	}
	t.known[name] = known
	return known
}

// literal returns the fields of a type's config in which {{ }} is not
// expanded.
func (t *stepTypes) literal(name string) []string {
	if known := t.find(name); known != nil {
		return known.stepType.Traits().LiteralFields
	}
	return nil
}

// output returns what the catalog says of a type's output. What it
// says of a config with mistakes does not matter: the definition has errors
// then.
func (t *stepTypes) output(name string, config json.RawMessage) json.RawMessage {
	known := t.find(name)
	if known == nil {
		return nil
	}
	if len(config) == 0 {
		config = json.RawMessage("{}")
	}
	return known.stepType.OutputSchema(config)
}
