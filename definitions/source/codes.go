package source

// Code is the stable name of one kind of diagnostic, part of the API: a code is
// never renamed or given another meaning. docs/diagnostics.md has an entry for
// each.
type Code string

// The codes.
const (
	// Codes that are always warnings say so; the others are errors, or
	// either.
	Syntax             Code = "syntax"                  // the text cannot be read here
	DuplicateKey       Code = "duplicate_key"           // a key stands twice in one object
	LimitExceeded      Code = "limit_exceeded"          // too many, too large or too deep; also counts the unlisted
	UnknownField       Code = "unknown_field"           // an object has no such field
	MissingField       Code = "missing_field"           // a required field is absent
	WrongType          Code = "wrong_type"              // a value of another JSON type
	InvalidValue       Code = "invalid_value"           // the right type, but not an allowed value
	DuplicateStepID    Code = "duplicate_step_id"       // two steps of the definition share an id
	UnknownStepType    Code = "unknown_step_type"       // the catalog has no such type
	UnknownDependency  Code = "unknown_dependency"      // a step id that is not in the same list
	SelfDependency     Code = "self_dependency"         // a step that waits for itself
	Cycle              Code = "cycle"                   // steps that wait for each other
	FallbackInvalid    Code = "fallback_invalid"        // a step that cannot be a fallback
	BranchNotDependent Code = "branch_not_dependent"    // a branch that does not wait for its condition
	SchemaInvalid      Code = "schema_invalid"          // a JSON Schema that cannot be used; a warning for a default that breaks it
	UnknownReference   Code = "unknown_reference"       // a name that nothing bears; a warning for an agent
	NotAnAncestor      Code = "not_an_ancestor"         // an expression reads a step that may not have run
	ExpressionSyntax   Code = "expression_syntax"       // an expression that cannot be parsed
	ExpressionType     Code = "expression_type"         // an expression whose types do not fit
	UnreachableStep    Code = "unreachable_step"        // a warning: a step that can never start
	TemplateInScript   Code = "template_in_script"      // a warning: {{ }} in a literal field
	NeverChanges       Code = "condition_never_changes" // a warning: nothing changes the condition while it waits
	ForeignFormat      Code = "foreign_format"          // another product's file
	NeverTrue          Code = "never_true"              // a warning: what never holds
	Unexpanded         Code = "unexpanded_text"         // a warning: text meant to be a template
	SchemaKeyword      Code = "schema_keyword"          // a warning: a keyword unknown to JSON Schema, or out of place
)

// Codes returns every code, in a new slice. A test holds docs/diagnostics.md
// against it.
func Codes() []Code {
	return []Code{
		Syntax, DuplicateKey, LimitExceeded, UnknownField, MissingField, WrongType, InvalidValue,
		DuplicateStepID, UnknownStepType, UnknownDependency, SelfDependency, Cycle, FallbackInvalid,
		BranchNotDependent, SchemaInvalid, UnknownReference, NotAnAncestor, ExpressionSyntax,
		ExpressionType, UnreachableStep, TemplateInScript, NeverChanges, ForeignFormat, NeverTrue, Unexpanded, SchemaKeyword,
	}
}
