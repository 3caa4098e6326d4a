package validation

import (
	"heddle/definitions/schemas"
	"heddle/definitions/source"
	"heddle/internal/exactjson"
	"strings"
)

// schemaValidator checks schemas that authors wrote.
type schemaValidator struct {
	*pass
	faults     map[string][]schemas.Fault // what is wrong with each schema, by its canonical text
	subschemas int                        // of all schemas so far
}

// check checks the JSON Schemas inside of the definition: of the input, of
// outputs and of signals. Those in configs are for the config's type to
// check.
func (v *schemaValidator) check() {
	v.schema(v.doc.Root.Member("input"), "'input'")
	v.defaults(v.doc.Root.Member("input"))
	for _, e := range v.graph.entries {
		v.schema(e.node.Member("output_schema"), "'output_schema' of step '"+e.name()+"'")
		if e.step.Wait != nil {
			v.schema(e.node.Pick("config", "signal").Member("schema"), "the signal's schema of wait '"+e.name()+"'")
		}
	}
}

// schema reports what is wrong with one schema, compiled as at a start of a
// run. Equal texts are compiled once, and the result is reported at each
// place.
func (v *schemaValidator) schema(at *source.Node, what string) {
	if at == nil || at.Kind != source.Object || !at.Readable() {
		return
	}
	raw := v.doc.Raw(at)
	faults, known := v.faults[string(raw)]
	if !known {
		// Before compiling, which is what costs.
		if !v.affordable(at, what) {
			return
		}
		checker, err := schemas.NewChecker(raw)
		if err != nil {
			faults = schemas.Faults(err, at)
		} else if !v.patternsFit(checker.Instructions(), at, what) {
			return
		}
		v.faults[string(raw)] = faults
	}
	for _, f := range faults {
		v.finds.Error(source.SchemaInvalid, at.Follow(f.Pointer), "%s is not a JSON Schema (2020-12) that can be used: %s", source.Capitalize(what), f.Text).WithSuggestion(f.Suggest)
	}
	v.hints(at, what, 0)
}

// patternsFit takes the instructions of a schema's patterns from those that
// the definition may have, and reports whether they suffice. Only the first
// schema beyond them is reported.
func (v *schemaValidator) patternsFit(instructions int, at *source.Node, what string) bool {
	left := v.budget.Patterns
	v.budget.Patterns -= instructions
	if left >= 0 && v.budget.Patterns < 0 {
		v.finds.Error(source.LimitExceeded, at, "The patterns of the definition have more than %d instructions together up to %s; use fewer of them, or smaller repetitions", maxPatterns, what)
	}
	return v.budget.Patterns >= 0
}

// defaults reports defaults of the input schema that could be put into no
// input, because they are too large or have no end. A default that breaks the schema
// is a warning: starts that give the member are sound, and each one that leaves it out
// is refused. An empty input meets all that are not inside of others.
func (v *schemaValidator) defaults(at *source.Node) {
	if at == nil || at.Kind != source.Object || !at.Readable() {
		return
	}
	// Compiled again, because only its faults were kept. A schema that cannot
	// be used has been reported.
	checker, err := schemas.NewChecker(v.doc.Raw(at))
	if err != nil || !checker.HasDefaults() {
		return
	}
	filled, err := checker.Fill(nil)
	if err != nil {
		v.finds.Error(source.SchemaInvalid, at, "'input' cannot be used: %s", err)
		return
	}
	for _, issue := range checker.Check(filled) {
		// What is said of the input as a whole, as that a member is missing, is for
		// those who start a run.
		if issue.Pointer == "" {
			continue
		}
		place := at // where the default comes by a reference
		name, _, _ := strings.Cut(issue.Pointer[1:], "/")
		if n := at.Member("properties").Member(exactjson.UnescapeToken(name)).Member("default"); n != nil {
			place = n
		}
		v.finds.Warn(source.SchemaInvalid, place, "The default of '%s' does not fit the schema of 'input', so a run that is started without it is refused: %s", source.Clip(issue.Pointer[1:]), issue.Message)
	}
}

// affordable counts the subschemas of a schema that is about to be compiled,
// and reports whether the definition may have as many; true for nil. A schema
// that is too large alone counts as just too large: compiling refuses it with
// a message of its own.
func (v *schemaValidator) affordable(at *source.Node, what string) bool {
	if at == nil {
		return true
	}
	if v.subschemas > schemas.MaxAllSubschemas {
		return false // said already
	}
	v.subschemas += min(at.Objects(), schemas.MaxSubschemas+1)
	if v.subschemas <= schemas.MaxAllSubschemas {
		return true
	}
	v.finds.Error(source.LimitExceeded, at, "The schemas of the definition have more than %d subschemas up to %s; describe less", schemas.MaxAllSubschemas, what)
	return false
}
